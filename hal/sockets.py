"""Unix stream sockets of this machine: the console's, at a path of any length.

Fault model: a killed agent leaves its socket file behind; another agent may be alive on it; the
file may be something else altogether; the kernel takes 107 bytes of path (unix(7)). Promised: a
file is removed only when it is a socket that nobody answers on; nobody can connect before group
and mode are set; a long path works by way of a descriptor of its folder.

A process that has no descriptor left cannot even say so: whoever connects waits in the queue of the
kernel. `Spare` keeps one back to say it with.

Errors are LinkError: kind `refused` when nobody listens, `other` for the rest.
"""

import os
import socket
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

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
    with _converted(path):
        _remove_stale(path)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with _short(path) as address:
                _bind_private(sock, address)
            os.chown(path, -1, -1 if gid is None else gid)
            os.chmod(path, mode)
            sock.listen(_WAITING)
            sock.setblocking(False)
        except OSError:
            sock.close()
            raise
    return sock


def connect_unix(path: str) -> socket.socket:
    """A blocking connection to whoever listens at the path. Raises LinkError."""
    with _converted(path):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(_ANSWER_S)  # a listener whose queue is full would hold us for ever
            with _short(path) as address:
                sock.connect(address)
            sock.settimeout(None)
        except (FileNotFoundError, ConnectionRefusedError) as error:
            sock.close()
            raise LinkError("refused", "nobody listens here", path) from error
        except OSError:
            sock.close()
            raise
    return sock


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
        short = f"/proc/self/fd/{fd}/{name}"
        if len(os.fsencode(short)) > _PATH_BYTES:
            raise LinkError("other", "the name of the socket file is too long", path)
        yield short
    finally:
        os.close(fd)


def _bind_private(sock: socket.socket, address: str) -> None:
    """Binds so that nobody else may connect yet: the mode of the file is all that guards it."""
    before = os.umask(0o177)
    try:
        sock.bind(address)
    finally:
        os.umask(before)


def _remove_stale(path: str) -> None:
    if not os.path.lexists(path):
        return
    if not stat.S_ISSOCK(os.lstat(path).st_mode):
        raise LinkError("other", "there is something that is not a socket", path)
    try:
        connect_unix(path).close()
    except LinkError as error:
        if error.kind != "refused":
            raise
        os.unlink(path)
        return
    raise LinkError("other", "another agent answers here", path)
