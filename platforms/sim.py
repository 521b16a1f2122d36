"""The simulated board: all of a board in one folder, without root and without hardware.

    serial        link to a tty: the user's end of the board's serial line
    console.sock  made by the agent
    flash.bin     storage/     memory/     device.key     hooks.d/     metrics.prom
    line          text: BAUD [ xonxoff ]; read at the start; missing: as fast as the machine
    clock         JSON: {"offset_s": 0, "rate": 1}; read while running, see `hal.clock.ScaledClock`

Its ports are those of the Linux board, so that what is tried here is what runs there; its own are
the clock and the serial line. Paths that a board file gives whole are left as they are; its serial
lines are replaced by the one above.
"""

from __future__ import annotations

import os

from hal.clock import LinuxClock, ScaledClock
from hal.files import converted, read_regular
from hal.folder import PARENT_MODE, beside, opened
from hal.memory_sets import Tell
from hal.ports import FilesError, HalError, Reactor, SerialError
from hal.pump import SerialPump
from platforms.board import Board, SerialLine, place
from platforms.linux import Platform, open_lines, open_ports, unheard

LINE_BYTES = 64
LONGEST_SLEEP_NS = 50_000_000  # as often as the clock looks whether its rate was changed


def open_board(board: Board, state_dir: str, reactor: Reactor, tell: Tell = unheard) -> Platform:
    """Opens a simulated board in a folder, which is made when missing. Raises HalError."""
    board = place(board, state_dir)
    with converted(FilesError, state_dir), opened(state_dir, PARENT_MODE):
        pass
    clock = ScaledClock(LinuxClock(), os.path.join(state_dir, "clock"))
    platform = open_ports(board, clock, reactor, LONGEST_SLEEP_NS, tell)
    try:
        baud, xonxoff = _line(os.path.join(state_dir, "line"))
        pump = SerialPump(os.path.join(state_dir, "serial"), reactor, baud, xonxoff)
    except HalError:
        platform.close()
        raise
    platform.closers.append(pump.close)
    open_lines(platform, (SerialLine(pump.agent_path),))
    return platform._replace(restarts=True)


def _line(path: str) -> tuple[int, bool]:
    """The rate of the line and whether it honours XON and XOFF. Raises HalError."""
    with converted(SerialError, path), beside(path) as (folder, name):
        words = _words(name, folder)
    if not words or not words[0].isdigit() or words[1:] not in ([], [b"xonxoff"]):
        raise SerialError("it holds BAUD and perhaps xonxoff", path)
    return int(words[0]), len(words) == 2


def _words(name: str, folder: int) -> list[bytes]:
    try:
        return read_regular(name, folder, LINE_BYTES).split()
    except FileNotFoundError:
        return [b"0"]
