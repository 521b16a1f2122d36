"""What the next step of a realm at rest waits for: the word for each pause that there is. Pure."""

from __future__ import annotations

from agent.enrolment import automatic
from agent.enrolment.actions import Now, Policy, Stored
from agent.enrolment.automatic import Pace
from agent.enrolment.verdicts import is_verdict
from agent.errors import OPERATOR, LocalError, from_map
from hal.named import NamedTuple

POINT = "the renewal point"
TURN = "its turn"
SOURCE = "a time source, an hour after a start"
SPENT = "a day: requests got no answer"
REFUSED = "a day, after a refusal"
MISSING = "something that is missing here"
FAILED = "the pause after a failure"
ADDRESS = "the source of its connections"
QUIET = "the spread after a start, or someone still typing"

SOURCE_MISSING = "source-missing"  # the code of the error


class Wait(NamedTuple):
    """longest_s: of such a wait, its jitter included; None: it has an end of its own."""

    reason: str
    longest_s: int | None = None


def wait(stored: Stored, policy: Policy, now: Now, pace: Pace) -> Wait | None:
    """The wait that applies; None: nothing is planned, or it has come."""
    step = automatic.plan(stored, policy, now, pace)
    moment_ns, wall_s = step.deadline
    if moment_ns is None:
        return None if wall_s is None else Wait(TURN if _is_turn(step) else POINT)
    if moment_ns <= now.monotonic_ns or _is_turn(step):
        return None
    if step.reason == automatic.TIMELESS and moment_ns > pace.paused_ns:
        return Wait(SOURCE)
    return _pause(stored, policy, now)


def _is_turn(step: automatic.Plan) -> bool:
    return step.reason == automatic.TAKE_OVER


def _pause(stored: Stored, policy: Policy, now: Now) -> Wait:
    """After an end of an attempt, as `automatic.pause_s` counts it."""
    outcome, here = stored.outcome, automatic.place(stored, policy, now)
    error = from_map(outcome.error) if outcome and outcome.error is not None else None
    if automatic.is_spent(stored, policy, now):
        return _spread(SPENT, here.day_s)
    if error is None:
        return Wait(QUIET)
    if is_verdict(error):
        return _spread(REFUSED, here.day_s)
    if isinstance(error, LocalError) and error.retry == OPERATOR and error.code != "store-failed":
        return _spread(MISSING, min(automatic.HOUR_S, here.longest_s))
    reason = ADDRESS if error.code == SOURCE_MISSING else FAILED
    return _spread(reason, here.longest_s)


def _spread(reason: str, longest_s: int) -> Wait:
    """The jitter of a pause is a half of it, either way."""
    return Wait(reason, longest_s * 3 // 2)
