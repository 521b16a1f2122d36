"""The times of renewals and polls. Pure arithmetic on integers.

The pauses between attempts, and what a realm does by itself, are in `automatic.py`.
"""

from __future__ import annotations

from agent import limits
from agent.enrolment.actions import Deadline, Now

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
WEEK_S = 7 * 86400
YEAR_S = 366 * 86400


def renewal_s(
    not_before_s: int, not_after_s: int, percent: int, interval_min: int, times: int
) -> int:
    """Wall time at which a certificate is due for renewal (VRP `auto-enroll PERCENT`).

    PERCENT counts the validity that has elapsed; whatever it says, there is time for all polls of
    a slow CA before the end, but not more than a third of the validity.
    """
    validity_s = max(0, not_after_s - not_before_s)
    polls_s = 2 * interval_min * 60 * times
    lead_s = min(max(polls_s, min(WEEK_S, validity_s // 10)), validity_s // 3)
    return min(not_before_s + validity_s * percent // 100, not_after_s - lead_s)


def armed(deadline: Deadline, now: Now) -> Deadline:
    """The same deadline by the clocks that can be believed now.

    A wall clock that is not trusted may stand still or jump to 2099. So its half becomes one of the
    monotonic clock, counted from the wall time that is believed, and never further than a year: by
    then somebody may have set the clock, which arms it anew.
    """
    if deadline.wall_s is None or now.trusted:
        return deadline
    rest_s = min(max(0, deadline.wall_s - now.wall_s), YEAR_S)
    moment_ns = now.monotonic_ns + rest_s * SECOND_NS
    if deadline.monotonic_ns is not None:
        moment_ns = min(moment_ns, deadline.monotonic_ns)
    return Deadline(moment_ns)


def due_s(deadline: Deadline, now: Now) -> int | None:
    """The wall time at which a deadline comes, as far as one can tell; None: there is none."""
    moments_s = [] if deadline.wall_s is None else [deadline.wall_s]
    if deadline.monotonic_ns is not None:
        rest_ns = max(0, deadline.monotonic_ns - now.monotonic_ns)
        moments_s.append(now.wall_s + rest_ns // SECOND_NS)
    return min(moments_s, default=None)


def next_poll_ns(now_ns: int, interval_min: int, peace_s: int = 0) -> int:
    """Monotonic time of the next CertPoll (VRP `enrollment-url ... interval`).

    A server that asked to be left alone for `peace_s` would use up all polls in its maintenance.
    """
    peace_ns = min(peace_s, limits.PEACE_S) * SECOND_NS
    return now_ns + max(interval_min * MINUTE_NS, peace_ns)


def poll_after_boot_ns(now_ns: int) -> int:
    """Monotonic time of the first CertPoll after a start: when the network is likely to be up."""
    return now_ns + MINUTE_NS
