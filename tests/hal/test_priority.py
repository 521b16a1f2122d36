"""Who stands back does so as a process and as a session, seen in the kernel's own files."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hal.priority import behind, stand_back

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
