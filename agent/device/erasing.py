"""Erasing a device: all that people and CAs have put into it, until it is as it was delivered.

Gone afterwards: configuration, users, key pairs, certificates, requests, lists, the files of device
storage, device memory. The rest belongs to the board: its device key, which seals nothing any
more, its clock, its board file.

Fault model. Power fails at any moment: the first transaction removes what it can hold and sets a
mark, so before it everything is there; from then on each start goes on with the erase before
anything else, and the mark goes last. The flash fails: the mark stays, nothing is loaded, and the
serial lines let nobody in. A file or a folder of somebody else does not go: that is told, and the
erase goes on, since nobody at the console could help it.
"""

from __future__ import annotations

from collections.abc import Callable

from agent.log import Log
from hal import records
from hal.named import NamedTuple
from hal.ports import DeviceMemory, Files, HalError
from hal.store import Store

_AT_ONCE = 100  # keys of a transaction: of the longest, half of what one may hold


class Erasure(NamedTuple):
    """The erasure of the store and the two folders. Failures of the folders go to the log."""

    store: Store
    files: Files
    memory: DeviceMemory
    log: Log

    def is_under_way(self) -> bool:
        return self.store.get(records.erase_key()) is not None

    def run(self, now_s: int) -> None:
        """Begins, or goes on. Raises StoreError: not begun, or not ended."""
        mark = {records.erase_key(): records.encode(records.EraseRecord(now_s))}
        for keys in self._keys():
            self.store.commit({**dict.fromkeys(keys), **mark})
        self._clear(self.memory.realms, self.memory.remove)
        self._clear(self.files.names, self.files.remove)
        self.store.compact()
        self.store.commit({records.erase_key(): None})

    def _keys(self) -> list[list[str]]:
        """In transactions; at least one, for the mark."""
        keys = [key for key in self.store.keys("") if key != records.erase_key()]
        return [keys[at : at + _AT_ONCE] for at in range(0, max(len(keys), 1), _AT_ONCE)]

    def _clear(self, names: Callable[[], list[str]], remove: Callable[[str], None]) -> None:
        """One of the folders, as far as it lets itself be cleared."""
        try:
            listing = names()
        except HalError as error:
            self._left(error)
            return
        for name in listing:
            try:
                remove(name)
            except HalError as error:
                self._left(error)

    def _left(self, error: HalError) -> None:
        self.log.report("STORAGE_ERR", f"not erased: {error}")
