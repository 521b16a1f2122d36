"""The fakes of time and work: what other tests rest on."""

import pytest

from hal.fakes.work import FakeClock, FakeJobs, FakeReactor, Outcome, StartedJob
from hal.ports import JobEnd

SECOND_NS = 1_000_000_000


def test_the_wall_jumps_and_drifts_apart_from_elapsed_time() -> None:
    clock = FakeClock(wall_s=1000)
    clock.drift_ppm = 100_000
    before = clock.monotonic_ns()
    clock.advance(10 * SECOND_NS)
    assert (clock.wall_s(), clock.monotonic_ns() - before) == (1011, 10 * SECOND_NS)
    clock.jump(-500)
    assert (clock.wall_s(), clock.monotonic_ns() - before) == (511, 10 * SECOND_NS)
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)


def test_deadlines_fire_in_order_at_their_time() -> None:
    reactor, fired = FakeReactor(), []
    start_ns = reactor.clock.outside_ns()

    def note(name: str) -> None:
        fired.append((name, reactor.clock.outside_ns() - start_ns))

    def again() -> None:
        note("again")
        reactor.after(2, lambda: note("later"))

    reactor.after(5, lambda: note("five"))
    reactor.after(3, again)
    cancelled = reactor.after(4, lambda: note("never"))
    cancelled.cancel()
    cancelled.cancel()
    assert reactor.pending() == 2
    reactor.advance(4)
    assert fired == [("again", 3)]
    reactor.advance(10)
    assert fired == [("again", 3), ("five", 5), ("later", 5)]
    assert reactor.clock.outside_ns() - start_ns == 14


def test_a_descriptor_is_ready_when_the_test_says_so() -> None:
    reactor, seen = FakeReactor(), []
    reactor.watch(7, lambda: seen.append("read"), lambda: seen.append("write"))
    reactor.ready(7, read=True, write=True)
    reactor.watch(7, None, lambda: seen.append("room"))
    reactor.ready(7, read=True, write=True)
    reactor.unwatch(7)
    reactor.unwatch(7)
    reactor.ready(7)
    assert seen == ["read", "write", "room"]


class Rig:
    """Jobs with a script, and how they ended."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.reactor = FakeReactor()
        self.jobs = FakeJobs(self.reactor, outcomes)
        self.ends: list[JobEnd] = []

    def start(self) -> int:
        return self.jobs.start(b"job", (3, 4), 60, self.ends.append)


def test_outcomes_come_in_order_and_from_the_loop() -> None:
    def answer(job: StartedJob) -> JobEnd:
        return JobEnd(job.request * 2)

    rig = Rig(JobEnd(b"one"), answer, JobEnd(None, "died", "killed"))
    numbers = [rig.start() for _ in range(3)]
    assert (rig.ends, rig.jobs.running()) == ([], numbers)
    rig.reactor.advance(0)
    assert rig.ends == [JobEnd(b"one"), JobEnd(b"jobjob"), JobEnd(None, "died", "killed")]
    assert rig.jobs.running() == []
    assert rig.jobs.started[0].fds == (3, 4)


def test_a_silent_job_ends_at_its_deadline_once() -> None:
    rig = Rig()
    rig.start()
    rig.reactor.advance(60 * SECOND_NS - 1)
    assert rig.ends == []
    rig.reactor.advance(100 * SECOND_NS)
    assert rig.ends == [JobEnd(None, "deadline")]


def test_a_cancelled_job_says_so_once() -> None:
    rig = Rig(JobEnd(b"too late"))
    job = rig.start()
    rig.jobs.cancel(job)
    rig.jobs.cancel(job)
    rig.reactor.advance(100 * SECOND_NS)
    rig.jobs.cancel(job)
    assert rig.ends == [JobEnd(None, "cancelled")]


def test_a_silent_job_may_be_finished_by_hand_and_close_ends_all() -> None:
    rig = Rig()
    rig.jobs.finish(rig.start(), JobEnd(b"now"))
    rig.start()
    rig.jobs.close()
    rig.reactor.advance(100 * SECOND_NS)
    assert rig.ends == [JobEnd(b"now")]
