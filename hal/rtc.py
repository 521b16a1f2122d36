"""The clock that goes on without power (linux/rtc.h). It is kept in UTC.

Fault model. The device may be missing; the chip may never have been set (EINVAL), have lost its
battery and say any time, or hold fields that no calendar has. Its years end in 2099 or later.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Callable

from hal import calendar
from hal.files import converted
from hal.ports import HalError

# The bits of direction and size differ on these, asm/ioctl.h.
_OTHERWISE = os.uname().machine.startswith(("mips", "ppc", "sparc", "alpha"))
_READ, _WRITE = 0x80247009, 0x4024700A  # RTC_RD_TIME, RTC_SET_TIME
RTC_RD_TIME, RTC_SET_TIME = (number ^ 0xC0000000 * _OTHERWISE for number in (_READ, _WRITE))
_TIME = struct.Struct("=9i")  # struct rtc_time: second to year, day of the week and the year, DST

Ioctl = Callable[[int, int, bytes], object]


class LinuxRtc:
    """`hal.ports.Rtc` of a device file. ioctl: the call that touches the machine, for tests."""

    __slots__ = ("_ioctl", "_path")

    def __init__(self, path: str, ioctl: Ioctl = fcntl.ioctl) -> None:
        self._path, self._ioctl = path, ioctl

    def read(self) -> int:
        return from_fields(self._call(RTC_RD_TIME, bytes(_TIME.size)), self._path)

    def write(self, wall_s: int) -> None:
        self._call(RTC_SET_TIME, to_fields(wall_s))

    def _call(self, request: int, data: bytes) -> object:
        with converted(HalError, self._path):
            fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                return self._ioctl(fd, request, data)
            finally:
                os.close(fd)


def to_fields(wall_s: int) -> bytes:
    """`struct rtc_time` of a Unix time."""
    t = calendar.moment(wall_s)
    of_year = (wall_s - (calendar.day_s(t.year, 1, 1) or 0)) // calendar.DAY_S
    months_days = (t.day, t.month - 1, t.year - 1900, t.weekday, of_year)
    return _TIME.pack(t.second, t.minute, t.hour, *months_days, 0)


def from_fields(data: object, where: str) -> int:
    """The Unix time of a `struct rtc_time`; HalError where it is none."""
    if not isinstance(data, bytes) or len(data) != _TIME.size:
        raise HalError("it gave no time", where)
    fields: tuple[int, ...] = _TIME.unpack(data)
    second, minute, hour, day, month, year = fields[:6]
    start_s = calendar.day_s(year + 1900, month + 1, day)
    in_day = 0 <= second < 60 and 0 <= minute < 60 and 0 <= hour < 24
    if start_s is None or not in_day:
        raise HalError("it holds no time", where)
    return start_s + hour * 3600 + minute * 60 + second
