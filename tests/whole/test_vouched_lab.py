"""A pinned CA that is no root, at the console: which root consumers get, and who says so."""

import subprocess
from pathlib import Path

import pytest

from tests.helpers.board import APPLY, SAVE, Agent, procedure
from tests.helpers.labca import LabCa

GET = ("system-view", "pki get-certificate ca realm abc")


def sha256(certificate: Path) -> str:
    command = ["openssl", "x509", "-in", str(certificate), "-noout", "-fingerprint", "-sha256"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout.partition("=")[2].strip().replace(":", "").lower()


def verifies(agent: Agent, *words: str) -> bool:
    """What a consumer finds that trusts ca.pem, of a peer that sends its chain."""
    ca, chain, own = (str(agent.memory(name)) for name in ("ca.pem", "chain.pem", "cert.pem"))
    command = ["openssl", "verify", "-no-CApath", "-no-CAstore", *words, "-CAfile", ca]
    done = subprocess.run(
        [*command, "-untrusted", chain, own], capture_output=True, timeout=120, check=False
    )
    return done.returncode == 0


def count(agent: Agent, name: str) -> int:
    return agent.memory(name).read_text().count("BEGIN CERTIFICATE")


def test_a_root_counts_when_its_own_fingerprint_was_typed(tmp_path: Path) -> None:
    with LabCa(tmp_path, "--chain") as ca, Agent(tmp_path) as agent:
        root = sha256(ca.dir / "root.pem")
        agent.must(*procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"), *SAVE)
        told = agent.must(*APPLY)
        assert "left out of the CA set" in told
        assert (count(agent, "ca.pem"), count(agent, "chain.pem")) == (1, 1)
        assert verifies(agent, "-partial_chain")
        assert not verifies(agent)
        shown = agent.must("display pki realm abc") + agent.must("diagnose realm abc")
        assert "unverified" in shown
        assert root in "".join(shown.split())
        agent.must("system-view", "pki realm abc", f"root-fingerprint sha256 {root}")
        agent.must(*GET)
        agent.must(*APPLY, "y")
        assert (count(agent, "ca.pem"), count(agent, "chain.pem")) == (2, 2)
        assert verifies(agent)
        assert "CA_FILE_CHANGED" in agent.log()
        before = agent.log().count("CA_FILE_CHANGED")
        agent.must("system-view", "pki realm abc", f"undo root-fingerprint sha256 {root}")
        agent.must(*APPLY, "y")
        assert (count(agent, "ca.pem"), count(agent, "chain.pem")) == (1, 1)
        assert not verifies(agent)
        assert agent.log().count("CA_FILE_CHANGED") == before + 1


def test_a_wrong_root_fingerprint_brings_nobody_in(tmp_path: Path) -> None:
    with LabCa(tmp_path, "--chain", "--hostile", "ca-appended") as ca, Agent(tmp_path) as agent:
        agent.must(
            *procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"),
            "pki realm abc",
            f"root-fingerprint sha256 {'ab' * 32}",
            *SAVE,
        )
        agent.must(*APPLY)
        assert (count(agent, "ca.pem"), count(agent, "chain.pem")) == (1, 1)


@pytest.mark.parametrize("flags", [(), ("--chain",)], ids=["alone", "chain"])
def test_a_yes_vouches_for_all_that_were_shown(tmp_path: Path, flags: tuple[str, ...]) -> None:
    with LabCa(tmp_path, *flags) as ca, Agent(tmp_path) as agent:
        agent.must(*procedure(ca.url), *SAVE)
        said = agent.must(*APPLY, "y")
        prints = "".join(said.split())
        assert ca.fingerprint in prints
        if flags:
            root = sha256(ca.dir / "root.pem")
            assert prints.index(ca.fingerprint) < prints.index(root)
        assert count(agent, "ca.pem") == (2 if flags else 1)
        assert verifies(agent)
