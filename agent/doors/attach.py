"""Sessions on the console socket and on serial lines: bytes in, bytes out, never blocking.

Who is let in at the socket, and what a client says first, is in `agent/doors/socket.py`.

Fault model: the peer stops reading, sends without end, hangs up at any byte, or is not our client
at all; a serial line vanishes. Promised: nothing blocks the loop, what is buffered is bounded, a
hang-up ends the session and never the line, and the work that a session started goes on.
"""

from __future__ import annotations

from collections.abc import Callable

from agent import limits
from agent.console.login.lockout import Lockout
from agent.console.login.login import Entry, Login
from agent.console.login.recovery import Recovery
from agent.console.session.session import Session
from agent.device.device import Device
from agent.doors.register import Who, seated
from agent.doors.streams import Peer, SerialStream, Stream
from agent.doors.wire import END
from agent.loop import Loop
from hal.ports import SerialError, SerialPort

LEAVE_NS = 10_000_000_000
REOPEN_NS = 1_000_000_000  # a serial line that vanished is looked for again


class Terminal:
    """A person at the other end of a stream: a login where one is asked for, then a session."""

    def __init__(
        self,
        loop: Loop,
        device: Device,
        stream: Stream,
        *,
        size: tuple[int, int],
        ended: Callable[[], None],
        farewell: bytes = b"",
    ) -> None:
        self._loop, self._device, self._size = loop, device, size
        self._farewell = farewell  # behind the last words of a session
        self._ended = ended  # known before the first byte: that may be the one that fails
        self._talk: Login | Recovery | Session | None = None
        self._woken = b""  # keys that have only woken the line when they come first
        self._unseat: Callable[[], None] = lambda: None
        self._peer = Peer(loop, stream, self._data, self._gone)

    def login(self, lockout: Lockout, entered: Callable[[Entry], None]) -> None:
        """Asks who is there. The Enter that woke the line is no answer."""
        self._woken = b"\r\n\0"
        login = self._talk = Login(
            self._device,
            lockout,
            self._peer.send,
            self._loop,
            report=self._report,
            entered=entered,
            ended=self._leave,
        )
        login.begin()

    def recover(self, erased: Callable[[], None]) -> None:
        """Offers what a line offers that lets nobody in."""
        self._woken = b"\r\n\0"
        recovery = self._talk = Recovery(
            self._device,
            self._peer.send,
            self._loop,
            report=self._report,
            erased=erased,
            ended=self._leave,
        )
        recovery.begin()

    def admit(self, who: Who, idle_limit_s: Callable[[], int], *news: str) -> None:
        """Begins the session; `news` is told before its first prompt."""
        session = self._talk = Session(
            self._device,
            self._peer.send,
            self._loop,
            level=who.level,
            terminal=True,
            width=self._size[0],
            height=self._size[1],
            has_room=self._peer.has_room,
            discard=self._peer.discard,
            ended=self._leave,
            idle_limit_s=idle_limit_s,
        )
        self._peer.on_room = session.resume
        leave = seated(self._device, session, who)
        told = f"{who.line}, user {who.user or '-'}, level {who.level}"
        self._report("LOGIN", told)

        def gone() -> None:
            leave()
            self._report("LOGOUT", told)

        self._unseat = gone
        session.begin(*news)

    def resize(self, columns: int, rows: int) -> None:
        """The window has another size; 0 is unknown."""
        if isinstance(self._talk, Session):
            self._talk.resize(columns, rows)

    def _report(self, mnemonic: str, text: str) -> None:
        self._device.shared.log.report(mnemonic, text, "SHELL")

    def _data(self, data: bytes) -> None:
        data, self._woken = data.lstrip(self._woken), b""
        if self._talk and data:
            self._talk.feed(data)

    def _leave(self) -> None:
        """Says what is left to say, to whoever still takes it."""
        self._peer.send(self._farewell)
        self._peer.end()
        self._loop.after(LEAVE_NS, self._peer.cut)

    def _gone(self) -> None:
        if self._talk:
            self._talk.close()
        self._unseat()
        self._ended()


class Script:
    """Lines of a client, one after the other; it stops at the first error."""

    def __init__(self, loop: Loop, device: Device, peer: Peer, who: Who) -> None:
        self._loop, self._peer, self._lines = loop, peer, bytearray()
        self._busy = self._over = self._waits = False
        self._session = Session(
            device, peer.send, loop, level=who.level, terminal=False, has_room=peer.has_room
        )
        self._leave = seated(device, self._session, who)
        peer.on_room = self._room

    def data(self, data: bytes) -> None:
        """What the client sent: lines, and NUL for the end of its script."""
        self._lines += data
        if len(self._lines) > limits.SCRIPT_BYTES and b"\n" not in self._lines:
            self._finish(1)
        self._soon()

    def gone(self) -> None:
        self._over = True
        self._session.close()
        self._leave()

    def _room(self) -> None:
        self._session.resume()
        self._soon()

    def _soon(self) -> None:
        """The next line when it is our turn: other sessions have theirs between two lines."""
        if not self._waits:
            self._waits = True
            self._loop.aside(self._next)

    def _next(self) -> None:
        self._waits = False
        if not self._busy and not self._over and self._peer.has_room():
            line, end, rest = self._lines.partition(b"\n")
            if end:
                self._lines, self._busy = rest, True
                self._session.run_line(line.decode("utf-8", "replace").rstrip("\r"), self._done)
            elif self._lines == END:
                self._end()
        self._peer.want(len(self._lines) <= limits.SCRIPT_BYTES)

    def _done(self, status: int) -> None:
        self._busy = False
        if status:
            self._finish(status)
        elif self._lines == END:
            self._end()  # at once: a reboot is the end of all turns
        else:
            self._soon()

    def _end(self) -> None:
        self._busy = True
        self._session.end_script(self._finish)

    def _finish(self, status: int) -> None:
        if not self._over:
            self._over = True
            self._session.close()
            self._peer.send(END + str(status).encode() + b"\n")
            self._peer.end()


class _Lasting(SerialStream):
    """The stream of a line that outlives its sessions: it is closed only when it is gone."""

    linger_ns = 0  # it stays open, so the last words go out by themselves

    def __init__(self, port: SerialPort) -> None:
        super().__init__(port)
        self.gone = False

    def read(self) -> bytes | None:
        data = super().read()
        self.gone = self.gone or data == b""
        return data

    def write(self, data: bytes) -> int:
        try:
            return super().write(data)
        except SerialError:
            self.gone = True
            raise

    def close(self) -> None:
        if self.gone:
            super().close()


class SerialLine:
    """A console on a serial line, for ever: a session that ends is followed by the next."""

    def __init__(
        self,
        loop: Loop,
        device: Device,
        opener: Callable[[], SerialPort],
        number: int = 0,
        tty: str = "",
    ) -> None:
        self._loop, self._device, self._opener = loop, device, opener
        self._who = Who(f"CON {number}", tty, "", 0)
        self._lockout = Lockout()
        self._missing = ""  # why it could not be opened, as it was last said
        self._open()

    def _open(self) -> None:
        try:
            stream = _Lasting(self._opener())
        except SerialError as error:
            if str(error) != self._missing:  # a line may be missing for years
                self._missing = str(error)
                self._device.shared.log.report("SERIAL_ERR", self._missing)
            self._loop.after(REOPEN_NS, self._open)
            return
        self._missing = ""
        self._wait(stream)

    def _wait(self, stream: _Lasting) -> None:
        """For the first key: what is typed right behind `quit` is not lost."""
        self._loop.watch(stream.fileno(), lambda: self._begin(stream))

    def _begin(self, stream: _Lasting) -> None:
        """Somebody types, or the line has vanished: until then there is nobody to talk to."""
        size = (limits.SCREEN_COLUMNS, limits.SCREEN_LINES)

        def ended() -> None:
            if stream.gone:
                self._loop.after(REOPEN_NS, self._open)
            else:
                self._wait(stream)

        self._greet(Terminal(self._loop, self._device, stream, size=size, ended=ended))

    def _greet(self, terminal: Terminal) -> None:
        """A login; on a device that has lost whom it lets in, what is left to offer."""
        if self._device.configuration.closed():
            terminal.recover(lambda: self._greet(terminal))
        else:
            terminal.login(self._lockout, lambda entry: self._entered(terminal, entry))

    def _entered(self, terminal: Terminal, entry: Entry) -> None:
        console = self._device.settings.console
        news = []
        if console.mode == "none":
            news.append("This line lets everybody in (authentication-mode none).")
        if entry.failures:
            news.append(f"Failed attempts on this line so far: {entry.failures}.")
        who = self._who._replace(user=entry.user, level=entry.level)
        terminal.admit(who, lambda: self._device.settings.console.idle_s, *news)
