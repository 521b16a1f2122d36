"""Which lines of a display are shown: `| include TEXT`, `| exclude TEXT`, `| begin TEXT`; and how
many there are: `| count`.

The text is looked for as it is. A regular expression of a user can take for ever, and the agent is
one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

Keep = Callable[[str], bool]


def _begin(wanted: str) -> Keep:
    begun = False

    def keep(line: str) -> bool:
        nonlocal begun
        begun = begun or wanted in line
        return begun

    return keep


# Keyword -> what makes the filter of a text; a filter is asked once for each line, in their order.
FILTERS: dict[str, Callable[[str], Keep]] = {
    "include": lambda wanted: lambda line: wanted in line,
    "exclude": lambda wanted: lambda line: wanted not in line,
    "begin": _begin,
}


class Count:
    """Lines that are left out, and at their end one that says how many they were.

    They pass one by one, so that others have their turn meanwhile.
    """

    def __init__(self) -> None:
        self._told = False

    def keep(self, _line: str) -> bool:
        return self._told

    def counted(self, lines: Iterator[str]) -> Iterator[str]:
        number = 0
        for number, line in enumerate(lines, 1):  # noqa: B007
            yield line
        self._told = True
        yield f"Total lines: {number}."
