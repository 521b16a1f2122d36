"""A CA that is not ours: micromdm 2.1.0 from Debian, and 2.3.0. Both answer with single DES and
SHA-1, want the challenge password with every renewal, and have no CertPoll, GetCRL, GetNextCACert.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.helpers import alone, micromdm, peers
from tests.helpers.board import APPLY, Agent, check_certificate, procedure
from tests.helpers.micromdm import CHALLENGE, MicroMdm
from tests.helpers.netns import NetNs

WHY_NOT = {"2.1.0": micromdm.missing(), "2.3.0": peers.missing("scepserver")}
VERSIONS = [
    pytest.param(
        version,
        marks=[
            pytest.mark.skipif(bool(why), reason=why),
            *([pytest.mark.needs_root] if version == "2.1.0" else []),
        ],
    )
    for version, why in WHY_NOT.items()
]


@pytest.fixture(params=VERSIONS)
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[MicroMdm, Agent]]:
    with ExitStack() as stack:
        net = stack.enter_context(NetNs()) if request.param == "2.1.0" else None
        ca = stack.enter_context(MicroMdm(tmp_path, net, CHALLENGE))
        agent = stack.enter_context(Agent(tmp_path, prefix=net.prefix if net else ()))
        trusted = f"fingerprint sha256 {ca.fingerprint()}"
        agent.must(*procedure(ca.url, trusted, f"password cipher {CHALLENGE}"))
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
    assert CHALLENGE not in agent.log()


def test_without_it_the_error_names_algorithm_command_and_danger(
    lab: tuple[MicroMdm, Agent],
) -> None:
    ca, agent = lab
    status, text = enrol(agent)
    assert status == 1
    assert "DES" in text
    assert "weak-algorithm des" in text
    assert not agent.memory("cert.pem").exists()
    assert list((agent.dir / "storage").iterdir()) == []
    # The way out that the error names works, without anything else: it is asked for the outcome
    # of the first request, does not know how to answer, and gets the same request again.
    status, text = enrol(agent, "weak-algorithm des")
    assert status == 0, text
    assert re.findall(r'message_type="(\w+)', ca.log()) == ["PKCSReq", "CertPoll", "PKCSReq"]
    assert len(set(re.findall(r"transaction_id=(\w{32})", ca.log()))) == 1


def test_three_mistakes_are_three_errors_and_change_nothing(lab: tuple[MicroMdm, Agent]) -> None:
    ca, agent = lab
    mistakes = {
        "fingerprint": f"fingerprint sha256 {'12' * 32}",
        "password cipher": "password cipher wrong",
        "enrollment-url": f"enrollment-url {ca.url}/nothing/here",
    }
    good = {
        "fingerprint": f"fingerprint sha256 {ca.fingerprint()}",
        "password cipher": f"password cipher {CHALLENGE}",
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


def test_after_a_power_cut_the_certificate_is_there(lab: tuple[MicroMdm, Agent]) -> None:
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
    again = (*APPLY, "y")
    refused = agent.script(*again)
    assert refused.status == 1
    assert "badRequest" in refused.text
    assert "`compatibility renew-with-password`" in refused.text
    assert agent.memory("cert.pem").read_bytes() == old
    agent.must("system-view", "pki realm abc", "compatibility renew-with-password")
    agent.must(*again)
    agent.wait_state("issued")
    assert agent.memory("cert.pem").read_bytes() != old
    assert "renewing by RenewalReq" in agent.log()
    check_certificate(agent, ca.certificate)


def test_it_renews_by_itself(lab: tuple[MicroMdm, Agent]) -> None:
    ca, agent = lab
    alone.applies(agent, "weak-algorithm des", "compatibility renew-with-password")
    alone.renews(agent)
    assert len(ca.issued()) == 2
    assert "renewing by RenewalReq" in agent.log()
    check_certificate(agent, ca.certificate)


def test_what_it_does_not_offer_is_said_with_the_way_round(lab: tuple[MicroMdm, Agent]) -> None:
    _ca, agent = lab
    assert enrol(agent, "weak-algorithm des")[0] == 0
    for command, error, step in (
        ("pki get-crl realm abc", "no revocation list by SCEP", "`cdp-url http://...`"),
        ("pki get-certificate ca realm abc next", "no successor to name", "`fingerprint`"),
    ):
        said = agent.script("system-view", command)
        assert said.status == 1
        assert error in said.text
        assert "micromdm" in said.text
        assert step in said.text.splitlines()[-1]
