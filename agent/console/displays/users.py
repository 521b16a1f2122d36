"""The kind of display of who is logged in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agent.appliance import Seat
from agent.console.displays.document import (
    FLAG,
    INTEGER,
    TEXT,
    TIME,
    Document,
    Field,
    Item,
    Kind,
    header,
    row,
)
from agent.console.language.times import Times, duration

_COLUMNS = (1, 7, 12, 10, 5, 23)


def _mark(item: Item, _times: Times) -> str:
    return "+" if item["own"] else " "


def _idle(item: Item, _times: Times) -> str:
    return duration(item["idle_s"])


USERS = Kind(
    "users",
    (
        Field("own", FLAG, " ", _mark),
        Field("line", TEXT, "Line"),
        Field("place", TEXT, "Where"),
        Field("user", TEXT + "?", "User"),
        Field("level", INTEGER, "Level"),
        Field("since", TIME, "Since"),
        Field("idle_s", INTEGER, "Idle", _idle),
    ),
    row(*_COLUMNS),
)


def users(seats: Iterable[Seat], own: Seat | None) -> Document:
    """Each session; `own` is marked."""
    return Document(USERS, _items(seats, own), [header(USERS, *_COLUMNS)])


def _items(seats: Iterable[Seat], own: Seat | None) -> Iterator[Item]:
    for seat in seats:
        yield {
            "own": seat is own,
            "line": seat.line,
            "place": seat.place,
            "user": seat.user or None,
            "level": seat.level,
            "since": seat.since_s,
            "idle_s": seat.idle_s(),
        }
