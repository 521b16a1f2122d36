"""What a stored record of the right types must say as well, to be one. Read by `hal/records.py`.

Fault model. A CRC tells rot, so a record that arrives here was written like this: by a fault of
ours, by another release, or by whoever wrote the part. Whoever uses a record counts on what its
types do not say: that an index points at something, that a phase is one of four, that a time lies
in the calendar and a counter does not go backwards. So that is asked once, where the record is
read, and one that fails is as unreadable as one of wrong types: its realm is told of, and goes on
without it. Texts may be any: whoever shows one makes what cannot be seen visible.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

from hal.calendar import FIRST_S, LAST_S

MOST = 2**31 - 1  # of what is counted, one by one
FARTHEST = 2**62  # of a place in an order, in whose neighbourhood there must be more places
PHASES = ("fetching", "sent", "pending", "lost")
MESSAGE_TYPES = (17, 19)  # RFC 8894 3.2.1.2: RenewalReq, PKCSReq

# 0: of a configuration that has none yet.
_MAY_BE_ANY = (("ConfigRecord", "generation"),)
_COUNTED = ("attempts", "bits", "console", "pin_index", "polls", "requests", "revoked")


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
