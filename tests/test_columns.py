"""Columns of text on a terminal."""

import pytest

from agent.console.columns import columns, is_one_column


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
