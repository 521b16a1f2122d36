"""The kinds of displays about the device itself, and the lines of its configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from agent import limits
from agent.appliance import Children, ClockState, FileEntry
from agent.console.displays.document import (
    ALL_LINES,
    FLAG,
    INTEGER,
    LIST,
    TEXT,
    TIME,
    Document,
    Field,
    Item,
    Kind,
    block,
    header,
    row,
)
from agent.console.language.times import Times
from hal.annotations import Any
from hal.ports import Interface

# -- configuration ---------------------------------------------------------------------------------


def _line_layout(_kind: Kind, item: Item, _times: Times) -> Iterator[str]:
    yield item["line"]


CONFIGURATION = Kind("configuration", (Field("line", TEXT),), _line_layout)


def configuration(lines: Iterable[str]) -> Document:
    """Lines as they would be typed."""
    return Document(CONFIGURATION, ({"line": line} for line in lines))


# -- version, clock, statistics --------------------------------------------------------------------


def _version_layout(_kind: Kind, item: Item, _times: Times) -> Iterator[str]:
    yield f"{item['product']}, version {item['version']}"
    yield "SCEP (RFC 8894) enrolment agent"
    yield f"Serial number of the device: {item['serial'] or '-'}"
    if item["confinement"] is None:
        yield "Confinement of jobs: not known yet"
    else:
        yield f"Confinement of jobs: {', '.join(item['confinement']) or '-'}"
        yield f" Missing: {', '.join(item['confinement_missing']) or '-'}"


VERSION = Kind(
    "version",
    (
        Field("product", TEXT),
        Field("version", TEXT),
        Field("serial", TEXT + "?"),
        Field("confinement", LIST + "?"),
        Field("confinement_missing", LIST + "?"),
    ),
    _version_layout,
)


def version(serial: str, children: Children | None) -> Document:
    item = {
        "product": "scep-agent",
        "version": limits.VERSION,
        "serial": serial or None,
        "confinement": list(children.held) if children else None,
        "confinement_missing": list(children.missing) if children else None,
    }
    return Document(VERSION, [item])


def _clock_layout(_kind: Kind, item: Item, times: Times) -> Iterator[str]:
    yield times.moment(item["time"])
    yield f"Time source: {item['source']}"
    yield f"Trusted: {'yes' if item['trusted'] else 'no'} ({item['why']})"
    if not item["trusted"]:
        yield f"Time that counts: {times.moment(item['counts'])}"


CLOCK = Kind(
    "clock",
    (
        Field("time", TIME),
        Field("source", TEXT),
        Field("trusted", FLAG),
        Field("why", TEXT),
        Field("counts", TIME),
        Field("zone", TEXT),
        Field("ahead_s", INTEGER),
    ),
    _clock_layout,
)


def clock(state: ClockState, times: Times) -> Document:
    item = {
        "time": state.says_s,
        "source": state.source,
        "trusted": state.trusted,
        "why": state.why,
        "counts": state.counts_s,
        "zone": times.zone,
        "ahead_s": times.ahead_s,
    }
    return Document(CLOCK, [item])


STATISTICS = Kind(
    "pki statistics",
    (
        Field("realms", INTEGER, "Realms"),
        Field("key_pairs", INTEGER, "Key Pairs"),
        Field("certificates", INTEGER, "Certificates In Use"),
        Field("expiring", INTEGER, "Certificates About To Expire"),
        Field("expired", INTEGER, "Certificates Expired"),
        Field("under_way", INTEGER, "Applications Under Way"),
        Field("network_waiting", INTEGER, "Jobs Waiting For The Network"),
        Field("store_used_bytes", INTEGER, "Store Used (bytes)"),
        Field("store_capacity_bytes", INTEGER, "Store Capacity (bytes)"),
        Field("store_reserve_bytes", INTEGER, "Store Reserve For Renewals (bytes)"),
        Field("store_reserve_reached", FLAG, "Store Reserve Reached"),
        Field("store_free_bytes", INTEGER, "Store Free For Configuring (bytes)"),
        Field("store_damaged", INTEGER, "Store Records Lost By Damage"),
        Field("store_read_only", TEXT + "?", "Store Read-only Because"),
        Field("device_key", TEXT, "Device Key"),
        Field("log_lost", INTEGER, "Log Lines Not Taken"),
        Field("events", LIST),
    ),
    block(36),
)


# -- interfaces and files --------------------------------------------------------------------------

_INTERFACE_COLUMNS = (15, 24, 6)


def _state(item: Item, _times: Times) -> str:
    return "up" if item["up"] else "down"


INTERFACE = Kind(
    "interface brief",
    (
        Field("name", TEXT, "Interface"),
        Field("router_names", LIST, "Router Name"),
        Field("up", FLAG, "State", _state),
        Field("addresses", LIST, "Addresses"),
    ),
    row(*_INTERFACE_COLUMNS),
)


def interfaces(found: Iterable[Interface], router_names: Callable[[str], list[str]]) -> Document:
    """Each by its name of Linux, beside it what the board calls it."""
    items = [
        {**one._asdict(), "addresses": list(one.addresses), "router_names": router_names(one.name)}
        for one in found
    ]
    return Document(INTERFACE, items, [header(INTERFACE, *_INTERFACE_COLUMNS)])


_FILE_COLUMNS = (10, 28)
FILE = Kind(
    "dir",
    (
        Field("size", INTEGER, "Size(Byte)"),
        Field("modified_at", TIME, "Time"),
        Field("name", TEXT, "FileName"),
    ),
    row(*_FILE_COLUMNS),
)


def files(found: Iterable[FileEntry]) -> Document:
    return Document(FILE, (one._asdict() for one in found), [header(FILE, *_FILE_COLUMNS)])


FILE_TEXT = Kind("more", (Field("line", TEXT),), _line_layout, foreign=ALL_LINES)


def file(lines: Iterable[str]) -> Document:
    """The text of a file."""
    return Document(FILE_TEXT, ({"line": line} for line in lines))


def statistics(item: dict[str, Any]) -> Document:
    """`item` has the fields of STATISTICS; the events are shown as lines `name : count`."""
    events = [f" {event}" for event in item["events"]]
    return Document(STATISTICS, [item], foot=["", " Events since the start:", *events])
