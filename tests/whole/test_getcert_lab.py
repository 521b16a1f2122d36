"""GetCert on a whole board: what the CA has issued comes back, whatever became of it here."""

import hashlib
import ssl
from pathlib import Path

import pytest

from tests.helpers.board import SAVE, Agent, check_certificate, procedure
from tests.helpers.labca import LabCa
from tests.whole.test_power_cut import apply_in_background

GET = "pki get-certificate local realm abc"
DELETE = ("system-view", "pki delete-certificate local realm abc", "y")


def configure(agent: Agent, ca: LabCa, *realm: str) -> None:
    agent.must(*procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}", *realm), *SAVE)


def enrol(agent: Agent, ca: LabCa, *realm: str) -> str:
    """The serial number of what was issued."""
    configure(agent, ca, *realm)
    agent.must("system-view", "pki enroll-certificate realm abc")
    return ca.issued()[-1].stem


def files(agent: Agent) -> dict[Path, bytes]:
    """What consumers and operators read."""
    folders = (agent.dir / "memory" / "abc", agent.dir / "storage")
    return {p: p.read_bytes() for folder in folders for p in folder.glob("*.*")}


def refused(agent: Agent, line: str, *words: str) -> None:
    """It fails with these words, and leaves all as it was."""
    before = files(agent)
    said = agent.script("system-view", line)
    text = " ".join(said.text.split())
    assert said.status == 1, text
    for word in words:
        assert word in text, text
    assert files(agent) == before


@pytest.mark.parametrize(
    ("flags", "realm"),
    [
        ((), ()),
        (("--ra",), ("enrollment-url {url} ra",)),
        (("--chain",), ()),
        (("--quirk", "legacy-reply"), ("weak-algorithm des",)),
        ((), ("compatibility http-get",)),
    ],
    ids=["plain", "ra", "chain", "weak", "get"],
)
def test_a_deleted_certificate_comes_back(
    tmp_path: Path, flags: tuple[str, ...], realm: tuple[str, ...]
) -> None:
    with LabCa(tmp_path, *flags) as ca, Agent(tmp_path) as agent:
        serial = enrol(agent, ca, *(line.format(url=ca.url) for line in realm))
        before = agent.memory("cert.pem").read_bytes()
        agent.must(*DELETE)
        assert not agent.memory("cert.pem").exists()
        refused(agent, GET, "has no certificate", "serial-number")
        agent.must("system-view", f"{GET} serial-number {serial}")
        assert agent.memory("cert.pem").read_bytes() == before
        check_certificate(agent, ca.dir / ("root.pem" if "--chain" in flags else "ca.pem"),
                          ca.dir / "ca.pem")  # fmt: skip
        assert [e["messageType"] for e in ca.pki_operations()] == ["PKCSReq", "GetCert"]
        assert len(ca.issued()) == 1
        agent.kill()
        agent.start()
        assert agent.wait_state("issued")


def test_the_certificate_in_use_signs_and_is_not_written_again(tmp_path: Path) -> None:
    with LabCa(tmp_path) as ca, Agent(tmp_path) as agent:
        enrol(agent, ca)
        folder = agent.memory("cert.pem").resolve()
        said = agent.must("system-view", GET)
        assert "is already in use: nothing was written" in said
        assert agent.memory("cert.pem").resolve() == folder
        held = hashlib.sha256(ssl.PEM_cert_to_DER_cert(ca.issued()[0].read_text())).hexdigest()
        assert ca.pki_operations()[-1]["signer_sha256"] == held


def test_a_reply_that_was_lost_is_made_good(tmp_path: Path) -> None:
    """The CA issues and ends before it answers; the request is kept, then it is for nothing."""
    with LabCa(tmp_path, "--hold", "issued") as ca, Agent(tmp_path) as agent:
        configure(agent, ca)
        said = apply_in_background(agent)
        ca.held()
        ca.stop()
        said.wait(60)
        serial = ca.issued()[0].stem
        assert agent.state() == "failed"
        assert agent.shown("Transaction ID") != "-"
        with LabCa(tmp_path) as again:
            agent.must("system-view", "pki realm abc", f"enrollment-url {again.url}", "quit",
                       f"{GET} serial-number {serial}")  # fmt: skip
            check_certificate(agent, again.dir / "ca.pem")
        assert agent.state() == "issued"
        assert agent.shown("Transaction ID") == "-"
        assert len(ca.issued()) == 1


def test_what_is_not_ours_is_refused(tmp_path: Path) -> None:
    with (
        LabCa(tmp_path) as ca,
        Agent(tmp_path / "one") as one,
        Agent(tmp_path / "two") as two,
    ):
        theirs = enrol(two, ca)
        enrol(one, ca)
        refused(one, f"{GET} serial-number 77", "knows no certificate 77", "badCertId",
                "compare the number")  # fmt: skip
        refused(one, f"{GET} serial-number {theirs}", "0 of the issued certificates are for our")
        assert one.state() == "issued"


def test_a_ca_without_it_is_told_from_one_that_is_down(tmp_path: Path) -> None:
    with LabCa(tmp_path, "--quirk", "queries-500") as ca, Agent(tmp_path) as agent:
        enrol(agent, ca)
        refused(agent, GET, "did not answer GetCert", "HTTP 500", "pki import-certificate local",
                "pki enroll-certificate realm abc")  # fmt: skip
        assert "GET_LOCAL_CERT_ERR" in agent.must("display logbuffer")
