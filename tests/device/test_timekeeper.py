"""The time of the device on a real loop and fakes: who is asked, what is told, stored and set."""

import os
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from agent import limits
from agent.device.belief import DAY_S, SECOND_NS, YEAR_S
from agent.device.casets import CaSets
from agent.device.commits import Commits
from agent.device.timekeeper import Timekeeper
from agent.device.timer import Timer
from agent.enrolment.actions import Deadline, Now
from agent.enrolment.schedule import armed
from agent.errors import AgentError
from agent.log import Log
from agent.loop import LONGEST_NS, SLEEP_NS, Loop
from hal import record_codec, record_keys
from hal.fakes.flash import FakeFlash
from hal.fakes.work import FakeClock, FakeRtc, FakeTimeSource
from hal.ports import UNKNOWN_US
from hal.records import ClockRecord
from hal.store import Store
from tests.helpers.device_bench import START_S, Bench, ready

HERE = "aaaaaaaa"
SYNCHRONISED_US = 4000


class Rig:
    """A keeper on a clock that is moved by hand; its wall clock is the kernel's."""

    def __init__(self, wall_s: int = START_S, kernel: bool = True) -> None:
        self.clock, self.loop = FakeClock(wall_s), Loop(FakeClock(wall_s))
        self.loop.use_clock(self.clock, LONGEST_NS)
        self.source = FakeTimeSource(self.loop, UNKNOWN_US)
        self.store = Store.mount(FakeFlash(4096, 16))
        self.log = Log(self.clock.wall_s, None)
        bench = ready()
        self.hardware = bench.hardware._replace(
            clock=self.clock, machine=HERE, time_source=self.source if kernel else None
        )
        self.told: list[bool] = []

    def begin(self, *issued_s: int, rtc: FakeRtc | None = None, floor: bool = False) -> Timekeeper:
        hardware = self.hardware._replace(rtc=rtc, clock_floor=floor)
        commits = Commits(self.store, CaSets(), dict)
        keeper = Timekeeper(self.loop, hardware, self.store, commits, self.log)
        keeper.on_change(lambda: self.told.append(keeper.now().trusted))
        keeper.start(issued_s)
        return keeper

    def arm(self, keeper: Timekeeper, when_s: int, call: Callable[[], None]) -> None:
        """A deadline as a realm has it."""
        Timer(self.loop, call).set(armed(Deadline(wall_s=when_s), keeper.now()))

    def record(self, wall_s: int, machine: str = HERE) -> None:
        self.store.commit(
            {record_keys.clock_key(): record_codec.encode(ClockRecord(wall_s, machine))}
        )

    def stored(self) -> ClockRecord:
        return record_codec.decode(ClockRecord, self.store.get(record_keys.clock_key()))

    def turn(self, seconds: int = 0, times: int = 4) -> None:
        self.clock.advance(seconds * SECOND_NS)
        for _turn in range(times):
            self.loop.turn(0)

    def lines(self) -> list[str]:
        return [line.text.split(": ", 1)[0].rsplit("/", 1)[1] for line in self.log.lines]


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.loop.close()


# -- who is asked, and when ------------------------------------------------------------------------


def test_the_kernel_is_asked_in_ever_longer_steps_and_then_once_a_day(rig: Rig) -> None:
    rig.begin()
    asked_at, before = [], 0
    for minute in range(3 * 1440):
        rig.turn(60)
        if len(rig.source.asked) > before:
            before = len(rig.source.asked)
            asked_at.append(minute + 1)
    # 1 s, 1 min, 10 min and an hour after the start, each at the next minute, then daily
    assert asked_at == [1, 2, 12, 72, 1512, 2952]
    rig.clock.jump(7200)
    rig.turn()
    rig.turn(1)
    assert len(rig.source.asked) == 7


def test_a_source_that_vouches_is_asked_once_a_day_and_gives_one_record_a_day(rig: Rig) -> None:
    rig.source.maxerror_us = SYNCHRONISED_US
    keeper = rig.begin()
    rig.turn(1)
    assert (keeper.state().source, rig.stored()) == ("ntp", ClockRecord(START_S + 1, HERE))
    writes = rig.store.health.used_bytes
    for _hour in range(23):
        rig.turn(3600)
    assert (len(rig.source.asked), rig.stored().wall_s) == (1, START_S + 1)
    assert rig.store.health.used_bytes == writes
    rig.turn(3600)
    assert (len(rig.source.asked), rig.stored().wall_s) == (2, START_S + 1 + DAY_S)


def test_the_timer_that_comes_with_an_answer_ends_the_look_each_minute(rig: Rig) -> None:
    rig.source.timer = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
    rig.begin()
    assert rig.loop._sleep_ns() == SECOND_NS
    rig.turn(1)
    assert rig.source.asked == [True]
    rig.turn(60)
    rig.turn(600)
    rig.turn(3600)
    assert rig.source.asked == [True, False, False, False]
    assert LONGEST_NS < rig.loop._sleep_ns() == DAY_S * SECOND_NS < SLEEP_NS


def test_without_an_answer_the_look_each_minute_stays_and_the_timer_is_asked_for_again(
    rig: Rig,
) -> None:
    rig.source.maxerror_us = None
    keeper = rig.begin()
    rig.turn(1)
    rig.turn(60)
    assert rig.source.asked == [True, True]
    assert rig.loop._sleep_ns() == LONGEST_NS
    assert keeper.state().source == "system"


def test_an_answer_that_a_jump_has_overtaken_counts_for_nothing(rig: Rig) -> None:
    rig.source.maxerror_us = SYNCHRONISED_US
    keeper = rig.begin()
    rig.clock.advance(SECOND_NS)
    rig.loop.turn(0)  # asks; the answer comes with the next deadlines
    rig.clock.jump(30 * DAY_S)
    rig.source.maxerror_us = UNKNOWN_US
    rig.turn()
    assert not keeper.now().trusted
    rig.turn(1)
    assert not keeper.now().trusted
    assert rig.store.get(record_keys.clock_key()) is None or rig.stored().wall_s < START_S + DAY_S


# -- jumps -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("jump_s", [2 * DAY_S, -2 * DAY_S, 50 * YEAR_S])
def test_a_jump_that_nobody_vouches_for_is_told_and_elapsed_time_counts(
    rig: Rig, jump_s: int
) -> None:
    keeper, seen = rig.begin(), []
    rig.turn(1)
    rig.arm(keeper, START_S + 10, partial(seen.append, "due"))
    rig.clock.jump(jump_s)
    rig.turn()
    assert not keeper.now().trusted
    assert (rig.told, seen) == ([False], ["due"] if jump_s > 0 else [])  # who armed it arms anew
    rig.turn(1)
    assert rig.lines() == ["CLOCK_JUMP", "CLOCK_WEAK"]
    assert rig.told == [False, False]
    assert keeper.now().wall_s == START_S + 2
    assert keeper.state().counts_s == START_S + 2
    seen.clear()
    rig.arm(keeper, START_S + 10, partial(seen.append, "due"))
    rig.turn(7)
    assert seen == []
    rig.turn(1)
    assert seen == ["due"]


def test_a_jump_of_a_source_is_no_doubt(rig: Rig) -> None:
    keeper = rig.begin()
    rig.turn(1)
    rig.source.maxerror_us = SYNCHRONISED_US
    rig.clock.jump(30 * DAY_S)
    rig.turn()
    rig.turn(1)
    assert rig.lines() == ["CLOCK_JUMP"]
    assert keeper.now().wall_s == rig.clock.wall_s()
    assert rig.stored().wall_s == rig.clock.wall_s()


def test_a_mark_of_the_simulated_board_vouches_at_once() -> None:
    rig = Rig(kernel=False)
    keeper = rig.begin()
    rig.clock.is_synchronised = True
    rig.clock.jump(30 * DAY_S)
    assert keeper.now() == Now(rig.clock.wall_s(), rig.clock.monotonic_ns(), trusted=True)
    rig.turn()
    rig.turn(1)
    assert (rig.stored().wall_s, rig.source.asked) == (rig.clock.wall_s(), [])
    rig.loop.close()


def test_a_clock_that_drifts_is_told_of_a_few_times_and_does_not_start_the_worker_each_minute(
    rig: Rig,
) -> None:
    rig.begin()
    rig.turn(1)
    rig.clock.drift_ppm = 50_000
    for _minute in range(1440):
        rig.turn(60)
    assert 5 <= rig.lines().count("CLOCK_JUMP") <= 12  # 4,320 s, doubled each time
    assert len(rig.source.asked) <= 60


def test_a_clock_that_stands_still_does_not_stop_deadlines(rig: Rig) -> None:
    keeper, seen = rig.begin(), []

    def arm() -> None:
        rig.arm(keeper, START_S + 3 * DAY_S, partial(seen.append, keeper.now().wall_s))

    arm()
    keeper.on_change(arm)
    rig.clock.drift_ppm = -1_000_000
    for _hour in range(3 * 24 + 1):
        rig.turn(3600)
    assert seen
    assert rig.clock.wall_s() == START_S
    assert "stands still" in keeper.state().why


# -- at the start ----------------------------------------------------------------------------------


def test_the_rtc_is_read_where_the_kernel_did_not(rig: Rig) -> None:
    rig.clock.jump(-START_S)
    keeper = rig.begin(rtc=FakeRtc(START_S + 5))
    assert rig.clock.wall_s() == START_S + 5
    assert (keeper.state().source, keeper.now().trusted) == ("rtc", True)
    assert rig.lines() == ["CLOCK_SET"]
    rig.turn()  # our own set is no news
    assert rig.lines() == ["CLOCK_SET"]


@pytest.mark.parametrize("rtc_s", [0, START_S + 90 * YEAR_S, None])
def test_an_rtc_that_is_wrong_too_moves_nothing(rig: Rig, rtc_s: int | None) -> None:
    rig.clock.jump(-START_S)
    rtc = FakeRtc(rtc_s or 0)
    rtc.refuse = rtc_s is None
    keeper = rig.begin(rtc=rtc)
    assert rig.clock.wall_s() == 0
    assert not keeper.now().trusted
    assert keeper.now().wall_s == limits.BUILD_S
    assert rig.lines() == [*(["CLOCK_ERR"] if rtc_s is None else []), "CLOCK_WEAK"]


def test_a_good_clock_is_not_replaced_by_the_rtc(rig: Rig) -> None:
    rig.begin(rtc=FakeRtc(START_S + 3600))
    assert rig.clock.wall_s() == START_S


def test_a_clock_that_is_behind_is_moved_up_where_the_board_says_so(rig: Rig) -> None:
    rig.record(START_S)
    rig.clock.jump(-START_S)
    keeper = rig.begin(START_S + 30 * DAY_S, START_S + 80 * YEAR_S, floor=True)
    assert rig.clock.wall_s() == START_S + 30 * DAY_S  # a forged notBefore moves nothing
    assert not keeper.now().trusted
    assert "moved up" in keeper.state().why
    rig.source.maxerror_us = SYNCHRONISED_US
    rig.turn(1)
    assert keeper.now().trusted


def test_a_clock_that_may_not_be_set_is_left_and_told(rig: Rig) -> None:
    rig.clock.jump(-START_S)
    rig.clock.refuse = True
    keeper = rig.begin(rtc=FakeRtc(START_S), floor=True)
    assert (rig.clock.wall_s(), keeper.now().trusted) == (0, False)
    assert "CLOCK_ERR" in rig.lines()


def test_a_record_of_another_machine_is_replaced_when_somebody_vouches(rig: Rig) -> None:
    rig.record(START_S - 60, "bbbbbbbb")
    rig.source.maxerror_us = SYNCHRONISED_US
    rig.begin()
    rig.turn(1)
    assert rig.stored() == ClockRecord(START_S + 1, HERE)


def test_a_record_that_cannot_be_read_is_none(rig: Rig) -> None:
    rig.store.commit({record_keys.clock_key(): {"v": 9}})
    assert rig.begin().now().trusted


def test_a_certificate_that_comes_later_is_a_floor_unless_it_is_forged(rig: Rig) -> None:
    rig.clock.jump(-START_S)
    keeper = rig.begin()
    for issued_s in (START_S + 100, START_S + 70 * YEAR_S, 0):
        keeper.learn(issued_s)
    assert keeper.now().wall_s == START_S + 100


# -- a person --------------------------------------------------------------------------------------


def test_a_person_sets_the_clock_and_is_believed_and_that_is_kept(rig: Rig) -> None:
    rig.clock.jump(-START_S)
    keeper = rig.begin(rtc=FakeRtc(0))
    assert "clock datetime" in keeper.state().why
    keeper.set(START_S + 20 * YEAR_S)
    assert (keeper.state().source, keeper.now().trusted) == ("operator", True)
    assert rig.stored().wall_s == START_S + 20 * YEAR_S
    keeper.set(START_S)  # that was a mistake
    assert (keeper.now().trusted, rig.stored().wall_s) == (True, START_S)
    rig.turn()
    assert keeper.now().trusted
    assert "CLOCK_JUMP" not in rig.lines()


def test_a_clock_that_cannot_be_set_is_an_error_and_changes_nothing(rig: Rig) -> None:
    keeper = rig.begin()
    rig.clock.refuse = True
    with pytest.raises(AgentError, match="not permitted"):
        keeper.set(START_S + DAY_S)
    assert keeper.state().source == "system"


def test_a_store_that_is_full_costs_the_record_and_no_more(rig: Rig) -> None:
    used = sum(rig.store.sizes({"other": ""}).values())
    rig.store.commit({"other": "x" * (rig.store.room_bytes - used - 30)})
    keeper = rig.begin()
    keeper.set(START_S + DAY_S)
    assert keeper.now().trusted
    assert "STORE_ERR" in rig.lines()


# -- in the device ---------------------------------------------------------------------------------


def test_what_realms_hold_is_the_floor_of_the_next_start() -> None:
    bench = ready()
    bench.enrol()
    held = list(bench.device.realms.issued())
    assert len(held) == 2
    bench.clock.is_synchronised = False
    bench.clock.jump(-bench.clock.wall_s())
    bench.reboot()
    assert bench.device.shared.time.now().wall_s == max([*held, limits.BUILD_S])
    assert not bench.device.shared.time.now().trusted


def test_a_device_that_ends_asks_nobody_any_more() -> None:
    bench = Bench()
    bench.device.close()
    bench.advance(10 * DAY_S)
    assert bench.store.get(record_keys.clock_key()) is None
