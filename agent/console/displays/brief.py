"""The kinds of displays that give all realms in a line each, the worst first.

A line is one row of a terminal: what is longer loses its middle. JSON has all of it.
"""

from __future__ import annotations

from collections.abc import Callable

from agent.appliance import Glance
from agent.console.displays.document import (
    TEXT,
    TIME,
    Document,
    Field,
    Item,
    Kind,
    header,
    row,
    total,
)
from agent.console.displays.realms import state_text
from agent.console.language.times import Times, duration
from agent.settings import Realm
from agent.visible import ROW_COLUMNS, brief

_WIDTHS = (20, 13, 14, 14)
_LAST = ROW_COLUMNS - sum(_WIDTHS) - len(_WIDTHS) - 1


def _name(item: Item, _times: Times) -> str:
    return brief(item["realm"], _WIDTHS[0])


def _apart(key: str) -> Callable[[Item, Times], str]:
    def shown(item: Item, times: Times) -> str:
        at_s = item[key]
        apart = duration(abs(at_s - times.now_s)) if at_s is not None else "-"
        return f"{apart} ago" if at_s is not None and at_s < times.now_s else apart

    return shown


def _error(item: Item, _times: Times) -> str:
    return brief(item["last_error"] or "-", _LAST)


ENROLLMENT = Kind(
    "pki enrollment brief",
    (
        Field("realm", TEXT, "Realm", _name),
        Field("state", TEXT, "State", state_text),
        Field("not_after", TIME + "?", "Valid For", _apart("not_after")),
        Field("next_step_at", TIME + "?", "Next Step In", _apart("next_step_at")),
        Field("last_error", TEXT + "?", "Last Error", _error),
        Field("last_error_code", TEXT + "?"),
    ),
    row(*_WIDTHS),
)


def enrollment(found: list[Glance]) -> Document:
    """A line for each realm, in their order."""
    items = (
        {
            "realm": one.realm,
            "state": one.state,
            "not_after": one.not_after_s,
            "next_step_at": one.next_s,
            "last_error": one.last_error.what if one.last_error else None,
            "last_error_code": one.last_error.code if one.last_error else None,
        }
        for one in found
    )
    head = [total(len(found)), header(ENROLLMENT, *_WIDTHS)]
    return Document(ENROLLMENT, items, head)


def _cut(key: str) -> Callable[[Item, Times], str]:
    return lambda item, _times: brief(item[key] or "-", _WIDTHS[2])


def _url(item: Item, _times: Times) -> str:
    return brief(item["url"] or "-", _LAST)


REALM = Kind(
    "pki realm brief",
    (
        Field("realm", TEXT, "Realm", _name),
        Field("state", TEXT, "State", state_text),
        Field("entity", TEXT + "?", "Entity", _cut("entity")),
        Field("key_name", TEXT + "?", "Key Pair", _cut("key_name")),
        Field("url", TEXT + "?", "Enrollment URL", _url),
    ),
    row(*_WIDTHS),
)


def realms(found: list[tuple[Glance, Realm]]) -> Document:
    """A line for each realm, in their order."""
    items = (
        {
            "realm": one.realm,
            "state": one.state,
            "entity": record.entity,
            "key_name": record.key_pair,
            "url": record.url,
        }
        for one, record in found
    )
    return Document(REALM, items, [total(len(found)), header(REALM, *_WIDTHS)])
