"""Kill -9 at each state, the CA held there; then start again: the same transaction, the same bytes.

What a kill cannot show (flash that was being programmed) is the business of the store's own rig.
"""

import os
import subprocess
from functools import partial
from pathlib import Path

import pytest

from agent.doors.wire import hello
from hal.sockets import connect_unix
from tests.helpers.board import SAVE, Agent, check_certificate, procedure
from tests.helpers.labca import LabCa, wait_for


def apply_in_background(
    agent: Agent, realm: str = "abc", *, question: bool = False
) -> "subprocess.Popen[bytes]":
    """Somebody types the command and waits; the caller will cut the power. `question`: there is a
    valid certificate, and yes it shall be replaced."""
    process = subprocess.Popen(
        [*agent.command("console", "--socket", str(agent.dir / "console.sock"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    answer = "y\n" if question else ""
    process.stdin.write(f"system-view\npki enroll-certificate realm {realm}\n{answer}".encode())
    process.stdin.close()
    return process


def check_files_whole(agent: Agent) -> None:
    """No half-written file under a name that anybody reads."""
    for name in os.listdir(agent.dir / "storage"):
        if name.startswith("."):  # what was being written; the next start removes it
            continue
        text = (agent.dir / "storage" / name).read_text()
        assert text.startswith("-----BEGIN")
        assert text.endswith("-----END CERTIFICATE-----\n")
    folder = agent.dir / "memory" / "abc"
    if (folder / "current").exists():
        for name in ("cert.pem", "chain.pem", "ca.pem", "key.pem", "bundle.pem"):
            assert (folder / name).read_text().endswith("-----\n")


# Where the CA holds the conversation -> (manual CA, state before the cut, whether a request has
# left the device by then).
HELD = {
    "getcacaps": (False, "getting the CA certificates", False),
    "getcacert": (False, "getting the CA certificates", False),
    "pkcsreq": (False, "sent", True),
    "issued": (False, "sent", True),
    "pending": (True, "sent", True),
    "certpoll": (True, "polling", True),
}


@pytest.mark.parametrize("hold", HELD)
def test_power_cut_while_the_ca_is_held(tmp_path: Path, hold: str) -> None:
    manual, before, sent = HELD[hold]
    flags = ["--hold", hold, *(["--manual"] if manual else [])]
    with LabCa(tmp_path, *flags) as ca, Agent(tmp_path) as agent:
        agent.must(*procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"), *SAVE)
        waiting = apply_in_background(agent)
        if hold == "certpoll":
            agent.wait_state("pending")
            agent.rate(120)
        ca.held()
        agent.rate(1)
        assert agent.state() == before
        transaction = agent.shown("Transaction ID")
        agent.kill()
        waiting.wait(60)
        check_files_whole(agent)
        agent.start()
        assert agent.shown("Transaction ID") in (transaction, "-")  # it may be issued by now
        if manual:
            _approve_after(agent, ca, transaction)
        agent.wait_state("issued")
        check_certificate(agent, ca.dir / "ca.pem")
        check_files_whole(agent)
        _check_same_bytes(ca, transaction, again=sent)


def _approve_after(agent: Agent, ca: LabCa, transaction: str) -> None:
    agent.wait_state("pending")
    assert ca.approve() == [transaction]
    agent.rate(120)
    agent.wait_state("issued")
    agent.rate(1)


def _check_same_bytes(ca: LabCa, transaction: str, again: bool) -> None:
    """Every message of the enrolment has the same transactionID, PKCS#10 and signer."""
    operations = [entry for entry in ca.log() if entry["operation"] == "PKIOperation"]
    requests = [entry for entry in operations if entry["messageType"] == "PKCSReq"]
    assert {entry["transactionID"] for entry in operations} == {transaction}
    assert len({entry["csr_sha256"] for entry in requests}) == 1
    assert len({entry["signer_sha256"] for entry in operations}) == 1
    assert len(ca.issued()) == 1
    if again:
        assert any(entry["messageType"] == "CertPoll" for entry in operations)


def test_power_cut_while_a_lost_answer_is_asked_for(tmp_path: Path) -> None:
    """Cut in `sent`, cut again in `asking for a lost answer`: still one transaction."""
    flags = ("--hold", "pkcsreq", "--hold", "certpoll")
    with LabCa(tmp_path, *flags) as ca, Agent(tmp_path) as agent:
        agent.must(*procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"), *SAVE)
        waiting = apply_in_background(agent)
        ca.held()
        transaction = agent.shown("Transaction ID")
        agent.kill()
        waiting.wait(60)
        ca.let_go()
        agent.start()
        assert ca.held()["state"] == "certpoll"
        assert agent.state() == "asking for a lost answer"
        agent.kill()
        ca.let_go()
        agent.start()
        agent.wait_state("issued")
        check_certificate(agent, ca.dir / "ca.pem")
        _check_same_bytes(ca, transaction, again=True)


def test_power_cut_while_the_operator_is_asked(tmp_path: Path) -> None:
    """Nobody is there to answer after a restart: nothing is sent, and the error says what to do."""
    with LabCa(tmp_path) as ca, Agent(tmp_path) as agent:
        agent.must(*procedure(ca.url), *SAVE)
        terminal = connect_unix(str(agent.dir / "console.sock"))
        terminal.sendall(hello("terminal"))
        terminal.sendall(b"system-view\rpki enroll-certificate realm abc\r")
        agent.wait_state("CA to be confirmed")
        agent.kill()
        terminal.close()
        agent.start()
        agent.wait_state("failed")
        assert "fingerprint" in agent.shown("Last Error Next Step")
        assert ca.pki_operations() == []
        agent.must(
            "system-view",
            "pki realm abc",
            f"fingerprint sha256 {ca.fingerprint}",
            "quit",
            "pki enroll-certificate realm abc",
        )
        check_certificate(agent, ca.dir / "ca.pem")


def test_power_cut_with_a_trusted_ca_and_no_certificate(tmp_path: Path) -> None:
    """An application that was ended leaves the CA trusted, before and after."""
    with LabCa(tmp_path, "--manual") as ca, Agent(tmp_path) as agent:
        agent.must(
            *procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"),
            "pki enroll-certificate realm abc",
            "pki abort-request realm abc",
            *SAVE,
        )
        for _life in range(2):
            assert agent.state() == "CA trusted"
            assert "Lab CA" in agent.must("display pki certificate ca realm abc")
            agent.kill()
            agent.start()


def test_power_cut_at_rest_changes_nothing(tmp_path: Path) -> None:
    """Nothing, issued and failed: what was shown before is shown after."""
    with LabCa(tmp_path) as ca, Agent(tmp_path) as agent:
        agent.must(*procedure(ca.url, f"fingerprint sha256 {'0' * 64}"), *SAVE)
        for step, state in (("", "not enrolled"), ("0", "failed"), ("1", "issued")):
            if step == "1":
                agent.must(
                    "system-view",
                    "pki realm abc",
                    f"fingerprint sha256 {ca.fingerprint}",
                    *SAVE,
                )
            if step:
                agent.script("system-view", "pki enroll-certificate realm abc")
            said = _shown(agent)
            agent.kill()
            agent.start()
            assert agent.state() == state
            wait_for(partial(_is_shown, agent, said), 60, "another thing is shown")
        check_certificate(agent, ca.dir / "ca.pem")


def _is_shown(agent: Agent, said: list[str]) -> bool:
    return _shown(agent) == said


def _shown(agent: Agent) -> list[str]:
    """Two displays, without the lines that say how long ago or how soon something is."""
    text = agent.must("display pki enrollment realm abc", "display current-configuration")
    return [line for line in text.splitlines() if not line.endswith(")")]


def test_memory_is_rebuilt_from_storage_after_a_reboot(tmp_path: Path) -> None:
    """tmpfs is empty after a reboot, and so may device storage be: the store has it all."""
    with LabCa(tmp_path) as ca, Agent(tmp_path) as agent:
        agent.must(
            *procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"),
            "pki enroll-certificate realm abc",
            *SAVE,
        )
        agent.kill()
        before = agent.memory("cert.pem").read_bytes()
        for folder in ("memory", "storage"):
            (agent.dir / folder).rename(tmp_path / f"old-{folder}")
        agent.start()
        wait_for(lambda: agent.memory("bundle.pem").exists(), 60, "memory was not rebuilt")
        assert agent.memory("cert.pem").read_bytes() == before
        check_certificate(agent, ca.dir / "ca.pem")
        assert len(ca.pki_operations()) == 1


@pytest.mark.parametrize("moment_ms", [0, 40, 100, 160, 220, 300])
def test_power_cut_at_any_moment_of_an_enrolment(tmp_path: Path, moment_ms: int) -> None:
    """Wherever it falls: after the restart, and one more command if need be, one is issued."""
    with LabCa(tmp_path) as ca, Agent(tmp_path) as agent:
        agent.must(*procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"), *SAVE)
        waiting = apply_in_background(agent)
        try:
            waiting.wait(moment_ms / 1000)
        except subprocess.TimeoutExpired:
            pass
        agent.kill()
        waiting.wait(60)
        check_files_whole(agent)
        agent.start()
        if agent.state() == "not enrolled":
            agent.must("system-view", "pki enroll-certificate realm abc")
        agent.wait_state("issued")
        wait_for(lambda: agent.memory("cert.pem").exists(), 60, "not in memory")
        check_certificate(agent, ca.dir / "ca.pem")
        assert len(ca.issued()) == 1
