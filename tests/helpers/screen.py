"""A terminal emulator (pyte), and what it shows as text: the console as an operator sees it.

`Tty` is a real tty with the agent at its other end; `Glass` is the same in front of a session in
this process. Both type keys and compare pictures: the rows of the screen without the blanks at
their ends, the cursor shown as `_`.
"""

import fcntl
import os
import select
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import pyte

from tests.helpers.appliance import FakeDevice
from tests.helpers.board import Agent
from tests.helpers.terminal import Terminal

WAIT_S = 60
CURSOR = "_"


class Picture:
    """A screen of so many columns and rows."""

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        self.columns, self.rows = columns, rows
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)

    def show(self, data: bytes) -> None:
        self._stream.feed(data)

    def lines(self, cursor: bool = False) -> list[str]:
        """The rows down to the last that holds something; the cursor's is such a row."""
        rows = list(self._screen.display)
        at, column = self._screen.cursor.y, min(self._screen.cursor.x, self.columns - 1)
        if cursor:
            rows[at] = rows[at][:column] + CURSOR + rows[at][column + 1 :]
        used = max([at, *(number for number, row in enumerate(rows) if row.strip())])
        return [row.rstrip() for row in rows[: used + 1]]

    def text(self, cursor: bool = False) -> str:
        return "\n".join(self.lines(cursor))


class Glass(Picture):
    """A session in this process, seen through the emulator."""

    def __init__(self, device: FakeDevice, columns: int = 80) -> None:
        super().__init__(columns)
        self.terminal = Terminal(device, width=columns)
        self.press(b"")

    def press(self, keys: bytes) -> str:
        self.terminal.session.feed(keys)
        return self.look()

    def look(self) -> str:
        self.show(bytes(self.terminal.sent))
        self.terminal.sent.clear()
        return self.text(cursor=True)


class Tty(Picture):
    """An open tty, read in pieces of the time that the screen needs to come true."""

    def __init__(self, fd: int, columns: int = 80) -> None:
        super().__init__(columns)
        self.fd = fd
        self.seen = bytearray()  # all that came
        os.set_blocking(fd, False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self.fd)

    @classmethod
    def serial(cls, agent: Agent) -> Self:
        """The user's end of the board's serial line, raw as terminal programs set it."""
        return cls(os.open(agent.dir / "serial", os.O_RDWR | os.O_NOCTTY))

    def press(self, keys: bytes) -> None:
        assert os.write(self.fd, keys) == len(keys)

    def read(self, timeout_s: float) -> bool:
        """One piece of what comes; False when nothing does."""
        if not select.select([self.fd], [], [], timeout_s)[0]:
            return False
        try:
            data = os.read(self.fd, 4096)
        except OSError:  # the other end of a pty has closed
            return False
        self.seen += data
        self.show(data)
        return bool(data)

    def wait(self, *ends: str) -> str:
        """Waits until the picture ends with one of these; gives it, the cursor shown."""
        deadline = time.monotonic() + WAIT_S
        while not self.text(cursor=True).endswith(ends):
            assert time.monotonic() < deadline, f"waiting for {ends}:\n{self.text(cursor=True)}"
            self.read(0.2)
        return self.text(cursor=True)

    def after(self, keys: bytes, *ends: str) -> str:
        """Types, and waits for a picture that comes of it: the one before may look the same."""
        self.press(keys)
        assert self.read(WAIT_S), f"no echo of {keys!r}"
        return self.wait(*ends)


class Client(Tty):
    """`scep-agent console` on a tty of its own."""

    def __init__(self, agent: Agent, columns: int, rows: int = 24) -> None:
        master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        socket: Path = agent.dir / "console.sock"
        self._process = subprocess.Popen(
            agent.command("console", "--socket", str(socket)),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        super().__init__(master, columns)

    def resize(self, columns: int, rows: int = 24) -> None:
        """As a terminal does whose window was drawn larger or smaller."""
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._process.send_signal(signal.SIGWINCH)

    def ended(self) -> int:
        """The exit status, once the program has ended; all that it said has been seen."""
        while self.read(WAIT_S):
            pass
        return self._process.wait(WAIT_S)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        self._process.wait(WAIT_S)
