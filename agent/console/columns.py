"""How many columns of a terminal a text takes. Pure.

Fault model: terminals differ in what they think of rare characters. What is typed into a line must
take exactly one column, or the cursor would be elsewhere than the editor believes; so whatever is
in doubt is not one column. What is only shown is counted as most terminals do.
"""

_FIRST_IN_DOUBT = "\u0300"  # the first combining mark; before it all of Latin is one column wide
_HANGUL_VOWELS = range(0x1160, 0x1200)  # join the syllable before them


def is_one_column(character: str) -> bool:
    """Whether a character can be printed and takes one column on every terminal."""
    return character.isprintable() and (character < _FIRST_IN_DOUBT or _width(character) == 1)


def columns(text: str) -> int:
    """The columns of a printable text."""
    return len(text) if text.isascii() else sum(map(_width, text))


def _width(character: str) -> int:
    if character < _FIRST_IN_DOUBT:
        return 1
    from unicodedata import category, east_asian_width  # 1 MB that most boards never need

    if category(character) in ("Mn", "Me", "Cf") or ord(character) in _HANGUL_VOWELS:
        return 0
    return 2 if east_asian_width(character) in "WF" else 1
