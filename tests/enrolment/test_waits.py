"""Each pause has a word, and the display tells the one that applies."""

from typing import Any

import pytest

from agent.enrolment import drafts, waits
from agent.enrolment.actions import Now, Policy, Stored
from agent.enrolment.automatic import Pace
from agent.errors import AgentError, fail
from hal.records import OutcomeRecord
from tests.enrolment.test_outage import ALONE, DAY_S, HOUR_S, NOW, SECOND_NS, held

PAUSED = Pace(paused_ns=NOW.monotonic_ns + 100 * SECOND_NS)
AWAY = fail("connection-refused", host="ca", what="x")
REFUSED = fail("ca-badRequest", text="x", page="x", subject="x")
NOT_THERE = fail("source-missing", what="eth0")
LOCAL = fail("key-unknown", name="k1")


def ended(error: AgentError | None, requests: int = 0) -> OutcomeRecord:
    before = OutcomeRecord(None, 0, 3, requests=requests + (error is REFUSED))
    return drafts.failed(before, error, NOW) if error else before


def waited(
    stored: Stored,
    pace: Pace = PAUSED,
    policy: Policy = ALONE,
    after_s: int = 20 * DAY_S,
    **at: Any,
) -> waits.Wait | None:
    now = Now(NOW.wall_s + after_s, NOW.monotonic_ns, True)._replace(**at)
    return waits.wait(stored, policy, now, pace)


WINDOW = Stored(local=held(30))  # its renewal point is day 15
LONGEST_S = 9 * HOUR_S  # half as much again as the longest pause


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (None, waits.Wait(waits.QUIET)),
        (ended(None), waits.Wait(waits.QUIET)),
        (ended(AWAY), waits.Wait(waits.FAILED, LONGEST_S)),
        (ended(NOT_THERE), waits.Wait(waits.ADDRESS, LONGEST_S)),
        (ended(REFUSED), waits.Wait(waits.REFUSED, 36 * HOUR_S)),
        (ended(LOCAL), waits.Wait(waits.MISSING, 5400)),
        (ended(AWAY, 2), waits.Wait(waits.SPENT, 36 * HOUR_S)),
        (ended(None, 2), waits.Wait(waits.SPENT, 36 * HOUR_S)),
    ],
)
def test_the_pause_that_applies(outcome: OutcomeRecord | None, expected: waits.Wait) -> None:
    assert waited(WINDOW._replace(outcome=outcome)) == expected


def test_before_anything_is_due_the_moment_itself_is_waited_for() -> None:
    assert waited(WINDOW, after_s=DAY_S) == waits.Wait(waits.POINT)
    both = WINDOW._replace(next=held(60))
    assert waited(both, after_s=DAY_S) == waits.Wait(waits.TURN)


def test_what_has_come_waits_for_nothing() -> None:
    assert waited(WINDOW, Pace()) is None
    assert waited(WINDOW._replace(next=held(60)), after_s=30 * DAY_S) is None
    assert waited(WINDOW, policy=ALONE._replace(percent=None)) is None


def test_who_does_not_know_the_time_waits_for_a_source_or_out_a_pause() -> None:
    timeless = {"trusted": False, "counted": False}
    begun = Pace(started_ns=NOW.monotonic_ns)
    assert waited(WINDOW, begun, **timeless) == waits.Wait(waits.SOURCE)
    paused = Pace(NOW.monotonic_ns + 2 * HOUR_S * SECOND_NS, NOW.monotonic_ns)
    stored = WINDOW._replace(outcome=ended(AWAY))
    assert waited(stored, paused, **timeless) == waits.Wait(waits.FAILED, LONGEST_S)


def test_each_fits_into_a_row_with_how_long_it_is() -> None:
    label, span = " Waits For             : ", ", 23 h 59 min at most"
    spans = (waits.SPENT, waits.REFUSED, waits.MISSING, waits.FAILED)
    ends = (waits.POINT, waits.TURN, waits.SOURCE, waits.QUIET)
    assert max(len(label + word + span) for word in spans) <= 80
    assert max(len(label + word) for word in ends) <= 80
