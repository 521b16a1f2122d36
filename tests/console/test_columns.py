"""Columns of text on a terminal."""

import pytest

from agent.console.displays.columns import columns, is_one_column, rows


@pytest.mark.parametrize("one", list("aZ~ äßŒж€"))
def test_what_can_be_typed(one: str) -> None:
    assert is_one_column(one)


@pytest.mark.parametrize(
    "one",
    ["\x1b", "\x9b", "\xad", "\u0301", "\u200b", "\u202e", "\u1161", "語", "\uff21", "\U0001f600"],
)
def test_what_would_tear_the_line(one: str) -> None:
    assert not is_one_column(one)


def test_what_is_shown_is_counted() -> None:
    assert columns("abc") == 3
    assert columns("Größe") == 5
    assert columns("CN=日本") == 7
    assert columns("e\u0301") == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("short", ["short"]),
        ("x" * 20, ["x" * 20]),
        ("x" * 45, ["x" * 20, "    " + "x" * 16, "    " + "x" * 9]),
        ("Info: one two three four five", ["Info: one two three", "    four five"]),
        (" Cause: one two three four", [" Cause: one two", "     three four"]),
        ("Info: type `one two three`", ["Info: type", "    `one two three`"]),
        ("`" + "x " * 15, ["`x x x x x x x x x x", "    x x x x x"]),
        ("x  yyyy  " + "z " * 9, ["x  yyyy  z z z z z z", "    z z z"]),
        (" A  : one two", [" A  : one two"]),
        (" A B           : one two three", [" A B : one two three"]),
        (" A B           : one two threefour", [" A B : one two", "     threefour"]),
        ("Say so. Do it? [Y/N]:", ["Say so.", "    Do it? [Y/N]:"]),
        ("Do we want all of it? [Y/N]:", ["Do we want all of", "    it? [Y/N]:"]),
        ("中" * 15, ["中" * 10, "    " + "中" * 5]),
    ],
)
def test_what_does_not_fit_into_a_row_goes_on_indented(text: str, shown: list[str]) -> None:
    assert rows(text, 20) == shown
    assert all(columns(row) <= 20 for row in shown)
