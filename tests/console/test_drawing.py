"""A line at a terminal: what is sent to show it, and no more than that."""

import pytest

from agent import limits
from agent.console.terminal.drawing import BELL, ERASE_BELOW, NEXT_ROW, DrawnLine


def begun(text: str = "", width: int = 80, *, hidden: bool = False) -> DrawnLine:
    """A line with a text in it, all of it sent."""
    line = DrawnLine(width)
    line.begin("[r]", hidden=hidden)
    line.insert(text)
    line.take_output()
    return line


def test_what_did_not_change_is_not_sent_again() -> None:
    line = begun("display c")
    line.replace(len("display "), "clock")
    assert (line.text, line.take_output()) == ("display clock", "lock")
    line.put("display")
    assert (line.text, line.cursor) == ("display", 7)
    assert line.take_output().endswith("display" + ERASE_BELOW)


def test_a_hidden_text_is_kept_and_never_sent() -> None:
    line = begun("secret", hidden=True)
    line.insert("!")
    line.to(0)
    line.cut(0, 1)
    assert (line.text, line.before, line.take_output()) == ("ecret!", "", "")
    line.hide()
    line.show()
    assert "ecret" not in line.take_output()


def test_where_the_cursor_is() -> None:
    line = begun("a b")
    assert (line.before, line.at_end, line.at_space) == ("a b", True, False)
    line.to(1)
    assert (line.before, line.at_end, line.at_space, line.take_output()) == (
        "a",
        False,
        True,
        "\b\b",
    )
    for outside in (-1, 4):
        line.to(outside)
        assert (line.cursor, line.take_output()) == (1, BELL)


def test_a_line_has_an_end() -> None:
    line = begun("x" * limits.LINE_CHARACTERS)
    line.insert("y")
    assert (line.text[-1], line.take_output()) == ("x", BELL)


@pytest.mark.parametrize(("text", "end"), [("x" * 6, "\r\n"), ("x" * 7, "\x1b[A\r\n")])
def test_enter_at_the_edge_leaves_no_empty_row(text: str, end: str) -> None:
    line = begun(width=10)
    line.insert(text)
    at_edge = NEXT_ROW if len(text) == 7 else ""
    assert line.take_output() == text + at_edge
    line.end()
    assert (line.take_output(), line.text, line.cursor) == (end, "", 0)


def test_a_line_that_is_given_up_says_how() -> None:
    line = begun("display")
    line.drop("^C")
    assert (line.take_output(), line.text) == ("^C\r\n", "")
