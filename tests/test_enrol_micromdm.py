"""A CA that is not ours: micromdm 2.1.0 from Debian. It answers with single DES and SHA-1."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import micromdm, netns
from tests.board import Agent, check_certificate, procedure
from tests.micromdm import MicroMdm
from tests.netns import NetNs

WHY_NOT = netns.missing() or micromdm.missing()
pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT),
]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[tuple[MicroMdm, Agent]]:
    with (
        NetNs() as net,
        MicroMdm(tmp_path, net, "sekret") as ca,
        Agent(tmp_path, prefix=net.prefix) as agent,
    ):
        agent.must(
            *procedure(ca.url, f"fingerprint sha256 {ca.fingerprint()}", "password cipher sekret")
        )
        yield ca, agent


def enrol(agent: Agent, *realm: str) -> tuple[int, str]:
    said = agent.script(
        "system-view", "pki realm abc", *realm, "quit", "pki enroll-certificate realm abc"
    )
    return said.status, said.text


def test_with_weak_algorithm_des_the_certificate_arrives(lab: tuple[MicroMdm, Agent]) -> None:
    ca, agent = lab
    status, text = enrol(agent, "weak-algorithm des")
    assert status == 0, text + agent.log()
    check_certificate(agent, ca.certificate)
    assert len(ca.issued()) == 1
    # Every use of what is weak is logged.
    assert "encryption of the reply uses des" in agent.log()
    assert "signature of the reply uses sha1" in agent.log()
    assert "sekret" not in agent.log()


def test_without_it_the_error_names_algorithm_command_and_danger(
    lab: tuple[MicroMdm, Agent],
) -> None:
    _ca, agent = lab
    status, text = enrol(agent)
    assert status == 1
    assert "DES" in text
    assert "weak-algorithm des" in text
    assert not agent.memory("cert.pem").exists()
    assert list((agent.dir / "storage").iterdir()) == []
    # The way out that the error names works, without anything else.
    status, text = enrol(agent, "weak-algorithm des")
    assert status == 0, text


def test_three_mistakes_are_three_errors_and_change_nothing(lab: tuple[MicroMdm, Agent]) -> None:
    ca, agent = lab
    mistakes = {
        "fingerprint": f"fingerprint sha256 {'12' * 32}",
        "password cipher": "password cipher wrong",
        "enrollment-url": "enrollment-url http://127.0.0.1:9001/nothing/here",
    }
    good = {
        "fingerprint": f"fingerprint sha256 {ca.fingerprint()}",
        "password cipher": "password cipher sekret",
        "enrollment-url": f"enrollment-url {ca.url}",
    }
    seen = set()
    for remedy, mistake in mistakes.items():
        status, text = enrol(agent, "weak-algorithm des", mistake)
        assert status == 1
        error, cause, step = text.strip().splitlines()[-3:]
        assert (error[:7], cause[:8], step[:12]) == ("Error: ", " Cause: ", " Next step: ")
        assert remedy in step
        seen.add(error)
        assert not agent.memory("cert.pem").exists()
        assert list((agent.dir / "storage").iterdir()) == []
        agent.must("system-view", "pki realm abc", good[remedy])
    assert len(seen) == 3
    assert ca.issued() == []


def test_power_cut_and_a_lost_answer(lab: tuple[MicroMdm, Agent]) -> None:
    """micromdm has no CertPoll (HTTP 500): after a restart the same request is sent again."""
    ca, agent = lab
    agent.must("system-view", "pki realm abc", "weak-algorithm des", "return", "save", "y")
    status, text = enrol(agent)
    assert status == 0, text
    agent.kill()
    agent.start()
    assert agent.state() == "issued"
    check_certificate(agent, ca.certificate)


def test_it_renews_by_renewalreq_when_the_password_goes_along(lab: tuple[MicroMdm, Agent]) -> None:
    """It lists Renewal and wants the challenge every time, against RFC 8894 2.4."""
    ca, agent = lab
    assert enrol(agent, "weak-algorithm des")[0] == 0
    old = agent.memory("cert.pem").read_bytes()
    again = ("system-view", "pki enroll-certificate realm abc", "y")
    refused = agent.script(*again)
    assert refused.status == 1
    assert "badRequest" in refused.text
    assert agent.memory("cert.pem").read_bytes() == old
    agent.must("system-view", "pki realm abc", "compatibility renew-with-password")
    agent.must(*again)
    agent.wait_state("issued")
    assert agent.memory("cert.pem").read_bytes() != old
    assert "renewing by RenewalReq" in agent.log()
    check_certificate(agent, ca.certificate)
