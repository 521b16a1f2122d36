"""Signals that nobody meant, and a terminal that hangs up, at a real agent."""

import fcntl
import os
import pty
import re
import signal
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.signals import UNMEANT
from hal.power import start_reboot
from tests.helpers.board import Agent
from tests.helpers.hostile import descendants
from tests.helpers.labca import wait_for

WAIT_S = 60
KEY = ("system-view", "pki rsa local-key-pair create k1 modulus 2048")


def started(agent: Agent, board: Path, **how: object) -> "subprocess.Popen[bytes]":
    """The agent with a board file, started in a way of its own.

    Whoever runs the tests may ignore signals: nohup(1) does, and a shell for what it runs behind
    (SIGQUIT). The agent would ignore them too, and be right.
    """
    run = agent.command("run", "--board", str(board), "--state", str(agent.dir))
    words = ["env", "--default-signal", *run]
    with open(agent.dir.parent / "agent.log", "ab") as log:
        streams = {"stdout": log, "stderr": log, "stdin": subprocess.DEVNULL}
        process: subprocess.Popen[bytes] = subprocess.Popen(words, **{**streams, **how})  # type: ignore[call-overload]
    agent.adopt(process)
    return process


@pytest.fixture
def board(tmp_path: Path) -> Path:
    path = tmp_path / "board.toml"
    path.write_text("[worker]\nconnect_s = 2\n")
    return path


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    agent = Agent(tmp_path)
    yield agent
    agent.stop()


@pytest.fixture
def running(agent: Agent, board: Path) -> "subprocess.Popen[bytes]":
    return started(agent, board)


def ignored(pid: int) -> set[int]:
    """The signals that a process ignores (proc(5), SigIgn)."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    mask = int(re.findall(r"^SigIgn:\s*(\w+)", text, re.MULTILINE)[0], 16)
    return {number for number in range(1, 65) if mask >> (number - 1) & 1}


def test_no_signal_that_nobody_meant_ends_the_agent(
    agent: Agent, running: "subprocess.Popen[bytes]"
) -> None:
    assert {signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGQUIT} < set(UNMEANT)
    assert {signal.SIGIO, signal.SIGVTALRM, signal.SIGPROF} < set(UNMEANT)
    for number in 2 * UNMEANT:
        running.send_signal(number)
        agent.must("display version")
        assert running.poll() is None, signal.Signals(number).name
    told = [line for line in agent.log().splitlines() if "/SIGNAL:" in line]
    assert len(told) == len(UNMEANT), "one line for each kind"
    assert any("SIGUSR1 is ignored" in line for line in told)
    agent.must(*KEY)


def test_no_child_inherits_what_the_agent_was_started_to_ignore(agent: Agent, board: Path) -> None:
    """A child's alarm ends an exchange that drips: it must ring."""
    deaf = ["env", "--ignore-signal=ALRM,USR1,HUP,TERM"]
    agent._start = [*deaf, *agent._start]
    process = started(agent, board)
    agent.must(*KEY)
    (worker, *_children) = descendants(process.pid)
    assert not ignored(worker.pid) & {*UNMEANT, signal.SIGHUP, signal.SIGTERM}


def test_the_program_that_reboots_has_all_signals(tmp_path: Path) -> None:
    program, said = tmp_path / "reboot", tmp_path / "said"
    program.write_text(
        f"#!/bin/sh\ngrep SigIgn /proc/self/status > {said}.new\nmv {said}.new {said}\n"
    )
    program.chmod(0o755)
    start_reboot(str(program))
    wait_for(said.exists, WAIT_S, "it did not run")
    mask = int(said.read_text().split()[1], 16)
    assert not mask & 0x7FFFFFFF, "SIGPIPE is what Python ignores; glibc keeps 32 and 33 to itself"
    os.wait()


def test_hang_up_of_a_service_reads_again_and_ends_nothing(
    agent: Agent, board: Path, running: "subprocess.Popen[bytes]"
) -> None:
    agent.must(*KEY)
    assert list(descendants(running.pid)), "no worker lingers"
    board.write_text("[worker]\nconnect_s = 3\n")
    running.send_signal(signal.SIGHUP)
    wait_for(lambda: "AGENT_RELOAD" in agent.log(), WAIT_S, "not a word")
    assert "users and groups were read again" in agent.log()
    assert "the board file has changed: that counts from the next start" in agent.log()
    wait_for(lambda: not list(descendants(running.pid)), WAIT_S, "the old worker lingers")
    board.write_text("[worker\n")
    running.send_signal(signal.SIGHUP)
    wait_for(lambda: "would not be taken" in agent.log(), WAIT_S, "a bad board file is not told")
    agent.must("system-view", "pki rsa local-key-pair create k2 modulus 2048")
    assert running.poll() is None


def at_a_terminal(agent: Agent, board: Path, *prefix: str) -> "tuple[subprocess.Popen[bytes], int]":
    """The agent in the foreground of a terminal, and the user's end of it."""
    master, slave = pty.openpty()

    def take() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    agent._start = [*prefix, *agent._start]
    process = started(
        agent, board, stdin=slave, stdout=slave, start_new_session=True, preexec_fn=take
    )
    os.close(slave)
    return process, master


def test_a_terminal_that_hangs_up_ends_the_agent_in_words(agent: Agent, board: Path) -> None:
    process, master = at_a_terminal(agent, board)
    os.close(master)
    assert process.wait(WAIT_S) == 0
    assert "AGENT_HANGUP: the terminal has hung up" in agent.log()
    assert "AGENT_STOP" in agent.log()


def test_nohup_is_obeyed(agent: Agent, board: Path) -> None:
    process, master = at_a_terminal(agent, board, "env", "--ignore-signal=HUP")
    os.close(master)
    time.sleep(0.3)  # nothing shall come of it, so there is nothing to wait for
    agent.must("display version")
    assert process.poll() is None
    assert "AGENT_HANGUP" not in agent.log()
