"""Rows of the vectors: in files, and as octets on a connection."""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
ACCEPTED = ("issued", "pending", "ok")
HTTP_OK = b"HTTP/1.1 200 OK\r\n"
# A recipe pays from some hundred octets on; a unit longer than this is no repetition.
_RUN = re.compile(rb"(.{1,16}?)\1{127,}", re.DOTALL)

Part = str | dict[str, Any]
Parts = tuple[Part, ...]


class Row(NamedTuple):
    """One reply; the fields are at the head of the package."""

    name: str
    op: str
    asked: str
    outcome: str
    says: str
    why: str
    body: Parts | None = None
    http: Parts | None = None
    job: dict[str, Any] = {}  # never changed

    @property
    def accepted(self) -> bool:
        return self.outcome in ACCEPTED


def parts_of(data: bytes, unit: bytes = b"") -> Parts:
    """The octets, long repetitions as a recipe, those of a long `unit` too."""
    times = data.count(unit) if unit else 0
    if times > 1 and unit * times in data:
        before, _, after = data.partition(unit * times)
        return (*parts_of(before), repeat(unit, times), *parts_of(after))
    found: list[Part] = []
    at = 0
    for match in _RUN.finditer(data):
        unit = match[1]
        found += [_text(data[at : match.start()])] if match.start() > at else []
        found.append(repeat(unit, (match.end() - match.start()) // len(unit)))
        at = match.end()
    return (*found, _text(data[at:])) if at < len(data) else tuple(found)


def repeat(unit: bytes, times: int) -> Part:
    return {"repeat": _text(unit), "times": times}


def drip(octets: bytes) -> Part:
    return {"drip": _text(octets)}


STAY: Part = {"stay": True}


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def octets_of(parts: Iterable[Part]) -> bytes:
    """The octets of parts that end."""
    return b"".join(piece for part in parts for piece in _pieces(part))


def answer_of(row: Row) -> Iterator[Part | bytes]:
    """What goes over the connection: octets, and the parts that have no end."""
    parts = row.http
    if parts is None:
        body = octets_of(row.body or ())
        yield HTTP_OK + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body
        return
    for part in parts:
        if isinstance(part, dict) and "repeat" not in part:
            yield part
        else:
            yield from _pieces(part)


def _pieces(part: Part) -> Iterator[bytes]:
    if isinstance(part, str):
        yield base64.b64decode(part)
        return
    unit, left = base64.b64decode(part["repeat"]), part["times"]
    at_once = max(1, (1 << 16) // len(unit))
    while left > 0:
        yield unit * min(left, at_once)
        left -= at_once


# -- files -----------------------------------------------------------------------------------------


def write(family: str, rows: Iterable[Row]) -> None:
    lines = [json.dumps(_as_map(row), separators=(",", ":")) for row in rows]
    (HERE / f"{family}.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")


def _as_map(row: Row) -> dict[str, Any]:
    found: dict[str, Any] = row._asdict()
    usual = Row._field_defaults
    return {name: value for name, value in found.items() if value != usual.get(name)}


def load() -> list[Row]:
    """All rows, family after family."""
    files = sorted(path for path in HERE.glob("*.json") if path.name != "desk.json")
    return [_row(found) for path in files for found in json.loads(path.read_text())]


def _row(found: dict[str, Any]) -> Row:
    for name in ("body", "http"):
        if name in found:
            found[name] = tuple(found[name])
    return Row(**found)
