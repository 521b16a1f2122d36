"""The Watchdog port: the device of Linux and the fake.

This machine need not have a watchdog. A pipe stands in for the device: its bytes are what a driver
would be given; the driver's own doings (it rounds, it resets) are those of a function and the fake.
"""

import errno
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hal.clock import SECOND_NS
from hal.fakes.watchdog import FakeWatchdog
from hal.fakes.work import FakeClock
from hal.ports import Watchdog, WatchdogError
from hal.watchdog import FED, MAGIC, SET_TIMEOUT, LinuxWatchdog


def _rounding(_fd: int, request: int, data: bytes) -> bytes:
    """A driver that counts in tens of seconds."""
    assert request == SET_TIMEOUT
    (seconds,) = struct.unpack("i", data)
    return struct.pack("i", -(-seconds // 10) * 10)


def _deaf(_fd: int, _request: int, _data: bytes) -> bytes:
    raise OSError(errno.EOPNOTSUPP, "Operation not supported")


class Device:
    """A FIFO in the place of /dev/watchdog, with a reader."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "watchdog"
        os.mkfifo(self.path)
        self._reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self._seen = b""

    def bytes(self) -> bytes:
        """All that a driver would have been given."""
        try:
            self._seen += os.read(self._reader, 4096)
        except BlockingIOError:
            pass
        return self._seen

    def close(self) -> None:
        os.close(self._reader)


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    device = Device(tmp_path)
    yield device
    device.close()


Subject = tuple[Watchdog, Callable[[], int], Callable[[], bool]]


@pytest.fixture(params=["real", "fake"])
def subject(request: pytest.FixtureRequest, device: Device) -> Subject:
    """A watchdog of 60 s that has just been opened; how often it was fed; whether it runs."""
    if request.param == "real":
        real = LinuxWatchdog(str(device.path), 60, _rounding)
        return real, lambda: device.bytes().count(FED), lambda: not device.bytes().endswith(MAGIC)
    fake = FakeWatchdog(FakeClock().outside_ns, 60)
    return fake, lambda: len(fake.fed_ns) - 1, lambda: fake.armed


def test_it_runs_from_the_opening_on(subject: Subject) -> None:
    watchdog, fed, runs = subject
    assert watchdog.timeout_s == 60
    assert (fed(), runs()) == (0, True)


def test_each_feeding_counts(subject: Subject) -> None:
    watchdog, fed, runs = subject
    for _ in range(3):
        watchdog.feed()
    assert (fed(), runs()) == (3, True)


def test_closing_leaves_it_running_and_takes_no_more(subject: Subject) -> None:
    watchdog, fed, runs = subject
    watchdog.close()
    watchdog.close()
    assert (fed(), runs()) == (0, True)
    with pytest.raises(WatchdogError):
        watchdog.feed()
    with pytest.raises(WatchdogError):
        watchdog.disarm()


def test_disarming_stops_it(subject: Subject) -> None:
    watchdog, _fed, runs = subject
    watchdog.feed()
    watchdog.disarm()
    assert not runs()
    watchdog.close()


# -- the device of Linux ---------------------------------------------------------------------------


def test_the_magic_close_is_the_last_byte(device: Device) -> None:
    watchdog = LinuxWatchdog(str(device.path), 60, _rounding)
    watchdog.feed()
    watchdog.disarm()
    assert device.bytes() == b"\0V"


def test_the_driver_has_the_last_word_on_the_time(device: Device) -> None:
    assert LinuxWatchdog(str(device.path), 61, _rounding).timeout_s == 70
    assert LinuxWatchdog(str(device.path), 61, _deaf).timeout_s == 0
    assert LinuxWatchdog(str(device.path), 61).timeout_s == 0  # the kernel's own word for a FIFO


def test_the_number_of_the_request_is_that_of_the_kernel() -> None:
    """_IOWR('W', 6, int): direction, size of an int, type, number."""
    read_write, size = 3, struct.calcsize("i")
    assert read_write << 30 | size << 16 | ord("W") << 8 | 6 == SET_TIMEOUT


def test_a_device_that_is_missing_or_has_nobody_behind_it(tmp_path: Path) -> None:
    with pytest.raises(WatchdogError, match="No such file"):
        LinuxWatchdog(str(tmp_path / "none"), 60)
    os.mkfifo(tmp_path / "nobody")
    with pytest.raises(WatchdogError, match="No such device"):
        LinuxWatchdog(str(tmp_path / "nobody"), 60)


# -- the fake --------------------------------------------------------------------------------------


def test_the_fake_resets_a_machine_that_is_silent_and_only_such_a_one() -> None:
    clock = FakeClock()
    watchdog = FakeWatchdog(clock.outside_ns, 60)
    clock.advance(60 * SECOND_NS)
    assert not watchdog.has_bitten
    watchdog.feed()
    clock.advance(61 * SECOND_NS)
    watchdog.feed()  # too late
    assert watchdog.has_bitten


def test_the_fake_leaves_a_machine_alone_that_has_stopped_it() -> None:
    clock = FakeClock()
    watchdog = FakeWatchdog(clock.outside_ns, 60)
    watchdog.disarm()
    clock.advance(1000 * SECOND_NS)
    assert not watchdog.has_bitten
