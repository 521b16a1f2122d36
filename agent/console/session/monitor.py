"""`terminal monitor`: log lines at a terminal, as they come and never more than it can take.

Fault model: a log storm, on a line that is slow or held by XOFF, for ever. Promised: at most
`MONITOR_LINES` lines a second, none while the terminal has no room, and how many were left out.
The log is written in the middle of anything, so its lines are told from the loop, never at once.
"""

from __future__ import annotations

from collections.abc import Callable

from agent import limits
from agent.appliance import LogLine
from agent.console.displays.terminal import log_line
from agent.console.language.times import Times
from agent.console.session.screen import Screen
from hal.ports import Timer

PAUSE_S = 1

Listen = Callable[[Callable[[LogLine], None]], Callable[[], None]]  # result: listens no more


class Monitor:
    """Off until `start`."""

    def __init__(self, listen: Listen, screen: Screen, times: Callable[[], Times]) -> None:
        self._listen, self._screen, self._times = listen, screen, times
        self._cancel: Callable[[], None] | None = None
        self._timer: Timer | None = None
        self._lines: list[LogLine] = []
        self._left_out = 0

    def start(self) -> None:
        if self._cancel is None:
            self._cancel = self._listen(self._heard)

    def stop(self) -> None:
        """No line is told any more, those that wait neither."""
        if self._cancel:
            self._cancel()
            self._cancel = None
        self._lines, self._left_out = [], 0

    def _heard(self, line: LogLine) -> None:
        if len(self._lines) < limits.MONITOR_LINES:
            self._lines.append(line)
        else:
            self._left_out += 1
        if self._timer is None:
            self._timer = self._screen.after(0, self._tell)

    def _tell(self) -> None:
        self._timer = None
        lines, left_out = self._lines, self._left_out
        if not lines:
            return
        if self._screen.has_room():
            self._lines, self._left_out = [], 0
            for line in lines:
                self._screen.notice(log_line(line, self._times()))
            if left_out:
                self._screen.notice(f"Info: {left_out} more log lines were left out.")
        self._timer = self._screen.after(PAUSE_S, self._tell)
