"""`| include TEXT`, `| exclude TEXT`, `| begin TEXT`: which lines of a display are shown.

The text is looked for as it is. A regular expression of a user can take for ever, and the agent is
one thread.
"""

from __future__ import annotations

from collections.abc import Callable

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
