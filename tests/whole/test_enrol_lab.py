"""From the console to a certificate, with every real part: agent process, worker, lab CA."""

import os
from pathlib import Path
from ssl import PEM_cert_to_DER_cert

import pytest

from tests.helpers.board import SAVE, Agent, check_certificate, patient, procedure
from tests.helpers.hostile import CERTIFICATES, Hostile
from tests.helpers.labca import LabCa, wait_for
from tests.helpers.peers import fingerprint
from tests.helpers.scep_http import ok
from tests.helpers.scep_lab import degenerate

STRONG = (
    "enrollment-request signature message-digest-method sha-512",
    "enrollment-request encryption-algorithm aes256",
)


def test_aes256_sha512_with_challenge_and_source(tmp_path: Path) -> None:
    with LabCa(tmp_path, "--challenge", "sekret") as ca, Agent(tmp_path) as agent:
        agent.must(
            *procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}", *STRONG),
            "pki realm abc",
            "source 127.0.0.9",
            "key-usage ike ssl-client ssl-server",
            "password cipher sekret",
            "quit",
            "pki enroll-certificate realm abc",
            *SAVE,
        )
        check_certificate(agent, ca.dir / "ca.pem")
        (operation,) = ca.pki_operations()
        assert (operation["digest"], operation["cipher"]) == ("sha512", "aes256")
        assert (operation["method"], operation["pkiStatus"]) == ("POST", "SUCCESS")
        assert {entry["peer"] for entry in ca.log()} == {"127.0.0.9"}
        assert agent.state() == "issued"


@pytest.mark.parametrize("restart", [False, True], ids=["running", "restarted"])
def test_pending_approved_after_two_polls(tmp_path: Path, restart: bool) -> None:
    with LabCa(tmp_path, "--manual") as ca, Agent(tmp_path) as agent:
        text = agent.must(
            *procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}", patient(ca.url), *STRONG),
            "pki enroll-certificate realm abc",
            *SAVE,
        )
        assert "PENDING" in text
        assert agent.state() == "pending"
        transaction = agent.shown("Transaction ID")
        agent.rate(120)  # a poll of a minute in half a second
        _wait_polls(agent, ca, 1)
        if restart:
            agent.kill()
            agent.start()
            assert agent.shown("Transaction ID") == transaction
        _wait_polls(agent, ca, 2)
        assert ca.approve() == [transaction]
        agent.wait_state("issued")
        polls = [o for o in ca.pki_operations() if o["messageType"] == "CertPoll"]
        assert len(polls) >= 3
        assert {o["transactionID"] for o in ca.pki_operations()} == {transaction}
        agent.rate(1)
        check_certificate(agent, ca.dir / "ca.pem")


def test_everything_at_once_through_two_power_cuts(tmp_path: Path) -> None:
    """RA in front, GET only, AES-256, SHA-512, PENDING, and the agent restarted in between."""
    with LabCa(tmp_path, "--manual", "--ra", "--quirk", "get-only") as ca, Agent(tmp_path) as agent:
        agent.must(
            *procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}", *STRONG),
            *("pki realm abc", patient(ca.url, "ra"), "quit"),
            "pki enroll-certificate realm abc",
            *SAVE,
        )
        for polls in (1, 2):
            agent.rate(120)
            _wait_polls(agent, ca, polls)
            agent.rate(1)
            agent.kill()
            agent.start()
        (transaction,) = ca.approve()
        agent.rate(120)
        agent.wait_state("issued")
        agent.rate(1)
        check_certificate(agent, ca.dir / "ca.pem")
        operations = ca.pki_operations()
        assert {o["method"] for o in operations} == {"GET"}
        assert {o["transactionID"] for o in operations} == {transaction}
        assert {o["digest"] for o in operations} == {"sha512"}
        assert len({o["signer_sha256"] for o in operations}) == 1


def _wait_polls(agent: Agent, ca: LabCa, count: int) -> None:
    wait_for(
        lambda: sum(o["messageType"] == "CertPoll" for o in ca.pki_operations()) >= count,
        60,
        f"no poll {count}: {agent.log()}",
    )


def test_ra_in_front(tmp_path: Path) -> None:
    with LabCa(tmp_path, "--ra") as ca, Agent(tmp_path) as agent:
        agent.must(
            *procedure(f"{ca.url} ra", f"fingerprint sha256 {ca.fingerprint}", *STRONG),
            "pki enroll-certificate realm abc",
        )
        check_certificate(agent, ca.dir / "ca.pem")
        # What may be trusted is the CA alone: an RA is none, and consumers may trust what is there.
        stored = (agent.dir / "storage" / "abc_ca.cer").read_text()
        assert stored.strip() == (ca.dir / "ca.pem").read_text().strip()
        assert agent.memory("ca.pem").read_text() == stored
        shown = agent.must("display pki certificate ca realm abc")
        assert shown.count("Certificate:") == 3  # the store holds it for the next request


def test_an_ra_that_the_realm_does_not_say_never_gets_the_challenge(tmp_path: Path) -> None:
    """Any device of a CA could put its own certificate into a GetCACert answer."""
    with LabCa(tmp_path, "--ra", "--challenge", "sekret") as ca, Agent(tmp_path) as agent:
        agent.must(
            *procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}", "password cipher sekret")
        )
        said = agent.script("system-view", "pki enroll-certificate realm abc")
        assert said.status == 1
        print_ = fingerprint(ca.dir / "ra-sig.pem").replace(":", "").lower()
        assert f"sha256 {print_} may be an RA's" in said.text
        assert "`enrollment-url ... ra`" in said.text
        assert ca.issued() == []


def test_a_customer_of_the_ca_in_its_set_gets_nothing(tmp_path: Path) -> None:
    """He is on the path and puts the certificate that he has for IKE first into GetCACert."""
    with LabCa(tmp_path, "--ra", "--challenge", "sekret") as ca, Agent(tmp_path) as agent:
        realm = (f"fingerprint sha256 {ca.fingerprint}", "password cipher sekret", "key-usage ike")
        agent.must(*procedure(f"{ca.url} ra", *realm), "pki enroll-certificate realm abc")
        files = [ca.dir / name for name in ("ca.pem", "ra-enc.pem", "ra-sig.pem")]
        ders = [PEM_cert_to_DER_cert(p.read_text()) for p in (agent.memory("cert.pem"), *files)]
        certificates = ok(degenerate(ders))
        with Hostile(lambda line: line.send(certificates), ca.url, CERTIFICATES) as between:
            agent.must(
                *("system-view", "pki realm abc", f"enrollment-url {between.url} ra", "quit"),
                *("pki enroll-certificate realm abc", "y"),
            )
            assert any(CERTIFICATES in request for request in between.asked)
        assert len(ca.issued()) == 2
        check_certificate(agent, ca.dir / "ca.pem")


def test_get_only(tmp_path: Path) -> None:
    with LabCa(tmp_path, "--quirk", "get-only") as ca, Agent(tmp_path) as agent:
        agent.must(
            *procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}", *STRONG),
            "pki enroll-certificate realm abc",
        )
        assert [o["method"] for o in ca.pki_operations()] == ["GET"]
        check_certificate(agent, ca.dir / "ca.pem")


def test_a_chain_with_the_root_left_out(tmp_path: Path) -> None:
    with LabCa(tmp_path, "--chain", "--quirk", "root-absent") as ca, Agent(tmp_path) as agent:
        agent.must(
            *procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"),
            "pki enroll-certificate realm abc",
        )
        check_certificate(agent, ca.dir / "root.pem", chain=agent.memory("chain.pem"))


WRONG = {
    "fingerprint": ("fingerprint sha256 " + "ab" * 32, "fingerprint", ()),
    "challenge": ("password cipher wrong", "password cipher", ()),
    "url": ("enrollment-url http://127.0.0.1:9/scep", "enrollment-url", ()),
}


def test_three_mistakes_are_three_errors_and_nothing_is_stored(tmp_path: Path) -> None:
    with LabCa(tmp_path, "--challenge", "sekret") as ca, Agent(tmp_path) as agent:
        agent.must(*procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"))
        files = sorted(os.listdir(agent.dir / "storage"))
        seen = set()
        for mistake, remedy, _more in WRONG.values():
            said = agent.script(
                "system-view", "pki realm abc", mistake, "quit", "pki enroll-certificate realm abc"
            )
            assert said.status == 1
            error, cause, step = said.text.strip().splitlines()[-3:]
            assert error.startswith("Error: ")
            assert cause.startswith(" Cause: ")
            assert remedy in step
            seen.add(error)
            assert sorted(os.listdir(agent.dir / "storage")) == files
            assert not agent.memory("cert.pem").exists()
            assert agent.state() == "failed"
            agent.must(
                "system-view",
                "pki realm abc",
                f"enrollment-url {ca.url}",
                f"fingerprint sha256 {ca.fingerprint}",
                "undo password",
            )
        assert len(seen) == len(WRONG)
        assert ca.issued() == []
        # The password of the command wins over none, and everything else was right.
        agent.must("system-view", "pki enroll-certificate realm abc password sekret")
        check_certificate(agent, ca.dir / "ca.pem")
        assert "sekret" not in agent.log()


def test_a_second_application_asks_and_replaces(tmp_path: Path) -> None:
    with LabCa(tmp_path) as ca, Agent(tmp_path) as agent:
        agent.must(
            *procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"),
            "pki enroll-certificate realm abc",
        )
        first = agent.memory("cert.pem").read_bytes()
        agent.script("system-view", "pki enroll-certificate realm abc", "n")
        assert agent.memory("cert.pem").read_bytes() == first
        agent.must("system-view", "pki enroll-certificate realm abc", "y")
        assert agent.memory("cert.pem").read_bytes() != first
        check_certificate(agent, ca.dir / "ca.pem")


@pytest.mark.parametrize(
    "fault", ["ca-flag", "expired", "not-yet"]
)  # others: whole/test_bad_peer.py
def test_a_certificate_that_is_wrong_is_never_installed(tmp_path: Path, fault: str) -> None:
    with LabCa(tmp_path, "--hostile", fault) as ca, Agent(tmp_path) as agent:
        agent.must(*procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"))
        said = agent.script("system-view", "pki enroll-certificate realm abc")
        assert said.status == 1
        assert "Next step:" in said.text
        assert len(ca.issued()) == 1
        assert not agent.memory("cert.pem").exists()
        assert agent.state() == "failed"
        assert os.listdir(agent.dir / "storage") == []


@pytest.mark.parametrize(
    "fault", ["signature", "transaction", "nonce", "no-nonce", "message-type", "signer"]
)
def test_an_answer_that_is_not_the_cas_is_refused(tmp_path: Path, fault: str) -> None:
    with LabCa(tmp_path, "--hostile", fault) as ca, Agent(tmp_path) as agent:
        agent.must(*procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"))
        said = agent.script("system-view", "pki enroll-certificate realm abc")
        assert said.status == 1
        assert not agent.memory("cert.pem").exists()
        assert agent.state() == "failed"
