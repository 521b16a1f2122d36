"""The agent as a process on a Linux board: the kernel's timer, and an idle agent that sleeps."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from hal.confinement import kernel
from tests.helpers.board import Agent
from tests.helpers.labca import wait_for
from tools.bench import proc

WAIT_S = 60
IDLE_S = 3
TIMER = "anon_inode:[timerfd]"


def timers(pid: int) -> list[Path]:
    """Descriptors of the process that are such timers."""
    found = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found += [link] if os.readlink(link) == TIMER else []
        except FileNotFoundError:
            continue
    return found


def switches(pid: int) -> int:
    """How often the process went to sleep."""
    text = Path(f"/proc/{pid}/status").read_text()
    (line,) = [line for line in text.splitlines() if line.startswith("voluntary")]
    return int(line.split()[1])


def is_still(pid: int) -> bool:
    """Whether it sleeps through the next seconds. What has ended before may still be reaped."""
    before = switches(pid)
    time.sleep(IDLE_S)
    return switches(pid) == before


@pytest.mark.slow
@pytest.mark.skipif(kernel._LIBC is None, reason="needs ctypes")
def test_the_timer_comes_and_then_an_idle_agent_does_not_wake_up(tmp_path: Path) -> None:
    agent, state, board = Agent(tmp_path), tmp_path / "board", tmp_path / "board.toml"
    board.write_text("")
    words = agent.command("run", "--board", str(board), "--state", str(state))
    with open(tmp_path / "agent.log", "wb") as log:
        agent.adopt(subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
    with agent:
        (timer,) = wait_for(lambda: timers(agent.pid), WAIT_S, "the timer did not come")
        info = Path(f"/proc/{agent.pid}/fdinfo/{timer.name}").read_text()
        assert "settime flags: 03" in info
        wait_for(lambda: not proc.children(agent.pid), WAIT_S, "the worker did not go")
        wait_for(lambda: is_still(agent.pid), WAIT_S, "it wakes up again and again")
        said = agent.script("display clock").text
        assert "Trusted: yes" in said
