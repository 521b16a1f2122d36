"""What `?` lists and what TAB completes, of the same notations as the parser."""

import pytest
from hypothesis import given, settings

from agent.console.language import grammar, hints
from agent.console.language.grammar import GrammarError
from tests.console.test_grammar import NEARLY, PAIR, URL_ROW, USAGE, table


def words(line: str, *notations: str) -> list[str]:
    return [word for word, _ in hints.next_words(table(*notations), line)]


def test_help_after_a_space() -> None:
    options = table(URL_ROW)
    assert hints.next_words(options, "") == [("enrollment-url", "help of enrollment-url")]
    assert words("enr ", URL_ROW) == ["STRING<8-255>", "esc"]
    assert words("enr http://x ", URL_ROW) == ["interval", "ra", "times", "<cr>"]
    assert words("enr http://x t ", URL_ROW) == ["INTEGER<1-100>"]
    assert hints.next_words(table("quit"), "quit ") == [("<cr>", "")]


def test_help_glued_to_a_word() -> None:
    assert words("p", *PAIR) == ["password", "pki"]
    assert words("pki r", *PAIR) == ["realm", "rsa"]
    assert words("pki realm a", *PAIR) == ["STRING<1-64>"]


def test_help_where_there_is_none() -> None:
    for line, kind in (("foo", grammar.UNRECOGNIZED), ("foo ", grammar.UNRECOGNIZED)):
        with pytest.raises(GrammarError, match=kind):
            hints.next_words(table(*PAIR), line)
    with pytest.raises(GrammarError, match=grammar.TOO_MANY):
        hints.next_words(table("quit"), "quit x")


def test_help_behind_what_takes_the_rest_of_the_line() -> None:
    assert words("fingerprint aa bb", "fingerprint HEX") == ["<cr>"]
    assert words("fingerprint aab", "fingerprint HEX") == ["HEX<4>"]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("disp", ["display"]),
        ("display c", ["clock"]),
        ("display", ["display"]),
        ("p", ["password", "pki"]),
        ("PK", ["pki"]),
        ("", []),
        ("pki ", []),
        ("pki realm a", []),
    ],
)
def test_completions(line: str, found: list[str]) -> None:
    assert hints.completions(table(*PAIR), line) == found


def test_a_word_in_quotation_marks_is_no_keyword() -> None:
    with pytest.raises(GrammarError):
        hints.completions(table(*PAIR), '"disp"')


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("password ", False),
        ("password a", True),
        ("passw", False),
        ("pki realm a", False),
        ('pki realm "a b', True),
        ('pki realm "a " b', False),
        ('pki realm "a b" ', False),
        ("foo", False),
        ("foo bar", False),
        ("", False),
    ],
)
def test_where_a_question_mark_is_text(line: str, text: bool) -> None:
    assert hints.is_text(table(*PAIR), line) == text


ALL = table(URL_ROW, USAGE, *PAIR, "fingerprint HEX")


@settings(deadline=None, max_examples=300)
@given(line=NEARLY)
def test_any_line_has_an_answer(line: str) -> None:
    try:
        assert hints.next_words(ALL, line)
        hints.completions(ALL, line)
    except GrammarError as error:
        assert 0 <= error.column <= len(line) + 1  # noqa: PT017 - a list is an answer too
    hints.is_text(ALL, line)
