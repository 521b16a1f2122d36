"""Sessions on the console socket and on serial lines: bytes in, bytes out, never blocking.

A client of the socket says in its first line what it is (`hello`); what follows is
    terminal   bytes both ways, as on a serial line
    script     lines in; text out; at the end NUL, the exit status as a digit, and end of file

Fault model: the peer stops reading, sends without end, hangs up at any byte, or is not our client
at all; a serial line vanishes. Promised: nothing blocks the loop, what is buffered is bounded, a
hang-up ends the session and never the line, and the work that a session started goes on.
"""

import socket
from collections.abc import Callable, Iterable
from typing import Protocol

from agent import limits
from agent.console.session import Session
from agent.console.wire import END, HELLO, HELLO_BYTES
from agent.device import Device
from agent.loop import Deadline, Loop
from hal.ports import SerialError, SerialPort
from hal.sockets import Credentials, peer_credentials

HELLO_NS = 5_000_000_000
ROOM_BYTES = 16 * 1024  # a display waits when so much is unsent: a screenful on a slow line
REOPEN_NS = 1_000_000_000  # a serial line that vanished is looked for again


class Stream(Protocol):
    """What sockets and serial ports have in common here; neither call blocks."""

    def fileno(self) -> int: ...
    def read(self) -> bytes | None: ...  # None: nothing there; b"": the end
    def write(self, data: bytes) -> int: ...  # raises OSError or SerialError when it is gone
    def close(self) -> None: ...


class SocketStream:
    """A connected stream socket as a `Stream`."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock

    def fileno(self) -> int:
        return self._sock.fileno()

    def read(self) -> bytes | None:
        try:
            return self._sock.recv(4096)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def write(self, data: bytes) -> int:
        try:
            return self._sock.send(data)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        self._sock.close()


class SerialStream:
    """A serial line as a `Stream`: a line that is gone reads as the end."""

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

    def close(self) -> None:
        self._port.close()


class Peer:
    """One end of a stream on the loop, its output buffered. `on_end` is called once."""

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
        self._open = self._wanted = True
        self._ending = False
        self._arm()

    def send(self, data: bytes) -> None:
        """Queues output; a peer that lets more than the cap pile up is cut off."""
        if not self._open:
            return
        self._out += data
        self._flush()
        if len(self._out) > limits.SESSION_OUTPUT_BYTES:
            self.cut()

    def has_room(self) -> bool:
        """Whether a long display should go on; `on_room` is called when it should again."""
        return len(self._out) < ROOM_BYTES

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
        full = not self.has_room()
        try:
            while self._open and self._out:
                sent = self._stream.write(bytes(self._out[:65536]))
                if not sent:
                    break
                del self._out[:sent]
        except (OSError, SerialError):
            self.cut()
        if self._open and self._ending and not self._out:
            self.cut()
        elif self._open:
            self._arm()
            if full and self.has_room():
                self.on_room()

    def _arm(self) -> None:
        # Who does not read what we say is not heard either.
        listen = self._wanted and not self._ending and self.has_room()
        self._loop.watch(
            self._stream.fileno(),
            self._receive if listen else None,
            self._flush if self._out else None,
        )

    def _receive(self) -> None:
        data = self._stream.read()
        if data:
            self.on_data(data)
        elif data is not None:
            self.cut()


class Terminal:
    """A session for a person at the other end of a stream."""

    def __init__(
        self, loop: Loop, device: Device, stream: Stream, *, level: int, size: tuple[int, int]
    ) -> None:
        self.ended: Callable[[], None] = lambda: None
        self._peer = Peer(loop, stream, self._data, self._gone)
        self._session = Session(
            device,
            self._peer.send,
            loop,
            level=level,
            terminal=True,
            width=size[0],
            height=size[1],
            has_room=self._peer.has_room,
            ended=self._peer.end,
        )
        self._peer.on_room = self._session.resume
        self._session.begin()

    def _data(self, data: bytes) -> None:
        self._session.feed(data)

    def _gone(self) -> None:
        self._session.close()
        self.ended()


class Script:
    """Lines of a client, one after the other; it stops at the first error."""

    def __init__(self, loop: Loop, device: Device, peer: Peer, level: int) -> None:
        self._peer, self._lines = peer, bytearray()
        self._busy = self._over = False
        self._session = Session(
            device, peer.send, loop, level=level, terminal=False, has_room=peer.has_room
        )
        peer.on_room = self._room

    def data(self, data: bytes) -> None:
        """What the client sent: lines, and NUL for the end of its script."""
        self._lines += data
        if len(self._lines) > limits.SCRIPT_BYTES and b"\n" not in self._lines:
            self._finish(1)
        self._next()

    def gone(self) -> None:
        self._session.close()

    def _room(self) -> None:
        self._session.resume()
        self._next()

    def _next(self) -> None:
        while not self._busy and not self._over and self._peer.has_room():
            line, end, rest = self._lines.partition(b"\n")
            if not end:
                if self._lines == END:
                    self._busy = True
                    self._session.end_script(self._finish)
                break
            self._lines = rest
            self._busy = True
            self._session.run_line(line.decode("utf-8", "replace").rstrip("\r"), self._done)
        self._peer.want(len(self._lines) <= limits.SCRIPT_BYTES)

    def _done(self, status: int) -> None:
        self._busy = False
        if status:
            self._finish(status)
        else:
            self._next()

    def _finish(self, status: int) -> None:
        if not self._over:
            self._over = True
            self._session.close()
            self._peer.send(END + str(status).encode() + b"\n")
            self._peer.end()


class Server:
    """The console socket. `level` judges a peer by its credentials: 0 is nobody."""

    def __init__(
        self,
        loop: Loop,
        device: Device,
        listener: socket.socket,
        level: Callable[[Credentials], int],
    ) -> None:
        self._loop, self._device, self._listener, self._level = loop, device, listener, level
        self._sessions = 0
        listener.setblocking(False)
        loop.watch(listener.fileno(), self._accept)

    def close(self) -> None:
        self._loop.unwatch(self._listener.fileno())
        self._listener.close()

    def _accept(self) -> None:
        try:
            sock, _address = self._listener.accept()
        except OSError:
            return
        level = self._level(peer_credentials(sock))
        if self._sessions >= limits.SESSIONS or not level:
            why = "too many sessions" if level else "this user may not use the console"
            sock.settimeout(0)
            try:
                sock.send(f"Error: {why}.\n".encode() + END + b"1\n")
            except OSError:
                pass
            sock.close()
            return
        self._sessions += 1
        _Greeting(self._loop, self._device, sock, level, self._left)

    def _left(self) -> None:
        self._sessions -= 1


class _Greeting:
    """Reads the first line of a client and gives the stream to what it asks for."""

    def __init__(
        self,
        loop: Loop,
        device: Device,
        sock: socket.socket,
        level: int,
        left: Callable[[], None],
    ) -> None:
        self._loop, self._device, self._sock, self._level = loop, device, sock, level
        self._left = left
        sock.setblocking(False)
        self._timer: Deadline = loop.after(HELLO_NS, self._refuse)
        loop.watch(sock.fileno(), self._look)

    def _look(self) -> None:
        try:
            seen = self._sock.recv(HELLO_BYTES, socket.MSG_PEEK)
        except OSError:
            return self._refuse()
        line, end, _rest = seen.partition(b"\n")
        words = line.decode("ascii", "replace").split(" ")
        if not end and 0 < len(seen) < HELLO_BYTES:
            return None
        if len(words) != 4 or words[0] != HELLO or not end:
            return self._refuse()
        self._sock.recv(len(line) + 1)
        self._timer.cancel()
        self._loop.unwatch(self._sock.fileno())
        return self._begin(words[1], words[2:])

    def _begin(self, kind: str, size: Iterable[str]) -> None:
        stream = SocketStream(self._sock)
        if kind == "terminal":
            width, height = (int(n) if n.isdecimal() and len(n) < 5 else 0 for n in size)
            screen = (width or 80, height or limits.SCREEN_LINES)
            Terminal(
                self._loop, self._device, stream, level=self._level, size=screen
            ).ended = self._left
            return
        peer = Peer(self._loop, stream, lambda _data: None, lambda: None)
        script = Script(self._loop, self._device, peer, self._level)

        def gone() -> None:
            script.gone()
            self._left()

        peer.on_data, peer.on_end = script.data, gone

    def _refuse(self) -> None:
        self._timer.cancel()
        self._loop.unwatch(self._sock.fileno())
        self._sock.close()
        self._left()


class SerialLine:
    """A console on a serial line, for ever: a session that ends is followed by the next."""

    def __init__(self, loop: Loop, device: Device, opener: Callable[[], SerialPort]) -> None:
        self._loop, self._device, self._opener = loop, device, opener
        self._open()

    def _open(self) -> None:
        try:
            stream = SerialStream(self._opener())
        except SerialError as error:
            self._device.log.report("SERIAL_ERR", str(error))
            self._again()
            return
        size = (80, limits.SCREEN_LINES)
        Terminal(self._loop, self._device, stream, level=3, size=size).ended = self._again

    def _again(self) -> None:
        self._loop.after(REOPEN_NS, self._open)
