"""The state in memory: the keys in their order, and where on the part the value of each lies.

A value stays on the part and is read when somebody asks for it: in bytes, a thousand realms hold
ten times as much as they ask for. In memory a key takes its text and a row of sixteen bytes.

Fault model. A value that was good at the mount, or when it was written, may rot later, and no CRC
of its record is looked at again. So each has a CRC-32 of its own, which is in memory alone: it was
made of bytes that were known to be good then. A value that fails it, or that the part does not
give, is lost: from then on it reads as `UNREADABLE`, which no reader takes for a record, and its
key stays. So nobody takes it for one that never was (docs/FORMAT.md 9).

What lies in a segment that the next move may erase is held as bytes until then.
"""

from __future__ import annotations

import binascii
import struct
import sys
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping

from hal.log_records import Place, entry_bytes
from hal.ports import Flash, FlashError

UNREADABLE = b""  # no encoding of any value
_ROW = struct.Struct("=QII")
_LAST = chr(sys.maxunicode) * 2  # no key goes on with it
_HELD = 0  # in the place of an offset; a header lies there


class Values(Mapping[str, int]):
    """Keys, sorted, with the bytes of their values. `used_bytes`: of all keys and values in a log.

    on_lost: called with a key whose value cannot be read any more, and why.
    """

    __slots__ = ("_flash", "_held", "_keys", "_rows", "on_lost", "used_bytes")

    def __init__(self, flash: Flash) -> None:
        self._flash = flash
        self._keys: list[str] = []
        self._rows = bytearray()  # one of `_ROW` for each key, in the same order
        self._held: dict[str, bytes] = {}
        self.used_bytes = 0
        self.on_lost: Callable[[str, str], None] = lambda _key, _why: None

    def __getitem__(self, key: str) -> int:
        at = self._find(key)
        if at is None:
            raise KeyError(key)
        return self._row(at).length

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def lengths(self) -> Iterator[tuple[str, int]]:
        """All keys with the bytes of their values; they may not change meanwhile."""
        return zip(self._keys, (row[1] for row in _ROW.iter_unpack(self._rows)), strict=True)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._find(key) is not None

    def beginning(self, prefix: str) -> list[str]:
        """The keys that begin with `prefix`, sorted."""
        keys = self._keys
        if not prefix:
            return list(keys)
        start, end = bisect_left(keys, prefix), bisect_left(keys, prefix + _LAST)
        return keys[start:end]

    def read(self, key: str) -> bytes | None:
        """The value of a key as it was written, or UNREADABLE; None when there is no such key."""
        at = self._find(key)
        if at is None:
            return None
        place, lost = self._row(at), "it is not as it was written"
        if place.offset == _HELD:
            return self._held[key]
        try:
            value = self._flash.read(place.offset, place.length)
            if binascii.crc32(value) == place.crc:
                return value
        except FlashError as error:
            lost = error.what
        self.put({key: UNREADABLE})
        self.on_lost(key, lost)
        return UNREADABLE

    def put(self, changes: Mapping[str, Place | bytes | None]) -> None:
        """Values lie there now, or are held in memory, or are gone."""
        for key in sorted(changes):  # so that those of a snapshot are appended
            value = changes[key]
            self._held.pop(key, None)
            if isinstance(value, bytes):
                self._held[key] = value
                value = Place(_HELD, len(value), 0)
            self._set(key, value)

    def take(self, other: Values) -> None:
        """Becomes what another one is."""
        self._keys, self._rows, self._held = other._keys, other._rows, other._held
        self.used_bytes = other.used_bytes

    def _set(self, key: str, place: Place | None) -> None:
        at = bisect_left(self._keys, key)
        is_known = at < len(self._keys) and self._keys[at] == key
        start, end = at * _ROW.size, (at + is_known) * _ROW.size
        if is_known:
            self.used_bytes -= entry_bytes(key, self._row(at).length)
        if place is None:
            del self._keys[at : at + is_known]
            del self._rows[start:end]
            return
        self.used_bytes += entry_bytes(key, place.length)
        self._rows[start:end] = _ROW.pack(*place)
        if not is_known:
            self._keys.insert(at, key)

    def _find(self, key: str) -> int | None:
        at = bisect_left(self._keys, key)
        return at if at < len(self._keys) and self._keys[at] == key else None

    def _row(self, at: int) -> Place:
        return Place(*_ROW.unpack_from(self._rows, at * _ROW.size))
