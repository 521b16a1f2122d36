"""Entries of the store as the records of a log: how they are encoded, grouped and measured.

A record holds a CBOR map of keys with their encoded values, and as many of them as fit. What is
measured here decides whether a commit is appended or moves, and is never less than what is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from hal import cbor
from hal.log_format import (
    MAP_HEAD_BYTES,
    PART,
    PAYLOAD_BYTES,
    TRANSACTION,
    Layout,
    pack_record,
)

Entries = Mapping[str, bytes | None]  # keys with encoded values, None where one is removed


def pack_map(changed: Entries) -> bytes:
    """The payload of a record: keys with their encoded values, None where one is removed."""
    return cbor.join({key: cbor.dumps(value) for key, value in changed.items()})


def unpack_map(payload: bytes) -> dict[str, bytes | None]:
    """The same read. Raises CborError. The values are looked into when somebody asks for them."""
    found = cbor.loads(payload, max_bytes=PAYLOAD_BYTES, max_depth=1, max_items=PAYLOAD_BYTES + 1)
    if not isinstance(found, dict):
        raise cbor.CborError("not a map")
    if any(value is not None and type(value) is not bytes for value in found.values()):
        raise cbor.CborError("not a map of encoded values")
    return found


def entry_bytes(key: str, value: bytes | None) -> int:
    """The bytes of a key with its encoded value in a record."""
    name = len(key) if key.isascii() else len(key.encode())
    return cbor.string_bytes(name) + (1 if value is None else cbor.string_bytes(len(value)))


def groups(entries: Entries, most: int) -> Iterator[list[str]]:
    """The keys of as few records as their order allows, when each holds `most` bytes."""
    group: list[str] = []
    size = MAP_HEAD_BYTES
    for key in sorted(entries):
        size += entry_bytes(key, entries[key])
        if group and size > most:
            yield group
            group, size = [], MAP_HEAD_BYTES + entry_bytes(key, entries[key])
        group.append(key)
    if group:
        yield group


def group_bytes(layout: Layout, entries: Entries, keys: Iterable[str]) -> int:
    """The bytes of the record of a group, at most."""
    payload = sum(entry_bytes(key, entries[key]) for key in keys if key in entries)
    return layout.record_size(MAP_HEAD_BYTES + payload)


def transaction(layout: Layout, first: int, entries: Entries, most: int) -> list[bytes]:
    """The records of a transaction, numbered from `first`; only the last one makes them count."""
    found = list(groups(entries, most)) or [[]]
    kinds = [PART] * (len(found) - 1) + [TRANSACTION]
    return [
        pack_record(layout, kind, first + at, pack_map({key: entries[key] for key in keys}))
        for at, (kind, keys) in enumerate(zip(kinds, found, strict=True))
    ]


def transaction_bytes(layout: Layout, entries: Entries, most: int) -> int:
    """The bytes of those records, at most."""
    found = list(groups(entries, most)) or [[]]
    return sum(group_bytes(layout, entries, keys) for keys in found)
