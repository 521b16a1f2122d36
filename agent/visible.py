r"""What others chose, made so that a person sees what is there. Pure.

Fault model: a CA, an RA or whoever stands in its place puts any text into a name, a refusal or a
page, to be read by somebody who decides whom to trust. It may drive the terminal (control
characters), turn a line around (bidirectional controls), push forged words to where a row begins
(U+2800, U+3164), hide in a name that reads like another one (U+00AD, variation selectors, tags) or
paint over its neighbours (piles of combining marks).
Promised: such a character is shown as an escape in Python's notation, `\x1b`, `\u2800`,
`\U000e0020`, and two values that differ read differently (`quoted`). Letters of other scripts stay:
those that look like Latin ones, and those that are read from right to left. So a fingerprint stands
first, and a name last, where it turns nothing around but itself.
"""

from __future__ import annotations

from unicodedata import category

ROW_COLUMNS = 79  # of a line that ends in a name: one row of a terminal
NAME_COLUMNS = 48  # of a name in an error or a note, behind words of ours
_MARKS = 3  # combining marks on one letter: the most that living scripts put there
_PLAIN, _MARK, _SPACING, _HIDDEN = range(4)
_CATEGORIES = {"Mn": _MARK, "Mc": _SPACING, "Me": _HIDDEN}  # Unicode's; the others are plain
# Printable to Python, and nothing to see.
_BLANK = frozenset(
    (
        *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5),  # Default_Ignorable_Code_Point
        *(0x180B, 0x180C, 0x180D, 0x180F, 0x3164, 0xFFA0),
        *range(0xFE00, 0xFE10),  # variation selectors
        *range(0xE0100, 0xE01F0),
        *(0x2800, 0x1D159, 0x13441, 0x13442),  # symbols and letters without ink
        *(0x16FE4, 0x1107F, 0x2D7F),  # fillers and joiners
        *(0x303F, 0xFFFC),  # a half space; the place of something that is not text
    )
)


def _kind(character: str) -> int:
    if " " <= character <= "~":
        return _PLAIN
    # Not printable: controls, formats, every blank but the space, what is not assigned.
    if not character.isprintable() or ord(character) in _BLANK:
        return _HIDDEN
    if character < "\u0300":  # the first combining mark
        return _PLAIN
    return _CATEGORIES.get(category(character), _PLAIN)


def is_visible(character: str) -> bool:
    """Whether a character has a look of its own, which a combining mark has not."""
    return _kind(character) in (_PLAIN, _SPACING)


def escaped(text: str) -> str:
    """A line that is composed already: what cannot be seen becomes an escape. Done twice, the same.

    A backslash stays: the values in the line were `quoted` before.
    """
    if text.isascii() and text.isprintable():
        return text
    shown, room = [], 0  # for marks on the letter before
    for one in text:
        kind = _kind(one)
        if kind == _MARK:
            room -= 1
        elif kind != _SPACING:
            room = _MARKS if one.isalpha() else 0
        shown.append(_escape(one) if kind == _HIDDEN or room < 0 else one)
    return "".join(shown)


def quoted(text: str) -> str:
    r"""A value that others chose, on one line, so that no two values read the same.

    A backslash is doubled. A space at an end or behind another one is `\x20`, since nobody could
    see or count it.
    """
    line = escaped(text.replace("\\", "\\\\"))
    if line == line.strip(" ") and "  " not in line:
        return line
    spaces = len(line) - len(line.rstrip(" "))
    shown, before = [], " "
    for one in line[: len(line) - spaces]:
        shown.append(_escape(one) if one == before == " " else one)
        before = one
    return "".join(shown) + spaces * _escape(" ")


def cut(line: str, cap: int) -> str:
    """At most `cap` characters of a line."""
    return line if len(line) <= cap else line[: cap - 3] + "..."


def row(ours: str, name: str) -> str:
    """Our words and a name that others chose, in one row of a terminal of 80 columns."""
    return ours + brief(name, ROW_COLUMNS - len(ours))


def brief(name: str, room: int = NAME_COLUMNS) -> str:
    """A name in at most `room` columns, else without its middle: its end tells it from others."""
    name = escaped(name)  # a record of an earlier release, or a job, may hold it as it came
    if _columns(name) <= room:
        return name
    head, tail = (room - 3) // 2, (room - 2) // 2
    return f"{_first(name, head)}...{_first(name[::-1], tail)[::-1]}"


def named_print(sha256: str, subject: str) -> str:
    """A certificate as logs and notes tell of it: its fingerprint, then the name that it gives
    itself."""
    return f"sha256 {sha256}, {brief(subject)}"


def _columns(text: str) -> int:
    """The columns of a terminal that a text does not exceed: any other script may be a wide one."""
    return len(text) if text.isascii() else sum(1 + (one >= "\u1100") for one in text)


def _first(text: str, room: int) -> str:
    end = 0
    while end < len(text) and (room := room - _columns(text[end])) >= 0:
        end += 1
    return text[:end]


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
