"""Writing to a part: whatever is written is synced and read back, and a transaction ends last.

Fault model: a part may claim success for what it did not do, and what was not synced may survive a
cut without what was written before it. So nothing here returns before both are settled; whatever
fails raises FlashError, and the segment is not to be trusted any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from hal.flash import is_blank
from hal.log_format import (
    MAP_HEAD_BYTES,
    PART,
    TRANSACTION,
    Layout,
    entry_bytes,
    pack_map,
    pack_record,
)
from hal.ports import Flash, FlashError

Entries = Mapping[str, bytes | None]  # keys with encoded values, None where one is removed


class Counters:
    """What was asked of the part since the mount."""

    __slots__ = ("erases", "programmed_bytes", "programs", "syncs")

    def __init__(self) -> None:
        self.programs = self.erases = self.syncs = self.programmed_bytes = 0


class Writer:
    """The verbs that change a part. Offsets and blocks count from its start."""

    __slots__ = ("_flash", "counters")

    def __init__(self, flash: Flash) -> None:
        self._flash, self.counters = flash, Counters()

    def is_erased(self, block: int) -> bool:
        """Whether a block reads like one that is erased."""
        size = self._flash.block_size
        return is_blank(self._flash.read(block * size, size))

    def erase(self, blocks: Iterable[int]) -> None:
        """Erases blocks, syncs, and looks whether they are erased."""
        erased = list(blocks)
        for block in erased:
            self._flash.erase(block)
            self.counters.erases += 1
        if erased:
            self._sync()
        for block in erased:
            if not self.is_erased(block):
                raise FlashError(f"block {block} is not erased after an erase")

    def write(self, start: int, pieces: list[bytes]) -> None:
        """Programs pieces one after the other, syncs, and reads them back."""
        offset = start
        for piece in pieces:
            self._flash.program(offset, piece)
            self.counters.programs += 1
            self.counters.programmed_bytes += len(piece)
            offset += len(piece)
        if pieces:
            self._sync()
        for piece in pieces:
            if self._flash.read(start, len(piece)) != piece:
                raise FlashError(f"{len(piece)} bytes at {start} read back differently")
            start += len(piece)

    def write_transaction(self, start: int, records: list[bytes]) -> None:
        """The last record when all others are stored: it must not survive a cut without them."""
        *parts, last = records
        self.write(start, parts)
        self.write(start + sum(map(len, parts)), [last])

    def _sync(self) -> None:
        self._flash.sync()
        self.counters.syncs += 1


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
