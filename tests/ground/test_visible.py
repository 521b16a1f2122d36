"""Text that others chose: what cannot be seen is an escape, and no two values read the same."""

import sys
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.visible import NAME_COLUMNS, ROW_COLUMNS, brief, cut, escaped, is_visible, quoted, row

# Blanks and fillers, bidirectional controls, tags and selectors, and what is not in any range.
HIDDEN = (
    *("\u2800", "\u3164", "\u115f", "\u1160", "\uffa0", "\u00ad", "\u034f", "\u061c", "\u17b4"),
    *("\u17b5", *map(chr, range(0x180B, 0x1810)), *map(chr, range(0x200B, 0x2010))),
    *("\u2028", "\u2029", *map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2060, 0x2070))),
    *("\ufeff", "\ufff9", "\ufffa", "\ufffb", "\u00a0", "\u202f", "\u205f", "\u3000", "\u1680"),
    *map(chr, range(0x2000, 0x200B)),
    *map(chr, range(0xFE00, 0xFE10)),
    *map(chr, range(0xE0000, 0xE0080)),
    *map(chr, range(0xE0100, 0xE01F0)),
    *("\x00", "\x07", "\x1b", "\r", "\n", "\t", "\x7f", "\x85", "\x9b", "\ud800", "\ue000"),
)


@pytest.mark.parametrize("hidden", HIDDEN, ids=ascii)
def test_what_has_no_look_is_shown_as_an_escape(hidden: str) -> None:
    shown = escaped(f"a{hidden}b")
    assert shown.isascii()
    assert shown.isprintable()
    assert eval(f'"{shown}"') == f"a{hidden}b"
    assert not is_visible(hidden)


@pytest.mark.slow
def test_every_blank_and_every_format_of_unicode() -> None:
    for code in range(sys.maxunicode + 1):
        one = chr(code)
        if category(one)[0] in "CZ" and one != " ":
            assert escaped(one).startswith("\\"), ascii(one)


@pytest.mark.parametrize(
    "text", ["Größe", "Ελλάδα", "Україна", "עברית", "中文", "हिंदी", "ภาษาไทย", "e\u0301"]
)
def test_letters_of_living_scripts_stay(text: str) -> None:
    assert escaped(text) == quoted(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=\u0338", "=\\u0338"),  # painted over what stands before the name
        ("a" + 5 * "\u0336", "a" + 3 * "\u0336" + 2 * "\\u0336"),
        ("a\u20dd", "a\\u20dd"),
        ("a \u0301", "a \\u0301"),
    ],
)
def test_marks_stay_on_letters_and_do_not_pile_up(text: str, shown: str) -> None:
    assert escaped(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (r"a\u2800", r"a\\u2800"),
        ("a\u2800", r"a\u2800"),
        (" a  b ", r"\x20a \x20b\x20"),
        ("", ""),
        ("  ", r"\x20\x20"),
    ],
)
def test_a_value_that_looks_like_an_escape_or_ends_in_spaces(text: str, shown: str) -> None:
    assert quoted(text) == shown


TRICKY = st.text(st.sampled_from(["a", "\\", "u", "x", "0", "2", " ", "\u2800", "\u0301", "\n"]))


@pytest.mark.slow
@given(TRICKY | st.text(), TRICKY | st.text())
def test_two_values_never_read_the_same(one: str, other: str) -> None:
    assert (quoted(one) == quoted(other)) == (one == other)


@given(st.text())
def test_once_more_changes_nothing(text: str) -> None:
    assert escaped(quoted(text)) == quoted(text)
    assert escaped(escaped(text)) == escaped(text)


@given(st.text(st.sampled_from(["a", "中", "\u2800", "é"]), max_size=300))
def test_a_name_takes_one_row(text: str) -> None:
    ours = " Subject: "
    line = row(ours, quoted(text))
    assert line.startswith(ours)
    assert sum(1 + (one == "中") for one in line) <= ROW_COLUMNS


def test_a_name_that_came_as_it_is_takes_one_row_too() -> None:
    line = row(" Subject: ", "CN=" + 60 * "\u2800")
    assert len(line) == ROW_COLUMNS
    assert "\u2800" not in line


def test_a_long_name_keeps_its_ends() -> None:
    name = "C=DE, O=" + "x" * 99 + ", CN=Issuing CA 1"
    assert brief(name).startswith("C=DE, O=xxx")
    assert brief(name).endswith("...xxxx, CN=Issuing CA 1"[-20:])
    assert len(brief(name)) == NAME_COLUMNS
    assert cut("a" * 9, 8) == "aaaaa..."
