"""Flash on a preallocated file: the part of a board whose storage is a file system.

Fault model. The file is preallocated and written in place, so a commit costs one cache flush and
needs nothing of the file system but that `fdatasync` returns after the data is stored. Until then
every write may be there, missing, or there in part. A first start may be cut: the file gets its
name only when it is whole and synced. A second agent on the same file would be fatal: the file is
locked. What an agent that was killed left in the page cache is synced when the part is opened,
so that nothing is read that a power failure could still take back. The file lies in a folder that
only root and we can change (`hal.folder`) and belongs to root or to us; a new one is never written
into a file that has another name too.
"""

from __future__ import annotations

import fcntl
import os

from hal.files import converted
from hal.folder import ForeignError, beside, check_owner
from hal.ports import Flash, FlashError, InUseError

ERASED = b"\xff"
_CREATE = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW  # never through somebody's link
_FEWEST_BLOCKS = 2  # of a file of another size: with less, it is the rest of one
_FILL_BYTES = 64 * 1024  # written at once when a new part is made


def check_range(flash: Flash, offset: int, length: int, unit: int = 1) -> None:
    """Raises FlashError unless the range lies within the part and on multiples of `unit`."""
    size = flash.block_size * flash.block_count
    if offset < 0 or length < 0 or offset + length > size:
        raise FlashError(f"{length} bytes at {offset} are outside the part of {size}")
    if offset % unit or length % unit:
        raise FlashError(f"{length} bytes at {offset} are not on multiples of {unit}")


def is_blank(data: bytes) -> bool:
    """Whether flash that reads like this is erased."""
    return not data.strip(ERASED)


class FileFlash:
    """`hal.ports.Flash` on a file, which is made (mode 0600, all erased) when it is missing.

    `block_count` is for a new one. A file that is there has as many blocks as it has, since what
    the board file says of its size must neither cut off what is stored nor add to it.
    `refit`: a file of another size gets the size of this part; for one that is to be erased.
    """

    can_have_bad_blocks = False  # the file system stands for them

    def __init__(
        self,
        path: str,
        block_size: int,
        block_count: int,
        program_size: int = 1,
        refit: bool = False,
    ) -> None:
        self.block_size, self.block_count = block_size, block_count
        self.program_size, self._refit = program_size, refit
        self._path, self._fd = path, -1
        try:
            with converted(FlashError, path), beside(path) as (folder, name):
                self._open(name, folder, block_size * block_count)
        except FlashError:
            self.close()
            raise

    def read(self, offset: int, length: int) -> bytes:
        """The bytes of a range."""
        check_range(self, offset, length)
        with converted(FlashError, self._path):
            data = os.pread(self._file(), length, offset)
            while len(data) < length:
                part = os.pread(self._file(), length - len(data), offset + len(data))
                if not part:
                    raise FlashError("the file became shorter", self._path)
                data += part
        return data

    def program(self, offset: int, data: bytes) -> None:
        """Writes to erased bytes; refuses a range that is not erased, as NOR cannot set bits."""
        check_range(self, offset, len(data), self.program_size)
        if not is_blank(self.read(offset, len(data))):
            raise FlashError(f"{len(data)} bytes at {offset} are not erased", self._path)
        with converted(FlashError, self._path):
            _write_all(self._file(), offset, data)

    def erase(self, block: int) -> None:
        """Sets one block to 0xFF."""
        check_range(self, block * self.block_size, self.block_size)
        with converted(FlashError, self._path):
            _write_all(self._file(), block * self.block_size, ERASED * self.block_size)

    def sync(self) -> None:
        """Returns when everything before is stored; after an error, nothing is known about it."""
        with converted(FlashError, self._path):
            os.fdatasync(self._file())

    def close(self) -> None:
        """Gives up the part and its lock; may be called twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _file(self) -> int:
        if self._fd < 0:
            raise FlashError("closed", self._path)
        return self._fd

    def _open(self, name: str, folder: int, size: int) -> None:
        try:
            self._fd = os.open(name, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=folder)
            check_owner(self._fd)
            self._lock()
        except FileNotFoundError:
            self._create(name, folder, size)
        if self._refit:
            os.ftruncate(self._fd, size)
        found = os.fstat(self._fd).st_size
        self.block_count = found // self.block_size
        if self.block_count < min(_FEWEST_BLOCKS, size // self.block_size):
            raise FlashError(f"the file has {found} bytes, {size} are configured", self._path)
        os.fdatasync(self._fd)

    def _create(self, name: str, folder: int, size: int) -> None:
        """Makes the file under another name; the lock on it decides between two first starts."""
        temporary = name + ".new"
        self._fd = os.open(temporary, _CREATE, 0o600, dir_fd=folder)
        _check_alone(self._fd)
        self._lock()
        if name in os.listdir(folder):  # another agent was faster and has renamed its own
            os.unlink(temporary, dir_fd=folder)
            raise self._in_use()
        try:
            os.ftruncate(self._fd, 0)
            for offset in range(0, size, _FILL_BYTES):
                _write_all(self._fd, offset, ERASED * min(_FILL_BYTES, size - offset))
            os.fsync(self._fd)
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            os.unlink(temporary, dir_fd=folder)  # a disk that is full should not be full of this
            raise
        os.fsync(folder)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise self._in_use() from None

    def _in_use(self) -> InUseError:
        return InUseError("in use by another agent", self._path)


def _check_alone(fd: int) -> None:
    """What is about to be emptied is ours and bears no other name (a hard link)."""
    check_owner(fd)
    if os.fstat(fd).st_nlink > 1:
        raise ForeignError("the file has another name too")


def _write_all(fd: int, offset: int, data: bytes) -> None:
    """`pwrite` may take less than it was given; only the sum counts."""
    written = 0
    while written < len(data):
        written += os.pwrite(fd, memoryview(data)[written:], offset + written)
