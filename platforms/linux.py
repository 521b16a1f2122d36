"""The generic Linux board: the ports that a board file describes, opened.

Fault model: any part of a board may be missing, damaged or busy at the start. That does not end the
agent, which serves what it can and tells at its console how the rest is mended: a flash that cannot
be opened, folders that cannot be used now, a device key that is none. A serial line may come later,
so it is given as a way to open it. The start ends where another agent has the flash, and where
others may write on the way to what is the agent's.

The flash comes first: its lock refuses a second agent before anything else is touched.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

from hal.chance import LinuxChance
from hal.clock import LinuxClock
from hal.files import FolderFiles, converted, open_device_key, open_no_key
from hal.flash import FileFlash
from hal.folder import PARENT_MODE, ForeignError, beside
from hal.link import LinuxLink
from hal.machine import host_name
from hal.memory import FolderMemory, Readers
from hal.memory_sets import Tell
from hal.named import NamedTuple
from hal.ports import (
    Chance,
    Clock,
    DeviceKeyError,
    DeviceMemory,
    Files,
    FilesError,
    Flash,
    FlashError,
    HalError,
    InUseError,
    Link,
    Reactor,
    Rtc,
    SerialPort,
    Watchdog,
)
from platforms.board import Board, BoardError, Memory, SerialLine, place
from platforms.users import group_number, user_number

LONGEST_SLEEP_NS = 60_000_000_000  # a jump of the wall clock is noticed after a minute


class SerialOpener(NamedTuple):
    """A serial line of the board, and how to open it; that raises SerialError."""

    path: str
    open: Callable[[], SerialPort]


class Platform(NamedTuple):
    """An opened board: its ports, and what else the agent must know about it."""

    board: Board  # its paths whole
    flash: Flash
    files: Files
    memory: DeviceMemory
    clock: Clock
    chance: Chance
    link: Link
    serials: list[SerialOpener]
    longest_sleep_ns: int  # the event loop looks at the clocks at least this often
    closers: list[Callable[[], None]]
    open_flash: Callable[[bool], Flash]  # once more; True: to be erased, in whatever state it is
    unopened: str = ""  # why the flash could not be opened: then `flash` is an erased one of no use
    rtc: Rtc | None = None
    kernel_clock: bool = False  # the kernel knows about it: who keeps it, and when it is set
    host_name: str = ""  # as a prompt may have it; "": there is none
    restarts: bool = False  # a reboot is a new start of the agent alone

    def device_key(self, make: bool) -> tuple[int, str]:
        """A descriptor for jobs, which the agent never reads, as `hal.files.open_device_key`; and
        why there is no device key behind it, "" where there is one."""
        path, why = self.board.seal.path, ""
        try:
            fd, there = open_device_key(path, make)
        except DeviceKeyError as error:
            if isinstance(error.__cause__, ForeignError):
                raise
            (fd, there), why = open_no_key(), str(error)
        self.closers.append(partial(os.close, fd))
        return fd, "" if there else why or f"{path}: it is missing"

    def close(self) -> None:
        """Gives everything back, the last opened first; may be called twice."""
        while self.closers:
            self.closers.pop()()


def unheard(_text: str) -> None:
    """For those who open a board and keep no log."""


def open_board(
    board: Board, state_dir: str | None, reactor: Reactor, tell: Tell = unheard
) -> Platform:
    """Opens a Linux board; `state_dir` stands for all its folders, `tell` hears of strays.

    Raises HalError, and BoardError for a user, group or kind of flash that is not there.
    """
    board = place(board, state_dir)
    rtc = _open_rtc(board.clock.rtc) if board.clock.rtc else None
    clock = LinuxClock(rtc, board.clock.synchronised)
    platform = open_ports(board, clock, reactor, LONGEST_SLEEP_NS, tell)
    open_lines(platform, board.console.serial)
    return platform._replace(rtc=rtc, kernel_clock=True, host_name=host_name(os.uname().nodename))


def _open_rtc(path: str) -> Rtc:
    from hal.rtc import LinuxRtc  # for boards that have one

    return LinuxRtc(path)


def open_ports(
    board: Board, clock: Clock, reactor: Reactor, longest_sleep_ns: int, tell: Tell
) -> Platform:
    """Opens all of a board whose paths are whole, but its serial lines."""
    readers, of_realms = _readers(board.memory)
    closers: list[Callable[[], None]] = []
    unopened = ""
    try:
        try:
            flash = _open_flash(board)
        except FlashError as error:
            if isinstance(error, InUseError) or isinstance(error.__cause__, ForeignError):
                raise
            flash, unopened = _stand_in(board), str(error)
        closers.append(flash.close)
        files = FolderFiles(board.storage.path, tell)
        memory = FolderMemory(board.memory.path, reactor, readers, of_realms, tell, strict=False)
    except HalError:
        for close in reversed(closers):
            close()
        raise
    link = LinuxLink()
    return Platform(
        board=board,
        flash=flash,
        files=files,
        memory=memory,
        clock=clock,
        chance=LinuxChance(),
        link=link,
        serials=[],
        longest_sleep_ns=longest_sleep_ns,
        closers=closers,
        open_flash=partial(_open_flash, board),
        unopened=unopened,
    )


def _readers(memory: Memory) -> tuple[Readers, dict[str, Readers]]:
    """Those of all realms, and of those that have others, by folded names. Raises BoardError."""
    owner, group = user_number(memory.owner), group_number(memory.group)
    of_realms = {
        name: Readers(
            user_number(own.owner) if own.owner else owner,
            group_number(own.group) if own.group else group,
            own.mode or memory.mode,
        )
        for name, own in memory.realm.items()
    }
    return Readers(owner, group, memory.mode), of_realms


def open_watchdog(board: Board) -> Watchdog | None:
    """Starts the watchdog, if the board file names one. Raises WatchdogError."""
    if not board.watchdog.device:
        return None
    from hal.watchdog import LinuxWatchdog  # a board without one never needs it

    return LinuxWatchdog(board.watchdog.device, board.watchdog.timeout_s)


def open_lines(platform: Platform, lines: tuple[SerialLine, ...]) -> None:
    """Adds serial lines to an opened board; the agent opens them, again when one has vanished."""
    if not lines:
        return
    from hal.serialport import PyserialPort  # 0.8 MB that a board without a line need not load

    for line in lines:
        opener = partial(
            PyserialPort,
            line.path,
            line.baud,
            xonxoff=line.flow == "xonxoff",
            rtscts=line.flow == "rtscts",
        )
        platform.serials.append(SerialOpener(line.path, opener))


def _open_flash(board: Board, refit: bool = False) -> Flash:
    if board.flash.kind != "file":
        raise BoardError(f"[flash] kind: there is no driver for `{board.flash.kind}` here")
    part = board.flash
    with converted(FilesError, part.path), beside(part.path, PARENT_MODE):
        pass  # made when missing; what is in it guards itself by its mode
    shape = part.erase_size, part.size // part.erase_size, part.program_size
    return FileFlash(part.path, *shape, refit=refit)


def _stand_in(board: Board) -> Flash:
    """An erased part that takes nothing, of the shape of one that cannot be opened."""
    from hal.withheld import BlankFlash  # a board whose flash is there never needs it

    part = board.flash
    return BlankFlash(part.erase_size, part.size // part.erase_size, part.program_size)
