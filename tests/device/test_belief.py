"""The clock matrix on the rules alone: each jump, at each state, by whoever vouches for it."""

import random

import pytest

from agent import limits
from agent.device import belief
from agent.device.belief import (
    BEFORE,
    BEHIND,
    BEYOND,
    DAY_S,
    JUMPED,
    LIKELY,
    MOVED,
    NOBODY,
    PERSON,
    SECOND_NS,
    SET,
    SOURCE,
    STANDS,
    VOUCHED,
    WHY,
    YEAR_S,
    Belief,
    Known,
    Reading,
    known,
    look,
    time_s,
    to_record,
)
from hal import calendar
from hal.records import ClockRecord

NOW_S = limits.BUILD_S + YEAR_S
UP_NS = 5 * SECOND_NS
HERE = "aaaaaaaa"
RECORD = ClockRecord(NOW_S - DAY_S, HERE)
KNOWN = known(RECORD, HERE)
JUMPS_S = [1, 60, 3600, DAY_S, 30 * DAY_S, 365 * DAY_S, 18_262 * DAY_S]
BOTH_WAYS = [sign * jump_s for jump_s in JUMPS_S for sign in (1, -1)]
YEARS = [1970, 2038, 2040, 2099, 2106]
SEED = 20261130


def at(wall_s: int, after_s: int = 0, vouched: str = NOBODY) -> Reading:
    return Reading(wall_s, UP_NS + after_s * SECOND_NS, vouched)


def new_year(year: int) -> int:
    found = calendar.day_s(year, 1, 1)
    assert found is not None
    return found


def begun(wall_s: int = NOW_S, vouched: str = NOBODY, what: Known = KNOWN) -> Belief:
    return look(None, at(wall_s, vouched=vouched), what)


# -- at the start ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("off_s", "why"),
    [
        (0, LIKELY),
        (3 * DAY_S, LIKELY),  # a weekend without power
        (4 * YEAR_S, LIKELY),
        (limits.CLOCK_OFF_YEARS * YEAR_S, BEYOND),
        (-2 * DAY_S, BEHIND),
        (-2 * YEAR_S, BEFORE),
        (-NOW_S, BEFORE),
    ],
)
def test_a_reading_at_the_start_is_believed_when_it_is_likely(off_s: int, why: str) -> None:
    found = begun(NOW_S + off_s)
    assert (found.why, found.trusted) == (why, why == LIKELY)
    counts_s = time_s(found, at(NOW_S + off_s))
    assert counts_s == (NOW_S + off_s if found.trusted else RECORD.wall_s)
    assert time_s(found, at(0, 60)) == (0 if found.trusted else RECORD.wall_s + 60)


def test_without_a_record_software_may_have_lain_on_a_shelf() -> None:
    first = known(None, HERE)
    assert first == Known(limits.BUILD_S, limits.BUILD_S + limits.CLOCK_SHELF_YEARS * YEAR_S)
    assert begun(limits.BUILD_S + 9 * YEAR_S, what=first).trusted
    assert begun(new_year(2099), what=first).why == BEYOND


def test_a_copied_image_has_a_floor_and_may_have_lain_on_a_shelf() -> None:
    copy = known(RECORD, "bbbbbbbb")
    assert copy.floor_s == RECORD.wall_s
    late_s = RECORD.wall_s + 7 * YEAR_S
    assert (begun(late_s, what=copy).why, begun(late_s).why) == (LIKELY, BEYOND)
    assert begun(RECORD.wall_s - 1, what=copy).why == BEHIND


def test_what_a_ca_wrote_moves_the_floor_unless_it_is_not_likely() -> None:
    issued_s = NOW_S + YEAR_S
    assert known(RECORD, HERE, issued_s).floor_s == issued_s
    assert known(RECORD, HERE, issued_s).latest_s == issued_s + limits.CLOCK_OFF_YEARS * YEAR_S
    assert known(RECORD, HERE, new_year(2099)) == KNOWN
    assert known(RECORD, HERE, RECORD.wall_s - 1) == KNOWN


def test_a_clock_that_was_moved_to_the_floor_is_not_believed_for_it() -> None:
    moved = KNOWN._replace(moved=True)
    assert begun(KNOWN.floor_s, what=moved).why == MOVED
    # The agent starts again an hour later, as nobody has set the clock.
    late = Reading(KNOWN.floor_s + 3600, UP_NS + 3600 * SECOND_NS)
    assert look(None, late, moved).why == MOVED
    assert time_s(look(None, late, moved), late) == KNOWN.floor_s
    # Somebody sets it.
    belief_ = begun(KNOWN.floor_s, what=moved)
    assert look(belief_, at(KNOWN.floor_s + 7200, 10), moved).why == LIKELY


# -- jumps while it runs ---------------------------------------------------------------------------


@pytest.mark.parametrize("jump_s", BOTH_WAYS)
@pytest.mark.parametrize("before", [NOBODY, SOURCE, PERSON])
def test_a_jump_for_which_nobody_vouches_moves_time_by_a_day_at_most(
    jump_s: int, before: str
) -> None:
    first = begun(vouched=before)
    assert first.trusted
    found = look(first, at(NOW_S + jump_s + 60, 60), KNOWN)
    assert found.trusted == (abs(jump_s) <= DAY_S)
    expected_s = NOW_S + 60 + (jump_s if found.trusted else 0)
    assert time_s(found, at(NOW_S + jump_s + 60, 60)) == expected_s
    assert found.why in WHY
    # Elapsed time goes on, and a clock that comes back is believed again.
    assert time_s(found._replace(why=JUMPED), at(0, 3600)) == NOW_S + 3600
    assert look(found, at(NOW_S + 120, 120), KNOWN).why == first.why


@pytest.mark.parametrize("jump_s", BOTH_WAYS)
def test_a_source_is_believed_where_the_time_is_likely(jump_s: int) -> None:
    found = look(begun(), at(NOW_S + jump_s, vouched=SOURCE), KNOWN)
    likely = limits.BUILD_S <= NOW_S + jump_s <= KNOWN.latest_s
    assert found.trusted == likely
    assert time_s(found, at(NOW_S + jump_s)) == (NOW_S + jump_s if likely else NOW_S)


@pytest.mark.parametrize("year", YEARS)
def test_one_reading_moves_nothing_and_a_person_is_believed(year: int) -> None:
    far_s = new_year(year)
    for vouched in (NOBODY, SOURCE):
        found = look(begun(), at(far_s, 10, vouched), KNOWN)
        assert (found.trusted, time_s(found, at(far_s, 10))) == (False, NOW_S + 10)
        assert to_record(found, at(far_s, 10, vouched), RECORD, HERE) is None
    found = look(begun(), at(far_s, 10, PERSON), KNOWN)
    assert found.trusted == (far_s >= limits.BUILD_S)


def test_a_source_that_says_the_same_for_a_day_is_believed() -> None:
    """A spare part that has lain for eight years finds the time by itself."""
    far_s = NOW_S + 8 * YEAR_S
    found = look(begun(0), at(far_s, 0, SOURCE), KNOWN)
    assert found.why == BEYOND
    for hour in range(1, 24):  # readings between two answers change nothing
        found = look(found, at(far_s + hour * 3600, hour * 3600), KNOWN)
    assert not look(found, at(far_s + DAY_S // 2, DAY_S // 2, SOURCE), KNOWN).trusted
    assert look(found, at(far_s + DAY_S, DAY_S, SOURCE), KNOWN).why == VOUCHED
    # One that says something else begins anew.
    other = look(found, at(far_s + YEAR_S, DAY_S, SOURCE), KNOWN)
    assert other.why == BEYOND
    assert not look(other, at(far_s + YEAR_S + 10, DAY_S + 10, SOURCE), KNOWN).trusted


@pytest.mark.parametrize("first_s", [0, new_year(2099), RECORD.wall_s - 40 * DAY_S])
def test_a_board_that_began_with_a_wrong_time_believes_a_likely_one(first_s: int) -> None:
    """The time source of a small board may vouch for nothing."""
    found = begun(first_s)
    assert not found.trusted
    again = look(found, at(NOW_S + DAY_S, 30), KNOWN)
    assert (again.why, again.since_s) == (LIKELY, NOW_S + DAY_S)


def test_a_certificate_that_comes_later_moves_what_is_counted() -> None:
    found = look(None, at(0), known(None, HERE))
    later = known(None, HERE, limits.BUILD_S + YEAR_S)
    again = look(found, at(3600, 3600), later)
    assert time_s(again, at(3600, 3600)) == limits.BUILD_S + YEAR_S
    assert time_s(look(again, at(7200, 7200), later), at(7200, 7200)) == later.floor_s + 3600


# -- clocks that do not run as they should ---------------------------------------------------------


def test_a_clock_that_stands_still_is_left_behind_after_a_day() -> None:
    found = begun()
    for hour in range(1, 49):
        found = look(found, at(NOW_S, hour * 3600), KNOWN)
        assert found.trusted == (hour <= 24)
    assert found.why == STANDS
    assert time_s(found, at(NOW_S, 2 * DAY_S)) == NOW_S + 2 * DAY_S


@pytest.mark.parametrize("percent", [5, -5])
def test_a_clock_that_drifts_is_followed_for_a_day_and_then_left(percent: int) -> None:
    found, lost = begun(), 0
    for day in range(1, 41):
        reading = at(NOW_S + day * DAY_S * (100 + percent) // 100, day * DAY_S)
        found = look(found, reading, KNOWN)
        off_s = time_s(found, reading) - (NOW_S + day * DAY_S)
        assert abs(off_s) <= DAY_S
        lost += not found.trusted
    assert (found.why, lost) == (JUMPED, 20)
    # A source that comes brings it back.
    assert look(found, at(NOW_S + 41 * DAY_S, 41 * DAY_S, SOURCE), KNOWN).why == VOUCHED


def test_in_any_order_of_readings_time_goes_on_and_nobody_moves_it_by_more_than_a_day() -> None:
    """What nobody vouches for: 300 runs of 30 readings, each anywhere in two centuries or near."""
    draw = random.Random(SEED)
    for _run in range(300):
        found, up_s = begun(), 0
        for _reading in range(30):
            up_s += draw.choice([0, 1, 60, 3600, DAY_S, 30 * DAY_S])
            wall_s = draw.choice(
                [NOW_S + up_s + draw.randint(-3, 3) * DAY_S, draw.randint(0, 2**33)]
            )
            found = look(found, at(wall_s, up_s), KNOWN)
            assert abs(time_s(found, at(wall_s, up_s)) - (NOW_S + up_s)) <= DAY_S


# -- the record ------------------------------------------------------------------------------------


@pytest.mark.parametrize("vouched", [SOURCE, PERSON])
def test_a_record_is_of_a_vouched_time_and_once_a_day(vouched: str) -> None:
    def stored(wall_s: int, before: ClockRecord | None, by: str = vouched) -> ClockRecord | None:
        reading = at(wall_s, vouched=by)
        return to_record(look(None, reading, KNOWN), reading, before, HERE)

    new = ClockRecord(NOW_S, HERE)
    assert stored(NOW_S, None) == new
    assert stored(NOW_S, RECORD) == new  # a day old
    assert stored(NOW_S, ClockRecord(NOW_S - DAY_S + 1, HERE)) is None
    assert stored(NOW_S, ClockRecord(NOW_S + 60, HERE)) == new  # it said too much
    assert stored(NOW_S, ClockRecord(NOW_S, "bbbbbbbb")) == new  # of the board it was copied from
    assert stored(NOW_S, None, NOBODY) is None
    assert stored(0, None) is None


def test_set_by_a_person() -> None:
    assert begun(NOW_S + 40 * YEAR_S, PERSON).why == SET
    assert begun(limits.BUILD_S - 1, PERSON).why == BEFORE
    assert belief.NOBODY == ""
