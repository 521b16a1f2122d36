"""Device storage (one folder of small files), the device key, and the few plain reads.

Fault model. Power may fail at any system call; a name may come from a command line; another
user of the system may have put a symbolic link or a pipe where a file should be; a file may be of
any size. Promised: a name never leaves the folder, which only root and we can change
(`hal.folder`); after a power cut a file holds its old or its new content, complete, and a write
that returned is durable; nothing is read beyond its cap; links, pipes and devices in the folder are
refused. A hidden `.new` left by a cut is removed at the start.

POSIX: `rename` is atomic for readers; durable are content and name only after `fsync` of the file
before it and of the folder after it.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager

from hal.chance import LinuxChance
from hal.folder import ForeignError, beside, opened
from hal.ports import DeviceKeyError, FilesError, FileStat, HalError

FILE_BYTES = 1024 * 1024  # a certificate file is below 32 kB
NAME_BYTES = 255  # what Linux file systems take: a realm name of 64 characters and `_local.cer`
DEVICE_KEY_BYTES = 32  # AES-256

_FORBIDDEN = frozenset(" /\\\"'")  # paths, and what a shell would trip over
_TEMPORARY = ".new"
_CHUNK_BYTES = 64 * 1024
_NOTHING_TO_SYNC = (errno.EINVAL, errno.EROFS)  # what a read-only file system says to fsync


class converted:  # noqa: N801
    """The border to the operating system: an `OSError` inside leaves as an error of the port."""

    __slots__ = ("_family", "_where")

    def __init__(self, family: type[HalError], where: str) -> None:
        self._family, self._where = family, where

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, OSError):
            what = os.strerror(error.errno) if error.errno else str(error)
            raise self._family(what, self._where) from error


def usable_name(name: str) -> bool:
    """Whether it is one visible path component of printable characters: what a realm may be named,
    and an ending."""
    good = name.isprintable() and _FORBIDDEN.isdisjoint(name)
    return good and not name.startswith(".") and 0 < len(name.encode()) <= NAME_BYTES


def check_name(name: str, family: type[HalError] = FilesError) -> str:
    """The name itself when it is usable; else an error of the given family."""
    if not usable_name(name):
        raise family("not a file name: 1 to 255 bytes, no /, no leading dot", ascii(name[:80]))
    return name


def write_all(fd: int, data: bytes) -> None:
    """Writes every byte to a blocking descriptor; `os.write` may take less. Raises OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def read_capped(fd: int, max_bytes: int) -> bytes:
    """Reads to the end of the file; one byte beyond the cap is EFBIG. Raises OSError."""
    pieces, left = [], max_bytes + 1
    while left and (piece := os.read(fd, min(left, _CHUNK_BYTES))):
        pieces.append(piece)
        left -= len(piece)
    if not left:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return b"".join(pieces)


def read_regular(name: str, folder: int, max_bytes: int = FILE_BYTES) -> bytes:
    """Reads a regular file of an open folder, never through a symbolic link. Raises OSError."""
    # Without O_NONBLOCK a pipe that somebody put here would stop the whole agent in open().
    fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return read_capped(fd, max_bytes)
    finally:
        os.close(fd)


def replace_file(name: str, folder: int, data: bytes) -> None:
    """Gives a file of an open folder new content (mode 0600), atomic and durable. Raises OSError.

    What stood at the name is replaced, never written through: a link, or another name of a file.
    """
    remove_quietly(_TEMPORARY, folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    fd = os.open(_TEMPORARY, flags, 0o600, dir_fd=folder)
    try:
        try:
            write_all(fd, data)
            os.fsync(fd)
        finally:
            os.close(fd)
        os.rename(_TEMPORARY, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        remove_quietly(_TEMPORARY, folder)
        raise
    os.fsync(folder)


def remove_quietly(name: str, folder: int) -> None:
    """Removes a file of an open folder if it is there. Raises OSError for every other reason."""
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        pass


UTF_8_MARK = b"\xef\xbb\xbf"  # U+FEFF, the byte order mark (Unicode 23.8)
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_text(path: str, max_bytes: int) -> str:
    """Reads a text that the operator named: any path, links and pipes too, up to a cap.

    Raises FilesError.
    """
    with converted(FilesError, path):
        fd = os.open(path, os.O_RDONLY)
        try:
            data = read_capped(fd, max_bytes)
        finally:
            os.close(fd)
    return text_of(data, path)


def text_of(data: bytes, name: str) -> str:
    """UTF-8, or UTF-16 as editors of Windows write it; a byte order mark in front goes.

    Raises FilesError.
    """
    kind = "utf-16" if data.startswith(UTF_16) else "utf-8"
    try:
        return data.removeprefix(UTF_8_MARK).decode(kind)
    except UnicodeDecodeError as error:
        raise FilesError(f"not {kind.upper()} text (byte {error.start})", name) from error


def open_device_key(path: str, make: bool) -> tuple[int, bool]:
    """A read-only, close-on-exec descriptor of the device key, and whether there is one behind it.

    A key that is missing is made if `make`: 32 random bytes, mode 0600, synced together with its
    folder before this returns. If not, the descriptor is that of an empty file. An existing key's
    content is never read here: jobs read it from the descriptor. Raises DeviceKeyError when the
    file is not a private key file of that size.
    """
    with converted(DeviceKeyError, path), beside(path) as (folder, name):
        try:
            fd = _open_or_make_key(name, folder, make)
        except FileNotFoundError:
            return open_no_key()
        try:
            _check_device_key(os.fstat(fd), path)
            _sync_device_key(fd, folder)
        except (OSError, FilesError):
            os.close(fd)
            raise
    return fd, True


def open_no_key() -> tuple[int, bool]:
    """The same where there is none."""
    return os.open(os.devnull, os.O_RDONLY), False


def _open_or_make_key(name: str, folder: int, make: bool) -> int:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        return os.open(name, flags, dir_fd=folder)
    except FileNotFoundError:
        if not make:
            raise
        replace_file(name, folder, LinuxChance().draw(DEVICE_KEY_BYTES))
        return os.open(name, flags, dir_fd=folder)


def _check_device_key(found: os.stat_result, path: str) -> None:
    if not stat.S_ISREG(found.st_mode) or found.st_size != DEVICE_KEY_BYTES:
        what = f"not a device key: a file of {DEVICE_KEY_BYTES} bytes is expected"
        raise DeviceKeyError(what, path)
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise DeviceKeyError("others may read the device key: chmod 0600 it", path)
    if found.st_uid not in (0, os.geteuid()):
        raise DeviceKeyError("the device key belongs to another user", path)


def _sync_device_key(fd: int, folder: int) -> None:
    """A process that died between rename and sync left a key which a power cut would take away."""
    try:
        os.fsync(fd)
        os.fsync(folder)
    except OSError as error:
        if error.errno not in _NOTHING_TO_SYNC:
            raise


class FolderFiles:
    """Device storage in a folder, made (0700) when missing. See `hal.ports.Files`.

    Files are 0600 and at most 1 MiB. `remove` of a file that is not there does nothing. Every
    failure is a FilesError. Somebody may remove the folder meanwhile; a write makes it again.
    `tell` hears why it cannot be used now, unless others could put something in the agent's way;
    without it that is an error.
    """

    __slots__ = ("_path",)

    def __init__(self, path: str, tell: Callable[[str], None] | None = None) -> None:
        self._path = path
        try:
            with converted(FilesError, path), self._made() as folder:
                remove_quietly(_TEMPORARY, folder)
        except FilesError as error:
            if tell is None or isinstance(error.__cause__, ForeignError):
                raise
            tell(str(error))

    def read(self, name: str) -> bytes:
        check_name(name)
        with converted(FilesError, name), opened(self._path) as folder:
            return read_regular(name, folder)

    def write(self, name: str, data: bytes) -> None:
        check_name(name)
        if len(data) > FILE_BYTES:
            raise FilesError(f"longer than {FILE_BYTES} bytes", name)
        with converted(FilesError, name), self._made() as folder:
            replace_file(name, folder, data)

    def remove(self, name: str) -> None:
        check_name(name)
        with converted(FilesError, name), opened(self._path) as folder:
            remove_quietly(name, folder)
            os.fsync(folder)

    def names(self) -> list[str]:
        """The regular files whose names this port can use, sorted."""
        with (
            converted(FilesError, self._path),
            self._made() as folder,
            os.scandir(folder) as entries,
        ):
            return sorted(
                entry.name
                for entry in entries
                if usable_name(entry.name) and entry.is_file(follow_symlinks=False)
            )

    def stat(self, name: str) -> FileStat:
        check_name(name)
        with converted(FilesError, name), opened(self._path) as folder:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        return FileStat(found.st_size, int(found.st_mtime))

    def _made(self) -> AbstractContextManager[int]:
        return opened(self._path, 0o700)
