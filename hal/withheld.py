"""An empty store in the place of one whose part must not be touched; and how that part is erased.

Fault model. A part holds what is not ours, or what another release or board has written; it cannot
be read, or not even be opened. It may be restored, and whoever wrote it can read it, so nothing is
written to it until a person has decided. Until then the agent runs on a store that holds nothing
and takes nothing: its reads find erased flash, and each commit is refused with the reason.

Power fails while the part is erased: the blocks that may hold a header of ours go first. So what is
left is never taken for a state of ours, and the next start is in the same condition, until all of
it is erased: then it is the part of a new device.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hal.flash import ERASED, is_blank
from hal.log_format import layout_of
from hal.ports import Flash, FlashError, WithheldError
from hal.store import Health, Store


class BlankFlash:
    """`hal.ports.Flash` of the shape of a part, which it stands for: erased, and it stays so."""

    can_have_bad_blocks = False  # nothing is ever written

    def __init__(self, block_size: int, block_count: int, program_size: int = 1) -> None:
        self.block_size, self.block_count = block_size, block_count
        self.program_size = program_size

    def read(self, _offset: int, length: int) -> bytes:
        return ERASED * length

    def program(self, offset: int, data: bytes) -> None:
        raise FlashError(f"{len(data)} bytes at {offset}: the part is not to be touched")

    def erase(self, block: int) -> None:
        raise FlashError(f"block {block}: the part is not to be touched")

    def sync(self) -> None:
        """Nothing was written."""

    def close(self) -> None:
        """Nothing is open."""


class WithheldStore(Store):
    """A store without content, that says why it takes nothing."""

    def __init__(self, part: Flash, reason: str) -> None:
        """Raises StoreError when a part of that shape could hold no store at all."""
        super().__init__(BlankFlash(part.block_size, part.block_count, part.program_size))
        self._why = reason

    @property
    def health(self) -> Health:
        return super().health._replace(read_only=True, reason=self._why)

    def commit(self, _changes: Mapping[str, object]) -> None:
        raise WithheldError(self._why)

    def compact(self) -> None:
        raise WithheldError(self._why)

    def compacting(self) -> Iterator[None]:
        raise WithheldError(self._why)

    def work(self) -> None:
        """Nothing is ever due."""


def erased(flash: Flash) -> Iterator[int]:
    """Erases a whole part, block by block, each read back; what is erased already costs no wear.

    Gives the number of each block behind it, so that others have their turn. Raises FlashError.
    """
    blocks = layout_of(flash).blocks
    for block in sorted(range(flash.block_count), key=lambda number: number % blocks > 0):
        if not _is_erased(flash, block):
            flash.erase(block)
            flash.sync()
            if not _is_erased(flash, block):
                raise FlashError(f"block {block} is not erased after an erase")
        yield block


def _is_erased(flash: Flash, block: int) -> bool:
    """A block that cannot be read is not."""
    try:
        return is_blank(flash.read(block * flash.block_size, flash.block_size))
    except FlashError:
        return False
