"""What a display shows, once: as text for people, and as one JSON object for programs.

A kind of display is a table of fields. An item (a realm, a certificate, a line of a table) is a map
with exactly those keys, so text, JSON and the reference in `docs/` cannot disagree. JSON:

    {"display": "pki realm", "version": 1, "items": [
    {"name": "abc", "ca_id": null, ...}
    ]}

`version` is raised when a key goes or changes its meaning; a new key does not raise it. Times are
Unix seconds. Items are made when there is room for them, so a thousand realms cost no memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from agent.console.displays.jsontext import json_text
from agent.console.language.times import Times
from agent.visible import row as one_row
from hal.annotations import Any
from hal.named import NamedTuple

Item = Mapping[str, Any]

# Types of fields; each may be null when `?` stands behind it.
TEXT, INTEGER, FLAG, LIST, TIME = "text", "integer", "flag", "list of text", "time"
LABEL_COLUMNS = 42


class Field(NamedTuple):
    """A key of the items of a kind. `label` "" is for JSON alone, which always has all of a value.

    `shown` makes the text where the value alone does not: from the item and the time.
    """

    key: str
    type: str
    label: str = ""
    shown: Callable[[Item, Times], str] | None = None
    is_name: bool = False  # that somebody else has chosen: in text it takes one row

    def text(self, item: Item, times: Times) -> str:
        """The value for people; what is not set is `-`."""
        if self.shown:
            return self.shown(item, times)
        value = item[self.key]
        if value is None or value in ("", [], ()):
            return "-"
        if self.type.startswith(FLAG):
            return "Yes" if value else "No"
        if self.type.startswith(LIST):
            return " ".join(value)
        return times.moment(value) if self.type.startswith(TIME) else str(value)


class Kind(NamedTuple):
    """One kind of display. `layout` gives the text of one item.

    `verbatim`: lines that are typed or pasted again, which no terminal may wrap.
    """

    name: str
    fields: tuple[Field, ...]
    layout: Callable[[Kind, Item, Times], Iterable[str]]
    version: int = 1
    verbatim: bool = False


class Document(NamedTuple):
    """One display: its items, and the lines that text has before and behind them."""

    kind: Kind
    items: Iterable[Item]
    head: Iterable[str] = ()
    foot: Iterable[str] = ()


def text_lines(document: Document, times: Times) -> Iterator[str]:
    """The display for people."""
    yield from document.head
    for item in document.items:
        yield from document.kind.layout(document.kind, item, times)
    yield from document.foot


def json_lines(document: Document) -> Iterator[str]:
    """The display for programs: one object, an item in each line."""
    kind = document.kind
    yield f'{{"display": {json_text(kind.name)}, "version": {kind.version}, "items": ['
    before: str | None = None
    for item in document.items:
        if before is not None:
            yield before + ","
        before = json_text({field.key: item[field.key] for field in kind.fields})
    if before is not None:
        yield before
    yield "]}"


# -- layouts ---------------------------------------------------------------------------------------


def block(columns: int = LABEL_COLUMNS) -> Callable[[Kind, Item, Times], Iterator[str]]:
    """An empty line, then a line `label : value` for each field that has a label."""

    def layout(kind: Kind, item: Item, times: Times) -> Iterator[str]:
        yield ""
        yield from pairs(kind, item, times, columns)

    return layout


def pairs(kind: Kind, item: Item, times: Times, columns: int = LABEL_COLUMNS) -> Iterator[str]:
    """The lines `label : value` of an item."""
    for field in kind.fields:
        if field.label:
            label, value = f" {field.label:<{columns}}: ", field.text(item, times)
            yield one_row(label, value) if field.is_name else label + value


def row(*widths: int) -> Callable[[Kind, Item, Times], Iterator[str]]:
    """One line for an item, its labelled fields in columns; the last one has no width."""

    def layout(kind: Kind, item: Item, times: Times) -> Iterator[str]:
        cells = [field.text(item, times) for field in kind.fields if field.label]
        yield _columns(cells, widths)

    return layout


def header(kind: Kind, *widths: int) -> str:
    """The line above rows of the same widths."""
    return _columns([field.label for field in kind.fields if field.label], widths)


def _columns(cells: list[str], widths: tuple[int, ...]) -> str:
    padded = [f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=False)]
    return " ".join(["", *padded, *cells[len(widths) :]]).rstrip()


def total(count: int) -> str:
    """How VRP begins a display of several."""
    return f" Total Number: {count}"
