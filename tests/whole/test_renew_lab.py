"""Renewals by hand against the lab CA: real agent, real worker, real HTTP."""

import hashlib
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from tests.helpers.board import AGAIN, SAVE, Agent, check_certificate, patient, procedure
from tests.helpers.labca import LabCa, wait_for
from tests.whole.test_power_cut import apply_in_background, check_files_whole

CHALLENGE = "password cipher sekret"


def enrolled(agent: Agent, ca: LabCa, *realm: str) -> None:
    trusted = f"fingerprint sha256 {ca.fingerprint}"
    agent.must(*procedure(ca.url, trusted, CHALLENGE, *realm), *SAVE)
    agent.must(*AGAIN[:2])
    agent.wait_state("issued")


def requests(ca: LabCa) -> list[object]:
    return [entry["messageType"] for entry in ca.pki_operations()]


def signers(ca: LabCa) -> list[object]:
    return [entry["signer_sha256"] for entry in ca.pki_operations()]


# Quirk of the CA -> keywords of the realm, and what goes to the CA the second time.
WAYS = {
    None: ((), "RenewalReq"),
    "renewal-19": (("compatibility renew-by-signed-pkcsreq",), "PKCSReq"),
    "renewal-17": ((), "RenewalReq"),
    "renewal-challenge": (("compatibility renew-with-password",), "RenewalReq"),
}


@pytest.mark.parametrize("quirk", WAYS)
def test_the_certificate_in_use_renews_itself(tmp_path: Path, quirk: str | None) -> None:
    keywords, message_type = WAYS[quirk]
    flags = ["--challenge", "sekret", *(["--quirk", quirk] if quirk else [])]
    with LabCa(tmp_path, *flags) as ca, Agent(tmp_path) as agent:
        enrolled(agent, ca, *keywords)
        before = agent.memory("cert.pem").read_bytes()
        agent.must(*AGAIN)
        agent.wait_state("issued")
        assert agent.memory("cert.pem").read_bytes() != before
        check_certificate(agent, ca.dir / "ca.pem")
        assert requests(ca) == ["PKCSReq", message_type]
        first = ssl.PEM_cert_to_DER_cert(ca.issued()[0].read_text())
        assert signers(ca)[1] == hashlib.sha256(first).hexdigest()


def test_without_renewal_in_the_list_it_applies_anew_with_the_challenge(tmp_path: Path) -> None:
    with (
        LabCa(tmp_path, "--challenge", "sekret", "--caps", "AES SHA-256 POSTPKIOperation") as ca,
        Agent(tmp_path) as agent,
    ):
        enrolled(agent, ca)
        agent.must(*AGAIN)
        assert requests(ca) == ["PKCSReq", "PKCSReq"]
        assert len(ca.issued()) == 2


@pytest.mark.parametrize("hold", ["pkcsreq", "issued"])
def test_power_cut_in_a_renewal_sends_the_same_again(tmp_path: Path, hold: str) -> None:
    """Also when the CA had issued already: one transaction, one signer, the old one until then."""
    with LabCa(tmp_path, "--challenge", "sekret") as first, Agent(tmp_path) as agent:
        enrolled(agent, first)
        first.stop()
        old = agent.memory("cert.pem").read_bytes()
        with LabCa(tmp_path, "--challenge", "sekret", "--hold", hold) as ca:
            agent.must("system-view", "pki realm abc", f"enrollment-url {ca.url}", *SAVE)
            count = len(requests(ca))
            waiting = apply_in_background(agent, question=True)
            ca.held()
            transaction = agent.shown("Transaction ID")
            agent.kill()
            waiting.wait(60)
            agent.start()
            assert agent.memory("cert.pem").read_bytes() == old or agent.state() == "issued"
            agent.wait_state("issued")
            assert agent.memory("cert.pem").read_bytes() != old
            check_certificate(agent, ca.dir / "ca.pem")
            mine = [e for e in ca.log() if e["transactionID"] == transaction]
            assert {e["messageType"] for e in mine} == {"RenewalReq", "CertPoll"}
            assert len({e["signer_sha256"] for e in mine}) == 1
            assert len({e["csr_sha256"] for e in mine} - {None}) == 1
            assert len(ca.issued()) == 2
            assert len(requests(ca)) > count


@pytest.mark.parametrize("moment_ms", [20, 60, 120, 200, 320])
def test_power_cut_at_any_moment_of_a_renewal(tmp_path: Path, moment_ms: int) -> None:
    """Wherever it falls: the old certificate or the new one is served, and one more is issued."""
    with LabCa(tmp_path, "--challenge", "sekret") as ca, Agent(tmp_path) as agent:
        enrolled(agent, ca)
        old = agent.memory("cert.pem").read_bytes()
        waiting = apply_in_background(agent, question=True)
        try:
            waiting.wait(moment_ms / 1000)
        except subprocess.TimeoutExpired:
            pass
        agent.kill()
        waiting.wait(60)
        check_files_whole(agent)
        agent.start()
        agent.wait_state("issued")
        check_certificate(agent, ca.dir / "ca.pem")
        if len(ca.issued()) == 1:  # the cut came before the request
            assert agent.memory("cert.pem").read_bytes() == old
        else:
            assert agent.memory("cert.pem").read_bytes() != old
        assert len(ca.issued()) <= 2


def test_a_renewal_waits_behind_an_ra_through_a_power_cut(tmp_path: Path) -> None:
    """The polls are signed with the old certificate too; the list comes through the RA as well."""
    with LabCa(tmp_path, "--ra", "--manual") as ca, Agent(tmp_path) as agent:
        rules = (f"fingerprint sha256 {ca.fingerprint}", patient(ca.url, "ra"))
        agent.must(*procedure(ca.url, *rules), *SAVE)
        for question in (False, True):
            agent.must(*AGAIN[: 3 if question else 2])
            agent.wait_state("pending")
            old = agent.memory("cert.pem").read_bytes() if question else b""
            agent.kill()
            agent.start()
            agent.wait_state("pending")
            assert len(ca.approve()) == 1
            agent.rate(120)
            agent.wait_state("issued")
            agent.rate(1)
            assert agent.memory("cert.pem").read_bytes() != old
        check_certificate(agent, ca.dir / "ca.pem")
        agent.must("system-view", "pki get-crl realm abc")
        mine = [e for e in ca.pki_operations() if e["messageType"] != "GetCRL"]
        renewals = [e for e in mine if e["transactionID"] == mine[-1]["transactionID"]]
        assert {e["messageType"] for e in renewals} == {"RenewalReq", "CertPoll"}
        assert len({e["signer_sha256"] for e in renewals}) == 1


def test_to_a_ca_with_a_new_key_and_the_old_name_it_applies_anew(tmp_path: Path) -> None:
    """Field case 11: the operator types its fingerprint, and the certificate in use, which has the
    right issuer, is worth nothing there."""
    (tmp_path / "new").mkdir()
    with (
        LabCa(tmp_path, "--challenge", "sekret") as old,
        LabCa(tmp_path / "new", "--challenge", "sekret") as new,
        Agent(tmp_path) as agent,
    ):
        enrolled(agent, old)
        moved = (f"enrollment-url {new.url}", f"fingerprint sha256 {new.fingerprint}")
        agent.must("system-view", "pki realm abc", *moved, *SAVE)
        agent.must(*AGAIN)
        agent.wait_state("issued")
        check_certificate(agent, new.dir / "ca.pem")
        assert [entry["messageType"] for entry in new.pki_operations()] == ["PKCSReq"]


def test_until_the_new_ca_has_issued_consumers_have_the_ca_of_the_old_certificate(
    tmp_path: Path,
) -> None:
    """Field case 11 (a), through a start with nothing in device memory."""
    (tmp_path / "new").mkdir()
    names = ("cert.pem", "chain.pem", "ca.pem")
    with (
        LabCa(tmp_path, "--challenge", "sekret") as old,
        LabCa(tmp_path / "new", "--challenge", "sekret", "--manual") as new,
        Agent(tmp_path) as agent,
    ):
        enrolled(agent, old)
        before = [agent.memory(name).read_bytes() for name in names]
        moved = (patient(new.url), f"fingerprint sha256 {new.fingerprint}")
        agent.must("system-view", "pki realm abc", *moved, *SAVE)
        agent.must(*AGAIN)
        agent.wait_state("pending")
        agent.kill()
        shutil.rmtree(agent.dir / "memory")
        agent.start()
        trusted = agent.memory("ca.pem")
        wait_for(trusted.exists, 120, "nothing is in memory")
        assert [agent.memory(name).read_bytes() for name in names] == before
        assert len(new.approve()) == 1
        agent.rate(120)
        agent.wait_state("issued")
        agent.rate(1)
        wait_for(lambda: trusted.read_bytes() != before[2], 120, "it is the old one still")
        check_certificate(agent, new.dir / "ca.pem")
