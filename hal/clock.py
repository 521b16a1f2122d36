"""The clocks of a board: the only module that reads one.

Fault model. The wall clock may stand at 1970 after every boot, jump either way when a time source
is found, or be set by a person; the RTC may be absent or refuse. Whoever needs a duration asks
`monotonic_ns` (goes on while the board is suspended) or `outside_ns` (does not), never `wall_s`.

The file of the simulated board's clock is written by other programs while we run. It may be
missing, half written or nonsense: the last good values stay. A change is seen within 50 ms. It is
read and written only in a folder that nobody but root and we can change (`hal.folder`).
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable

from hal.annotations import Any
from hal.files import converted, read_regular, replace_file
from hal.folder import beside
from hal.named import NamedTuple
from hal.ports import Clock, HalError, Rtc
from hal.protocol import Protocol

SECOND_NS = 1_000_000_000
PPM = 1_000_000
OFFSET_LIMIT_S = 10**11  # 3,000 years either way
RATE_LIMIT = 10**6  # a year in half a minute
_LOOK_NS = 50_000_000  # a stat each 50 ms is the price of a clock that others may change
_SETTING_BYTES = 4096
_PAIR = rb'"(\w+)"\s*:\s*(true|false|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*'
_TABLE = rb'\s*\{\s*(?:%b(?:,\s*(?=")|(?=\})))*\}\s*' % _PAIR
# systemd-timesyncd makes this file when it has set the clock. The kernel's own answer (adjtimex) is
# asked for elsewhere (`hal.ports.TimeSource`), because ctypes costs 0.5 MB for good. The ntpd of
# busybox tells the kernel nothing: its script makes the file.
# A clock that was set since then by somebody else is not what the source has vouched for.
_VOUCHED_NS = 86400 * SECOND_NS
SYNCHRONISED_FILE = "/run/systemd/timesync/synchronized"


class FineClock(Clock, Protocol):
    """A clock that also tells nanoseconds of the wall: what a scaled clock stands on."""

    def wall_ns(self) -> int: ...


class LinuxClock:
    """The clocks of the Linux kernel, and an RTC device if the board has one.

    `set_time` is the call that changes the machine; tests hand in their own, and their own time.
    """

    __slots__ = ("_rtc", "_set_time", "_synchronised_file", "_time_ns")

    def __init__(
        self,
        rtc: Rtc | None = None,
        synchronised_file: str = SYNCHRONISED_FILE,
        set_time: Callable[[int, int], object] = time.clock_settime_ns,
        time_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._rtc = rtc
        self._synchronised_file = synchronised_file
        self._set_time = set_time
        self._time_ns = time_ns

    def wall_ns(self) -> int:
        """The first moment that 32 bits do not hold stands for all from there on, where the C
        library cannot say more: such a clock stands still, and is not believed for long."""
        try:
            return self._time_ns()
        except OSError:
            return 2**31 * SECOND_NS

    def wall_s(self) -> int:
        return self.wall_ns() // SECOND_NS

    def monotonic_ns(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def ahead_ns(self) -> int:
        """Of three tries the one that was least interrupted: a process may have to wait between
        two calls, and that is no jump of the clock."""
        return min(self._compare() for _try in range(3))[1]

    def _compare(self) -> tuple[int, int]:
        """How long it took to read both clocks, and wall minus monotonic."""
        before_ns = self.monotonic_ns()
        wall_ns = self.wall_ns()
        took_ns = self.monotonic_ns() - before_ns
        return took_ns, wall_ns - before_ns - took_ns // 2

    def outside_ns(self) -> int:
        return time.monotonic_ns()

    def synchronised(self) -> bool:
        """Whether the file was touched within a day of the time that the clock has now."""
        try:
            touched_ns = os.stat(self._synchronised_file).st_mtime_ns
        except (OSError, OverflowError):  # not there; a time that 32 bits do not hold
            return False
        return abs(self.wall_ns() - touched_ns) <= _VOUCHED_NS

    def set_wall(self, wall_s: int) -> None:
        """Sets clock, then RTC. Raises HalError: not permitted, out of range, RTC refuses."""
        try:
            with converted(HalError, "system clock"):
                self._set_time(time.CLOCK_REALTIME, wall_s * SECOND_NS)
        except OverflowError as error:
            raise HalError("this time is out of range", "system clock") from error
        if self._rtc:
            self._rtc.write(wall_s)


class ClockSetting(NamedTuple):
    """What the file of a simulated board's clock says."""

    offset_s: int = 0  # the board's wall clock ahead of the host's
    rate_ppm: int = PPM  # how fast it runs: 1,000,000 is real time
    synchronised: bool = False


class Gain(NamedTuple):
    """What a board has gained on real time by running faster: `gain_ns` at `outside_ns`."""

    outside_ns: int
    gain_ns: int
    rate_ppm: int

    def at(self, outside_ns: int) -> int:
        """The gain at a later moment of the host's monotonic clock."""
        return self.gain_ns + (outside_ns - self.outside_ns) * (self.rate_ppm - PPM) // PPM


def parse_setting(data: bytes) -> ClockSetting | None:
    """The JSON of a simulated clock; None for everything that is not exactly that.

    Shape: {"offset_s": integer, "rate": number from 0 on, "synchronised": boolean}; the last may
    be absent (false).
    """
    table = _parse_table(data)
    offset_s, rate = table.get("offset_s"), table.get("rate")
    synchronised = table.get("synchronised", False)
    if type(offset_s) is not int or abs(offset_s) > OFFSET_LIMIT_S:
        return None
    if isinstance(rate, bool) or not isinstance(rate, int | float):
        return None
    if not 0 <= rate <= RATE_LIMIT or type(synchronised) is not bool:  # NaN is in no range
        return None
    return ClockSetting(offset_s, round(rate * PPM), synchronised)


def render_setting(setting: ClockSetting) -> bytes:
    """The JSON that `parse_setting` reads back as this setting."""
    whole, part = divmod(setting.rate_ppm, PPM)
    return _render_table(
        {
            "offset_s": setting.offset_s,
            "rate": setting.rate_ppm / PPM if part else whole,
            "synchronised": setting.synchronised,
        }
    )


def parse_gain(data: bytes) -> Gain | None:
    """The JSON in which a simulated clock keeps its gain; None for everything else."""
    values = tuple(map(_parse_table(data).get, Gain._fields))
    return Gain._make(values) if all(type(value) is int for value in values) else None


def _parse_table(data: bytes) -> dict[str, Any]:
    """An object of numbers and booleans; empty for everything else.

    The library for all of JSON would be a third of a MiB that a real board does not have.
    """
    if not re.fullmatch(_TABLE, data):
        return {}
    return {name.decode(): _value(text) for name, text in re.findall(_PAIR, data)}


def _value(text: bytes) -> int | float | bool:
    if text in (b"true", b"false"):
        return text == b"true"
    return int(text) if text.lstrip(b"-").isdigit() else float(text)


def _render_table(table: dict[str, object]) -> bytes:
    pairs = (f'"{name}": {str(value).lower()}' for name, value in table.items())
    return f"{{{', '.join(pairs)}}}".encode()


def _read(path: str) -> bytes:
    try:
        with beside(path) as (folder, name):
            return read_regular(name, folder, _SETTING_BYTES)
    except OSError:
        return b""


def _replace(path: str, data: bytes) -> None:
    with beside(path) as (folder, name):
        replace_file(name, folder, data)


class ScaledClock:
    """The clocks of a simulated board: a real clock, moved by an offset and run at a rate.

    `wall_s` = host's wall + offset + gain; `monotonic_ns` = real elapsed time at the rate, never
    backwards; `outside_ns` is real. A new rate counts from the moment it is seen, so nothing jumps;
    a new offset moves the wall at once. The gain is kept in `PATH.gain`, anchored to the host's
    monotonic clock, so that a board whose agent was killed finds its time again.
    """

    __slots__ = ("_base", "_gain", "_looked_ns", "_path", "_seen", "_setting", "_start_ns")

    def __init__(self, base: FineClock, path: str) -> None:
        self._base, self._path = base, path
        self._setting = ClockSetting()
        self._seen: tuple[int, int, int] | None = None
        now_ns = base.outside_ns()
        self._start_ns = base.monotonic_ns() - now_ns
        self._gain = parse_gain(_read(path + ".gain")) or Gain(now_ns, 0, PPM)
        if self._gain.outside_ns > now_ns:  # the host booted since: its monotonic clock began anew
            self._gain = self._gain._replace(outside_ns=now_ns)
        self._look(now_ns)

    def wall_s(self) -> int:
        gain_ns = self._gain.at(self._now_ns())
        return (self._base.wall_ns() + gain_ns) // SECOND_NS + self._setting.offset_s

    def monotonic_ns(self) -> int:
        now_ns = self._now_ns()
        return self._start_ns + now_ns + self._gain.at(now_ns)

    def ahead_ns(self) -> int:
        """Both have gained the same, so the gain does not count."""
        self._now_ns()
        return self._base.ahead_ns() + self._setting.offset_s * SECOND_NS

    def outside_ns(self) -> int:
        return self._base.outside_ns()

    def synchronised(self) -> bool:
        self._now_ns()
        return self._setting.synchronised

    def set_wall(self, wall_s: int) -> None:
        """Writes the offset that makes the wall clock say this. Raises HalError."""
        self._look(self.outside_ns())
        ahead_s = wall_s - self.wall_s()
        setting = self._setting._replace(offset_s=self._setting.offset_s + ahead_s)
        if abs(setting.offset_s) > OFFSET_LIMIT_S:
            raise HalError("this time is out of range", self._path)
        with converted(HalError, self._path):
            _replace(self._path, render_setting(setting))
        self._look(self.outside_ns())

    def _now_ns(self) -> int:
        """Real time, after a look at the file when the last one is long enough ago."""
        now_ns = self.outside_ns()
        if now_ns - self._looked_ns >= _LOOK_NS:
            self._look(now_ns)
        return now_ns

    def _look(self, now_ns: int) -> None:
        """Takes over what the file says, if it changed and is good."""
        self._looked_ns = now_ns
        try:
            found = os.stat(self._path, follow_symlinks=False)  # a hint: what is read is checked
        except OSError:
            return
        seen = (found.st_mtime_ns, found.st_ino, found.st_size)
        if seen != self._seen:
            self._seen = seen
            self._setting = parse_setting(_read(self._path)) or self._setting
            self._run_at(self._setting.rate_ppm, now_ns)

    def _run_at(self, rate_ppm: int, now_ns: int) -> None:
        if rate_ppm == self._gain.rate_ppm:
            return
        self._gain = Gain(now_ns, self._gain.at(now_ns), rate_ppm)
        try:
            _replace(self._path + ".gain", _render_table(self._gain._asdict()))
        except OSError:
            pass  # a full disk must not stop the clock; only the next start would miss the gain
