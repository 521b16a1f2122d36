"""The change of a CA's key, end to end: named by the old one, then in force."""

from pathlib import Path

import pytest

from tests.helpers.board import APPLY, SAVE, Agent, check_certificate, procedure
from tests.helpers.labca import LabCa
from tools.lab_ca.__main__ import main

NEXT = ("system-view", "pki get-certificate ca realm abc next")


def lab(ca: LabCa, *words: str) -> None:
    assert main(["--dir", str(ca.dir), *words]) == 0


@pytest.mark.parametrize("flags", [(), ("--chain",)], ids=["alone", "chain"])
def test_the_device_follows_the_ca(tmp_path: Path, flags: tuple[str, ...]) -> None:
    with LabCa(tmp_path, *flags) as ca, Agent(tmp_path) as agent:
        agent.must(*procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"), *SAVE)
        agent.must(*APPLY)
        assert agent.script(*NEXT).status == 1  # there is none yet
        lab(ca, "prepare")
        assert "Info: It calls itself C=DE, O=Lab, CN=Lab" in agent.must(*NEXT)
        assert agent.shown("Next CA From") != "-"
        shown = agent.must("display pki certificate ca realm abc")
        assert shown.count("Certificate:") == 2
        agent.kill()  # it is in flash
        agent.start()
        old = agent.memory("cert.pem").read_bytes()
        lab(ca, "rollover")
        agent.must(*APPLY, "y")
        agent.wait_state("issued")
        assert agent.memory("cert.pem").read_bytes() != old
        trusted = ca.dir / ("root.pem" if flags else "ca.pem")
        check_certificate(agent, trusted, ca.dir / "ca.pem")
        assert [e["messageType"] for e in ca.pki_operations()] == ["PKCSReq", "RenewalReq"]
        # and once more under the new one, from flash: the way is followed again each time
        agent.kill()
        agent.start()
        lab(ca, "prepare")
        agent.must(*NEXT)
        lab(ca, "rollover")
        agent.must(*APPLY, "y")
        check_certificate(agent, trusted, ca.dir / "ca.pem")


def test_a_ca_that_nobody_named_is_refused(tmp_path: Path) -> None:
    with LabCa(tmp_path) as ca, Agent(tmp_path) as agent:
        agent.must(*procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"), *SAVE)
        agent.must(*APPLY)
        old = agent.memory("cert.pem").read_bytes()
        lab(ca, "prepare")
        lab(ca, "rollover")
        said = agent.script(*APPLY, "y")
        assert said.status == 1
        assert "fingerprint" in said.text
        assert agent.memory("cert.pem").read_bytes() == old
        assert len(ca.issued()) == 1


def test_another_fingerprint_ends_a_derived_pin(tmp_path: Path) -> None:
    with LabCa(tmp_path) as ca, Agent(tmp_path) as agent:
        agent.must(*procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"), *SAVE)
        agent.must(*APPLY)
        lab(ca, "prepare")
        agent.must(*NEXT)
        agent.must("system-view", "pki realm abc", f"fingerprint sha256 {'ab' * 32}")
        lab(ca, "rollover")
        assert agent.script(*APPLY, "y").status == 1
        assert len(ca.issued()) == 1


def test_an_old_set_takes_nobody_back(tmp_path: Path) -> None:
    """Somebody on the path replays what the CA showed before it changed its key."""
    with Agent(tmp_path) as agent:
        with LabCa(tmp_path) as ca:
            agent.must(*procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"), *SAVE)
            agent.must(*APPLY)
            lab(ca, "prepare")
            agent.must(*NEXT)
            lab(ca, "rollover")
            agent.must(*APPLY, "y")
        served = agent.memory("bundle.pem").read_bytes(), agent.memory("ca.pem").read_bytes()
        shown = agent.must("display pki certificate ca realm abc")
        with LabCa(tmp_path, "--hostile", "ca-older") as ca:
            agent.must("system-view", "pki realm abc", f"enrollment-url {ca.url}")
            said = agent.script(*APPLY, "y")
            assert said.status == 1
            assert "The CA set is out of date" in said.text
        with LabCa(tmp_path) as ca:
            agent.must("system-view", "pki realm abc", f"enrollment-url {ca.url}")
            assert agent.must("display pki certificate ca realm abc") == shown
            now = agent.memory("bundle.pem").read_bytes(), agent.memory("ca.pem").read_bytes()
            assert now == served
            agent.must(*APPLY, "y")  # and the honest CA goes on
