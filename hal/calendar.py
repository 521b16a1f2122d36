"""Days and times of the Gregorian calendar in UTC, by arithmetic alone.

A certificate may end in 2045 and an operator may type a date of 2040, on a machine whose C library
counts seconds in 32 bits: there `gmtime` and `mktime` raise OverflowError from 2038 on. Whatever
comes from outside goes through this module, which has no last year. Unix time has no leap seconds.
"""

from __future__ import annotations

from hal.named import NamedTuple

DAY_S = 86400
FIRST_S, LAST_S = -62_167_219_200, 253_402_300_799  # of the years that have four digits
_ERA_DAYS = 146097  # of 400 years, after which the calendar repeats itself
_EPOCH_DAY = 719468  # 1970-01-01, counted from 0000-03-01
_THURSDAY = 4  # of 1970-01-01; Sunday is 0


class Moment(NamedTuple):
    """A time as a calendar has it; months and days count from 1, Sunday is 0."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    weekday: int


def moment(time_s: int) -> Moment:
    """The date and the time of day of a Unix time."""
    days, second = divmod(time_s, DAY_S)
    era, of_era = divmod(days + _EPOCH_DAY, _ERA_DAYS)
    # Years begin in March, so that the leap day is their last one.
    year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153  # March is 0
    day = of_year - (153 * month + 2) // 5 + 1
    return Moment(
        era * 400 + year + (month >= 10),
        month + 3 if month < 10 else month - 9,
        day,
        second // 3600,
        second // 60 % 60,
        second % 60,
        (days + _THURSDAY) % 7,
    )


def day_s(year: int, month: int, day: int) -> int | None:
    """Unix time of a day's beginning; None for a day that no calendar has."""
    shifted = year - (month <= 2)
    era, of_era = divmod(shifted, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    days = era * _ERA_DAYS + of_era * 365 + of_era // 4 - of_era // 100 + of_year - _EPOCH_DAY
    return days * DAY_S if moment(days * DAY_S)[:3] == (year, month, day) else None


def text(time_s: int) -> str:
    """`2026-11-23 14:05:00`."""
    when = moment(time_s)
    return (
        f"{when.year:04}-{when.month:02}-{when.day:02}"
        f" {when.hour:02}:{when.minute:02}:{when.second:02}"
    )
