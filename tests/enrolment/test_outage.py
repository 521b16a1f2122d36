"""The outage budget: its numbers, and that a lapse comes if and only if an outage is longer."""

from collections.abc import Callable
from itertools import islice
from random import Random
from typing import Any

import pytest

from agent import limits
from agent.enrolment import automatic, drafts, outage, schedule
from agent.enrolment.actions import Now, Policy, Stored
from agent.enrolment.automatic import Pace
from agent.errors import fail
from hal.records import CertificateRecord, LocalRecord, OutcomeRecord
from tests.device.test_automatic import DAY_S, HOUR_S, alone, in_use, pass_time, stored
from tests.helpers.device_bench import SECOND_NS, Answer, Bench, refuse

NOW = Now(1_800_000_000, 5_000_000_000, True)
ALONE = Policy(None, 1, 5, percent=50)


def held(days: float, percent: int = 50, begin_s: int = NOW.wall_s) -> LocalRecord:
    end_s = begin_s + int(days * DAY_S)
    point_s = schedule.renewal_s(begin_s, end_s, percent, (1, 5))
    life = CertificateRecord(b"x", "CN=x", "CN=CA", "2a", begin_s, end_s)
    return LocalRecord(life, [], "k1", 1, begin_s, renew_s=point_s)


def budget_s(local: LocalRecord | None, after_s: int = 0, **changes: Any) -> int | None:
    now = Now(NOW.wall_s + after_s, NOW.monotonic_ns + after_s * SECOND_NS, True)
    given = Stored(local=local, next=changes.get("waits"))
    policy, now = changes.get("policy", ALONE), changes.get("now", now)
    return outage.budget_s(given, policy, now, Pace(now.monotonic_ns, spread=7))


# Days of a life -> how long before its end the last try may be: the longest pause in the last
# tenth of the window, half as much again by the jitter.
LIVES = {365.0: 3 * HOUR_S, 30.0: HOUR_S * 9 // 2, 1.0: HOUR_S * 12 // 80, 180 / DAY_S: 5}


@pytest.mark.parametrize("days", LIVES)
def test_it_is_the_rest_of_the_life_but_for_the_last_pause(days: float) -> None:
    local, rest_s = held(days), int(days * DAY_S)
    budget = budget_s(local)
    assert budget is not None
    assert rest_s - LIVES[days] * 3 // 2 <= budget < rest_s


def test_it_shrinks_with_the_time_and_ends_with_the_certificate() -> None:
    local = held(30)
    budgets = [budget_s(local, day * DAY_S) or 0 for day in range(30)]
    assert budgets == sorted(budgets, reverse=True)
    assert budgets[0] - budgets[15] == 15 * DAY_S, "before the renewal point nothing is tried"
    assert budget_s(local, 30 * DAY_S) is None


def test_it_is_nothing_where_the_next_try_comes_too_late() -> None:
    local = held(30)
    now = Now(NOW.wall_s + 30 * DAY_S - 10, NOW.monotonic_ns, True)
    paused_ns = now.monotonic_ns + 11 * SECOND_NS
    assert outage.budget_s(Stored(local=local), ALONE, now, Pace(paused_ns, spread=7)) == 0


def test_one_that_waits_counts_and_takes_over_without_a_ca() -> None:
    alone_s = budget_s(held(30), 20 * DAY_S)
    both_s = budget_s(held(30), 20 * DAY_S, waits=held(60))
    assert alone_s is not None
    assert both_s is not None
    assert both_s - alone_s > 29 * DAY_S
    assert budget_s(None, 20 * DAY_S, waits=held(60)) == both_s


def test_a_life_of_decades_is_not_played_to_its_end() -> None:
    budget = budget_s(held(36500, 10), 9000 * DAY_S)
    assert budget is not None
    assert budget > outage.TRIES * 2 * HOUR_S


def test_who_has_no_budget() -> None:
    assert budget_s(held(30), policy=ALONE._replace(percent=None)) is None
    assert budget_s(None) is None
    assert budget_s(held(30), now=NOW._replace(trusted=False)) is None


# -- the same on a whole device --------------------------------------------------------------------


def lapses(auto: str, begin_s: int, more_s: int) -> bool:
    """Whether a device is without a certificate, whose CA goes away at `begin_s` for as long as the
    device says, and `more_s` longer."""
    bench = alone(auto)
    pass_time(bench, begin_s, HOUR_S)
    engine = bench.device.realms.runner("abc").engine
    now = bench.device.realms.runner("abc").now()
    budget = outage.budget_s(engine.stored, engine.policy, now, engine.pace)
    assert budget is not None
    honest, end_s = bench.worker.answers["fetch-ca"], in_use(bench).certificate.not_after_s
    if waits := stored(bench).next:
        end_s = waits.certificate.not_after_s
    back_s = bench.device.wall_s() + budget + more_s
    bench.worker.answers["fetch-ca"] = refuse("connection-refused", host="ca", what="x")
    _play(bench, back_s)
    bench.worker.answers["fetch-ca"] = honest
    _play(bench, end_s)
    return in_use(bench).certificate.not_after_s <= end_s


def _play(bench: Bench, until_s: int) -> None:
    """From one moment of the realm to the next: it stands still between them."""
    runner = bench.device.realms.runner("abc")
    while (now := runner.now()).wall_s < until_s:
        due_s = schedule.due_s(runner.engine.rearm(now), now)
        assert due_s is not None
        bench.advance(max(1, min(due_s, until_s) - now.wall_s) if due_s > now.wall_s else 0)
        bench.turn(20)


OUTAGES = {
    "from the first day": ("auto-enroll 50 updated-effective", DAY_S),
    "within the window": ("auto-enroll 50 updated-effective", 5 * DAY_S - HOUR_S),
    "in the lead alone": ("auto-enroll", 4 * DAY_S),
    "while one waits": ("auto-enroll 50", 7 * DAY_S),
}


@pytest.mark.parametrize("case", OUTAGES)
@pytest.mark.parametrize(("more_s", "lapsed"), [(-600, False), (-1, False), (1, True)])
def test_a_lapse_comes_if_and_only_if_an_outage_is_longer(
    case: str, more_s: int, lapsed: bool
) -> None:
    assert lapses(*OUTAGES[case], more_s) is lapsed


# -- tries that take time --------------------------------------------------------------------------

TRY_S = limits.TIMEOUTS.job_s()


def _silent(chance: Random) -> Callable[[Answer], None]:
    """A CA that refuses, or answers nothing until the job is ended."""
    error = refuse("connection-refused", host="ca", what="x")

    def answer(job: Answer) -> Any:
        return error(job) if chance.random() < 0.5 else None

    return answer


@pytest.mark.parametrize("case", OUTAGES)
@pytest.mark.parametrize("seed", range(2))
def test_the_figure_of_the_display_holds_whatever_a_try_takes(case: str, seed: int) -> None:
    auto, begin_s = OUTAGES[case]
    bench = alone(auto)
    pass_time(bench, begin_s, HOUR_S)
    budget = bench.device.status("abc").outage_s
    assert budget is not None
    honest, end_s = bench.worker.answers["fetch-ca"], in_use(bench).certificate.not_after_s
    if waits := stored(bench).next:
        end_s = waits.certificate.not_after_s
    back_s = bench.device.wall_s() + budget
    bench.worker.answers["fetch-ca"] = _silent(Random(seed))
    _step(bench, back_s)
    bench.worker.answers["fetch-ca"] = honest
    _step(bench, end_s)
    assert in_use(bench).certificate.not_after_s > end_s


def _step(bench: Bench, until_s: int) -> None:
    """As `_play`, with the ends of jobs that answer nothing."""
    runner = bench.device.realms.runner("abc")
    while (now := runner.now()).wall_s < until_s:
        due_s = schedule.due_s(runner.engine.rearm(now), now)
        waits = bench.jobs.running() or due_s is None
        next_s = now.wall_s + TRY_S if waits else due_s
        bench.advance(max(1, min(next_s, until_s) - now.wall_s))
        bench.turn(20)


def test_it_is_never_more_with_tries_that_take_time() -> None:
    for days in LIVES:
        for after_s in range(0, int(days * DAY_S), max(1, int(days * DAY_S) // 8)):
            now = Now(NOW.wall_s + after_s, NOW.monotonic_ns + after_s * SECOND_NS, True)
            given = Stored(local=held(days))
            pace = Pace(now.monotonic_ns, spread=7)
            found = [outage.budget_s(given, ALONE, now, pace, s) for s in (0, 1, 15, 150)]
            assert all(one is not None for one in found)
            assert found == sorted(found, reverse=True)  # type: ignore[type-var]


def test_a_life_that_is_shorter_than_a_time_out_has_none() -> None:
    given = Stored(local=held(180 / DAY_S))
    assert outage.budget_s(given, ALONE, NOW, Pace(NOW.monotonic_ns), TRY_S) == 0


# -- what is played in one go ----------------------------------------------------------------------


@pytest.mark.parametrize("requests", [0, limits.REQUESTS_LAST])
@pytest.mark.parametrize("days", LIVES)
@pytest.mark.parametrize("after_percent", [60, 97])
def test_pauses_ahead_are_those_of_each_failure(
    requests: int, days: float, after_percent: int
) -> None:
    after_s = int(days * DAY_S) * after_percent // 100
    now = Now(NOW.wall_s + after_s, NOW.monotonic_ns + after_s * SECOND_NS, True)
    outcome = OutcomeRecord(None, now.wall_s, 1, requests=requests)
    away = fail("connection-refused", host="", what="")
    failed = Stored(local=held(days), outcome=drafts.failed(outcome, away, now))
    until_s = automatic.stays_until_s(failed, ALONE, now)
    assert until_s is not None
    now = now._replace(wall_s=until_s - 1)
    here = automatic.place(failed, ALONE, now)
    assert automatic.place(failed, ALONE, now._replace(wall_s=until_s)).name != here.name
    for ahead_s in islice(automatic.pauses_s(failed, ALONE, now, 7), 20):
        begun = drafts.begun(failed.outcome, now, attended=False)
        failed = failed._replace(outcome=drafts.failed(begun, away, now))
        assert ahead_s == automatic.pause_s(failed, ALONE, now, 7)
