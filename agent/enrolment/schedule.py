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


def lead_s(life_s: int, interval_min: int, times: int) -> int:
    """So long before the end of a life a renewal begins at the latest: there is time for all polls
    of a slow CA, but it is not more than a third of the life."""
    polls_s = 2 * interval_min * 60 * times
    return min(max(polls_s, min(WEEK_S, life_s // 10)), life_s // 3)


def renewal_s(
    begin_s: int, end_s: int, percent: int, polls: tuple[int, int], granted_s: int = 0
) -> int:
    """Wall time at which a certificate is due for renewal (VRP `auto-enroll PERCENT`).

    PERCENT counts the life that has elapsed. polls: their interval in minutes, and their number.
    granted_s: the CA grants a shorter life now (0: it does not), so a renewal before the last part
    of the old life brings nothing.
    """
    life_s = max(0, end_s - begin_s)
    point_s = min(begin_s + life_s * percent // 100, end_s - lead_s(life_s, *polls))
    if granted_s:
        part_s = max(lead_s(granted_s, *polls), granted_s * (100 - percent) // 100)
        point_s = max(point_s, end_s - part_s)
    return point_s


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
