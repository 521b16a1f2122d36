"""What a realm at rest does by itself: reasons, times, pauses, and no herd in step."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import limits
from agent.enrolment import automatic, drafts
from agent.enrolment.actions import NEVER, Deadline, Now, Policy, Stored
from agent.enrolment.automatic import DAY_S, HOUR_S, Pace, plan
from agent.enrolment.schedule import SECOND_NS
from agent.errors import AgentError, fail
from hal.records import CaRecord, CertificateRecord, LocalRecord, OutcomeRecord

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
    return drafts.due(LocalRecord(leaf, [], "k1", 1, begin_s), AUTO._replace(percent=percent))


def planned(stored: Stored, policy: Policy = AUTO, now: Now = NOW, paused_s: int = 0) -> object:
    return plan(stored, policy, now, Pace(paused_s * SECOND_NS))


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


def test_what_was_stored_by_a_clock_that_was_wrong_is_due_at_its_point() -> None:
    late = held(10)._replace(issued_s=START_S + 400 * DAY_S)
    assert automatic.due_s(late) == START_S + 5 * DAY_S
    assert automatic.elapsed_s(late) == 5 * DAY_S


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


def test_while_one_waits_its_own_lead_alone_has_it_renewed() -> None:
    """Field case 19: its share of the validity has passed long before its turn."""
    waits = held(365, begun_days=100, percent=10)
    both = Stored(local=held(365, begun_days=136), next=waits)
    turn_s = START_S + 229 * DAY_S - HOUR_S
    assert planned(both) == (automatic.TAKE_OVER, Deadline(wall_s=turn_s))
    # One that ends before that is renewed in its lead.
    soon = Stored(local=held(365, begun_days=136), next=held(10))
    assert planned(soon) == (automatic.DUE, Deadline(wall_s=START_S + 9 * DAY_S))
    late = Stored(local=held(100, begun_days=60), next=held(10, begun_days=9.5))
    turn_s = START_S + 40 * DAY_S - HOUR_S
    assert planned(late) == (automatic.DUE, Deadline(NOW.monotonic_ns, turn_s))


def test_when_the_next_renewal_will_begin() -> None:
    waits = held(365, begun_days=100, percent=10)
    both = Stored(local=held(365, begun_days=136), next=waits)
    assert automatic.next_renewal_s(both, AUTO) == START_S + 229 * DAY_S - HOUR_S
    assert automatic.next_renewal_s(Stored(local=held(10)), AUTO) == START_S + 5 * DAY_S
    assert automatic.next_renewal_s(Stored(), AUTO) is None
    assert automatic.next_renewal_s(both, AUTO._replace(percent=None)) is None


@pytest.mark.parametrize(
    ("days_left", "at_once", "begins_days", "turn_days"),
    [
        (3, True, 20 / 24, 20 / 24),  # field case 5 (a): the clock of the CA is ahead
        (5 / 24, True, 20 / 24, 5 / 24),  # the old one ends before that
        (3, False, 20 / 24, 3 - 1 / 24),
        (3, False, 2.99, 2.99),
    ],
)
def test_it_takes_over_when_it_has_begun_or_nothing_better_is_left(
    days_left: float, at_once: bool, begins_days: float, turn_days: float
) -> None:
    old = held(30, begun_days=30 - days_left)
    new = held(30, begun_days=-begins_days)
    policy = AUTO._replace(at_once=at_once)
    turn_s = START_S + round(turn_days * DAY_S)
    reason, deadline = planned(Stored(local=old, next=new), policy)  # type: ignore[misc]
    assert (reason, deadline.wall_s) == (automatic.TAKE_OVER, turn_s)


def test_a_certificate_of_another_ca_counts_as_none() -> None:
    """Field case 11 (a); and its place among the pauses is that of none."""
    ca = CaRecord("ab", "cd", "ef", 0, "fingerprint", [], [], 0)
    stored = Stored(ca=ca, local=held(365, begun_days=30)._replace(pin="ab"))
    mine, other = (AUTO._replace(fingerprint=("sha256", pin)) for pin in ("ab", "other"))
    assert planned(stored, mine) == (
        automatic.DUE,
        Deadline(wall_s=START_S + 152 * DAY_S + DAY_S // 2),
    )
    assert planned(stored, other) == (automatic.FOREIGN, Deadline(NOW.monotonic_ns))
    # Also when the realm has gone on to the other CA, and its request waits there.
    moved = stored._replace(ca=ca._replace(pin="other"))
    assert planned(moved, other) == (automatic.FOREIGN, Deadline(NOW.monotonic_ns))
    new = held(10)
    assert not automatic.waits_for_its_turn(moved, new, other, NOW, at_once=False)
    assert automatic.place(moved, other, NOW) == automatic.place(Stored(), other, NOW)


def test_a_revoked_certificate_is_replaced_at_once_and_a_hold_is_waited_for() -> None:
    """Field case 4."""
    good, bad = (
        held(365, begun_days=100),
        held(365, begun_days=100)._replace(revoked="keyCompromise"),
    )
    hold = good._replace(revoked=automatic.HOLD)
    assert planned(Stored(local=bad)) == (automatic.REVOKED, Deadline(NOW.monotonic_ns))
    assert planned(Stored(local=hold)) == planned(Stored(local=good))
    assert planned(Stored(local=bad, next=good)) == (
        automatic.TAKE_OVER,
        Deadline(NOW.monotonic_ns),
    )
    assert planned(Stored(local=good, next=bad)) == (automatic.REVOKED, Deadline(NOW.monotonic_ns))
    assert planned(Stored(local=bad), AUTO._replace(percent=None)) == ("", NEVER)
    assert not automatic.waits_for_its_turn(Stored(local=bad), good, AUTO, NOW, at_once=False)
    assert automatic.place(Stored(local=bad), AUTO, NOW).name == "expired"


def test_renewals_of_a_herd_are_spread_over_a_twentieth_of_the_lead() -> None:
    stored = Stored(local=held(365, percent=100))
    point_s, share_s = START_S + 358 * DAY_S, 7 * DAY_S // 20
    found = []
    for spread in (0, 2**31, 2**32 - 1):
        deadline = plan(stored, AUTO, NOW, Pace(spread=spread, apart=True)).deadline
        found.append((deadline.wall_s or 0) - point_s)
    assert found == [0, share_s // 2, share_s - 1]
    assert plan(stored, AUTO, NOW, Pace(spread=2**31)).deadline.wall_s == point_s


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
    new = held(10)
    assert automatic.waits_for_its_turn(stored, new, policy, NOW, at_once=attended) is waits


def test_what_has_not_begun_yet_waits_where_new_ones_take_effect_at_once() -> None:
    """Field case 5 (a)."""
    at_once, tomorrow = AUTO._replace(at_once=True), held(10, begun_days=-20 / 24)
    stored, blind = Stored(local=held(30, begun_days=27)), NOW._replace(trusted=False)
    assert automatic.waits_for_its_turn(stored, tomorrow, at_once, NOW, at_once=False)
    assert not automatic.waits_for_its_turn(stored, tomorrow, at_once, blind, at_once=False)


# -- after a failure -------------------------------------------------------------------------------


def pauses(local: LocalRecord | None, error: AgentError, times: int, spread: int = 7) -> list[int]:
    """The pauses after so many failures in a row, without the jitter: each is in its range."""
    found, outcome = [], None
    for _ in range(times):
        outcome = drafts.failed(drafts.begun(outcome, NOW, attended=False), error, NOW)
        found.append(automatic.pause_s(Stored(local=local, outcome=outcome), AUTO, NOW, spread))
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
        found.append(automatic.pause_s(Stored(local=year, outcome=outcome), AUTO, NOW, 7))
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


def test_a_day_is_a_quarter_of_the_window_where_that_is_less() -> None:
    """Field case 2 (b): a life of eight hours has a lead of 48 minutes, so a refusal is 12."""
    short = drafts.due(held(1 / 3, begun_days=0.3, percent=100), AUTO._replace(percent=100))
    auto = AUTO._replace(percent=100)
    outcome = drafts.failed(None, SIGNED, NOW)
    found = {
        automatic.pause_s(Stored(local=short, outcome=outcome), auto, NOW, spread)
        for spread in range(500)
    }
    assert (min(found), max(found)) == (360, 1080)


def test_a_refused_signature_is_followed_by_the_other_way_at_once() -> None:
    """Field case 12; then it is a day."""
    year = held(400, begun_days=201)
    refused = drafts.failed(None, SIGNED, NOW, anew=True)
    assert automatic.pause_s(Stored(local=year, outcome=refused), AUTO, NOW, 7) == 1
    again = drafts.failed(refused, SIGNED, NOW)
    assert automatic.pause_s(Stored(local=year, outcome=again), AUTO, NOW, 7) >= DAY_S // 2


def test_what_was_issued_for_nothing_counts_though_it_is_no_failure() -> None:
    """Field case 1: two of them, then one a day."""
    year, outcome = held(400, begun_days=201), drafts.taught(drafts.left(None), NOW)
    assert automatic.pause_s(Stored(local=year, outcome=outcome), AUTO, NOW, 7) == 0
    outcome = drafts.taught(drafts.left(outcome), NOW)
    assert about([automatic.pause_s(Stored(local=year, outcome=outcome), AUTO, NOW, 7)], [DAY_S])
    assert automatic.pause_s(Stored(local=year), AUTO, NOW, 7) == 0


@pytest.mark.parametrize(
    ("outcome", "least_s", "most_s"),
    [
        (drafts.failed(None, SIGNED, NOW), DAY_S // 2 - HOUR_S, DAY_S * 3 // 2 - HOUR_S),
        (drafts.failed(drafts.left(drafts.left(None)), LATER, NOW), DAY_S // 2 - HOUR_S, DAY_S * 2),
        (drafts.failed(None, LATER, NOW), 0, 0),
        (None, 0, 0),
    ],
)
def test_a_start_does_not_end_the_day_of_a_refusal(
    outcome: OutcomeRecord | None, least_s: int, most_s: int
) -> None:
    later = NOW._replace(wall_s=START_S + HOUR_S)
    stored = Stored(local=held(400, begun_days=201), outcome=outcome)
    assert least_s <= automatic.held_s(stored, AUTO, later, 7) <= most_s
    by_hand = AUTO._replace(percent=None)
    assert automatic.held_s(stored, by_hand, later, 7) == 0
    early = NOW._replace(wall_s=START_S - 1)  # the clock that wrote it was wrong
    assert automatic.held_s(stored, AUTO, early, 7) == 0


def test_without_a_clock_a_start_ends_the_day_but_that_of_the_budget() -> None:
    blind = NOW._replace(trusted=False)
    spent = Stored(outcome=drafts.failed(drafts.left(drafts.left(None)), LATER, NOW))
    assert automatic.held_s(spent, AUTO, blind, 7) == limits.TIMELESS_S
    refused = Stored(outcome=drafts.failed(None, SIGNED, NOW))
    assert automatic.held_s(refused, AUTO, blind, 7) == 0


def test_polls_leave_a_server_in_peace_for_a_tenth_of_what_is_left() -> None:
    near = Stored(local=held(30, begun_days=29))
    assert automatic.peace_s(near, AUTO, NOW, 7 * DAY_S) == DAY_S // 10
    assert automatic.peace_s(near, AUTO._replace(percent=None), NOW, 7 * DAY_S) == 7 * DAY_S


@given(st.integers(0, 2**32 - 1), st.integers(1, 1000), st.floats(0, 800), st.booleans())
def test_a_pause_is_never_nothing_and_never_more_than_a_day_and_a_half(
    spread: int, attempts: int, begun_days: float, signed: bool
) -> None:
    outcome = drafts.failed(None, SIGNED if signed else LATER, NOW)._replace(attempts=attempts)
    stored = Stored(local=held(400, begun_days=begun_days), outcome=outcome)
    assert 1 <= automatic.pause_s(stored, AUTO, NOW, spread) <= DAY_S * 3 // 2


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
