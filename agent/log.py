"""Log lines: VRP's shape, standard error with a priority, a ring buffer, terminals that listen.

    <5>PKI/5/GET_LOCAL_CERT_OK: realm abc: certificate 1f for CN=r1

`<N>` is the priority that journald and procd read. Nothing is written to flash. A line holds no
secret: texts come from settings that are not secret and from errors, whose rows are public.
"""

from __future__ import annotations

import os
import select
from collections import deque
from collections.abc import Callable

from agent import limits
from agent.visible import escaped
from hal.named import NamedTuple

LINE_BYTES = 4000  # below PIPE_BUF: a pipe that is writable takes it whole (pipe(7))

WARNING, NOTICE = 4, 5

# Mnemonics are interface facts of VRP's PKI module; failures are warnings, successes notices.
LEVELS = {
    "_ERR": WARNING,
    "_FAILED": WARNING,
    "EXPIRED": WARNING,
    "REVOKED": WARNING,
    "UNCONFIGURED": WARNING,
    "DEVICE_CHANGED": WARNING,
    "WEAK": WARNING,
    "RESTS": WARNING,
    "LOGINFAIL": WARNING,
    "LOGINLOCK": WARNING,
    "ERASING": WARNING,
    "ERASED": WARNING,
}


class Line(NamedTuple):
    """One line: wall time, level, and the text without its priority."""

    at_s: int
    level: int
    text: str


class Log:
    """The ring buffer of the last lines. `out_fd`: standard error, or None in tests and tools."""

    def __init__(self, wall_s: Callable[[], int], out_fd: int | None = 2) -> None:
        self._wall_s, self._out_fd = wall_s, out_fd
        self.lines: deque[Line] = deque(maxlen=limits.LOG_LINES)
        self.lost = 0  # lines that standard error did not take
        self.counts: dict[str, int] = {}  # since the start, by mnemonic
        self._listeners: list[Callable[[Line], None]] = []

    def report(self, mnemonic: str, text: str, module: str = "PKI", *, again: bool = False) -> None:
        """Logs one event, on one line: what cannot be seen becomes an escape. again: it is told
        once more, and was counted when it happened."""
        level = next((n for end, n in LEVELS.items() if mnemonic.endswith(end)), NOTICE)
        line = Line(self._wall_s(), level, f"{module}/{level}/{mnemonic}: {escaped(text)}")
        self.lines.append(line)
        if not again:
            self.counts[mnemonic] = self.counts.get(mnemonic, 0) + 1
        if self._out_fd is not None:
            self._write(self._out_fd, f"<{level}>{line.text}".encode()[:LINE_BYTES] + b"\n")
        for heard in list(self._listeners):
            heard(line)

    def listen(self, heard: Callable[[Line], None]) -> Callable[[], None]:
        """Calls `heard` with each line from now on, in the middle of whatever logs it.

        The result ends it; it may be called more than once.
        """
        listeners = self._listeners
        listeners.append(heard)

        def cancel() -> None:
            if heard in listeners:
                listeners.remove(heard)

        return cancel

    def _write(self, fd: int, line: bytes) -> None:
        """Never waits: a log that nobody reads must not stop the agent. Lost lines are counted."""
        poll = select.poll()
        poll.register(fd, select.POLLOUT)
        if not any(event & select.POLLOUT for _fd, event in poll.poll(0)):
            self.lost += 1
            return
        try:
            os.write(fd, line)
        except OSError:
            self.lost += 1
