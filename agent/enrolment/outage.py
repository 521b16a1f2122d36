"""How long the CA may be away from now on before a realm lapses. Pure.

The tries that would fail are played through, with the plan and the pauses that the realm would
have (`automatic.py`): the last one in time must find the CA. How long each of them takes is not
known: nothing where nobody listens, its time-out where nobody answers. So they are played twice, as
quick and as slow as may be, and the worst of all mixtures counts: a try that is the last one in
time if those before it and itself are slow, as early as it may have begun. Where no try takes any
time, a lapse comes if and only if an outage is longer; else no lapse comes before.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from agent.enrolment import automatic, drafts, schedule
from agent.enrolment.actions import Now, Policy, Stored
from agent.enrolment.automatic import Pace
from agent.enrolment.schedule import SECOND_NS
from agent.errors import fail

TRIES = (
    1000  # of one outage: 250 days at the longest pause; behind them the budget is at least that
)


def budget_s(stored: Stored, policy: Policy, now: Now, pace: Pace, try_s: int = 0) -> int | None:
    """Seconds; 0: the next try comes too late already. None: the realm does not renew by itself,
    has nothing that could lapse, or does not know the time. try_s: a try takes so long at most."""
    if policy.percent is None or not now.trusted:
        return None
    newest = stored.newest
    if newest is None or newest.end_s <= now.wall_s:
        return None
    end_s, last_s = newest.end_s - try_s, now.wall_s
    quick, slow = (_tries(stored, policy, now, pace, each_s) for each_s in (0, try_s))
    sure_s = None
    for (soonest_s, *pauses), (latest_s, *others) in islice(zip(quick, slow, strict=False), TRIES):
        if soonest_s >= end_s:
            break
        last_s, pause_s = soonest_s, max(*pauses, *others)
        if latest_s + try_s + pause_s >= end_s:  # the next one may begin too late
            begins_s = max(soonest_s, end_s - try_s - pause_s)
            sure_s = begins_s if sure_s is None else min(sure_s, begins_s)
    return max(0, (last_s if sure_s is None else sure_s) - now.wall_s)


def _tries(
    stored: Stored, policy: Policy, now: Now, pace: Pace, try_s: int
) -> Iterator[tuple[int, int]]:
    """The beginning of each try that fails (wall time in seconds), and the pause behind it."""
    away = fail("connection-refused", host="", what="")
    while True:
        step = automatic.plan(stored, policy, now, pace)
        begin_s = schedule.due_s(step.deadline, now)
        if begin_s is None:
            return
        now = _at(now, begin_s)
        if step.reason == automatic.TAKE_OVER:
            stored = stored._replace(local=stored.next, next=None)
            continue
        outcome = drafts.begun(stored.outcome, now, attended=False)
        now = _at(now, begin_s + try_s)
        outcome = drafts.failed(outcome, away, now)
        stored = stored._replace(outcome=outcome)
        until_s = automatic.stays_until_s(stored, policy, now)
        pause_s = automatic.pause_s(stored, policy, now, pace.spread)
        yield begin_s, pause_s
        end_s, tries = now.wall_s, 0
        for next_s in automatic.pauses_s(stored, policy, now, pace.spread):
            begin_s = end_s + pause_s
            if until_s is not None and begin_s + try_s >= until_s:
                break
            yield begin_s, next_s
            end_s, pause_s, tries = begin_s + try_s, next_s, tries + 1
        now = _at(now, end_s)
        stored = stored._replace(outcome=outcome._replace(attempts=outcome.attempts + tries))
        pace = pace._replace(paused_ns=now.monotonic_ns + pause_s * SECOND_NS)


def _at(now: Now, wall_s: int) -> Now:
    """Another moment, by both clocks."""
    rest_ns = max(0, wall_s - now.wall_s) * SECOND_NS
    return now._replace(wall_s=max(now.wall_s, wall_s), monotonic_ns=now.monotonic_ns + rest_ns)
