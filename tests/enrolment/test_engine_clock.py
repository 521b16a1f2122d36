"""The clock matrix on the engine: at every state, each jump, each wrong clock, by each word for it.

What the device believes of a clock is `agent/device/belief.py`; here an engine lives by it.
"""

from collections.abc import Callable

import pytest

from agent import limits
from agent.device import belief
from agent.device.belief import DAY_S, NOBODY, SECOND_NS, SOURCE, YEAR_S, Belief, Reading
from agent.enrolment import automatic
from agent.enrolment.actions import Now, Stored
from agent.enrolment.states import (
    RESTING,
    TABLE,
    Configured,
    Due,
    Event,
    Granted,
    State,
    Waiting,
)
from hal import calendar
from hal.records import ClockRecord
from tests.helpers.engine_bench import (
    FETCHED,
    HELD,
    ISSUED,
    PINNED,
    RENEWABLE,
    T0,
    Bench,
    again,
    application,
    network,
)

AUTO = PINNED._replace(percent=50)
UNPINNED = AUTO._replace(fingerprint=None)
LIFE_S = 90 * DAY_S
LEAF = ISSUED._replace(not_before_s=T0.wall_s - DAY_S, not_after_s=T0.wall_s + LIFE_S)
LOCAL = HELD._replace(certificate=LEAF, renew_s=T0.wall_s + LIFE_S // 2)
KNOWN = belief.known(ClockRecord(T0.wall_s - DAY_S, "here"), "here")
HORIZON_S = 2 * YEAR_S
JUMPS_S = [1, 60, 3600, DAY_S, 30 * DAY_S, 365 * DAY_S, 18_262 * DAY_S]
YEARS = [1970, 2038, 2040, 2099, 2106]


def at(*events: object, policy: object = AUTO) -> Callable[[], Bench]:
    """A bench at the state behind these events."""

    def make() -> Bench:
        bench = Bench(policy)  # type: ignore[arg-type]
        for event in events:
            bench(event)
        return bench

    return make


def resting(**records: object) -> Callable[[], Bench]:
    return lambda: Bench(AUTO, Stored(**records))  # type: ignore[arg-type]


def lost() -> Bench:
    bench = at(application(), FETCHED, network())()
    bench(application("t2", attended=False))
    return bench


def choosing() -> Bench:
    bench = Bench(AUTO, Stored(local=LOCAL))
    short = LEAF._replace(der=b"short", serial="77", not_after_s=LEAF.not_after_s - DAY_S)
    for event in (again(), RENEWABLE, Granted(short, ())):
        bench(event)
    return bench


PLACES: dict[State, Callable[[], Bench]] = {
    State.NOTHING: at(),
    State.TRUSTED: lambda: Bench(AUTO, at(application(), FETCHED)().flash._replace(request=None)),
    State.FETCHING: at(application()),
    State.CONFIRMING: at(application(), FETCHED, policy=UNPINNED),
    State.SENT: at(application(), FETCHED),
    State.RECOVERING: lost,
    State.PENDING: at(application(), FETCHED, Waiting()),
    State.POLLING: at(application(), FETCHED, Waiting(), Due()),
    State.CHOOSING: choosing,
    State.ISSUED: at(application(), FETCHED, Granted(LEAF, ())),
    State.FAILED: at(application(), FETCHED, network()),
}


class Board:
    """A realm and the clock that it believes."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.wall_s, self.up_ns = bench, T0.wall_s, T0.monotonic_ns
        self.belief: Belief | None = None
        self.look()
        self.held = bench.flash

    def look(self, vouched: str = NOBODY) -> Now:
        reading = Reading(self.wall_s, self.up_ns, vouched)
        self.belief = found = belief.look(self.belief, reading, KNOWN)
        now_s, counted = belief.time_s(found, reading), not found.trusted and bool(found.seen)
        self.bench.now = Now(now_s, self.up_ns, found.trusted, counted)
        return self.bench.now

    def check(self) -> None:
        """Nothing is dropped, nothing has expired that is not known to have, and what comes next
        has a time."""
        now, stored = self.bench.now, self.bench.engine.stored
        assert (stored.local, stored.ca) == (self.held.local, self.held.ca)
        assert stored.request == self.held.request
        engine = self.bench.engine
        if engine.state in RESTING:
            plan = engine.plan(now)
            ended = stored.local and stored.local.certificate.not_after_s <= now.wall_s
            assert plan.reason != automatic.EXPIRED or (ended and now.trusted)
        deadline = engine.rearm(now)
        if not now.trusted:
            assert deadline.wall_s is None
        if deadline.monotonic_ns is not None:
            assert deadline.monotonic_ns - self.up_ns <= HORIZON_S * SECOND_NS
        if deadline.wall_s is not None:
            assert deadline.wall_s - now.wall_s <= HORIZON_S

    def live(self) -> None:
        """What comes next by this clock: the deadline where there is one, a power cut."""
        events: list[Event] = [Due()] if self.bench.engine.deadline else []
        for event in (*events, Configured()):
            if (self.bench.engine.state, type(event)) in TABLE:
                self.bench(event)
                self.kept()
        self.bench.cut()
        self.kept()

    def kept(self) -> None:
        """No certificate is gone, neither from flash nor from the engine."""
        for stored in (self.bench.flash, self.bench.engine.stored):
            assert stored.ca == self.held.ca
            served, held = (s.local.certificate if s.local else None for s in (stored, self.held))
            assert served == held
        rested = self.bench.engine.rearm(self.bench.now)
        assert rested.wall_s is None or rested.wall_s - self.bench.now.wall_s <= HORIZON_S


@pytest.fixture(params=PLACES, ids=lambda state: state.name)
def board(request: pytest.FixtureRequest) -> Board:
    bench = PLACES[request.param]()
    assert bench.engine.state is request.param
    return Board(bench)


def test_every_state_has_a_place() -> None:
    assert set(PLACES) == set(State)


@pytest.mark.parametrize("vouched", [NOBODY, SOURCE])
@pytest.mark.parametrize("jump_s", [sign * jump for jump in JUMPS_S for sign in (1, -1)])
def test_a_jump_drops_nothing_and_ends_nothing(board: Board, jump_s: int, vouched: str) -> None:
    board.wall_s += jump_s
    board.look(vouched)
    board.check()
    board.live()
    assert abs(board.look().wall_s - T0.wall_s) <= (abs(jump_s) if vouched else DAY_S)


@pytest.mark.parametrize("vouched", [NOBODY, SOURCE])
@pytest.mark.parametrize("year", YEARS)
def test_a_reading_of_any_year(board: Board, year: int, vouched: str) -> None:
    wall_s = calendar.day_s(year, 1, 1)
    assert wall_s is not None
    board.wall_s = wall_s
    now = board.look(vouched)
    board.check()
    board.live()
    assert not now.trusted
    assert now.wall_s == T0.wall_s


@pytest.mark.parametrize("percent", [0, 95, 105], ids=["frozen", "slow", "fast"])
def test_a_clock_that_does_not_run_as_it_should(board: Board, percent: int) -> None:
    for _hour in range(3 * 24):
        board.up_ns += 3600 * SECOND_NS
        board.wall_s += 36 * percent
        board.look()
        board.check()


@pytest.mark.parametrize("jump_s", [-30 * DAY_S, 30 * DAY_S, 18_262 * DAY_S])
def test_a_jump_that_nobody_vouches_for_costs_no_certificate(jump_s: int) -> None:
    """The renewal comes when it would have come, by elapsed time."""
    board = Board(Bench(AUTO, PLACES[State.ISSUED]().flash._replace(local=LOCAL)))
    board.wall_s += jump_s
    plan = board.bench.engine.plan(board.look())
    assert plan.reason == automatic.DUE
    deadline = board.bench.engine.rearm(board.bench.now)
    assert deadline.monotonic_ns == T0.monotonic_ns + LIFE_S // 2 * SECOND_NS
    board.up_ns = deadline.monotonic_ns
    board.wall_s += LIFE_S // 2
    board.look()
    assert board.bench.engine.plan(board.bench.now).deadline.monotonic_ns == board.up_ns


def test_after_a_start_without_a_time_it_applies_when_it_has_waited_for_one() -> None:
    board = Board(Bench(AUTO, PLACES[State.ISSUED]().flash._replace(local=LOCAL)))
    board.belief, board.wall_s = None, 0
    plan = board.bench.engine.plan(board.look())
    assert plan.reason == automatic.TIMELESS
    assert plan.deadline.monotonic_ns is not None
    assert plan.deadline.monotonic_ns - board.up_ns <= limits.TIMELESS_S * SECOND_NS
