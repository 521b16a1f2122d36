"""Times as people read them."""

import pytest

from agent.console.language.times import Times, ahead_text, duration
from tests.helpers.appliance_values import START_S

UTC = Times(START_S)


@pytest.mark.parametrize(
    ("time_s", "text"),
    [
        (START_S, "2026-11-23 14:05:00 UTC"),
        (0, "1970-01-01 00:00:00 UTC"),
        (253402300799, "9999-12-31 23:59:59 UTC"),
        (253402300800, "253402300800 s"),
        (-62167219200, "0000-01-01 00:00:00 UTC"),
        (-62167219201, "-62167219201 s"),
        (10**30, f"{10**30} s"),
    ],
)
def test_moments(time_s: int, text: str) -> None:
    assert UTC.moment(time_s) == text


def test_a_zone_moves_the_hands_and_names_itself() -> None:
    assert Times(START_S, "CET", 3600).moment(START_S) == "2026-11-23 15:05:00 CET"
    assert Times(START_S, "EST", -5 * 3600).moment(0) == "1969-12-31 19:00:00 EST"


@pytest.mark.parametrize(
    ("span_s", "text"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (86400 * 3 + 7200 + 60, "3 d 2 h"),
    ],
)
def test_durations(span_s: int, text: str) -> None:
    assert duration(span_s) == text


def test_relative_times() -> None:
    assert UTC.relative(START_S + 90) == "2026-11-23 14:06:30 UTC (in 1 min 30 s)"
    assert UTC.relative(START_S - 90) == "2026-11-23 14:03:30 UTC (1 min 30 s ago)"


def test_offsets_are_written_as_they_are_typed() -> None:
    assert ahead_text(5 * 3600 + 30 * 60 + 7) == "05:30:07"
