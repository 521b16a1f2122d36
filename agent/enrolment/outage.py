"""How long the CA may be away from now on before a realm lapses. Pure.

The tries that would fail are played through, with the plan and the pauses that the realm would
have (`automatic.py`): the last one that begins before the certificate ends must find the CA. So a
lapse comes if and only if an outage is longer than the time until then. A try that fails takes no
time here, as where nothing listens; a CA that lets each one run into its time-out costs as much of
the budget as the last of them takes.
"""

from __future__ import annotations

from agent.enrolment import automatic, drafts, schedule
from agent.enrolment.actions import Now, Policy, Stored
from agent.enrolment.automatic import Pace
from agent.enrolment.schedule import SECOND_NS
from agent.errors import fail

TRIES = (
    1000  # of one outage: 250 days at the longest pause; behind them the budget is at least that
)


def budget_s(stored: Stored, policy: Policy, now: Now, pace: Pace) -> int | None:
    """Seconds; 0: the next try comes too late already. None: the realm does not renew by itself,
    has nothing that could lapse, or does not know the time."""
    newest = stored.newest
    if policy.percent is None or newest is None or not now.trusted:
        return None
    begin_s, end_s, last_s = now.wall_s, newest.end_s, now.wall_s
    if end_s <= begin_s:
        return None
    for _try in range(TRIES):
        step = automatic.plan(stored, policy, now, pace)
        moment_s = schedule.due_s(step.deadline, now)
        if moment_s is None or moment_s >= end_s:
            break
        now = _at(now, moment_s)
        if step.reason == automatic.TAKE_OVER:
            stored = stored._replace(local=stored.next, next=None)
            continue
        last_s = moment_s
        away = fail("connection-refused", host="", what="")
        begun = drafts.begun(stored.outcome, now, attended=False)
        stored = stored._replace(outcome=drafts.failed(begun, away, now))
        pause_s = automatic.pause_s(stored, policy, now, pace.spread)
        pace = pace._replace(paused_ns=now.monotonic_ns + pause_s * SECOND_NS)
    return last_s - begin_s


def _at(now: Now, wall_s: int) -> Now:
    """Another moment, by both clocks."""
    rest_ns = max(0, wall_s - now.wall_s) * SECOND_NS
    return now._replace(wall_s=max(now.wall_s, wall_s), monotonic_ns=now.monotonic_ns + rest_ns)
