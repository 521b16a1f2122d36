"""What every `hal.ports.TimeSource` does: the worker process, the fake."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent import limits
from agent.loop import Loop
from hal.clock import LinuxClock
from hal.confinement import kernel, kernel_clock
from hal.fakes.work import FakeClock, FakeReactor, FakeTimeSource
from hal.jobs import WorkerJobs
from hal.ports import UNKNOWN_US, KernelTime, TimeSource
from hal.settimer import is_set_timer
from tests.hal.test_contract_jobs import worker_argv
from tests.helpers.board import ROOT
from tests.helpers.reactor import turn_until

pytestmark = pytest.mark.skipif(kernel._LIBC is None, reason="needs ctypes")


class Rig:
    """A source, and how to let it work."""

    def __init__(self, source: TimeSource, turn: Callable[[], None]) -> None:
        self.source, self.turn = source, turn

    def ask(self, watch: bool) -> KernelTime | None:
        ends: list[KernelTime | None] = []
        self.source.ask(watch, ends.append)
        assert ends == []  # never from within
        turn_until(self.turn, lambda: bool(ends))
        (end,) = ends
        return end


@pytest.fixture(params=["worker", "fake"])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    if request.param == "fake":
        reactor = FakeReactor(FakeClock())
        source = FakeTimeSource(reactor, UNKNOWN_US)
        source.timer = kernel_clock.set_timer()
        yield Rig(source, lambda: reactor.advance(1))
        return
    loop = Loop(LinuxClock())
    jobs = WorkerJobs(loop, worker_argv(), answer_bytes=limits.JOB_BYTES, linger_s=0)
    yield Rig(jobs, lambda: loop.turn(10_000_000))
    jobs.close()
    for _turn in range(20):
        loop.turn(5_000_000)
    loop.close()


def test_it_says_how_far_the_clock_may_be_off_and_gives_a_timer_when_asked(rig: Rig) -> None:
    first = rig.ask(watch=False)
    assert first is not None
    assert (first.maxerror_us >= 0, first.timer) == (True, None)
    second = rig.ask(watch=True)
    assert second is not None
    assert second.timer is not None
    assert is_set_timer(second.timer)
    os.close(second.timer)


def test_a_worker_that_does_not_start_or_ends_is_nobody_who_could_say() -> None:
    for argv in (["/nowhere"], ["/bin/true"]):
        loop = Loop(LinuxClock())
        jobs = WorkerJobs(loop, argv, answer_bytes=limits.JOB_BYTES, linger_s=0)
        assert Rig(jobs, lambda loop=loop: loop.turn(10_000_000)).ask(watch=True) is None
        jobs.close()
        loop.close()


def test_a_worker_that_was_only_asked_goes_when_nobody_needs_it() -> None:
    loop = Loop(LinuxClock())
    jobs = WorkerJobs(loop, worker_argv(), answer_bytes=limits.JOB_BYTES, linger_s=1)
    assert Rig(jobs, lambda: loop.turn(10_000_000)).ask(watch=False)
    pid = jobs._pid
    assert pid > 0
    turn_until(lambda: loop.turn(10_000_000), lambda: not Path(f"/proc/{pid}").exists())
    jobs.close()
    loop.close()


# A worker that answers each question in turn: by a message too short, one of an unknown kind, a
# descriptor that is no timer, two timers, a timer with a report of a job; then it says the truth.
LIAR = """
import os, socket, sys
sys.path.insert(0, {root!r})
from hal.confinement import kernel_clock
from hal.jobs import CONTROL_FD, ENDED, HEADER, TIME
control = socket.socket(fileno=CONTROL_FD)
which = sys.argv[1]
_kind, number, _zero, _flags = HEADER.unpack(control.recv(HEADER.size))
truth = HEADER.pack(TIME, number, 5, 0)
timer = [kernel_clock.set_timer()]
if which == "short":
    socket.send_fds(control, [b"T"], timer)
elif which == "unknown":
    socket.send_fds(control, [HEADER.pack(b"X", number, 5, 0)], timer)
elif which == "pipe":
    socket.send_fds(control, [truth], [os.pipe()[0]])
elif which == "two":
    socket.send_fds(control, [truth], [*timer, os.pipe()[0]])
else:
    socket.send_fds(control, [HEADER.pack(ENDED, number, 0, 0)], timer)
    socket.send_fds(control, [truth], timer)
control.recv(1)
"""


@pytest.mark.parametrize(
    ("which", "said", "with_timer"),
    [
        ("short", False, False),
        ("unknown", False, False),
        ("pipe", True, False),
        ("two", True, True),
        ("twice", True, True),
    ],
)
def test_a_worker_that_lies_costs_no_descriptor(which: str, said: bool, with_timer: bool) -> None:
    def opened() -> int:
        return len(os.listdir("/proc/self/fd"))

    loop, argv = Loop(LinuxClock()), [sys.executable, "-c", LIAR.format(root=str(ROOT)), which]
    before = opened()
    jobs = WorkerJobs(loop, argv, answer_bytes=limits.JOB_BYTES, linger_s=0)
    found = Rig(jobs, lambda: loop.turn(10_000_000)).ask(watch=True)
    assert (found is not None, found is not None and found.timer is not None) == (said, with_timer)
    if found and found.timer is not None:
        assert is_set_timer(found.timer)
        os.close(found.timer)
    jobs.close()
    turn_until(lambda: loop.turn(5_000_000), lambda: opened() == before)
    loop.close()
