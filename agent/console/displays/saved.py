"""The kinds of displays about the saved configuration: what differs, and what does not apply."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from agent.console.displays.document import TEXT, Document, Field, Item, Kind
from agent.console.language.blocks import Change, as_comment, with_unapplied
from agent.console.language.times import Times
from agent.settings import Unapplied, fold


def _change_layout(_kind: Kind, item: Item, _times: Times) -> Iterator[str]:
    yield f"{item['sign']}{item['line']}"


CHANGE = Kind(
    "compare configuration",
    (Field("sign", TEXT), Field("block", TEXT), Field("line", TEXT)),
    _change_layout,
    verbatim=True,
)


def changes(found: list[Change], concealed: Callable[[str], str]) -> Document:
    """What a reboot would lose (`+`) and bring back (`-`)."""
    equal = [] if found else ["Info: The running configuration is the saved one."]
    return Document(CHANGE, changed(found, concealed), head=equal)


def changed(found: list[Change], concealed: Callable[[str], str]) -> Iterator[Item]:
    """Lines that differ, each made when it is shown."""
    return (change._replace(line=concealed(change.line))._asdict() for change in found)


def _unapplied_layout(_kind: Kind, _item: Item, _times: Times) -> Iterator[str]:
    yield from ()  # people read it in blocks, which stand at the head


UNAPPLIED = Kind(
    "unapplied configuration",
    (Field("block", TEXT), Field("line", TEXT), Field("why", TEXT)),
    _unapplied_layout,
)


def unapplied(found: list[Unapplied]) -> Document:
    """The lines in their blocks, as comments with the reason."""
    refused = {fold(one.text) for one in found if not one.block}
    headers = dict.fromkeys(one.block for one in found if one.block and one.block not in refused)
    lines = list(with_unapplied(headers, found, as_comment))
    items = [{"block": one.block, "line": one.text, "why": one.why} for one in found]
    return Document(UNAPPLIED, items, head=lines or ["Info: All of the configuration applies."])
