"""A serial line made of two ptys, with a pump between them: what a null-modem cable is to boards.

    user -- DIR/serial -> /dev/pts/N  [master]  pump  [master]  /dev/pts/M -- agent (PyserialPort)

Fault model: either end may be opened, closed and opened again at any time, may stop reading, or go
away with bytes under way. Promised, as from a UART: an end that is not open loses what is sent
to it, and its next opener sees nothing old; an end that is open and reads slowly loses nothing,
the other one waits; nothing blocks, nothing spins.

With a rate it is a slow line: ten bit times for each byte (start, 8 bits, stop), in pieces of some
milliseconds, never faster. With XON/XOFF it is a line whose driver honours them: DC3 of the user
holds the agent's output back until DC1, and the agent sees neither, as with IXON in termios(3).

A pty master whose other side is closed reports a hang-up for ever, so it is not watched then: a
timer looks every 50 ms whether somebody has opened it. Bytes written meanwhile are kept by the
kernel.
"""

from __future__ import annotations

import os
import select
import stat
import termios
import tty
from collections.abc import Callable

from hal.files import converted, remove_quietly
from hal.folder import beside
from hal.ports import Reactor, SerialError, Timer

LOOK_NS = 50_000_000
SECOND_NS = 1_000_000_000
_CHUNK_BYTES = 4096  # the kernel hands out at most a page at a time
_PIECE_NS = 10_000_000  # how long a piece of a slow line takes
_BITS = 10  # of a byte on the line
_XON, _XOFF = 0x11, 0x13


class _End:
    """One pty: its master, the path of its slave, and bytes on their way to whoever opens that."""

    __slots__ = ("fd", "is_open", "is_stopped", "path", "pending", "timer")

    def __init__(self) -> None:
        self.fd, slave = os.openpty()
        self.path = os.ttyname(slave)
        os.close(slave)
        os.set_blocking(self.fd, False)
        self.is_open = False
        self.is_stopped = False  # by XOFF
        self.pending = b""
        self.timer: Timer | None = None  # of the next piece
        self.clean()

    def clean(self) -> None:
        """Raw, and empty: nothing that the last one set or left unread is for the next one."""
        slave = os.open(self.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            termios.tcflush(self.fd, termios.TCOFLUSH)  # what the kernel holds back for the slave
            tty.setraw(slave)  # with TCSAFLUSH: what it has; raw lasts as long as the master
        finally:
            os.close(slave)

    def read(self, piece_bytes: int) -> bytes | None:
        """What has come; b"" for nothing, None when nobody has it open and all is read."""
        try:
            return os.read(self.fd, piece_bytes) or None
        except BlockingIOError:
            return b""
        except OSError:  # EIO: the other side is closed
            return None

    def flow(self, data: bytes) -> bytes:
        """Takes XON and XOFF out of what this end sends; the last one counts."""
        on, off = data.rfind(_XON), data.rfind(_XOFF)
        if on != off:
            self.is_stopped = off > on
        return data.translate(None, bytes((_XON, _XOFF)))

    def write(self) -> None:
        """Sends what is pending, as far as there is room; lost when nobody has it open."""
        if self._hung_up():
            self.closed()
            return
        self.is_open = True
        try:
            self.pending = self.pending[os.write(self.fd, self.pending) :]
        except BlockingIOError:
            pass  # it stays pending

    def closed(self) -> None:
        """Nobody has it open any more, if somebody had."""
        self.pending = b""
        self.is_stopped = False
        if self.is_open:
            self.is_open = False
            try:
                self.clean()
            except OSError:
                pass  # no descriptor is left; then the next one sees what the last one saw

    def _hung_up(self) -> bool:
        poll = select.poll()
        poll.register(self.fd, 0)
        return bool(poll.poll(0))


class SerialPump:
    """The two ptys and the pump; the agent opens `agent_path`, the user a link to the other tty.

    baud: bits a second, 0 for as fast as it goes. Raises SerialError when there are no ptys left,
    or when something else stands at the link.
    """

    __slots__ = (
        "_agent",
        "_is_closed",
        "_link",
        "_piece_bytes",
        "_piece_ns",
        "_reactor",
        "_timer",
        "_user",
        "_xonxoff",
    )

    def __init__(self, link: str, reactor: Reactor, baud: int = 0, xonxoff: bool = False) -> None:
        self._link, self._reactor, self._xonxoff = link, reactor, xonxoff
        byte_ns = -(-_BITS * SECOND_NS // baud) if baud else 0
        self._piece_ns = max(_PIECE_NS, byte_ns) if baud else 0
        self._piece_bytes = baud * self._piece_ns // (_BITS * SECOND_NS) or _CHUNK_BYTES
        self._is_closed = False
        self._timer: Timer | None = None
        with converted(SerialError, link), beside(link) as (folder, name):
            if not _is_free(name, folder):
                raise SerialError("there is something that is not a link", link)
            self._user, self._agent = _End(), _End()
            _point(name, folder, self._user.path)
        self._arm()

    @property
    def agent_path(self) -> str:
        """The tty that the agent opens."""
        return self._agent.path

    def close(self) -> None:
        """Cuts the line; both ends see a hang-up."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        for end in (self._user, self._agent):
            if end.timer is not None:
                end.timer.cancel()
            self._reactor.unwatch(end.fd)
            os.close(end.fd)
        try:
            with beside(self._link) as (folder, name):
                if os.readlink(name, dir_fd=folder) == self._user.path:
                    os.unlink(name, dir_fd=folder)
        except OSError:
            pass  # it is gone, or it is not ours any more

    def _pairs(self) -> tuple[tuple[_End, _End], tuple[_End, _End]]:
        return (self._user, self._agent), (self._agent, self._user)

    def _arm(self) -> None:
        """Watches each end for what it can be used for now. No interest is no watch: a hang-up
        would be reported all the time."""
        for end, other in self._pairs():
            on_read = None if other.pending else self._reader(end, other)
            on_write = None
            if end.pending and not end.is_stopped:
                on_write = self._writer(end)
                if self._piece_ns:
                    end.timer = end.timer or self._reactor.after(self._piece_ns, on_write)
                    on_write = None
            if end.is_open and (on_read or on_write):
                self._reactor.watch(end.fd, on_read, on_write)
            else:
                self._reactor.unwatch(end.fd)
        if self._timer is None and not (self._user.is_open and self._agent.is_open):
            self._timer = self._reactor.after(LOOK_NS, self._look)

    def _reader(self, end: _End, other: _End) -> Callable[[], None]:
        def on_read() -> None:
            if not self._is_closed:
                self._carry(end, other)
                self._arm()

        return on_read

    def _writer(self, end: _End) -> Callable[[], None]:
        def on_write() -> None:
            end.timer = None
            if not (self._is_closed or end.is_stopped):
                end.write()
                self._arm()

        return on_write

    def _carry(self, end: _End, other: _End) -> None:
        """Takes one piece from an end to the other one, or notices that the end was closed."""
        data = end.read(self._piece_bytes)
        if data is None:
            end.closed()
            return
        end.is_open = True
        if self._xonxoff and end is self._user:
            data = end.flow(data)
        if data:
            other.pending += data
            if not (self._piece_ns or other.is_stopped):
                other.write()

    def _look(self) -> None:
        """Has somebody opened an end that was closed?"""
        self._timer = None
        for end, other in self._pairs():
            if not end.is_open:
                self._carry(end, other)
        self._arm()


def _is_free(name: str, folder: int) -> bool:
    """Whether a link can be made there: nothing stands there, or a link."""
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return True


def _point(name: str, folder: int, path: str) -> None:
    """Makes the link, or turns a stale one, in one step. Raises OSError."""
    temporary = name + ".new"
    if _is_free(temporary, folder):
        remove_quietly(temporary, folder)
    os.symlink(path, temporary, dir_fd=folder)
    os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
