"""`struct rtc_time` both ways, and the device file behind it."""

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hal import calendar
from hal.ports import HalError
from hal.rtc import RTC_RD_TIME, RTC_SET_TIME, LinuxRtc, from_fields, to_fields


def test_the_fields_are_utc_with_the_counts_of_the_kernel() -> None:
    # 2024-02-29 12:34:56 UTC, a Thursday, the 60th day of its year
    assert struct.unpack("=9i", to_fields(1_709_210_096)) == (56, 34, 12, 29, 1, 124, 4, 59, 0)
    # 2023-01-01 00:00:00 UTC, a Sunday
    assert struct.unpack("=9i", to_fields(1_672_531_200)) == (0, 0, 0, 1, 0, 123, 0, 0, 0)


@settings(deadline=None, max_examples=300)
@given(wall_s=st.integers(0, 2**33))
def test_a_time_comes_back_as_it_was(wall_s: int) -> None:
    assert from_fields(to_fields(wall_s), "rtc") == wall_s


@settings(deadline=None, max_examples=300)
@given(
    fields=st.lists(st.integers(-1, 60) | st.integers(-(2**31), 2**31 - 1), min_size=9, max_size=9)
)
def test_any_fields_are_a_time_or_an_error(fields: list[int]) -> None:
    data = struct.pack("=9i", *fields)
    second, minute, hour, day, month, year = fields[:6]
    in_day = 0 <= second < 60 and 0 <= minute < 60 and 0 <= hour < 24
    if in_day and calendar.day_s(year + 1900, month + 1, day) is not None:
        moment = calendar.moment(from_fields(data, "rtc"))
        assert moment[:6] == (year + 1900, month + 1, day, hour, minute, second)
    else:
        with pytest.raises(HalError, match="rtc: it holds no time"):
            from_fields(data, "rtc")


@pytest.mark.parametrize("data", [b"", bytes(35), 0, None])
def test_an_answer_of_another_shape_is_an_error(data: object) -> None:
    with pytest.raises(HalError, match="it gave no time"):
        from_fields(data, "rtc")


def test_the_device_is_asked_and_set(tmp_path: Path) -> None:
    calls: list[tuple[int, bytes]] = []

    def ioctl(_fd: int, request: int, data: bytes) -> bytes:
        calls.append((request, data))
        return to_fields(1_700_000_000)

    (tmp_path / "rtc").touch()
    rtc = LinuxRtc(str(tmp_path / "rtc"), ioctl)
    assert rtc.read() == 1_700_000_000
    rtc.write(1_800_000_000)
    assert calls == [(RTC_RD_TIME, bytes(36)), (RTC_SET_TIME, to_fields(1_800_000_000))]


def test_a_device_that_is_missing_or_was_never_set_is_named(tmp_path: Path) -> None:
    def unset(_fd: int, _request: int, _data: bytes) -> bytes:
        raise OSError(22, "Invalid argument")

    (tmp_path / "rtc").touch()
    with pytest.raises(HalError, match="rtc: Invalid argument"):
        LinuxRtc(str(tmp_path / "rtc"), unset).read()
    with pytest.raises(HalError, match="absent: No such file"):
        LinuxRtc(str(tmp_path / "absent")).write(0)
