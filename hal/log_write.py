"""Writing to a part: whatever is written is synced and read back, and a transaction ends last.

Fault model: a part may claim success for what it did not do, and what was not synced may survive a
cut without what was written before it. So nothing here returns before both are settled; whatever
fails raises FlashError, and the segment is not to be trusted any more.
"""

from __future__ import annotations

from collections.abc import Iterable

from hal.flash import is_blank
from hal.ports import Flash, FlashError


class Counters:
    """What was asked of the part since the mount."""

    __slots__ = ("erases", "programmed_bytes", "programs", "syncs")

    def __init__(self) -> None:
        self.programs = self.erases = self.syncs = self.programmed_bytes = 0


class Writer:
    """The verbs that change a part. Offsets and blocks count from its start."""

    __slots__ = ("counters", "flash")

    def __init__(self, flash: Flash) -> None:
        self.flash, self.counters = flash, Counters()

    def is_erased(self, block: int) -> bool:
        """Whether a block reads like one that is erased."""
        size = self.flash.block_size
        return is_blank(self.flash.read(block * size, size))

    def erase(self, blocks: Iterable[int]) -> None:
        """Erases blocks, syncs, and looks whether they are erased."""
        erased = list(blocks)
        for block in erased:
            self.flash.erase(block)
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
            self.flash.program(offset, piece)
            self.counters.programs += 1
            self.counters.programmed_bytes += len(piece)
            offset += len(piece)
        if pieces:
            self._sync()
        for piece in pieces:
            if self.flash.read(start, len(piece)) != piece:
                raise FlashError(f"{len(piece)} bytes at {start} read back differently")
            start += len(piece)

    def write_transaction(self, start: int, records: list[bytes]) -> None:
        """The last record when all others are stored: it must not survive a cut without them."""
        *parts, last = records
        self.write(start, parts)
        self.write(start + sum(map(len, parts)), [last])

    def _sync(self) -> None:
        self.flash.sync()
        self.counters.syncs += 1
