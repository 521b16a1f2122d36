"""From the records to the maps that the store keeps, and back.

A record is a NamedTuple; in the store it is a map of its fields and `v`, the version of its schema.
A record of an older version is read as well: what it lacks is in `ADDED`, and it is written anew
when it next changes.

Fault model. A CRC tells rot, so a record that arrives here was written like this: by a fault of
ours, by another release, or by whoever wrote the part. So `decode` trusts nothing: a missing,
unknown or mistyped field, or a version from the future, is a `RecordError`, and the caller goes on
without that record and says so. Whoever uses a record counts on what its types do not say, too:
that an index points at something, that a phase is one of four, that a time lies in the calendar and
a counter does not go backwards. So that is asked here, once. Texts may be any: whoever shows one
makes what cannot be seen visible.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import UnionType

from hal.annotations import Any, TypeGuard, TypeVar
from hal.calendar import FIRST_S, LAST_S
from hal.records import ADDED, VERSION

MOST = 2**31 - 1  # of what is counted, one by one
FARTHEST = 2**62  # of a place in an order, in whose neighbourhood there must be more places
PHASES = ("fetching", "sent", "pending", "lost")
MESSAGE_TYPES = (17, 19)  # RFC 8894 3.2.1.2: RenewalReq, PKCSReq

# 0: of a configuration that has none yet.
_MAY_BE_ANY = (("ConfigRecord", "generation"),)
_COUNTED = ("attempts", "bits", "console", "pin_index", "polls", "requests", "revoked")

Record = TypeVar("Record", bound=tuple[object, ...])


class RecordError(Exception):
    """A stored record does not have the shape that its schema asks for."""


def encode(record: tuple[object, ...]) -> dict[str, object]:
    """The map that is stored for a record."""
    fields: tuple[str, ...] = record._fields  # type: ignore[attr-defined]
    plain = {name: _plain(value) for name, value in zip(fields, record, strict=True)}
    return {"v": VERSION[type(record)], **plain}


def decode(kind: type[Record], value: object) -> Record:
    """The record of a stored map; RecordError when it does not fit its schema exactly."""
    fields = kind.__annotations__
    if not isinstance(value, dict):
        raise RecordError(f"{kind.__name__}: not a map")
    lacking = _lacking(kind, value.get("v"))
    if value.keys() != {"v", *fields} - lacking.keys():
        raise RecordError(f"{kind.__name__}: its fields are not those of its schema")
    value = {**value, **lacking}
    parts = {name: _checked(kind, name, of, value[name]) for name, of in fields.items()}
    if wrong := fault(kind.__name__, parts):
        raise RecordError(f"{kind.__name__}.{wrong}: no value that it can have")
    make: Callable[..., Record] = kind
    return make(*parts.values())


def _lacking(kind: type, version: object) -> dict[str, object]:
    """What a record of this version does not have yet; RecordError when there is none such."""
    newest = VERSION[kind]
    if type(version) is not int or not 1 <= version <= newest:
        raise RecordError(f"{kind.__name__}: its version is none of 1 to {newest}")
    later = (ADDED[kind][number] for number in range(version + 1, newest + 1))
    return {name: value for added in later for name, value in added.items()}


def _plain(value: object) -> object:
    if hasattr(value, "_fields") and isinstance(value, tuple):
        return encode(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _checked(kind: type, name: str, of: Any, value: object) -> object:
    """`value` if it has the annotated type: plain, `X | None`, list[X], dict, or a record."""
    if type(value) is of:  # most are plain
        return value
    if isinstance(of, UnionType):
        if value is None:
            return None
        of = of.__args__[0]
    if isinstance(of, type) and of in VERSION:
        return decode(of, value)
    origin = getattr(of, "__origin__", of)
    # bool is an int to isinstance; a stored true is never a number.
    if not isinstance(value, origin) or (origin is int and isinstance(value, bool)):
        raise RecordError(f"{kind.__name__}.{name}: wrong type")
    if origin is list:
        return [_checked(kind, name, of.__args__[0], item) for item in value]
    return value


# -- beyond types ----------------------------------------------------------------------------------


def fault(kind: str, values: Mapping[str, Any]) -> str:
    """The first field that cannot be, of a record of that kind; "" where all can."""
    for name, value in values.items():
        if type(value) is int and not _can_be(name, value) and (kind, name) not in _MAY_BE_ANY:
            return name
    return _RULES.get(kind, _none)(values)


def is_generation(value: object) -> TypeGuard[int]:
    """Of a key pair, or of a part of the configuration; 0: there has been none."""
    return type(value) is int and 0 <= value <= MOST


def _can_be(name: str, value: int) -> bool:
    if name.endswith("_s"):
        return FIRST_S <= value <= LAST_S
    if name == "generation":
        return is_generation(value)
    if name == "place":
        return abs(value) <= FARTHEST
    return name not in _COUNTED or 0 <= value <= MOST


def _none(_values: Mapping[str, Any]) -> str:
    return ""


def _authority(ca: Mapping[str, Any]) -> str:
    count = len(ca["certificates"])
    if ca["pin_index"] >= count:
        return "pin_index"
    return "" if all(0 <= index < count for index in ca["ras"]) else "ras"


def _request(request: Mapping[str, Any]) -> str:
    if request["phase"] not in PHASES:
        return "phase"
    # Its other settings are looked at by the child that makes the request (the contract of jobs).
    return "" if isinstance(request["settings"].get("key_pair"), str) else "settings"


def _renewal(renewal: Mapping[str, Any]) -> str:
    return "" if renewal["message_type"] in MESSAGE_TYPES else "message_type"


_RULES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "CaRecord": _authority,
    "CaSetRecord": _authority,
    "RequestRecord": _request,
    "RenewalRecord": _renewal,
}
