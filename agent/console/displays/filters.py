"""Which lines of a display are shown: `| include TEXT`, `| exclude TEXT`, `| begin TEXT`; and how
many there are: `| count`. One may follow another: `| include TEXT | count`.

The text is looked for as it is. A regular expression of a user can take for ever, and the agent is
one thread.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

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


NO_MORE, COUNT = "no-more", "count"
_NEXT = (  # compiled when a filter is typed
    rf"\s+\|\s+(?:({'|'.join(FILTERS)})\s+|({COUNT}|{NO_MORE})(?=\s+\||\s*$))"
)


def chain(args: Mapping[str, object]) -> list[tuple[str, str]]:
    """The filters of a command in their order, each with its text: a text goes as far as the next
    `|` with a keyword in full behind it."""
    first = next((word for word in (*FILTERS, COUNT, NO_MORE) if word in args), None)
    if first is None:
        return []
    text, *more = re.split(_NEXT, str(args.get("FILTER", "")))
    found = [(first, text)]
    for at in range(0, len(more), 3):  # a keyword with a text, or one without, and what follows
        found.append((more[at] or more[at + 1], more[at + 2].strip()))
    return found


class Count:
    """Lines that are left out, and at their end one that says how many of them were kept.

    They pass one by one, so that others have their turn meanwhile.
    """

    def __init__(self) -> None:
        self._told = False

    def keep(self, _line: str) -> bool:
        return self._told

    def counted(self, lines: Iterator[str], keeps: list[Keep]) -> Iterator[str]:
        number = 0
        for line in lines:
            number += all(keep(line) for keep in keeps)
            yield line
        self._told = True
        yield f"Total lines: {number}."
