"""Device storage for the console: one folder of small files, with errors that say what to do."""

from __future__ import annotations

from agent import limits
from agent.appliance import FileEntry, FromFile
from agent.errors import fail
from hal.ports import Files, FilesError


class DeviceStorage:
    """`agent.appliance.Storage`: the port, with the errors of the console."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def entries(self) -> list[FileEntry]:
        try:
            return [FileEntry(name, *self._files.stat(name)) for name in self._files.names()]
        except FilesError as error:
            raise fail("storage-failed", reason=error.what) from error

    def exists(self, name: str) -> bool:
        try:
            return name in self._files.names()
        except FilesError as error:
            raise fail("storage-failed", reason=error.what) from error

    def read(self, name: str) -> bytes:
        try:
            return self._files.read(name)
        except FilesError as error:
            if not self.exists(name):
                raise fail("file-missing", name=name) from error
            raise fail("file-unreadable", name=name, reason=error.what) from error

    def remove(self, name: str) -> None:
        try:
            self._files.remove(name)
        except FilesError as error:
            raise fail("storage-failed", reason=error.what) from error

    def write(self, name: str, data: bytes) -> None:
        try:
            self._files.write(name, data)
        except FilesError as error:
            raise fail("storage-failed", reason=error.what) from error


def import_job(storage: DeviceStorage, kind: str, what: FromFile) -> dict[str, object]:
    """The job that reads a file of storage; AgentError `file-unreadable`, `file-too-large`."""
    data = storage.read(what.file)
    if len(data) > limits.IMPORT_BYTES:
        raise fail("file-too-large", name=what.file, cap=limits.IMPORT_BYTES)
    return {
        "op": "import",
        "kind": kind,
        "format": what.format,
        "data": data,
        "password": what.password,
    }
