"""Who stands back does so as a process and as a session, seen in the kernel's own files."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hal.priority import behind, of_a_worker, stand_back
from tests.helpers.board import Agent
from tests.helpers.hostile import descendants

ROOT = Path(__file__).resolve().parents[2]
FORWARD = """
import os, sys
sys.path.insert(0, sys.argv[1])
from hal.priority import behind, come_forward, of_a_worker
os.nice(int(sys.argv[2]))
if len(sys.argv) > 3:
    os.setresuid(*[int(sys.argv[3])] * 3)
come_forward()
come_forward()
print(os.getpriority(os.PRIO_PROCESS, 0), of_a_worker())
"""
AUTOGROUP = Path("/proc/self/autogroup")
grouped = pytest.mark.skipif(not AUTOGROUP.exists(), reason="this kernel has no autogroup")


@pytest.fixture
def sleeper() -> Iterator[int]:
    """A process with a session of its own."""
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        yield process.pid
        process.kill()


def test_it_is_ten_steps_behind_and_never_out_of_range() -> None:
    assert behind() == min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)


def test_a_process_stands_back(sleeper: int) -> None:
    stand_back(sleeper, 7)
    assert os.getpriority(os.PRIO_PROCESS, sleeper) == 7


@grouped
def test_its_session_stands_back_too(sleeper: int) -> None:
    session = Path(f"/proc/{sleeper}/autogroup")
    ours = AUTOGROUP.read_text()  # empty where nobody above this process has ever made a session
    assert session.read_text().endswith(" nice 0\n")
    stand_back(sleeper, 10)
    assert session.read_text().endswith(" nice 10\n")
    assert AUTOGROUP.read_text() == ours


def test_who_is_gone_or_may_not_is_no_error(sleeper: int) -> None:
    stand_back(2**22 + 1, 10)  # no process has such a number
    stand_back(sleeper, -21)  # out of range: the nearest for the process, none for the session


def forward(*arguments: int, own_session: bool = False) -> list[int]:
    """The nice values of a process that comes forward twice, as behind a start anew, and of what
    it starts."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", FORWARD, str(ROOT), *map(str, arguments)],
        capture_output=True, text=True, check=True, timeout=120, start_new_session=own_session,
    )  # fmt: skip
    return [int(word) for word in done.stdout.split()]


usual = pytest.mark.skipif(
    os.geteuid() != 0 or os.getpriority(os.PRIO_PROCESS, 0) != 0,
    reason="needs root, and the usual nice value",
)


@usual
@pytest.mark.parametrize("own_session", [True, False])
def test_who_comes_forward_starts_others_where_it_was(own_session: bool) -> None:
    assert forward(0, own_session=own_session) == [-5, 0]


@usual
def test_whoever_was_given_a_place_or_may_not_stays_there() -> None:
    assert forward(3) == [3, 3]
    assert forward(0, 65534) == [0, 0]


def test_a_worker_does_not_stand_behind_who_starts_it() -> None:
    assert of_a_worker() <= max(0, os.getpriority(os.PRIO_PROCESS, 0))


@usual
def test_the_agent_comes_forward_and_its_worker_does_not(tmp_path: Path) -> None:
    with Agent(tmp_path) as agent:
        agent.must("system-view", "pki rsa local-key-pair create k1 modulus 2048")
        (worker, *_children) = descendants(agent.pid)
        assert os.getpriority(os.PRIO_PROCESS, agent.pid) == -5
        assert os.getpriority(os.PRIO_PROCESS, worker.pid) == 0
