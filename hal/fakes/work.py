"""Fakes of time and work: clock, event loop, jobs. For tests.

What goes wrong here goes wrong because it was asked for:

* **Clock**: the wall clock jumps (`jump`), drifts against monotonic time (`drift_ppm`), is
  synchronised or not, refuses to be set (`refuse`). Time passes only in `advance`.
* **RTC**: refuses to be read or set (`refuse`), as one that holds no time; it stands still.
* **Time source**: says what `maxerror_us` has, or nothing where it is None; hands over `timer`.
* **Reactor**: deadlines fire in order while time is advanced; a descriptor is ready when a test
  says so (`ready`), so callbacks run in any order that it wants. No real descriptor is looked at.
* **Jobs**: each started job takes the next outcome of a script: an answer, a failure, or silence
  until `finish`, `cancel` or its deadline.

Out of the model: a reactor that is late, and a job that answers twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from hal.clock import PPM, SECOND_NS
from hal.named import NamedTuple
from hal.ports import HalError, JobEnd, KernelTime, Reactor, Timer


class FakeClock:
    """The clocks of a board that stands still until it is advanced. See `hal.ports.Clock`."""

    def __init__(self, wall_s: int = 1_700_000_000, synchronised: bool = False) -> None:
        self.drift_ppm = 0  # how much faster than monotonic time the wall clock runs
        self.refuse = False
        self.is_synchronised = synchronised
        self._wall_ns = wall_s * SECOND_NS
        self._monotonic_ns = SECOND_NS  # a board takes a moment to boot

    def advance(self, delta_ns: int) -> None:
        """Lets time pass on all clocks."""
        if delta_ns < 0:
            raise ValueError("time does not run backwards; use jump for the wall clock")
        self._monotonic_ns += delta_ns
        self._wall_ns += delta_ns * (PPM + self.drift_ppm) // PPM

    def jump(self, delta_s: int) -> None:
        """Moves the wall clock alone, either way."""
        self._wall_ns += delta_s * SECOND_NS

    def wall_ns(self) -> int:
        return self._wall_ns

    def wall_s(self) -> int:
        return self._wall_ns // SECOND_NS

    def monotonic_ns(self) -> int:
        return self._monotonic_ns

    def ahead_ns(self) -> int:
        return self._wall_ns - self._monotonic_ns

    def outside_ns(self) -> int:
        return self._monotonic_ns

    def synchronised(self) -> bool:
        return self.is_synchronised

    def set_wall(self, wall_s: int) -> None:
        if self.refuse:
            raise HalError("Operation not permitted", "system clock")
        self._wall_ns = wall_s * SECOND_NS


class FakeRtc:
    """An RTC as data. See `hal.ports.Rtc`."""

    def __init__(self, wall_s: int) -> None:
        self.wall_s, self.refuse = wall_s, False

    def read(self) -> int:
        self._look()
        return self.wall_s

    def write(self, wall_s: int) -> None:
        self._look()
        self.wall_s = wall_s

    def _look(self) -> None:
        if self.refuse:
            raise HalError("Invalid argument", "rtc")


class FakeTimer:
    """A deadline of the fake reactor."""

    def __init__(self, at_ns: int, call: Callable[[], None]) -> None:
        self.at_ns, self.call = at_ns, call
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class FakeReactor:
    """A watch table and deadlines, driven by hand. See `hal.ports.Reactor`."""

    def __init__(self, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.watched: dict[int, tuple[Callable[[], None] | None, Callable[[], None] | None]] = {}
        self._timers: list[FakeTimer] = []

    def watch(
        self,
        fd: int,
        on_read: Callable[[], None] | None,
        on_write: Callable[[], None] | None = None,
    ) -> None:
        self.unwatch(fd)
        if on_read or on_write:
            self.watched[fd] = (on_read, on_write)

    def unwatch(self, fd: int) -> None:
        self.watched.pop(fd, None)

    def after(self, delay_ns: int, call: Callable[[], None]) -> Timer:
        timer = FakeTimer(self.clock.outside_ns() + delay_ns, call)
        self._timers.append(timer)
        return timer

    def ready(self, fd: int, read: bool = True, write: bool = False) -> None:
        """Calls what is watched on a descriptor, as if it had become ready."""
        on_read, on_write = self.watched.get(fd, (None, None))
        if read and on_read:
            on_read()
        if write and on_write:
            on_write()

    def advance(self, delta_ns: int) -> None:
        """Lets time pass; deadlines fire at their moment, in order, also those set meanwhile."""
        end_ns = self.clock.outside_ns() + delta_ns
        while (timer := self._next()) is not None and timer.at_ns <= end_ns:
            self._timers.remove(timer)
            self.clock.advance(max(0, timer.at_ns - self.clock.outside_ns()))
            timer.call()
        self.clock.advance(end_ns - self.clock.outside_ns())

    def pending(self) -> int:
        """How many deadlines are still to come."""
        return sum(not timer.cancelled for timer in self._timers)

    def _next(self) -> FakeTimer | None:
        self._timers = [timer for timer in self._timers if not timer.cancelled]
        return min(self._timers, key=lambda timer: timer.at_ns, default=None)


class FakeTimeSource:
    """What the kernel says of its clock. See `hal.ports.TimeSource`."""

    def __init__(self, reactor: Reactor, maxerror_us: int | None = None) -> None:
        self._reactor = reactor
        self.maxerror_us = maxerror_us
        self.timer: int | None = None
        self.asked: list[bool] = []

    def ask(self, watch: bool, done: Callable[[KernelTime | None], None]) -> None:
        self.asked.append(watch)
        said = None
        if self.maxerror_us is not None:
            said = KernelTime(self.maxerror_us, self.timer if watch else None)
        self._reactor.after(0, lambda: done(said))


class StartedJob(NamedTuple):
    """What a fake was asked to do, for the test to look at."""

    number: int
    request: bytes
    fds: tuple[int, ...]
    deadline_s: int
    done: Callable[[JobEnd], None]
    network: bool = False
    keys: bytes = b""
    library: bool = False


Outcome = JobEnd | Callable[[StartedJob], JobEnd] | None  # None: silence


class FakeJobs:
    """Jobs whose outcomes are a script, taken in order; without one a job stays silent.

    An outcome is delivered by the reactor, never from inside `start`. See `hal.ports.Jobs`.
    """

    def __init__(self, reactor: Reactor, outcomes: Iterable[Outcome] = ()) -> None:
        self._reactor = reactor
        self.outcomes = list(outcomes)
        self.started: list[StartedJob] = []
        self._running: dict[int, tuple[StartedJob, Timer]] = {}

    def start(
        self,
        request: bytes,
        fds: Sequence[int],
        deadline_s: int,
        done: Callable[[JobEnd], None],
        network: bool = False,
        keys: bytes = b"",
        library: bool = False,
    ) -> int:
        number = len(self.started) + 1
        needs = network, keys, library
        job = StartedJob(number, request, tuple(fds), deadline_s, done, *needs)
        self.started.append(job)
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if callable(outcome):
            outcome = outcome(job)
        if outcome is None:
            self._end_later(job, JobEnd(None, "deadline"), deadline_s * SECOND_NS)
        else:
            self._end_later(job, outcome, 0)
        return job.number

    def running(self) -> list[int]:
        """The numbers of the jobs that have not ended."""
        return sorted(self._running)

    def finish(self, job: int, end: JobEnd) -> None:
        """Ends a silent job now."""
        found, timer = self._running.pop(job)
        timer.cancel()
        found.done(end)

    def cancel(self, job: int) -> None:
        if job in self._running:
            found, timer = self._running[job]
            timer.cancel()
            self._end_later(found, JobEnd(None, "cancelled"), 0)

    def close(self) -> None:
        for _job, timer in self._running.values():
            timer.cancel()
        self._running.clear()

    def _end_later(self, job: StartedJob, end: JobEnd, delay_ns: int) -> None:
        timer = self._reactor.after(delay_ns, lambda: self.finish(job.number, end))
        self._running[job.number] = (job, timer)
