"""The next segment, made piece by piece beside the active one: erased, header, copies, its end.

The argument. A segment counts only when the last record of a transaction is in it, whole, and that
is the last thing to be written. Until then the active segment is the state; it is never touched but
for commits that are appended to it. The keys of those are collected, and the transaction that
completes the move carries their values of that moment. So at each cut either the active segment
holds all that was committed, or the new one does.

Fault model: each piece may be cut, or fail with FlashError. A piece that fails before the end
leaves the active segment in its right, and this one is given up. If the end fails, it may be there
all the same at the next mount, so from then on the active segment must not grow.
"""

from __future__ import annotations

from hal.log_format import NUMBER_BITS, SNAPSHOT, Layout, Segment, pack_record, pack_segment
from hal.log_records import Entries, group_bytes, pack_map, transaction, written
from hal.log_values import Values
from hal.log_write import Writer

_LOOK_BYTES = 256 * 1024  # of flash that a piece reads at most to see what is erased already


class Target:
    """A segment on its way to be the active one.

    trusting: a block that reads as erased need not be erased again. On raw flash an erase that
    was cut may leave bits that read as erased for now.
    """

    __slots__ = (
        "_blocks", "_copies", "_layout", "_trusting", "_writer",
        "begun", "changed", "end", "index", "sequence", "values",
    )  # fmt: skip

    def __init__(self, writer: Writer, layout: Layout, index: int, trusting: bool) -> None:
        self._writer, self._layout, self.index = writer, layout, index
        self._trusting = trusting
        first = index * layout.blocks
        # From the end. That of the header goes last, and alone: see docs/FORMAT.md 5.
        self._blocks = [first, *range(first + layout.blocks - 1, first, -1)]
        self._copies: list[list[str]] = []
        self.begun = False
        self.changed: set[str] = set()  # keys that were committed elsewhere since it has begun
        self.end = self.sequence = 0  # where the next record goes, and the number of the last one
        self.values = Values(writer.flash)  # where they lie in here

    @property
    def is_erased(self) -> bool:
        return not self._blocks

    def erase(self) -> bool:
        """Looks at some blocks, as far as they are erased; erases one that is not: True."""
        for _ in range(max(1, _LOOK_BYTES // self._layout.block_size)):
            if not self._blocks:
                break
            dirty = not self._is_clean(self._blocks[-1])
            if dirty:
                self._writer.erase(self._blocks[-1:])
            self._blocks.pop()
            if dirty:
                return True
        return False

    def erase_all(self) -> None:
        """All that is left, at once."""
        dirty = [block for block in self._blocks if not self._is_clean(block)]
        header = self._blocks[:1]
        self._writer.erase(block for block in reversed(dirty) if block not in header)
        self._writer.erase(block for block in dirty if block in header)
        self._blocks.clear()

    def begin(self, number: int, before: int, copies: list[list[str]]) -> None:
        """Writes the header. `before`: the number of the active segment; `copies`: the keys of each
        record of the snapshot."""
        first = (number << NUMBER_BITS) + 1
        self.begun, self.sequence = True, first - 1
        self._copies = copies[::-1]
        header = Segment(number, first, len(copies), self.index, before)
        self._write([pack_segment(self._layout, header)])

    def copy(self, live: Values) -> bool:
        """The next record of the snapshot; False when all are there.

        What has changed since the begin is not copied: the end carries it.
        """
        if not self._copies:
            return False
        keys = self._copies.pop()
        group = {key: live.read(key) for key in keys if key in live and key not in self.changed}
        self.sequence += 1
        record = pack_record(self._layout, SNAPSHOT, self.sequence, pack_map(group))
        self.values.put(written(self._layout, record, self._at()))
        self._write([record])
        return True

    def changes(self, live: Values) -> dict[str, bytes | None]:
        """What the end must carry, to be no other state than `live`."""
        return {key: live.read(key) for key in self.changed}

    def left(self, live: Values) -> int:
        """The bytes of the copies that are still to be written, at most."""
        return sum(group_bytes(self._layout, live, keys) for keys in self._copies)

    def complete(self, changes: Entries, most: int) -> None:
        """The end: from its last record on, this segment is the state."""
        records = transaction(self._layout, self.sequence + 1, changes, most)
        self._writer.write_transaction(self._at(), records)
        self.values.put(written(self._layout, b"".join(records), self._at()))
        self.sequence += len(records)
        self.end += sum(map(len, records))

    def _is_clean(self, block: int) -> bool:
        return self._trusting and self._writer.is_erased(block)

    def _write(self, pieces: list[bytes]) -> None:
        self._writer.write(self._at(), pieces)
        self.end += sum(map(len, pieces))

    def _at(self) -> int:
        return self.index * self._layout.segment_size + self.end
