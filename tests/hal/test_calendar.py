"""Our calendar and the standard library's have the same days, and ours has no last one."""

import calendar
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.calendar import DAY_S, FIRST_S, LAST_S, day_s, moment, text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
YEAR_1_S = -62_135_596_800  # the first that theirs has


def theirs(time_s: int) -> tuple[int, ...]:
    when = EPOCH + timedelta(seconds=time_s)
    fields = (when.year, when.month, when.day, when.hour, when.minute, when.second)
    return (*fields, when.isoweekday() % 7)


@given(st.integers(YEAR_1_S, LAST_S))
def test_any_second(time_s: int) -> None:
    assert moment(time_s) == theirs(time_s)


def test_each_day_of_two_centuries_and_back() -> None:
    for days in range(-26_000, 50_000):  # 1898 to 2106: 1900 is no leap year, 2000 is one
        when = moment(days * DAY_S)
        assert when == theirs(days * DAY_S)
        assert day_s(*when[:3]) == days * DAY_S


@given(st.dates())
def test_a_day_begins_when_the_calendar_says(day: date) -> None:
    seconds = calendar.timegm((day.year, day.month, day.day, 0, 0, 0))
    assert day_s(day.year, day.month, day.day) == seconds


@pytest.mark.parametrize(
    ("time_s", "shown"),
    [
        (0, "1970-01-01 00:00:00"),
        (-1, "1969-12-31 23:59:59"),
        (2**31 - 1, "2038-01-19 03:14:07"),
        (2**31, "2038-01-19 03:14:08"),
        (2**32, "2106-02-07 06:28:16"),
        (951_782_400, "2000-02-29 00:00:00"),
        (4_107_542_400, "2100-03-01 00:00:00"),  # 2100 is no leap year
        (LAST_S, "9999-12-31 23:59:59"),
        (LAST_S + 1, "10000-01-01 00:00:00"),
        (YEAR_1_S - 1, "0000-12-31 23:59:59"),
        (FIRST_S, "0000-01-01 00:00:00"),
    ],
)
def test_moments_where_others_end(time_s: int, shown: str) -> None:
    assert text(time_s) == shown


@pytest.mark.parametrize(
    ("day", "is_one"),
    [
        ((2024, 2, 29), True),
        ((2023, 2, 29), False),
        ((2100, 2, 29), False),
        ((2000, 2, 29), True),
        ((2026, 4, 31), False),
        ((2026, 13, 1), False),
        ((2026, 0, 1), False),
        ((2026, 1, 0), False),
        ((2040, 1, 1), True),
    ],
)
def test_days_that_no_calendar_has(day: tuple[int, int, int], is_one: bool) -> None:
    assert (day_s(*day) is not None) == is_one
