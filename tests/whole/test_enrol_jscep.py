"""A CA that is not ours: jscep's servlet on Tomcat. It answers with 3DES, SHA-1 and BER."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers import alone, jscep
from tests.helpers.board import (
    AGAIN,
    APPLY,
    SAVE,
    Agent,
    check_certificate,
    patient,
    procedure,
    run,
)
from tests.helpers.jscep import JscepCa
from tests.helpers.labca_http import certificates

WHY_NOT = jscep.missing()
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)

FAST = 30  # polls of a minute take two seconds
CHALLENGE = "password cipher sekret"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JscepCa]:
    """One virtual machine for all of them: it takes seconds to start."""
    with JscepCa(tmp_path_factory.mktemp("jscep")) as ca:
        yield ca


@pytest.fixture
def lab(tmp_path: Path, server: JscepCa) -> Iterator[tuple[JscepCa, Agent]]:
    server.forget()
    with Agent(tmp_path, rate=FAST) as agent:
        trust = f"fingerprint sha256 {server.fingerprint}"
        agent.must(*procedure(server.url, trust, CHALLENGE, patient(server.url)), *SAVE)
        yield server, agent


def test_it_enrols_renews_and_gets_the_list(lab: tuple[JscepCa, Agent]) -> None:
    ca, agent = lab
    agent.must(*APPLY)
    check_certificate(agent, ca.dir / "ca.pem")
    first = agent.memory("cert.pem").read_bytes()
    # `Renewal` is not listed: anew with the challenge, or signed with the certificate in use.
    agent.must(*AGAIN)
    agent.must("system-view", "pki realm abc", "compatibility renew-by-signed-pkcsreq")
    agent.must("system-view", "pki realm abc", "undo password")
    agent.must("system-view", "pki realm abc", "password cipher wrong")
    agent.must(*AGAIN)
    agent.wait_state("issued")
    check_certificate(agent, ca.dir / "ca.pem")
    assert agent.memory("cert.pem").read_bytes() != first
    assert len(ca.issued()) == 3
    assert "renewing by PKCSReq, signed with certificate" in agent.log()
    assert "signature of the reply uses sha1" in agent.log()

    ca.touch(f"revoked-{ca.issued()[-1]}")
    told = agent.must("system-view", "pki get-crl realm abc")
    assert "the certificate in use is on the list" in told
    path = str(agent.dir / "storage" / "abc.crl")
    run("openssl", "crl", "-in", path, "-noout", "-CAfile", str(ca.dir / "ca.pem"))


@pytest.mark.parametrize("realm", [(), ("compatibility renew-by-signed-pkcsreq",)])
def test_it_renews_by_itself(lab: tuple[JscepCa, Agent], realm: tuple[str, ...]) -> None:
    ca, agent = lab
    alone.applies(agent, *realm)
    alone.renews(agent)
    assert len(ca.issued()) == 2
    assert ("renewing by PKCSReq" in agent.log()) is bool(realm)
    check_certificate(agent, ca.dir / "ca.pem")


def test_a_certificate_that_was_deleted_comes_back(lab: tuple[JscepCa, Agent]) -> None:
    ca, agent = lab
    agent.must(*APPLY)
    (serial,) = ca.issued()
    own = agent.memory("cert.pem").read_bytes()
    get = ("system-view", f"pki get-certificate local realm abc serial-number {serial}")
    assert "already in use" in agent.must(*get)
    agent.must("system-view", "pki delete-certificate local realm abc", "y")
    agent.must(*get)
    assert agent.memory("cert.pem").read_bytes() == own
    said = agent.script("system-view", "pki get-certificate local realm abc serial-number 7777")
    assert "knows no certificate 7777" in said.text


def test_what_waits_is_asked_for_until_it_is_decided(lab: tuple[JscepCa, Agent]) -> None:
    ca, agent = lab
    ca.touch("manual")
    assert "PENDING" in agent.must(*APPLY)
    agent.kill()
    agent.start()
    agent.wait_state("pending")
    ca.drop("manual")
    agent.wait_state("issued")
    check_certificate(agent, ca.dir / "ca.pem")
    ca.touch("manual")
    agent.must(*AGAIN)
    ca.touch("denied")
    agent.wait_state("failed")
    assert "it was pending" in agent.must("display pki enrollment realm abc")
    assert len(ca.issued()) == 1


def test_a_wrong_challenge_and_a_wrong_fingerprint(lab: tuple[JscepCa, Agent]) -> None:
    ca, agent = lab
    wrong = ("system-view", "pki realm abc", "password cipher wrong", "quit")
    said = agent.script(*wrong, *APPLY[1:])
    assert said.status == 1
    assert "`password cipher`" in said.text
    wrong = ("system-view", "pki realm abc", f"fingerprint sha256 {'12' * 32}", "quit")
    said = agent.script(*wrong, *APPLY[1:])
    assert said.status == 1
    assert "`fingerprint`" in said.text
    assert ca.issued() == []


def test_its_next_ca_stands_beside_the_signature_and_is_refused(
    lab: tuple[JscepCa, Agent],
) -> None:
    """jscep signs nothing and puts the certificates beside it: anybody can put others there."""
    ca, agent = lab
    agent.must(*APPLY)
    said = agent.script("system-view", "pki get-certificate ca realm abc next")
    assert said.status == 1
    assert "not in what was signed" in said.text
    assert "`fingerprint`" in said.text
    ca.touch("rollover")
    assert agent.script(*AGAIN).status == 1
    assert len(ca.issued()) == 1
    # What the error says is the way: the operator names the new CA.
    certificate = str(ca.dir / "next.pem")
    new = run("openssl", "x509", "-in", certificate, "-noout", "-fingerprint", "-sha256")
    agent.must("system-view", "pki realm abc", f"fingerprint sha256 {new.split('=')[1].strip()}")
    agent.must(*AGAIN)
    check_certificate(agent, ca.dir / "next.pem")


def test_an_ra_in_front_of_it(tmp_path: Path) -> None:
    ca = JscepCa(tmp_path)
    ca.touch("ra")
    with ca, Agent(tmp_path, rate=FAST) as agent:
        trust = (f"fingerprint sha256 {ca.fingerprint}", CHALLENGE)
        agent.must(*procedure(ca.url, *trust), *SAVE)
        said = agent.script(*APPLY)
        assert said.status == 1
        assert "`enrollment-url ... ra`" in said.text
        agent.must("system-view", "pki realm abc", f"enrollment-url {ca.url} ra")
        said = agent.script(*APPLY)  # its certificate has no extension at all
        assert said.status == 1
        (found,) = [
            c for c in certificates(ca.url) if c.subject.native["common_name"] == "jscep RA"
        ]
        typed = f"enrollment-url {ca.url} ra fingerprint sha256 {found.sha256.hex()}"
        assert f"`{typed}`" in said.text
        agent.must("system-view", "pki realm abc", typed)
        agent.must(*APPLY)
        check_certificate(agent, ca.dir / "ca.pem")
