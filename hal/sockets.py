"""Unix stream sockets of this machine: the console's, at a path of any length.

Fault model: a killed agent leaves its socket file behind; another agent may be alive on it; the
file may be something else altogether; the kernel takes 107 bytes of path (unix(7)). Promised: the
socket is made in a folder that only root and we can change (`hal.folder`); a file is removed only
when it is a socket of root or ours that nobody answers on; nobody can connect before group and mode
are set; a long path works by way of a descriptor of its folder.

A process that has no descriptor left cannot even say so: whoever connects waits in the queue of the
kernel. `Spare` keeps one back to say it with.

Errors are LinkError: kind `refused` when nobody listens, `other` for the rest.
"""

from __future__ import annotations

import os
import socket
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from hal.folder import beside, check_owner
from hal.named import NamedTuple
from hal.ports import LinkError

_PATH_BYTES = 107  # sun_path without its closing zero
_WAITING = 16  # connections that wait between two turns of the event loop
_ANSWER_S = 2
_SO_PEERGROUPS = 59  # Linux 4.13, asm-generic/socket.h; not in the socket module
_GROUPS_BYTES = 1024  # getsockopt of Python takes no more; a user with 256 groups is an error
_CREDENTIALS = struct.Struct("=iII")  # struct ucred


class Credentials(NamedTuple):
    """Who is at the other end of a unix socket, as the kernel vouches for it."""

    pid: int
    uid: int
    groups: tuple[int, ...]  # the primary one first, then the supplementary ones


def listen_unix(path: str, mode: int = 0o660, gid: int | None = None) -> socket.socket:
    """A non-blocking listening socket at the path, with that mode and group. Raises LinkError."""
    with _converted(path), beside(path) as (folder, name):
        address = _address(folder, name)
        _remove_stale(folder, name, address)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            _bind_private(sock, address)
            _give(folder, name, mode, gid)
            sock.listen(_WAITING)
            sock.setblocking(False)
        except OSError:
            sock.close()
            raise
    return sock


def remove_socket(path: str) -> None:
    """Takes away the socket file of a listener that has ended, if it is still there and ours."""
    try:
        with beside(path) as (folder, name):
            if stat.S_ISSOCK(_kind(folder, name)):
                os.unlink(name, dir_fd=folder)
    except OSError:
        pass  # the next start looks again


def connect_unix(path: str) -> socket.socket:
    """A blocking connection to whoever listens at the path. Raises LinkError."""
    with _converted(path):
        try:
            with _short(path) as address:
                return _connect(address)
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise LinkError("refused", "nobody listens here", path) from error


def peer_credentials(sock: socket.socket) -> Credentials:
    """The process at the other end, as it was when it connected. Raises LinkError."""
    try:
        raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        more = sock.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _GROUPS_BYTES)
    except OSError as error:
        raise LinkError("other", f"the peer is unknown: {error.strerror}") from error
    pid, uid, gid = _CREDENTIALS.unpack(raw)
    return Credentials(pid, uid, (gid, *(number for (number,) in struct.iter_unpack("=I", more))))


class Spare:
    """A descriptor that is given up for a moment, where a connection finds no other one free.

    Fault model: the whole system has none left, and another process is faster. Promised: the
    connection waits on in the queue, and the spare is taken back once one is free.
    """

    def __init__(self) -> None:
        self._fd = -1
        self.refill()

    def refill(self) -> None:
        """Takes the descriptor, unless it is held or there is none."""
        if self._fd < 0:
            try:
                self._fd = os.eventfd(0)
            except OSError:
                return

    def close(self) -> None:
        """Gives the descriptor up."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    @contextmanager
    def accepted(self, listener: socket.socket) -> Iterator[socket.socket | None]:
        """A connection in the place of the spare, closed at the end; None: not even so."""
        self.close()
        try:
            sock = listener.accept()[0]
        except OSError:
            sock = None
        try:
            yield sock
        finally:
            if sock is not None:
                sock.close()
            self.refill()


@contextmanager
def _converted(path: str) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise LinkError("timeout", "the listener does not answer", path) from error
    except OSError as error:
        raise LinkError("other", error.strerror or str(error), path) from error


@contextmanager
def _short(path: str) -> Iterator[str]:
    """A spelling of the path that fits into sun_path, valid inside the context."""
    if len(os.fsencode(path)) <= _PATH_BYTES:
        yield path
        return
    folder, name = os.path.split(path)
    fd = os.open(folder or ".", os.O_PATH | os.O_DIRECTORY)
    try:
        yield _address(fd, name)
    finally:
        os.close(fd)


def _address(folder: int, name: str) -> str:
    """A spelling of a name in an open folder that fits into sun_path."""
    short = f"/proc/self/fd/{folder}/{name}"
    if len(os.fsencode(short)) > _PATH_BYTES:
        raise OSError("the name of the socket file is too long")
    return short


def _bind_private(sock: socket.socket, address: str) -> None:
    """Binds so that nobody else may connect yet: the mode of the file is all that guards it."""
    before = os.umask(0o177)
    try:
        sock.bind(address)
    finally:
        os.umask(before)


def _give(folder: int, name: str, mode: int, gid: int | None) -> None:
    """Sets group and mode of the socket file itself, whatever its name leads to by then."""
    fd = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=folder)
    try:
        os.chown(f"/proc/self/fd/{fd}", -1, -1 if gid is None else gid)
        os.chmod(f"/proc/self/fd/{fd}", mode)
    finally:
        os.close(fd)


def _connect(address: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(_ANSWER_S)  # a listener whose queue is full would hold us for ever
        sock.connect(address)
        sock.settimeout(None)
    except OSError:
        sock.close()
        raise
    return sock


def _kind(folder: int, name: str) -> int:
    """The type and mode of what stands there, 0 for nothing; of somebody else: ForeignError."""
    try:
        fd = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=folder)
    except FileNotFoundError:
        return 0
    try:
        check_owner(fd)
        return os.fstat(fd).st_mode
    finally:
        os.close(fd)


def _remove_stale(folder: int, name: str, address: str) -> None:
    kind = _kind(folder, name)
    if not kind:
        return
    if not stat.S_ISSOCK(kind):
        raise OSError("there is something that is not a socket")
    try:
        _connect(address).close()
    except ConnectionRefusedError:
        os.unlink(name, dir_fd=folder)
        return
    raise OSError("another agent answers here")
