"""Files in and out on a whole board: console, agent, worker, storage; openssl judges what left."""

from pathlib import Path

from tests.helpers import scep_files as files
from tests.helpers.board import Agent, procedure
from tests.helpers.labca import LabCa

PASSWORD = "file-secret"


def exportable(line: str) -> str:
    return f"{line} exportable" if "local-key-pair create" in line else line


def enrol(agent: Agent, ca: LabCa) -> None:
    lines = procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}")
    agent.must(*map(exportable, lines), "pki enroll-certificate realm abc")


def test_what_one_board_exports_another_one_imports(tmp_path: Path) -> None:
    with LabCa(tmp_path) as ca, Agent(tmp_path / "one") as one, Agent(tmp_path / "two") as two:
        enrol(one, ca)
        said = one.must(
            "system-view",
            "pki validate-certificate local realm abc",
            f"pki export-certificate local realm abc pkcs12 filename out.p12 password {PASSWORD}",
            "pki export-certificate local realm abc der filename out.der",
            "pki export-certificate ca realm abc pem filename ca.pem",
        )
        assert "Valid" in said
        stored = one.dir / "storage"
        words = ("pkcs12", "-in", str(stored / "out.p12"), "-passin", f"pass:{PASSWORD}")
        info = files.openssl(*words, "-nodes")
        assert b"BEGIN PRIVATE KEY" in info
        local = (stored / "out.der").read_bytes()
        assert files.openssl("x509", "-outform", "der", data=info) == local
        for name in ("out.p12", "ca.pem"):
            (two.dir / "storage" / name).write_bytes((stored / name).read_bytes())
        said = two.must(
            "system-view",
            f"pki import rsa-key-pair moved pkcs12 out.p12 password {PASSWORD}",
            "pki realm abc",
            "rsa local-key-pair moved",
            f"fingerprint sha256 {ca.fingerprint}",
            "quit",
            "pki import-certificate ca realm abc pem filename ca.pem",
            f"pki import-certificate local realm abc pkcs12 filename out.p12 password {PASSWORD}",
            "pki validate-certificate local realm abc",
            "pki validate-certificate ca realm abc",
        )
        assert "Invalid" not in said
        current = two.dir / "memory" / "abc" / "cert.pem"
        assert files.openssl("x509", "-outform", "der", data=current.read_bytes()) == local


def test_wrong_files_end_in_their_own_errors(tmp_path: Path) -> None:
    with Agent(tmp_path) as agent:
        agent.must("system-view", "pki rsa local-key-pair create k1 modulus 2048", "pki realm abc",
                   "rsa local-key-pair k1")  # fmt: skip
        storage = agent.dir / "storage"
        (storage / "theirs.p12").write_bytes(files.pkcs12(tmp_path, "-passout", "pass:right"))
        (storage / "junk.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n")
        attempts = {
            "pki import rsa-key-pair k2 pkcs12 theirs.p12 password wrong": "does not open",
            "pki import-certificate ca realm abc pem filename junk.pem": "cannot be read",
            "pki import-certificate local realm abc pkcs12 filename theirs.p12 password right":
                "is not the realm's",
        }  # fmt: skip
        for line, words in attempts.items():
            said = agent.script("system-view", line)
            assert said.status == 1
            assert words in " ".join(said.text.split()), said.text
        # What a file is, its octets say; the format that was typed is what somebody believed.
        agent.must("system-view", "pki import rsa-key-pair k2 pem theirs.p12 password right")


def test_the_offline_request_is_one_that_openssl_verifies(tmp_path: Path) -> None:
    with LabCa(tmp_path) as ca, Agent(tmp_path) as agent:
        agent.must(*procedure(ca.url, "password cipher sekret"))
        said, text = offline(agent)
        assert "without the challenge password" in said
        assert "challengePassword" not in text
        said, text = offline(agent, "with-password")
        assert "with the challenge password in it" in said
        assert "challengePassword" in text
        said = agent.must("display pki cert-req filename r1.req")
        assert "Certificate Request:" in said
        assert "challengePassword" in said
        assert "******" in said


def test_who_carries_the_offline_request_does_not_learn_the_challenge(tmp_path: Path) -> None:
    with LabCa(tmp_path) as ca, Agent(tmp_path) as agent:
        agent.must(*procedure(ca.url, "password cipher Tr0ub4dor"))
        offline(agent)
        data = (agent.dir / "storage" / "r1.req").read_bytes()
        assert b"Tr0ub4dor" not in files.openssl("req", "-outform", "der", data=data)


def offline(agent: Agent, *more: str) -> tuple[str, str]:
    """What the console says to a request that is written to a file, and openssl to the file."""
    path = agent.dir / "storage" / "r1.req"
    path.unlink(missing_ok=True)
    line = "pki enroll-certificate realm abc pkcs10 filename r1.req"
    said = agent.must("system-view", " ".join([line, *more]))
    return said, files.openssl("req", "-verify", "-noout", "-text", data=path.read_bytes()).decode()
