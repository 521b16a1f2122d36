"""Erasing a device: all that people and CAs have put into it, until it is as it was delivered.

Gone afterwards: configuration, users, key pairs, certificates, requests, lists, the files of device
storage, device memory. The rest belongs to the board: its device key, which seals nothing any
more, its clock, its board file.

It goes in pieces, a transaction or a block at a time, with turns of the loop between them: a part
of flash may take a minute for all of it, and a loop that stands still feeds no watchdog.

Fault model. Power fails at any moment: the first transaction removes what it can hold and sets a
mark, so before it everything is there; from then on each start goes on with the erase before
anything else, and the mark goes last. Somebody else writes between two pieces: as long as the mark
is there, no commit of the device is taken (`commits.py`). The flash fails: the mark stays, nothing
is loaded, and the serial lines let nobody in. A file or a folder of somebody else does not go: that
is told, and the erase goes on, since nobody at the console could help it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from agent.log import Log
from hal import record_codec, record_keys, records
from hal.named import NamedTuple
from hal.ports import DeviceMemory, Files, HalError
from hal.protocol import Protocol
from hal.store import Store

_AT_ONCE = 100  # keys of a transaction: of the longest, half of what one may hold


class Erasure(NamedTuple):
    """The erasure of the store and the two folders. Failures of the folders go to the log."""

    store: Store
    files: Files
    memory: DeviceMemory
    log: Log

    def is_under_way(self) -> bool:
        return record_keys.erase_key() in self.store

    def pieces(self, now_s: int) -> Iterator[None]:
        """Begins, or goes on. Raises StoreError: not begun, or not ended."""
        mark = {record_keys.erase_key(): record_codec.encode(records.EraseRecord(now_s))}
        for keys in self._keys():
            self.store.commit({**dict.fromkeys(keys), **mark})
            yield
        clear_folders(self, self.log)
        yield
        yield from self.store.compacting()
        self.store.commit({record_keys.erase_key(): None})

    def _keys(self) -> list[list[str]]:
        """In transactions; at least one, for the mark."""
        keys = [key for key in self.store.keys("") if key != record_keys.erase_key()]
        return [keys[at : at + _AT_ONCE] for at in range(0, max(len(keys), 1), _AT_ONCE)]


class Folders(Protocol):
    """Whoever has them."""

    @property
    def files(self) -> Files: ...
    @property
    def memory(self) -> DeviceMemory: ...


def clear_folders(of: Folders, log: Log) -> None:
    """Device memory and device storage, as far as they let themselves be cleared."""
    _clear(of.memory.realms, of.memory.remove, log)
    _clear(of.files.names, of.files.remove, log)


def _clear(names: Callable[[], list[str]], remove: Callable[[str], None], log: Log) -> None:
    """One of the folders."""
    try:
        listing = names()
    except HalError as error:
        _left(error, log)
        return
    for name in listing:
        try:
            remove(name)
        except HalError as error:
            _left(error, log)


def _left(error: HalError, log: Log) -> None:
    log.report("STORAGE_ERR", f"not erased: {error}")
