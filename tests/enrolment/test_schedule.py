"""When to ask again: a renewal leaves time for all polls, a poll leaves a busy server in peace."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import limits
from agent.enrolment.actions import NEVER, Deadline, Now
from agent.enrolment.schedule import (
    MINUTE_NS,
    SECOND_NS,
    armed,
    due_s,
    next_poll_ns,
    poll_after_boot_ns,
    renewal_s,
)

DAY_S = 86400


@pytest.mark.parametrize(
    ("days", "percent", "polls", "due_days"),
    [
        (365, 50, (1, 5), 182.5),  # what was typed
        (365, 100, (1, 5), 358),  # a week before the end at the latest
        (10, 100, (1, 5), 9),  # of a short validity its last tenth
        (365, 100, (1440, 10), 345),  # all polls of a slow CA, and as long again
        (30, 100, (1440, 10), 20),  # and yet not more than a third of the validity
        (0, 50, (1, 5), 0),
    ],
)
def test_renewal(days: int, percent: int, polls: tuple[int, int], due_days: float) -> None:
    start_s = 1_000_000
    found_s = renewal_s(start_s, start_s + days * DAY_S, percent, polls)
    assert found_s == start_s + due_days * DAY_S


@given(
    st.integers(0, 2**33),
    st.integers(-(10**6), 10**9),
    st.integers(0, 100),
    st.integers(1, 1440),
    st.integers(1, 100),
)
def test_a_renewal_falls_due_within_the_validity(
    start_s: int, validity_s: int, percent: int, interval_min: int, times: int
) -> None:
    found_s = renewal_s(start_s, start_s + validity_s, percent, (interval_min, times))
    assert found_s <= start_s + validity_s
    assert found_s >= start_s or validity_s < 0


@pytest.mark.parametrize(
    ("percent", "granted_days", "due_days"),
    [(50, 47, 374.5), (100, 47, 398 - 4.7), (100, 365, 391), (10, 47, 398 - 42.3)],
)
def test_a_shorter_life_that_the_ca_grants_moves_the_point(
    percent: int, granted_days: int, due_days: float
) -> None:
    """Field case 1: to the last part of the old life, as long as that of the new one would be."""
    found_s = renewal_s(0, 398 * DAY_S, percent, (1, 5), granted_days * DAY_S)
    assert found_s == round(due_days * DAY_S)


@pytest.mark.parametrize(
    ("interval_min", "peace_s", "wait_ns"),
    [
        (2, 0, 2 * MINUTE_NS),
        (2, 60, 2 * MINUTE_NS),
        (1, 90, 90 * SECOND_NS),
        (1, 10**9, limits.PEACE_S * SECOND_NS),  # an hour at most
    ],
)
def test_the_next_poll(interval_min: int, peace_s: int, wait_ns: int) -> None:
    assert next_poll_ns(7, interval_min, peace_s) == 7 + wait_ns
    assert next_poll_ns(7, interval_min) == 7 + interval_min * MINUTE_NS


def test_the_first_poll_after_a_start_waits_for_the_network() -> None:
    assert poll_after_boot_ns(7) == 7 + MINUTE_NS


def test_a_deadline_comes_by_the_clock_that_is_believed() -> None:
    now = Now(1_000, 50 * SECOND_NS, trusted=True)
    blind = now._replace(trusted=False)
    both = Deadline(70 * SECOND_NS, 1_010)
    assert armed(both, now) == both
    assert armed(both, blind) == Deadline(60 * SECOND_NS)
    assert armed(Deadline(55 * SECOND_NS, 1_010), blind) == Deadline(55 * SECOND_NS)
    assert armed(Deadline(wall_s=1_010), blind) == Deadline(60 * SECOND_NS)
    assert armed(NEVER, blind) == NEVER
    assert due_s(both, now) == 1_010
    assert due_s(Deadline(55 * SECOND_NS), now) == 1_005
    assert due_s(NEVER, now) is None
