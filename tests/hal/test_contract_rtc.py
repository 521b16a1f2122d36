"""What every `hal.ports.Rtc` does: the device on a register made by hand, the fake."""

from pathlib import Path

import pytest

from hal.fakes.work import FakeRtc
from hal.ports import HalError, Rtc
from hal.rtc import RTC_SET_TIME, LinuxRtc, to_fields


class Register:
    """A chip as the kernel shows it; `broken`: it was never set."""

    def __init__(self) -> None:
        self.fields, self.broken = to_fields(0), False

    def ioctl(self, _fd: int, request: int, data: bytes) -> bytes:
        if self.broken:
            raise OSError(22, "Invalid argument")
        if request == RTC_SET_TIME:
            self.fields = data
        return self.fields


@pytest.fixture(params=["linux", "fake"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Rtc, Rtc]:
    """One that works and one that fails."""
    if request.param == "fake":
        broken = FakeRtc(0)
        broken.refuse = True
        return FakeRtc(0), broken
    device, register = tmp_path / "rtc", Register()
    device.touch()
    register.broken = True
    return LinuxRtc(str(device), Register().ioctl), LinuxRtc(str(device), register.ioctl)


@pytest.mark.parametrize("wall_s", [0, 1_800_000_000, 4_100_000_000])
def test_it_says_what_was_set(pair: tuple[Rtc, Rtc], wall_s: int) -> None:
    pair[0].write(wall_s)
    assert pair[0].read() == wall_s


def test_one_that_fails_is_an_error_of_the_hal(pair: tuple[Rtc, Rtc]) -> None:
    with pytest.raises(HalError, match="rtc: Invalid argument"):
        pair[1].read()
    with pytest.raises(HalError, match="rtc: Invalid argument"):
        pair[1].write(0)
