"""The watchdog of the machine: a character device of Linux (watchdog-api in the kernel's manual).

Fault model. The device is missing, or another program has it: that is an error at the opening, and
the machine runs without it. Its driver rounds the time, or takes none: then the one in force is
what `timeout_s` says, 0 where nobody knows. Opening starts it; closing does not stop it, unless the
last byte that was written is `V` (the magic close), so a process that dies leaves it running. A
driver that was built with `nowayout` does not stop for that either.
"""

from __future__ import annotations

import fcntl
import os
import struct
import sys
from collections.abc import Callable

from hal.files import converted
from hal.ports import WatchdogError

SET_TIMEOUT = 0xC0045706  # _IOWR('W', 6, int) of linux/watchdog.h; the same on MIPS, by chance
FED, MAGIC = b"\0", b"V"

Control = Callable[[int, int, bytes], bytes]  # fcntl.ioctl


class LinuxWatchdog:
    """`hal.ports.Watchdog` on a device such as /dev/watchdog. Raises WatchdogError."""

    effect = "resets this machine"

    def __init__(self, path: str, timeout_s: int, control: Control = fcntl.ioctl) -> None:
        self._path = path
        # A FIFO without a reader, in the place of the device, must not hold up the start.
        flags = os.O_WRONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
        with converted(WatchdogError, path):
            self._fd = os.open(path, flags)
        self.timeout_s = self._set(timeout_s, control)

    def _set(self, timeout_s: int, control: Control) -> int:
        try:
            found = control(self._fd, SET_TIMEOUT, struct.pack("i", timeout_s))
        except OSError:
            return 0
        return int.from_bytes(found, sys.byteorder, signed=True)

    def feed(self) -> None:
        self._write(FED)

    def disarm(self) -> None:
        self._write(MAGIC)
        self.close()

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _write(self, data: bytes) -> None:
        if self._fd < 0:
            raise WatchdogError("closed", self._path)
        with converted(WatchdogError, self._path):
            os.write(self._fd, data)
