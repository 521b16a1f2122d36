"""The console socket: who is let in, and the first line that says what a client is.

That line is `hello` (`agent/doors/wire.py`); what follows it is
    terminal   bytes both ways, as on a serial line, and sizes of the window (`naws.py`); at the end
               of the session as of a script
    script     lines in; text out; at the end NUL, the exit status as a digit, and end of file
    apply, dry-run, merge, dry-merge   a configuration in (`agent/doors/upload.py`); the same out

Fault model: somebody connects and says nothing, or something else, or takes every place or every
descriptor. Promised: who is turned away reads why at once, in the form of a script's end; a place
is held for the first line for 5 s at most; the loop neither stops nor spins.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable

from agent import limits
from agent.console.configuration.apply import How
from agent.console.terminal.output import error_lines
from agent.device.device import Device
from agent.doors.admission import Admission
from agent.doors.attach import Script, Terminal
from agent.doors.register import Who
from agent.doors.streams import Peer, SocketStream, WindowStream
from agent.doors.upload import Upload
from agent.doors.wire import (
    APPLY,
    DRY_MERGE,
    DRY_RUN,
    END,
    HELLO,
    HELLO_BYTES,
    MERGE,
    SCRIPT,
    TERMINAL,
)
from agent.errors import AgentError, fail
from agent.loop import Deadline, Loop
from hal.ports import LinkError
from hal.sockets import Credentials, Spare, peer_credentials

HELLO_NS = 5_000_000_000
UNDER_WAY_BYTES = 16 * 1024  # in the kernel, where Ctrl+C cannot drop them any more
ACCEPT_AGAIN_NS = 1_000_000_000
UPLOADS = {
    APPLY: How(),
    DRY_RUN: How(dry_run=True),
    MERGE: How(merge=True),
    DRY_MERGE: How(dry_run=True, merge=True),
}


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
        self._admission, self._spare = Admission(), Spare()
        self._closed = False
        listener.setblocking(False)
        self._listen()

    def _listen(self) -> None:
        if not self._closed:
            self._loop.watch(self._listener.fileno(), self._accept)

    def close(self) -> None:
        self._closed = True
        self._loop.unwatch(self._listener.fileno())
        self._listener.close()
        self._spare.close()

    def _accept(self) -> None:
        try:
            sock = self._listener.accept()[0]
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError:
            self._say_no()
            return
        self._spare.refill()
        try:
            self._admit(sock)
        except AgentError as error:
            _turn_away(sock, error)

    def _say_no(self) -> None:
        """No descriptor is left. Without a spare one the queue waits: the loop must not spin."""
        with self._spare.accepted(self._listener) as sock:
            if sock is None:
                self._loop.unwatch(self._listener.fileno())
                self._loop.after(ACCEPT_AGAIN_NS, self._listen)
            else:
                _turn_away(sock, fail("session-descriptors"))

    def _admit(self, sock: socket.socket) -> None:
        try:
            peer = peer_credentials(sock)
        except LinkError as error:  # the kernel vouches for nobody
            raise fail("session-stranger") from error
        level = self._level(peer)
        number = self._admission.take(peer.uid, level)
        who = Who(f"SOCK {number}", "", f"uid {peer.uid}", level)
        _Greeting(self._loop, self._device, sock, who, lambda: self._admission.leave(number))


def _turn_away(sock: socket.socket, error: AgentError) -> None:
    """Says why, as at the end of a script, as far as the other end takes it; and hangs up."""
    sock.setblocking(False)
    try:
        sock.send("\n".join([*error_lines(error), ""]).encode() + END + b"1\n")
    except OSError:
        pass
    sock.close()


class _Greeting:
    """Reads the first line of a client and gives the stream to what it asks for."""

    def __init__(
        self,
        loop: Loop,
        device: Device,
        sock: socket.socket,
        who: Who,
        left: Callable[[], None],
    ) -> None:
        self._loop, self._device, self._sock, self._who = loop, device, sock, who
        self._left = left
        self._line = bytearray()
        sock.setblocking(False)
        self._timer: Deadline = loop.after(HELLO_NS, self._refuse)
        loop.watch(sock.fileno(), self._look)

    def _look(self) -> None:
        """Byte by byte up to the line's end: what stands behind it is the session's."""
        while True:
            try:
                byte = self._sock.recv(1)
            except BlockingIOError:
                return None
            except OSError:
                byte = b""
            self._line += byte
            if byte == b"\n":
                return self._judge(self._line[:-1].decode("ascii", "replace").split(" "))
            if not byte or len(self._line) == HELLO_BYTES:
                return self._refuse()

    def _judge(self, words: list[str]) -> None:
        known = (TERMINAL, SCRIPT, *UPLOADS)
        if len(words) != 4 or words[0] != HELLO or words[1] not in known:
            self._refuse()
            return
        self._timer.cancel()
        self._loop.unwatch(self._sock.fileno())
        self._begin(words[1], words[2:])

    def _begin(self, kind: str, size: Iterable[str]) -> None:
        if kind == TERMINAL:
            window = WindowStream(self._sock)
            width, height = (int(n) if n.isdecimal() and len(n) < 5 else 0 for n in size)
            screen = (width or limits.SCREEN_COLUMNS, height or limits.SCREEN_LINES)
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNDER_WAY_BYTES)
            terminal = Terminal(
                self._loop,
                self._device,
                window,
                size=screen,
                ended=self._left,
                farewell=END + b"0\n",
            )
            window.resized = terminal.resize
            terminal.admit(self._who._replace(place=kind), lambda: limits.IDLE_SESSION_S)
            return
        peer = Peer(self._loop, SocketStream(self._sock), lambda _data: None, lambda: None)
        reader: Script | Upload
        if kind == SCRIPT:
            reader = Script(self._loop, self._device, peer, self._who._replace(place=kind))
        else:
            who = self._who._replace(place="apply")
            reader = Upload(self._loop, self._device, peer, who, UPLOADS[kind])

        def gone() -> None:
            reader.gone()
            self._left()

        peer.on_data, peer.on_end = reader.data, gone

    def _refuse(self) -> None:
        self._timer.cancel()
        self._loop.unwatch(self._sock.fileno())
        self._sock.close()
        self._left()
