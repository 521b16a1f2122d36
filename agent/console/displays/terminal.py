"""The kinds of displays about the terminal: the log, and what was typed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent.appliance import LogLine
from agent.console.displays.document import (
    INTEGER,
    TEXT,
    TIME,
    Document,
    Field,
    Item,
    Kind,
    total,
)
from agent.console.language.times import Times


def _log_layout(_kind: Kind, item: Item, times: Times) -> Iterable[str]:
    yield f"{times.moment(item['at'])} {item['text']}"


def _bare(_kind: Kind, item: Item, _times: Times) -> Iterable[str]:
    yield item["line"]


LOG = Kind(
    "logbuffer",
    (Field("at", TIME), Field("level", INTEGER), Field("text", TEXT)),
    _log_layout,
)
HISTORY = Kind("history-command", (Field("line", TEXT),), _bare, verbatim=True)


def log(lines: Sequence[LogLine]) -> Document:
    return Document(LOG, map(_log_item, lines), [total(len(lines))])


def log_line(line: LogLine, times: Times) -> str:
    """A line of the log as `display logbuffer` has it."""
    return "".join(LOG.layout(LOG, _log_item(line), times))


def _log_item(line: LogLine) -> Item:
    return {"at": line.at_s, "level": line.level, "text": line.text}


def history(lines: Iterable[str]) -> Document:
    return Document(HISTORY, ({"line": line} for line in lines))
