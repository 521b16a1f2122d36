"""Byte streams on the event loop: sockets and serial lines alike, output buffered, never blocking.

Fault model: the other end stops reading, sends without end, or is gone at any byte. Promised: what
is buffered is bounded, `on_end` is called exactly once, nothing is called after it.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from agent import limits
from agent.doors.naws import Reader
from agent.loop import Loop
from hal.ports import SerialError, SerialPort
from hal.protocol import Protocol

ROOM_BYTES = 16 * 1024  # a display waits when so much is unsent: a screenful on a slow line
TURN_BYTES = 4 * 1024  # of a display, before other sessions have their turn: about 1 ms of work
READ_BYTES = 4096  # in one turn: each byte of a terminal may be a key that is worth some work


class Stream(Protocol):
    """What sockets and serial ports have in common here; neither call blocks."""

    def fileno(self) -> int: ...
    def read(self) -> bytes | None: ...  # None: nothing there; b"": the end
    def write(self, data: bytes) -> int: ...  # raises OSError or SerialError when it is gone
    def discard(self) -> None: ...  # what was written and has not left yet, as far as possible
    @property
    def linger_ns(self) -> int: ...  # how long the last words need once they are written
    def close(self) -> None: ...


class SocketStream:
    """A connected stream socket as a `Stream`."""

    linger_ns = 0

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock

    def fileno(self) -> int:
        return self._sock.fileno()

    def read(self) -> bytes | None:
        try:
            return self._sock.recv(READ_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def write(self, data: bytes) -> int:
        try:
            return self._sock.send(data)
        except BlockingIOError:
            return 0

    def discard(self) -> None:
        """What a socket has taken cannot be taken back."""

    def close(self) -> None:
        self._sock.close()


class WindowStream(SocketStream):
    """The same with a terminal behind it, whose size is told between what is typed."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self._reader = Reader()
        self.resized: Callable[[int, int], None] = lambda _columns, _rows: None

    def read(self) -> bytes | None:
        data = super().read()
        if not data:
            return data
        text, size = self._reader.feed(data)
        if size:
            self.resized(*size)
        return text or None


class SerialStream:
    """A serial line as a `Stream`: a line that is gone reads as the end."""

    linger_ns = 500_000_000  # closing it drops what the tty holds: 480 bytes go out at 9600 baud

    def __init__(self, port: SerialPort) -> None:
        self._port = port

    def fileno(self) -> int:
        return self._port.fileno()

    def read(self) -> bytes | None:
        try:
            return self._port.read() or None
        except SerialError:
            return b""

    def write(self, data: bytes) -> int:
        return self._port.write(data)

    def discard(self) -> None:
        self._port.discard()

    def close(self) -> None:
        self._port.close()


class Peer:
    """One end of a stream on the loop, its output buffered. `on_end` is called once.

    Who asks `has_room` and is told No is called by `on_room`, always from the loop.
    """

    def __init__(
        self,
        loop: Loop,
        stream: Stream,
        on_data: Callable[[bytes], None],
        on_end: Callable[[], None],
    ) -> None:
        self._loop, self._stream = loop, stream
        self.on_data, self.on_end = on_data, on_end
        self.on_room: Callable[[], None] = lambda: None
        self._out = bytearray()
        self._turn_bytes = 0  # sent since the loop last came by
        self._refused = False  # somebody waits for room
        self._open = self._wanted = True
        self._ending = False
        self._arm()

    def send(self, data: bytes) -> None:
        """Queues output; a peer that lets more than the cap pile up is cut off."""
        if not self._open:
            return
        self._out += data
        self._turn_bytes += len(data)
        self._flush()
        if len(self._out) > limits.SESSION_OUTPUT_BYTES:
            self.cut()

    def has_room(self) -> bool:
        """Whether a long display should go on, here and now.

        No when much is unsent; and when much was sent in one turn of the loop, however fast the
        other end takes it, because other sessions want their turn.
        """
        if len(self._out) < ROOM_BYTES and self._turn_bytes < TURN_BYTES:
            return True
        self._refused = True
        if self._open:
            self._arm()
        return False

    def discard(self) -> None:
        """Drops what is unsent, here and as far as the system can still be asked to."""
        if self._open and not self._ending:
            self._out.clear()
            self._turn_bytes = 0
            self._stream.discard()
            self._arm()

    def want(self, more: bool) -> None:
        """Whether input is wanted now; it waits in the kernel otherwise."""
        self._wanted = more
        if self._open:
            self._arm()

    def end(self) -> None:
        """Closes once what is queued has been sent."""
        self._ending = True
        self._flush()

    def cut(self) -> None:
        """Closes now."""
        if self._open:
            self._open = False
            self._loop.unwatch(self._stream.fileno())
            self._stream.close()
            self.on_end()

    def _flush(self) -> None:
        try:
            while self._open and self._out:
                sent = self._stream.write(bytes(self._out[:65536]))
                if not sent:
                    break
                del self._out[:sent]
        except (OSError, SerialError):
            self.cut()
        if self._open and self._ending and not self._out:
            self._loop.unwatch(self._stream.fileno())
            self._loop.after(self._stream.linger_ns, self.cut)
        elif self._open:
            self._arm()

    def _writable(self) -> None:
        self._turn_bytes = 0
        self._flush()
        if self._open and self._refused and len(self._out) < ROOM_BYTES:
            self._refused = False
            self._arm()
            self._loop.aside(self._go_on)

    def _go_on(self) -> None:
        if self._open:
            self.on_room()

    def _arm(self) -> None:
        listen = self._wanted and not self._ending
        self._loop.watch(
            self._stream.fileno(),
            self._receive if listen else None,
            self._writable if self._out or self._refused else None,
        )

    def _receive(self) -> None:
        data = self._stream.read()
        if data:
            self.on_data(data)
        elif data is not None:
            self.cut()
