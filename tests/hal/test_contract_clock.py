"""What every `hal.ports.Clock` does: the kernel's, the simulated board's, the fake."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hal.clock import SECOND_NS, LinuxClock, ScaledClock
from hal.fakes.work import FakeClock
from hal.ports import Clock, HalError

WHILE_NS = 60 * SECOND_NS  # no longer passes between two lines of a test, on a machine that is busy


class Rig:
    """A clock, and how to let a moment pass on it."""

    def __init__(self, clock: Clock, wait: Callable[[], None]) -> None:
        self.clock, self.wait = clock, wait


def sleep() -> None:
    time.sleep(0.002)


@pytest.fixture(params=["linux", "scaled", "scaled on a fake", "fake"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    fake = FakeClock()
    path = str(tmp_path / "clock")

    def advance() -> None:
        fake.advance(2_000_000)

    rigs = {
        # The machine's own clock is not for a test to set.
        "linux": lambda: Rig(LinuxClock(set_time=lambda _clock, _ns: None), sleep),
        "scaled": lambda: Rig(ScaledClock(LinuxClock(), path), sleep),
        "scaled on a fake": lambda: Rig(ScaledClock(fake, path), advance),
        "fake": lambda: Rig(fake, advance),
    }
    return rigs[request.param]()


def test_every_reading_is_an_integer(rig: Rig) -> None:
    clock = rig.clock
    for value in (clock.wall_s(), clock.monotonic_ns(), clock.outside_ns(), clock.ahead_ns()):
        assert type(value) is int
    assert type(clock.synchronised()) is bool


def test_elapsed_time_goes_on_and_never_back(rig: Rig) -> None:
    for reading in (rig.clock.monotonic_ns, rig.clock.outside_ns):
        before = reading()
        rig.wait()
        assert 2_000_000 <= reading() - before < WHILE_NS
        values = [reading() for _ in range(100)]
        assert values == sorted(values)


def test_the_wall_clock_is_unix_time(rig: Rig) -> None:
    assert rig.clock.wall_s() >= 1_700_000_000


def test_setting_the_wall_leaves_elapsed_time_alone(rig: Rig) -> None:
    before = rig.clock.monotonic_ns()
    rig.clock.set_wall(2_000_000_000)
    assert 0 <= rig.clock.monotonic_ns() - before < WHILE_NS


def test_how_far_the_wall_is_ahead_is_the_difference_and_time_does_not_change_it(rig: Rig) -> None:
    clock, before = rig.clock, rig.clock.ahead_ns()
    rig.wait()
    assert abs(clock.ahead_ns() - before) < 100_000_000
    difference_ns = clock.wall_s() * SECOND_NS - clock.monotonic_ns()
    assert abs(clock.ahead_ns() - difference_ns) < 2 * SECOND_NS


@pytest.mark.parametrize("rig", ["scaled", "scaled on a fake", "fake"], indirect=True)
@pytest.mark.parametrize("jump_s", [-86400, 5])
def test_a_set_clock_is_ahead_by_as_much(rig: Rig, jump_s: int) -> None:
    before = rig.clock.ahead_ns()
    rig.clock.set_wall(rig.clock.wall_s() + jump_s)
    assert abs(rig.clock.ahead_ns() - before - jump_s * SECOND_NS) < 2 * SECOND_NS


@pytest.mark.parametrize("rig", ["scaled", "scaled on a fake", "fake"], indirect=True)
@pytest.mark.parametrize("wall_s", [0, 1_000_000_000, 4_000_000_000])
def test_the_wall_says_what_was_set(rig: Rig, wall_s: int) -> None:
    rig.clock.set_wall(wall_s)
    assert 0 <= rig.clock.wall_s() - wall_s < WHILE_NS // SECOND_NS


def test_a_clock_that_may_not_be_set_says_so() -> None:
    def refuse(_clock: int, _ns: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    fake = FakeClock()
    fake.refuse = True
    for clock in (LinuxClock(set_time=refuse), fake):
        with pytest.raises(HalError, match="system clock: Operation not permitted"):
            clock.set_wall(1)
