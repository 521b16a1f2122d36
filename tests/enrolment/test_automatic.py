"""What a realm at rest does by itself: reasons, times, pauses, and no herd in step."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import limits
from agent.enrolment import automatic, drafts
from agent.enrolment.actions import NEVER, Deadline, Now, Policy, Stored
from agent.enrolment.automatic import DAY_S, HOUR_S, plan
from agent.enrolment.schedule import SECOND_NS
from agent.errors import AgentError, fail
from hal.records import CertificateRecord, LocalRecord

START_S = 1_800_000_000
NOW = Now(START_S, 5_000 * SECOND_NS, trusted=True)
AUTO = Policy(None, 1, 5, percent=50)
LATER = fail("connection-refused", host="ca", what="x")
SIGNED = fail("ca-badRequest", what="x", text="")
OURS = fail("key-unknown", name="k1")


def held(days: float, *, begun_days: float = 0, percent: int = 50) -> LocalRecord:
    """A certificate of so many days, so many of which have passed."""
    begin_s = START_S - int(begun_days * DAY_S)
    leaf = CertificateRecord(b"leaf", "CN=r1", "CN=CA", "2a", begin_s, begin_s + int(days * DAY_S))
    renew_s = drafts.renewal_s(leaf, AUTO._replace(percent=percent))
    return LocalRecord(leaf, [], "k1", 1, begin_s, False, renew_s)


def planned(stored: Stored, policy: Policy = AUTO, now: Now = NOW, paused_s: int = 0) -> object:
    return plan(stored, policy, now, paused_s * SECOND_NS, 0)


@pytest.mark.parametrize(
    ("stored", "reason", "in_days"),
    [
        (Stored(), automatic.FIRST, None),
        (Stored(local=held(10)), automatic.DUE, 5),
        (Stored(local=held(10, begun_days=6)), automatic.DUE, None),
        (Stored(local=held(10, begun_days=11)), automatic.EXPIRED, None),
        (Stored(local=held(10, begun_days=-1)), automatic.DUE, 6),  # it begins tomorrow
    ],
)
def test_the_reasons(stored: Stored, reason: str, in_days: float | None) -> None:
    moment = Deadline(NOW.monotonic_ns)
    if in_days is not None:
        moment = Deadline(wall_s=START_S + int(in_days * DAY_S))
    assert planned(stored) == (reason, moment)
    assert planned(stored, AUTO._replace(percent=None)) == ("", NEVER)


def test_what_is_due_waits_for_the_pause_after_a_failure() -> None:
    assert planned(Stored(), paused_s=6_000) == (automatic.FIRST, Deadline(6_000 * SECOND_NS))


def test_without_a_clock_it_waits_an_hour_for_one_after_the_start() -> None:
    timeless, stored = NOW._replace(trusted=False), Stored(local=held(10))
    wanted = Deadline(max(NOW.monotonic_ns, limits.TIMELESS_S * SECOND_NS))
    assert planned(stored, now=timeless) == (automatic.TIMELESS, wanted)
    # One that was right a while ago is counted on: nothing is due by that, and nothing has expired.
    counted = timeless._replace(counted=True)
    assert planned(stored, now=counted) == planned(stored)
    late = counted._replace(wall_s=START_S + 20 * DAY_S)
    assert planned(stored, now=late) == (automatic.DUE, Deadline(NOW.monotonic_ns))
    assert planned(Stored(), now=timeless) == (automatic.FIRST, Deadline(NOW.monotonic_ns))


def test_a_point_that_was_past_when_the_certificate_came_waits_a_tenth_of_its_life() -> None:
    backdated = held(5, begun_days=1, percent=10)._replace(issued_s=START_S)
    assert automatic.due_s(backdated) == START_S + DAY_S // 2


def test_a_certificate_that_waits_takes_over_an_hour_before_the_end() -> None:
    old, new = held(10, begun_days=6), held(10)
    both = Stored(local=old, next=new)
    turn_s = old.certificate.not_after_s - HOUR_S
    assert planned(both) == (automatic.TAKE_OVER, Deadline(wall_s=turn_s))
    # Of a short life it is a twentieth.
    short = held(0.1)
    turn_s = short.certificate.not_after_s - int(0.1 * DAY_S) // 20
    assert planned(Stored(local=short, next=new)) == (automatic.TAKE_OVER, Deadline(wall_s=turn_s))


@pytest.mark.parametrize(
    ("stored", "policy", "now"),
    [
        (Stored(next=held(10)), AUTO, NOW),  # the one before it was deleted
        (Stored(local=held(9, begun_days=10), next=held(10)), AUTO, NOW),  # or has expired
        (Stored(local=held(10), next=held(10)), AUTO._replace(at_once=True), NOW),
        (Stored(local=held(10), next=held(10)), AUTO, NOW._replace(trusted=False)),
        (Stored(next=held(10)), AUTO._replace(percent=None), NOW),
    ],
)
def test_when_it_takes_over_at_once(stored: Stored, policy: Policy, now: Now) -> None:
    assert planned(stored, policy, now) == (automatic.TAKE_OVER, Deadline(NOW.monotonic_ns))


def test_the_certificate_that_waits_is_the_one_that_is_renewed() -> None:
    """Its point may come before its turn: both are on the clock."""
    both = Stored(local=held(100, begun_days=60), next=held(10))
    assert planned(both) == (automatic.DUE, Deadline(wall_s=START_S + 5 * DAY_S))
    late = Stored(local=held(100, begun_days=60), next=held(10, begun_days=6))
    turn_s = START_S + 40 * DAY_S - HOUR_S
    assert planned(late) == (automatic.DUE, Deadline(NOW.monotonic_ns, turn_s))


@pytest.mark.parametrize(
    ("stored", "policy", "attended", "waits"),
    [
        (Stored(), AUTO, False, False),
        (Stored(local=held(10)), AUTO, False, True),
        (Stored(local=held(10)), AUTO, True, False),  # a person wants it now
        (Stored(local=held(10)), AUTO._replace(at_once=True), False, False),
        (Stored(local=held(10, begun_days=11)), AUTO, False, False),
    ],
)
def test_what_waits_for_its_turn(
    stored: Stored, policy: Policy, attended: bool, waits: bool
) -> None:
    assert automatic.waits_for_its_turn(stored, policy, NOW, attended=attended) is waits


# -- after a failure -------------------------------------------------------------------------------


def pauses(local: LocalRecord | None, error: AgentError, times: int, spread: int = 7) -> list[int]:
    """The pauses after so many failures in a row, without the jitter: each is in its range."""
    found, outcome = [], None
    for _ in range(times):
        outcome = drafts.failed(drafts.begun(outcome, NOW, attended=False), error, NOW)
        found.append(automatic.pause_s(Stored(local=local, outcome=outcome), NOW, spread))
    return found


def about(found: list[int], wanted: list[int]) -> bool:
    return all(w // 2 <= f <= w + w // 2 + 1 for f, w in zip(found, wanted, strict=True))


def test_the_pauses_double_up_to_a_fortieth_of_the_window() -> None:
    year = held(400, begun_days=201)  # a window of 200 days: six hours at the most
    assert about(pauses(year, LATER, 11), [60 << n for n in range(9)] + [21600, 21600])
    assert about(pauses(held(1, begun_days=0.6), LATER, 6), [60, 120, 240, 480, 960, 1080])


def test_in_the_last_tenth_they_are_half_as_long_and_after_the_end_an_hour() -> None:
    assert about(pauses(held(1, begun_days=0.96), LATER, 6), [60, 120, 240, 480, 540, 540])
    expired = held(1, begun_days=2)
    assert about(pauses(expired, LATER, 8), [60, 120, 240, 480, 960, 1920, 3600, 3600])
    assert about(pauses(None, LATER, 8), [60, 120, 240, 480, 960, 1920, 3600, 3600])


def test_what_the_ca_has_signed_is_tried_once_a_day_or_four_times_in_the_window() -> None:
    assert about(pauses(held(400, begun_days=201), SIGNED, 2), [DAY_S, DAY_S])
    assert about(pauses(held(1, begun_days=0.6), SIGNED, 1), [DAY_S // 8])


def test_what_is_local_is_tried_hourly() -> None:
    assert about(pauses(held(400, begun_days=201), OURS, 3), [HOUR_S] * 3)


def test_requests_without_an_answer_are_not_sent_for_ever() -> None:
    year, outcome = held(400, begun_days=201), None
    found = []
    for _ in range(4):
        outcome = drafts.left(drafts.begun(outcome, NOW, attended=False))
        outcome = drafts.failed(outcome, LATER, NOW)
        found.append(automatic.pause_s(Stored(local=year, outcome=outcome), NOW, 7))
    assert about(found, [60, DAY_S, DAY_S, DAY_S])


@pytest.mark.parametrize(
    ("asked_s", "local", "least_s", "most_s"),
    [
        (7 * DAY_S, held(30, begun_days=27), 25_920, 25_920),  # a tenth of what is left
        (7 * DAY_S, None, HOUR_S, HOUR_S),
        (1, None, 30, 90),  # never shorter than the table
    ],
)
def test_a_wish_to_be_left_alone_is_heeded_within_bounds(
    asked_s: int, local: LocalRecord | None, least_s: int, most_s: int
) -> None:
    error = fail("http-failed", status=503, reason="x", page="-")
    error.after_s = asked_s
    assert least_s <= pauses(local, error, 1)[0] <= most_s


@given(st.integers(0, 2**32 - 1), st.integers(1, 1000), st.floats(0, 800), st.booleans())
def test_a_pause_is_never_nothing_and_never_more_than_a_day_and_a_half(
    spread: int, attempts: int, begun_days: float, signed: bool
) -> None:
    outcome = drafts.failed(None, SIGNED if signed else LATER, NOW)._replace(attempts=attempts)
    stored = Stored(local=held(400, begun_days=begun_days), outcome=outcome)
    assert 1 <= automatic.pause_s(stored, NOW, spread) <= DAY_S * 3 // 2


def test_a_herd_does_not_come_in_step() -> None:
    first = sorted(
        automatic.first_pause_ns(Stored(), NOW, spread, limits.SPREAD_S) for spread in range(10_000)
    )
    assert 0 <= first[0] < first[-1] < limits.SPREAD_S * SECOND_NS
    in_ten_s = max(
        sum(start <= pause_ns < start + 10 * SECOND_NS for pause_ns in first)
        for start in range(0, limits.SPREAD_S * SECOND_NS, 10 * SECOND_NS)
    )
    assert in_ten_s <= 667
    again = {pauses(None, LATER, 1, spread)[0] for spread in range(100)}
    assert len(again) > 30


def test_a_certificate_that_ends_soon_is_not_left_to_end_by_that() -> None:
    near = Stored(local=held(1, begun_days=0.99))
    longest_ns = max(
        automatic.first_pause_ns(near, NOW, spread, limits.SPREAD_S) for spread in range(1000)
    )
    assert longest_ns <= 864 * SECOND_NS // 20
    assert automatic.first_pause_ns(near, NOW, 1, 0) == 0
