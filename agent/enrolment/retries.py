"""The number and the times of further tries after an error. Pure.

Two kinds of patience, for two kinds of attempt. A person waits at the console: a server that is
busy (HTTP 503, an empty answer) often answers seconds later, so that is worth two more tries; any
other error is told at once, because the person can act on it. Nobody waits, after a start: the
network or the CA may come up in minutes, so whatever failed is tried again at the interval of the
polls, as often as the CA is polled.
"""

from __future__ import annotations

from agent import limits
from agent.enrolment import schedule
from agent.errors import NOW, AgentError
from hal.named import NamedTuple


class Tries(NamedTuple):
    """The tries that an attempt has left after errors.

    unattended: at the interval of the polls; 0 while a person waits. busy: seconds later, for a
    server that is busy.
    """

    unattended: int = 0
    busy: int = 0


def begun(attended: bool, poll_times: int) -> Tries:
    """The tries of a new attempt; never more than `poll_times`, which the realm allows."""
    return Tries(0 if attended else poll_times, min(limits.AGAIN_TIMES, poll_times))


def after(
    error: AgentError, tries: Tries, now_ns: int, interval_min: int
) -> tuple[Tries, int] | None:
    """The tries that are left and the monotonic time of the next one; None: no further try."""
    pause_s = error.after_s or limits.AGAIN_S
    if error.retry == NOW and tries.busy and pause_s <= limits.RETRY_AFTER_S:
        return tries._replace(busy=tries.busy - 1), now_ns + pause_s * schedule.SECOND_NS
    if tries.unattended:
        rest = tries._replace(unattended=tries.unattended - 1)
        return rest, schedule.next_poll_ns(now_ns, interval_min, error.after_s)
    return None
