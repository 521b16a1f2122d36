"""A flash part in memory, with the faults of a real one. For tests.

Fault model:

* **Power cut.** `cut_after(n, tear, keep)`: n operations (program, erase, sync) pass, the next one
  is cut and raises `PowerCut`, and so does everything after it. What the part then holds is in
  `image()`; go on with `from_image`.
    - A program that is cut stored its first `tear` bytes and half the bits of the next one.
    - An erase that is cut set the first `tear` bytes to 0xFF. With an even `tear` the rest is as
      before; with an odd one bits are cleared in it, as NOR parts program all before they erase.
    - A sync that is cut did not happen.
* **Unsynced operations** sit in a cache, as those of a file do. `keep` is a bit mask: bit i says
  that piece i since the last sync survived the cut. A program or an erase is one piece for each
  block that it touches. -1, everything survives, is a raw NOR part; 0 is the worst page cache.
* **Bit rot.** `flip(offset, bit)`, at any time, without a trace elsewhere.
* **Bad blocks.** `spoil(block, fault)`: the block fails reads, programs or erases with FlashError,
  or claims success for programs or erases and does nothing.
* **Wear.** `wear[block]` counts erases; nothing fails by itself.

Out of the model: programs that reach the wrong place, and bits that read differently each time.
"""

from __future__ import annotations

from hal.flash import ERASED, check_range, is_blank
from hal.ports import FlashError

READ_ERROR, PROGRAM_ERROR, ERASE_ERROR = "read error", "program error", "erase error"
SILENT_PROGRAM, SILENT_ERASE = "silent program", "silent erase"
FAULTS = (READ_ERROR, PROGRAM_ERROR, ERASE_ERROR, SILENT_PROGRAM, SILENT_ERASE)
_HALF = 0xAA  # the bits that a cut operation did not reach


class PowerCut(Exception):  # noqa: N818 - an event, not an error of the part
    """The power failed. No handler of storage errors may catch it."""


class FakeFlash:
    """`hal.ports.Flash` in memory. `raw`: its blocks can go bad one by one, as `spoil` does it."""

    def __init__(
        self, block_size: int, block_count: int, program_size: int = 1, raw: bool = True
    ) -> None:
        self.block_size, self.block_count = block_size, block_count
        self.program_size, self.can_have_bad_blocks = program_size, raw
        self.wear = [0] * block_count
        self.operations = 0  # programs, erases and syncs so far
        self._now = bytearray(ERASED * block_size * block_count)  # what a read sees
        self._stored = bytearray(self._now)  # what is there after a cut, but for `_pieces`
        self._pieces: list[tuple[int, bytes]] = []  # unsynced: offset, content
        self._faults: dict[int, str] = {}
        self._cut: tuple[int, int, int] | None = None  # operation number, tear, keep
        self._gone: Exception | None = None  # why nothing works any more

    @classmethod
    def from_image(
        cls, image: bytes, block_size: int, program_size: int = 1, raw: bool = True
    ) -> FakeFlash:
        """A part that holds `image`, all of it synced; its wear starts at 0."""
        flash = cls(block_size, len(image) // block_size, program_size, raw)
        flash._now[:] = flash._stored[:] = image
        return flash

    def image(self) -> bytes:
        """What a read sees now; after a power cut, what survived."""
        return bytes(self._now)

    def cut_after(self, operations: int, tear: int = 0, keep: int = -1) -> None:
        """Arms a power cut: so many more operations pass, then the cut as the head says."""
        self._cut = (self.operations + operations, tear, keep)

    def pull_the_plug(self, keep: int = -1) -> None:
        """A power cut between two operations."""
        for index, (offset, data) in enumerate(self._pieces):
            if keep >> index & 1:
                self._stored[offset : offset + len(data)] = data
        self._now[:] = self._stored
        self._pieces.clear()
        self._gone = PowerCut()

    def flip(self, offset: int, bit: int) -> None:
        """Bit rot: turns one bit over."""
        self._now[offset] ^= 1 << bit
        self._stored[offset] ^= 1 << bit

    def spoil(self, block: int, fault: str) -> None:
        """Makes a block bad in one of the ways of FAULTS."""
        self._faults[block] = fault

    def read(self, offset: int, length: int) -> bytes:
        """The bytes of a range."""
        self._powered()
        check_range(self, offset, length)
        for block in self._blocks(offset, length):
            self._refuse(block, READ_ERROR)
        return bytes(self._now[offset : offset + length])

    def program(self, offset: int, data: bytes) -> None:
        """Writes to erased bytes."""
        self._powered()
        check_range(self, offset, len(data), self.program_size)
        if not is_blank(bytes(self._now[offset : offset + len(data)])):
            raise FlashError(f"{len(data)} bytes at {offset} are not erased")
        tear = self._operation()
        if tear is not None:
            half = bytes(byte | _HALF for byte in data[tear : tear + 1])
            data = data[:tear] + half
        for block in self._blocks(offset, len(data)):
            self._refuse(block, PROGRAM_ERROR)
            start = max(offset, block * self.block_size)
            end = min(offset + len(data), (block + 1) * self.block_size)
            if self._faults.get(block) != SILENT_PROGRAM:
                self._put(start, data[start - offset : end - offset])
        self._end(tear)

    def erase(self, block: int) -> None:
        """Sets one block to 0xFF."""
        self._powered()
        start = block * self.block_size
        check_range(self, start, self.block_size)
        tear = self._operation()
        self._refuse(block, ERASE_ERROR)
        self.wear[block] += 1
        data = ERASED * self.block_size
        if tear is not None:
            rest = self._now[start : start + self.block_size][tear:]
            data = data[:tear] + bytes(byte & _HALF if tear % 2 else byte for byte in rest)
        if self._faults.get(block) != SILENT_ERASE:
            self._put(start, data)
        self._end(tear)

    def sync(self) -> None:
        """Everything before is stored."""
        self._powered()
        self._end(self._operation())
        self._stored[:] = self._now
        self._pieces.clear()

    def close(self) -> None:
        """Further operations are refused."""
        self._gone = FlashError("closed")

    def _powered(self) -> None:
        if self._gone is not None:
            raise self._gone

    def _operation(self) -> int | None:
        """Counts one; the tear point when this is the one that the power cut hits."""
        self.operations += 1
        if self._cut is None or self.operations <= self._cut[0]:
            return None
        return self._cut[1]

    def _end(self, tear: int | None) -> None:
        if tear is not None and self._cut is not None:
            self.pull_the_plug(self._cut[2])
            self._powered()

    def _blocks(self, offset: int, length: int) -> range:
        return range(offset // self.block_size, -(-(offset + length) // self.block_size))

    def _refuse(self, block: int, fault: str) -> None:
        if self._faults.get(block) == fault:
            raise FlashError(f"{fault} in block {block}")

    def _put(self, offset: int, data: bytes) -> None:
        self._now[offset : offset + len(data)] = data
        self._pieces.append((offset, data))
