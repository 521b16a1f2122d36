"""Entries of the store as the records of a log: how they are encoded, grouped and measured.

A record holds a CBOR map of keys with their encoded values, and as many of them as fit. What is
measured here decides whether a commit is appended or moves, and is never less than what is written.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterable, Iterator, Mapping

from hal import cbor
from hal.log_format import (
    MAP_HEAD_BYTES,
    PART,
    PAYLOAD_BYTES,
    TRANSACTION,
    Layout,
    pack_record,
    record_at,
)
from hal.named import NamedTuple

Entries = Mapping[str, bytes | None]  # keys with encoded values, None where one is removed
Lengths = Mapping[str, int | None]  # keys with the bytes of these


class Place(NamedTuple):
    """Where a value lies: an offset on the part and bytes, and the CRC-32 of these."""

    offset: int
    length: int
    crc: int


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


def places(entries: Entries, at: int) -> dict[str, Place | None]:
    """Where the values of a map lie whose encoding begins at an offset of the part; None for a key
    that is removed. `entries`: in the order of the encoding, as `unpack_map` gives them."""
    found: dict[str, Place | None] = {}
    at += cbor.head_bytes(len(entries))
    for key, value in entries.items():
        length = None if value is None else len(value)
        at += entry_bytes(key, length)
        found[key] = None
        if value is not None:
            found[key] = Place(at - len(value), len(value), binascii.crc32(value))
    return found


def written(layout: Layout, records: bytes, start: int) -> dict[str, Place | None]:
    """The same of records that follow one another from an offset of the part on."""
    found: dict[str, Place | None] = {}
    at = 0
    while record := record_at(layout, records, at):
        found |= places(unpack_map(record.payload(records)), start + record.start)
        at = record.end
    return found


def lengths(entries: Entries) -> dict[str, int | None]:
    """The bytes of encoded values."""
    return {key: None if value is None else len(value) for key, value in entries.items()}


def entry_bytes(key: str, length: int | None) -> int:
    """The bytes of a key in a record, with its encoded value of that length."""
    name = len(key) if key.isascii() else len(key.encode())
    return cbor.string_bytes(name) + (1 if length is None else cbor.string_bytes(length))


def groups(entries: Iterable[tuple[str, int | None]], most: int) -> Iterator[list[str]]:
    """The keys of as few records as their order allows, when each holds `most` bytes. `entries`:
    keys with the bytes of their values."""
    group: list[str] = []
    size = MAP_HEAD_BYTES
    for key, length in sorted(entries):
        entry = entry_bytes(key, length)
        if group and size + entry > most:
            yield group
            group, size = [], MAP_HEAD_BYTES
        size += entry
        group.append(key)
    if group:
        yield group


def group_bytes(layout: Layout, entries: Lengths, keys: Iterable[str]) -> int:
    """The bytes of the record of a group, at most."""
    payload = sum(entry_bytes(key, entries[key]) for key in keys if key in entries)
    return layout.record_size(MAP_HEAD_BYTES + payload)


def transaction(layout: Layout, first: int, entries: Entries, most: int) -> list[bytes]:
    """The records of a transaction, numbered from `first`; only the last one makes them count."""
    found = list(groups(lengths(entries).items(), most)) or [[]]
    kinds = [PART] * (len(found) - 1) + [TRANSACTION]
    return [
        pack_record(layout, kind, first + at, pack_map({key: entries[key] for key in keys}))
        for at, (kind, keys) in enumerate(zip(kinds, found, strict=True))
    ]


def transaction_bytes(layout: Layout, entries: Lengths, most: int) -> int:
    """The bytes of those records, at most."""
    found = list(groups(entries.items(), most)) or [[]]
    return sum(group_bytes(layout, entries, keys) for keys in found)
