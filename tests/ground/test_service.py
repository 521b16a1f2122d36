"""The line that a service manager shows."""

import pytest

from agent.appliance import Glance
from agent.errors import fail
from agent.service import summary

REFUSED = fail("connection-refused", host="ca", what="x")
WELL = Glance(6, "abc", "stored", 2_000, 1_000, None)
NEXT = Glance(6, "def", "stored", 3_000, 900, None)
ILL = Glance(1, "bad", "failed", None, 950, REFUSED)
LATE = Glance(0, "old", "failed", 5, None, None)


@pytest.mark.parametrize(
    ("found", "line"),
    [
        ([], "no realms are configured"),
        ([WELL], "1 realm, none in trouble; next: abc at 1000"),
        ([WELL, NEXT], "2 realms, none in trouble; next: def at 900"),
        ([WELL._replace(next_s=None)], "1 realm, none in trouble"),
        ([ILL, WELL], f"2 realms, 1 in trouble, bad: {REFUSED.what}; next: bad at 950"),
        ([LATE, ILL, NEXT], "3 realms, 2 in trouble, old: failed; next: def at 900"),
    ],
)
def test_a_line_says_how_all_stand(found: list[Glance], line: str) -> None:
    assert summary(found, str) == line
