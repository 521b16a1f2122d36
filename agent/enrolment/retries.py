"""The number and the times of further tries within one attempt. Pure.

A person waits at the console: a server that is busy (HTTP 503, an empty answer) often answers
seconds later, so that is worth two more tries; any other error is told at once, because the person
can act on it. Nobody waits, after a start in the middle of an application that a person has typed:
the network or the CA may come up in minutes, so whatever failed is tried again at the interval of
the polls, as often as the CA is polled. A realm that applies by itself needs neither: its next
attempt has a time of its own (`automatic.py`).
"""

from __future__ import annotations

from agent import limits
from agent.enrolment import schedule
from agent.enrolment.actions import Policy
from agent.errors import NOW, AgentError
from hal.named import NamedTuple


class Tries(NamedTuple):
    """The tries that an attempt has left after errors.

    unattended: at the interval of the polls, after a start. busy: seconds later, for a server that
    is busy, while a person waits.
    """

    unattended: int = 0
    busy: int = 0


def begun(attended: bool, poll_times: int) -> Tries:
    """The tries of a new attempt; never more than `poll_times`, which the realm allows.

    One that nobody waits for has none: the next attempt has a time of its own.
    """
    return Tries(0, min(limits.AGAIN_TIMES, poll_times) if attended else 0)


def resumed(policy: Policy) -> Tries:
    """The tries of an attempt that goes on after a start."""
    return Tries(policy.poll_times if policy.percent is None else 0, 0)


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
