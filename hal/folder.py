"""Folders that only root and the agent's own user can change, opened by descriptor.

Fault model. Somebody else may own or may write a folder on a path, now or between two calls. He
may put links and pipes there, or exchange one folder for another. An agent of root that believes
such a path follows his links, changes modes and deletes files in his name. Promised: each name of
a path is looked up below the descriptor of the folder before it. Every folder on the way belongs to
root or to our user, and nobody else can rename anything in it. The last name is a folder and no
link, and nobody else may write in it. What `*at` calls then do with its descriptor is done there or
nowhere. Where one of these conditions fails, nothing is touched: ForeignError.

Each operation walks anew and keeps nothing open (some 50 us): a folder that a person has removed,
or has put back from a copy, is found; one that somebody has put into its place is refused.

A folder that everybody may write may lie on the way when it is sticky (/tmp): there nobody renames
what is ours (unlink(2)). A link on the way counts when it belongs to root or to us (/var/run).

Out of the model: root itself, another program of our user, a mount over the folder.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

PARENT_MODE = 0o755  # of the folders above, which guard nothing by their mode

_PASS = os.O_PATH | os.O_NOFOLLOW  # needs no right to read what lies on the way
_ENTER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_LINKS = 40  # as many as the kernel follows (path_resolution(7))


class ForeignError(OSError):
    """Somebody else owns it or may change it. Its text says what and who."""


@contextmanager
def opened(path: str, mode: int | None = None) -> Iterator[int]:
    """A descriptor of the folder at the path, for `*at` calls and `fsync`. Raises OSError.

    With a mode, a missing folder is made with exactly that one, and its parents with 0755.
    """
    walk = _Walk(path, mode is not None)
    try:
        name = walk.last()
        fd = open_below(walk.at, name, mode)
    finally:
        walk.close()
    try:
        _check_writers(fd)
        yield fd
    finally:
        os.close(fd)


@contextmanager
def beside(path: str, mode: int | None = None) -> Iterator[tuple[int, str]]:
    """The folder of a file, as `opened` gives it, and the file's name in it. Raises OSError."""
    folder, name = os.path.split(path)
    with opened(folder, mode) as fd:
        yield fd, name


@contextmanager
def below(at: int, name: str) -> Iterator[int]:
    """The same for a folder right below an open one; who may write in it is not looked at."""
    fd = open_below(at, name)
    try:
        yield fd
    finally:
        os.close(fd)


def open_below(at: int, name: str, mode: int | None = None) -> int:
    """A descriptor of a folder of ours below an open one; the caller closes it. Raises OSError.

    With a mode, a missing one is made with exactly that, whatever the umask of a service says.
    """
    if mode is not None:
        _make(at, name, mode)
    try:
        fd = os.open(name, _ENTER, dir_fd=at)
    except NotADirectoryError as error:
        raise _no_folder(at, name) from error
    try:
        check_owner(fd)
    except OSError:
        os.close(fd)
        raise
    return fd


def check_owner(fd: int) -> os.stat_result:
    """What is open, when it belongs to root or to our user; else ForeignError."""
    found = os.fstat(fd)
    if found.st_uid not in (0, os.geteuid()):
        raise ForeignError(f"{place(fd)} belongs to user {found.st_uid}")
    return found


def place(fd: int) -> str:
    """Where something open lies, for people."""
    return os.readlink(f"/proc/self/fd/{fd}")


class _Walk:
    """From the root of the file system to the folder that holds the last name of a path."""

    __slots__ = ("_left", "_links", "_makes", "at")

    def __init__(self, path: str, makes: bool) -> None:
        whole = path if path.startswith("/") else os.path.join(os.getcwd(), path)
        self._left = _parts(whole) or ["."]  # the next name stands last
        self._makes, self._links = makes, 0
        self.at = os.open("/", _PASS)  # where the walk has come to

    def close(self) -> None:
        os.close(self.at)

    def last(self) -> str:
        """Goes on until one name is left, and gives that."""
        _check_passage(self.at, check_owner(self.at))
        while len(self._left) > 1:
            self._step(self._left.pop())
        return self._left[0]

    def _step(self, name: str) -> None:
        """Goes to the next folder, or puts in what a link stands for."""
        if self._makes:
            _make(self.at, name, PARENT_MODE)
        fd = os.open(name, _PASS, dir_fd=self.at)
        try:
            found = check_owner(fd)
            if stat.S_ISLNK(found.st_mode):
                self._follow(os.readlink("", dir_fd=fd))
            elif stat.S_ISDIR(found.st_mode):
                _check_passage(fd, found)
                fd, self.at = self.at, fd
            else:
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        finally:
            os.close(fd)

    def _follow(self, target: str) -> None:
        self._links += 1
        if self._links > _LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        self._left += _parts(target)
        if target.startswith("/"):
            before, self.at = self.at, os.open("/", _PASS)
            os.close(before)


def _parts(path: str) -> list[str]:
    """The names of a path, the first one last."""
    return [name for name in reversed(path.split("/")) if name not in ("", ".")]


def _make(at: int, name: str, mode: int) -> None:
    """Makes a folder of ours, which nobody else can enter before, unless something is there."""
    try:
        os.mkdir(name, 0o700, dir_fd=at)
    except FileExistsError:
        return
    fd = os.open(name, _ENTER, dir_fd=at)
    try:
        check_owner(fd)
        os.fchmod(fd, mode)
    finally:
        os.close(fd)


def _check_passage(fd: int, found: os.stat_result) -> None:
    """Raises ForeignError when somebody else can rename what lies in the folder."""
    writers = found.st_mode & 0o022
    if found.st_gid == found.st_uid != 0:
        writers &= ~0o020  # the private group of a user (umask 002) is the user
    if writers and not found.st_mode & stat.S_ISVTX:
        raise _writable(fd, found)


def _check_writers(fd: int) -> None:
    found = os.fstat(fd)
    if found.st_mode & 0o022:
        raise _writable(fd, found)


def _writable(fd: int, found: os.stat_result) -> ForeignError:
    mode = stat.S_IMODE(found.st_mode)
    return ForeignError(f"{place(fd)} is writable for others (mode {mode:04o})")


def _no_folder(at: int, name: str) -> OSError:
    """Why a name cannot be entered; a link says so, because the kernel's words do not."""
    if stat.S_ISLNK(os.stat(name, dir_fd=at, follow_symlinks=False).st_mode):
        return ForeignError(f"{place(at)}/{name} is a link; the folder itself must be named")
    return NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
