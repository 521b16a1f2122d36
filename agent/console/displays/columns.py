"""How many columns of a terminal a text takes. Pure.

Fault model: terminals differ in what they think of rare characters. What is typed into a line must
take exactly one column, or the cursor would be elsewhere than the editor believes; so whatever is
in doubt is not one column. What is only shown is counted as most terminals do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import category, east_asian_width

from agent.visible import is_visible

_FIRST_IN_DOUBT = "\u0300"  # the first combining mark; before it all of Latin is one column wide
HANG = 4
_NARROW = 20  # columns; no terminal for people
# These are compiled when a line is wrapped: most devices are never looked at.
# A command in backquotes is one word, and so is a question: programs look for `Continue? [Y/N]:`.
_WORDS = r"( *)([A-Z][^.?]*\? \[Y/N\]:|(?:`[^`]*`|[^ `])+|[^ ]+)"
_PARTS = r"( *)([^ ]+)"
_LABEL = r"^( *[^ ]+(?: [^ ]+)*) +: "
_SECOND_COLUMN = r" *[^ ]+(?: [^ ]+)*?(?: +: +| {2,})"  # behind a label, or a gap
_HANGUL_VOWELS = range(0x1160, 0x1200)  # join the syllable before them


def is_one_column(character: str) -> bool:
    """Whether a character can be seen and takes one column on every terminal."""
    return is_visible(character) and (character < _FIRST_IN_DOUBT or _width(character) == 1)


def columns(text: str) -> int:
    """The columns of a printable text."""
    return len(text) if text.isascii() else sum(map(_width, text))


def rows(text: str, width: int, *, whole: bool = False) -> list[str]:
    """A printable line as the rows of a terminal, indented from the second on, so that no row
    begins with what somebody else has put there to look like a line.

    It is broken between words: below its second column, if it has one, it goes on there. A command
    in backquotes, which is to be typed, is one word if it fits into a row; where it is to be copied
    `whole`, always.
    """
    if columns(text) <= width or width < _NARROW:
        return [text]
    text, hang = _hung(text, width)
    indent = " " * hang
    found: list[str] = []
    row = ""
    for blanks, word in _words(text, width - len(indent), whole):
        if columns(row) + len(blanks) + columns(word) <= width:
            row += blanks + word
            continue
        if row:
            found.append(row)
        row = (indent if row else blanks) + word
        while columns(row) > width and not (whole and "`" in word):
            end = _fitting(row, width)
            found.append(row[:end])
            row = indent + row[end:]
    return [*found, row]


def _words(text: str, room: int, whole: bool) -> Iterator[tuple[str, str]]:
    """Words that are not parted, each behind its blanks."""
    for blanks, word in re.findall(_WORDS, text):
        if columns(word) <= room or (whole and "`" in word):
            yield blanks, word
        else:
            yield from re.findall(_PARTS, blanks + word)


def _hung(text: str, width: int) -> tuple[str, int]:
    """A line, and how far its rows behind the first are indented. A label whose value does not fit
    beside it keeps no distance from it."""
    column = re.match(_SECOND_COLUMN, text)
    longest = max(columns(word) for _, word in re.findall(_WORDS, text))
    if column and HANG <= column.end() <= width - max(longest, _NARROW):
        return text, column.end()
    own = len(text) - len(text.lstrip(" "))
    return re.sub(_LABEL, r"\1 : ", text), min(own, width // 4) + HANG


def _fitting(text: str, width: int) -> int:
    """How many characters fit into so many columns."""
    if text.isascii():
        return width
    end = 0
    while end < len(text) and (width := width - _width(text[end])) >= 0:
        end += 1
    return end


def _width(character: str) -> int:
    if character < _FIRST_IN_DOUBT:
        return 1
    if category(character) in ("Mn", "Me", "Cf") or ord(character) in _HANGUL_VOWELS:
        return 0
    return 2 if east_asian_width(character) in "WF" else 1
