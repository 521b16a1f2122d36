"""Fakes of device storage and device memory. For tests.

Fault model: the n-th call fails (`Faults`) and changes nothing; a switch that fails discards what
was staged, as the real one does. No file system is touched; the staged files of device memory are
real descriptors (memfd), since children write to them.

Out of the model: a call that is half done. For that there is `FakeFlash`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from hal.files import FILE_BYTES, check_name
from hal.memory import GRACE_NS, realm_folder
from hal.ports import DeviceMemoryError, FilesError, FileStat, HalError, Reactor


class Faults:
    """Makes the n-th call (from 1, over all verbs) of a fake fail: `at[3] = FilesError(...)`."""

    __slots__ = ("at", "calls")

    def __init__(self, at: Mapping[int, HalError] | None = None) -> None:
        self.at = dict(at or {})
        self.calls = 0

    def check(self) -> None:
        """Counts a call and raises what was planned for it."""
        self.calls += 1
        planned = self.at.pop(self.calls, None)
        if planned is not None:
            raise planned


class FakeFiles:
    """Device storage in a dictionary. See `hal.ports.Files`."""

    def __init__(self, content: Mapping[str, bytes] | None = None) -> None:
        self.content = dict(content or {})
        self.modified_s = 1_795_000_000  # of every file
        self.faults = Faults()

    def read(self, name: str) -> bytes:
        self._check(name)
        if name not in self.content:
            raise FilesError("No such file or directory", name)
        return self.content[name]

    def write(self, name: str, data: bytes) -> None:
        self._check(name)
        if len(data) > FILE_BYTES:
            raise FilesError(f"longer than {FILE_BYTES} bytes", name)
        self.content[name] = bytes(data)

    def remove(self, name: str) -> None:
        self._check(name)
        self.content.pop(name, None)

    def names(self) -> list[str]:
        self.faults.check()
        return sorted(self.content)

    def stat(self, name: str) -> FileStat:
        return FileStat(len(self.read(name)), self.modified_s)

    def _check(self, name: str) -> None:
        check_name(name)
        self.faults.check()


class FakeMemory:
    """Device memory without a file system. See `hal.ports.DeviceMemory`.

    `sets` are the current files of each realm (key: its folded name), `before` the sets that are
    still in their 60 s.
    """

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor
        self.faults = Faults()
        self.sets: dict[str, dict[str, bytes]] = {}
        self.before: list[tuple[str, dict[str, bytes]]] = []
        self._staged: dict[str, dict[str, int]] = {}

    def stage(self, realm: str, names: Sequence[str]) -> Mapping[str, int]:
        folder = realm_folder(realm)
        for name in names:
            check_name(name, DeviceMemoryError)
        if len(set(names)) < len(names):
            raise DeviceMemoryError("File exists", realm)
        self.faults.check()
        self.discard(realm)
        self._staged[folder] = {name: os.memfd_create(name) for name in names}
        return dict(self._staged[folder])

    def switch(self, realm: str) -> None:
        folder = realm_folder(realm)
        if folder not in self._staged:
            raise DeviceMemoryError("nothing is staged", realm)
        try:
            self.faults.check()
        except HalError:
            self.discard(realm)
            raise
        old = self.sets.get(folder)
        self.sets[folder] = {
            name: os.pread(fd, FILE_BYTES, 0) for name, fd in self._staged[folder].items()
        }
        self.discard(realm)
        if old is not None:
            self._keep(folder, old)

    def discard(self, realm: str) -> None:
        for fd in self._staged.pop(realm_folder(realm), {}).values():
            os.close(fd)

    def current(self, realm: str, name: str) -> bytes | None:
        check_name(name, DeviceMemoryError)
        return self.sets.get(realm_folder(realm), {}).get(name)

    def remove(self, realm: str) -> None:
        self.faults.check()
        self.discard(realm)
        self.sets.pop(realm_folder(realm), None)

    def realms(self) -> list[str]:
        self.faults.check()
        return sorted(self.sets.keys() | self._staged.keys())

    def _keep(self, folder: str, old: dict[str, bytes]) -> None:
        entry = (folder, old)
        self.before.append(entry)
        self._reactor.after(GRACE_NS, lambda: self.before.remove(entry))
