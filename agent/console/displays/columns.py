"""How many columns of a terminal a text takes. Pure.

Fault model: terminals differ in what they think of rare characters. What is typed into a line must
take exactly one column, or the cursor would be elsewhere than the editor believes; so whatever is
in doubt is not one column. What is only shown is counted as most terminals do.
"""

from __future__ import annotations

from unicodedata import category, east_asian_width

from agent.visible import is_visible

_FIRST_IN_DOUBT = "\u0300"  # the first combining mark; before it all of Latin is one column wide
HANG = 4
_NARROW = 20  # columns; no terminal for people
_HANGUL_VOWELS = range(0x1160, 0x1200)  # join the syllable before them


def is_one_column(character: str) -> bool:
    """Whether a character can be seen and takes one column on every terminal."""
    return is_visible(character) and (character < _FIRST_IN_DOUBT or _width(character) == 1)


def columns(text: str) -> int:
    """The columns of a printable text."""
    return len(text) if text.isascii() else sum(map(_width, text))


def rows(text: str, width: int) -> list[str]:
    """A printable line as the rows of a terminal, indented from the second on, so that no row
    begins with what somebody else has put there to look like a line.

    It is broken where a word ends, and not within a command in backquotes, which is to be typed.
    """
    if columns(text) <= width or width < _NARROW:
        return [text]
    own = len(text) - len(text.lstrip(" "))
    indent = " " * (min(own, width // 4) + HANG)
    found: list[str] = []
    while columns(text) > width:
        end = _fitting(text, width)
        at = text.rfind(" ", 0, end + 1)
        while at > len(indent) and text.count("`", 0, at) % 2:
            at = text.rfind(" ", 0, at)
        at = at if at > len(indent) else end
        found.append(text[:at].rstrip(" "))
        text = indent + text[at:].lstrip(" ")
    return [*found, text]


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
