"""The kinds of displays about the device itself, and the lines of its configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from agent import limits
from agent.appliance import Children, ClockState, FileEntry
from agent.console.displays.document import (
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


CONFIGURATION = Kind("configuration", (Field("line", TEXT),), _line_layout, verbatim=True)


def configuration(lines: Iterable[str]) -> Document:
    """Lines as they would be typed."""
    return Document(CONFIGURATION, ({"line": line} for line in lines))


# -- version, clock, statistics --------------------------------------------------------------------


def _version_layout(_kind: Kind, item: Item, _times: Times) -> Iterator[str]:
    yield f"{item['product']} software, Version {item['version']} (SCEP RFC 8894)"
    yield ""  # here tools that know the first lines of VRP read no further
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


def _interface_layout(_kind: Kind, item: Item, _times: Times) -> Iterator[str]:
    """As VRP, by the names of the board; what VRP does not show stands behind the columns: the name
    of Linux, where that is another one, and the addresses."""
    physical = "up" if item["up"] else "down"
    protocol = "up" if item["up"] and item["addresses"] else "down"
    counts = f"   --     -- {item['in_errors']:>9} {item['out_errors']:>9}"
    own = item["name"]
    for name in item["router_names"] or [own]:
        behind = " ".join([*([own] if name != own else []), *item["addresses"]])
        yield f"{name:<21} {physical:<5} {protocol:<8} {counts}  {behind}".rstrip()


INTERFACE = Kind(
    "interface brief",
    (
        Field("name", TEXT),
        Field("router_names", LIST),
        Field("up", FLAG),
        Field("addresses", LIST),
        Field("in_errors", INTEGER),
        Field("out_errors", INTEGER),
    ),
    _interface_layout,
)
_INTERFACE_HEAD = (
    "PHY: Physical",
    "InUti/OutUti: input utility/output utility",
    f"{'Interface':<21} PHY   Protocol InUti OutUti  inErrors outErrors",
)


def interfaces(found: Iterable[Interface], router_names: Callable[[str], list[str]]) -> Document:
    items = [
        {**one._asdict(), "addresses": list(one.addresses), "router_names": router_names(one.name)}
        for one in found
    ]
    return Document(INTERFACE, items, _INTERFACE_HEAD)


def _file_layout(_kind: Kind, item: Item, times: Times) -> Iterator[str]:
    modified = times.month_first(item["modified_at"])
    yield f"{item['index']:>5}  -rw-  {item['size']:>14,}  {modified}  {item['name']}"


FILE = Kind(
    "dir",
    (
        Field("index", INTEGER),
        Field("size", INTEGER),
        Field("modified_at", TIME),
        Field("name", TEXT),
    ),
    _file_layout,
)
_FILE_HEAD = f"  Idx  Attr  {'Size(Byte)':>14}  {'Date':<11} {'Time':<8}  FileName"


def files(found: Iterable[FileEntry]) -> Document:
    items = ({"index": index, **one._asdict()} for index, one in enumerate(found))
    return Document(FILE, items, [_FILE_HEAD])


# -- the machine -----------------------------------------------------------------------------------


def _serial_layout(_kind: Kind, item: Item, _times: Times) -> Iterator[str]:
    yield f"ESN of slot 0: {item['serial'] or '-'}"


SERIAL = Kind("esn", (Field("serial", TEXT + "?"),), _serial_layout)

_SLOT_COLUMNS = (4, 20, 8)
SLOT = Kind(
    "device",
    (
        Field("slot", INTEGER, "Slot"),
        Field("type", TEXT, "Type"),
        Field("online", TEXT, "Online"),
        Field("status", TEXT, "Status"),
    ),
    row(*_SLOT_COLUMNS),
)
STARTUP = Kind(
    "startup",
    (
        Field("software", TEXT, "Startup system software"),
        Field("next_configuration", TEXT, "Next startup saved-configuration file"),
    ),
    block(),
)


def serial(number: str) -> Document:
    return Document(SERIAL, [{"serial": number or None}])


def device(status: str) -> Document:
    """`status`: Normal, or Abnormal with what is wrong."""
    item = {"slot": 0, "type": "scep-agent", "online": "Present", "status": status}
    return Document(SLOT, [item], ["Device status:", header(SLOT, *_SLOT_COLUMNS)])


def startup(is_saved: bool) -> Document:
    item = {
        "software": f"scep-agent {limits.VERSION}",
        "next_configuration": "in the store" if is_saved else "NULL",
    }
    return Document(STARTUP, [item])


FILE_TEXT = Kind("more", (Field("line", TEXT),), _line_layout)


def file(lines: Iterable[str]) -> Document:
    """The text of a file."""
    return Document(FILE_TEXT, ({"line": line} for line in lines))


def statistics(item: dict[str, Any]) -> Document:
    """`item` has the fields of STATISTICS; the events are shown as lines `name : count`."""
    events = [f" {event}" for event in item["events"]]
    return Document(STATISTICS, [item], foot=["", " Events since the start:", *events])
