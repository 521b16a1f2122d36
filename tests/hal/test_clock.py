"""The kernel's clocks; the simulated board's clock on a clock made by hand."""

import json
import math
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hal.clock import (
    OFFSET_LIMIT_S,
    PPM,
    RATE_LIMIT,
    SECOND_NS,
    ClockSetting,
    Gain,
    LinuxClock,
    ScaledClock,
    parse_gain,
    parse_setting,
    render_setting,
)
from hal.fakes.work import FakeClock, FakeRtc
from hal.ports import HalError

LOOK_NS = 50_000_000


def write(path: Path, **table: object) -> None:
    path.write_text(json.dumps(table))


def test_the_kernel_clocks_are_read() -> None:
    clock = LinuxClock()
    readings: tuple[tuple[Callable[[], int], Callable[[], int]], ...] = (
        (clock.wall_s, lambda: int(time.time())),
        (clock.outside_ns, time.monotonic_ns),
        (clock.monotonic_ns, lambda: time.clock_gettime_ns(time.CLOCK_BOOTTIME)),
    )
    for ours, kernels in readings:
        assert kernels() <= ours() <= kernels()


def test_synchronised_is_the_mark_of_the_time_source(tmp_path: Path) -> None:
    clock = LinuxClock(synchronised_file=str(tmp_path / "synchronized"))
    assert not clock.synchronised()
    (tmp_path / "synchronized").touch()
    assert clock.synchronised()
    for off_s in (-2 * 86400, 2 * 86400):  # the clock was set since the source touched it
        os.utime(tmp_path / "synchronized", (time.time() + off_s,) * 2)
        assert not clock.synchronised()


def test_setting_sets_clock_then_rtc() -> None:
    calls: list[tuple[int, int, int]] = []
    rtc = FakeRtc(0)
    clock = LinuxClock(rtc, set_time=lambda number, ns: calls.append((number, rtc.wall_s, ns)))
    clock.set_wall(1_700_000_000)
    assert calls == [(time.CLOCK_REALTIME, 0, 1_700_000_000 * SECOND_NS)]
    assert rtc.wall_s == 1_700_000_000


def test_an_rtc_that_fails_is_named() -> None:
    rtc = FakeRtc(0)
    rtc.refuse = True
    with pytest.raises(HalError, match="rtc: Invalid argument"):
        LinuxClock(rtc, set_time=lambda _clock, _ns: None).set_wall(1)


def test_a_time_that_the_c_library_cannot_say_ends_nothing() -> None:
    def overflow() -> int:
        raise OSError(75, "Value too large for defined data type")

    clock = LinuxClock(time_ns=overflow)
    assert clock.wall_s() == 2**31
    assert clock.wall_s() * SECOND_NS - clock.ahead_ns() - clock.monotonic_ns() < SECOND_NS


def test_an_interruption_between_two_readings_is_no_jump() -> None:
    pauses = iter([0.05, 0, 0])

    def slowly() -> int:
        time.sleep(next(pauses))
        return time.time_ns()

    undisturbed_ns = LinuxClock().ahead_ns()
    assert abs(LinuxClock(time_ns=slowly).ahead_ns() - undisturbed_ns) < 20_000_000


def test_a_time_that_the_kernel_cannot_hold_is_refused() -> None:
    with pytest.raises(HalError, match="out of range"):
        LinuxClock().set_wall(10**12)  # the real call: it refuses before it sets anything


# -- the file of a simulated clock -----------------------------------------------------------------

GOOD = {"offset_s": -5, "rate": 1.5, "synchronised": True}


def test_the_setting_is_read() -> None:
    assert parse_setting(json.dumps(GOOD).encode()) == ClockSetting(-5, 1_500_000, True)
    assert parse_setting(b'{"offset_s": 0, "rate": 600}') == ClockSetting(0, 600 * PPM, False)


@pytest.mark.parametrize(
    "wrong",
    [
        {"offset_s": 1.5},
        {"offset_s": True},
        {"offset_s": "1"},
        {"offset_s": None},
        {"offset_s": OFFSET_LIMIT_S + 1},
        {"rate": -1},
        {"rate": math.nan},
        {"rate": math.inf},
        {"rate": True},
        {"rate": "1"},
        {"rate": RATE_LIMIT * 2},
        {"synchronised": 1},
    ],
)
def test_a_wrong_setting_is_none(wrong: dict[str, object]) -> None:
    assert parse_setting(json.dumps({**GOOD, **wrong}).encode()) is None


@pytest.mark.parametrize("field", ["offset_s", "rate"])
def test_a_missing_field_is_none(field: str) -> None:
    table = {key: value for key, value in GOOD.items() if key != field}
    assert parse_setting(json.dumps(table).encode()) is None


@settings(deadline=None, max_examples=200)
@given(data=st.binary(max_size=64) | st.text(alphabet='{}[]":0123456789.e+-', max_size=64))
def test_nonsense_is_none_never_an_exception(data: bytes | str) -> None:
    raw = data.encode() if isinstance(data, str) else data
    assert parse_setting(raw) is None or raw
    assert parse_gain(raw) is None
    assert parse_setting(b"[" * 4096) is None


@settings(deadline=None, max_examples=200)
@given(
    st.builds(
        ClockSetting,
        st.integers(-OFFSET_LIMIT_S, OFFSET_LIMIT_S),
        st.integers(0, RATE_LIMIT * PPM),
        st.booleans(),
    )
)
def test_a_rendered_setting_is_read_back(setting: ClockSetting) -> None:
    assert parse_setting(render_setting(setting)) == setting


# -- the simulated clock ---------------------------------------------------------------------------


def test_without_a_file_it_is_the_clock_below(tmp_path: Path) -> None:
    base = FakeClock()
    clock = ScaledClock(base, str(tmp_path / "clock"))
    base.advance(5 * SECOND_NS)
    assert clock.wall_s() == base.wall_s()
    assert clock.monotonic_ns() == base.monotonic_ns()
    assert list(tmp_path.iterdir()) == []


def test_a_year_passes_in_minutes_and_a_change_of_rate_is_no_jump(tmp_path: Path) -> None:
    path, base = tmp_path / "clock", FakeClock()
    write(path, offset_s=0, rate=100_000)
    clock = ScaledClock(base, str(path))
    wall_s, monotonic_ns = clock.wall_s(), clock.monotonic_ns()
    base.advance(315 * SECOND_NS)
    assert clock.wall_s() - wall_s == 31_500_000
    assert clock.monotonic_ns() - monotonic_ns == 31_500_000 * SECOND_NS
    assert clock.outside_ns() == base.outside_ns()
    write(path, offset_s=0, rate=1)
    late_s, late_ns = clock.wall_s(), clock.monotonic_ns()
    assert clock.ahead_ns() == base.ahead_ns()  # no jump for who compares the two
    base.advance(SECOND_NS)  # the change is seen at the next look: this second still runs fast
    assert clock.wall_s() == late_s + 100_000
    base.advance(SECOND_NS)
    assert clock.wall_s() == late_s + 100_001
    assert clock.monotonic_ns() == late_ns + 100_001 * SECOND_NS


def test_an_offset_moves_the_wall_alone(tmp_path: Path) -> None:
    path, base = tmp_path / "clock", FakeClock()
    clock = ScaledClock(base, str(path))
    wall_s, monotonic_ns = clock.wall_s(), clock.monotonic_ns()
    write(path, offset_s=-86400, rate=1)
    base.advance(LOOK_NS)
    assert clock.wall_s() == wall_s - 86400
    assert clock.monotonic_ns() == monotonic_ns + LOOK_NS


def test_the_file_is_looked_at_once_in_50_ms(tmp_path: Path) -> None:
    path, base = tmp_path / "clock", FakeClock()
    clock = ScaledClock(base, str(path))
    wall_s = clock.wall_s()
    write(path, offset_s=100, rate=1)
    base.advance(LOOK_NS - 1)
    assert clock.wall_s() == wall_s
    base.advance(1)
    assert clock.wall_s() == wall_s + 100


@pytest.mark.parametrize("bad", ["", "{", '{"offset_s": 1}', '{"offset_s": 0, "rate": -1}'])
def test_a_bad_file_keeps_the_last_good_values(tmp_path: Path, bad: str) -> None:
    path, base = tmp_path / "clock", FakeClock()
    write(path, offset_s=100, rate=2, synchronised=True)
    clock = ScaledClock(base, str(path))
    assert clock.synchronised()
    path.write_text(bad)
    base.advance(10 * SECOND_NS)
    assert clock.wall_s() == base.wall_s() + 100 + 10
    path.unlink()
    base.advance(10 * SECOND_NS)
    assert clock.wall_s() == base.wall_s() + 100 + 20
    assert clock.synchronised()


def test_setting_the_wall_rewrites_the_offset_alone(tmp_path: Path) -> None:
    path, base = tmp_path / "clock", FakeClock()
    write(path, offset_s=7, rate=60, synchronised=True)
    clock = ScaledClock(base, str(path))
    base.advance(10 * SECOND_NS)
    clock.set_wall(1_900_000_000)
    assert clock.wall_s() == 1_900_000_000
    base.advance(SECOND_NS)
    assert clock.wall_s() == 1_900_000_060
    table = json.loads(path.read_text())
    assert (table["rate"], table["synchronised"]) == (60, True)
    assert ScaledClock(base, str(path)).wall_s() == 1_900_000_060


def test_a_wall_out_of_range_or_a_folder_gone_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    clock = ScaledClock(FakeClock(), str(tmp_path / "below" / "clock"))
    with pytest.raises(HalError, match="out of range"):
        clock.set_wall(OFFSET_LIMIT_S * 10)
    (tmp_path / "below").rmdir()
    with pytest.raises(HalError, match="No such file"):
        clock.set_wall(0)


def test_a_killed_agent_finds_its_time_again(tmp_path: Path) -> None:
    path, base = tmp_path / "clock", FakeClock()
    write(path, offset_s=50, rate=3600)
    clock = ScaledClock(base, str(path))
    base.advance(100 * SECOND_NS)
    again = ScaledClock(base, str(path))
    assert (again.wall_s(), again.monotonic_ns()) == (clock.wall_s(), clock.monotonic_ns())
    base.advance(SECOND_NS)
    assert again.wall_s() == clock.wall_s() == base.wall_s() + 50 + 101 * 3599


def test_after_a_boot_of_the_host_the_gain_stays(tmp_path: Path) -> None:
    path = tmp_path / "clock"
    write(path, offset_s=0, rate=2)
    (tmp_path / "clock.gain").write_text(
        json.dumps(Gain(10**18, 1000 * SECOND_NS, 2 * PPM)._asdict())
    )
    base = FakeClock()
    clock = ScaledClock(base, str(path))
    assert clock.wall_s() == base.wall_s() + 1000
    base.advance(10 * SECOND_NS)
    assert clock.wall_s() == base.wall_s() + 1010


def test_a_full_disk_does_not_stop_the_clock(tmp_path: Path) -> None:
    path, base = tmp_path / "clock", FakeClock()
    (tmp_path / "clock.gain").mkdir()  # so that the gain cannot be kept
    write(path, offset_s=0, rate=10)
    clock = ScaledClock(base, str(path))
    base.advance(SECOND_NS)
    assert clock.wall_s() == base.wall_s() + 9


@settings(deadline=None, max_examples=60)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from([0, 0.25, 1, 1.000001, 60, 100_000]), st.integers(1, 10**10)),
        max_size=8,
    )
)
def test_monotonic_time_never_goes_back(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[float, int]]
) -> None:
    path, base = tmp_path_factory.mktemp("clock") / "clock", FakeClock()
    clock, last = ScaledClock(base, str(path)), 0
    for rate, delta_ns in steps:
        write(path, offset_s=0, rate=rate)
        for part_ns in (0, delta_ns // 2, delta_ns):
            base.advance(part_ns)
            assert clock.monotonic_ns() >= last
            last = clock.monotonic_ns()
