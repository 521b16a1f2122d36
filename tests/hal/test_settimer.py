"""What comes in the place of a timer is looked at before the loop waits for it."""

import os
import struct
import time
from collections.abc import Iterator

import pytest

from hal.confinement import kernel, kernel_clock
from hal.settimer import is_set_timer

needs_ctypes = pytest.mark.skipif(kernel._LIBC is None, reason="needs ctypes")


@pytest.fixture
def fds() -> Iterator[list[int]]:
    opened: list[int] = []
    yield opened
    for fd in opened:
        os.close(fd)


def timer(clock: int, flags: int, first_s: int, interval_s: int) -> int:
    fd = kernel.call("timerfd_create", clock, os.O_CLOEXEC)
    when = struct.pack("@4l", interval_s, 0, first_s, 0)
    kernel.call("timerfd_settime", fd, flags, when, None)
    return fd


@needs_ctypes
def test_the_timer_of_the_worker_is_one_and_never_blocks(fds: list[int]) -> None:
    fds.append(kernel_clock.set_timer())
    os.set_blocking(fds[0], True)
    assert is_set_timer(fds[0])
    with pytest.raises(BlockingIOError):
        os.read(fds[0], 8)


@needs_ctypes
def test_a_timer_that_would_wake_the_loop_or_stay_silent_is_none(fds: list[int]) -> None:
    far_s = int(time.time()) + 1_000_000
    fds += [
        timer(time.CLOCK_MONOTONIC, 1, far_s, 0),
        timer(time.CLOCK_REALTIME, 1, far_s, 0),  # a set clock does not cancel it
        timer(time.CLOCK_REALTIME, 3, far_s, 1),
    ]
    assert [is_set_timer(fd) for fd in fds] == [False] * 3


def test_other_descriptors_are_none(fds: list[int]) -> None:
    fds += [*os.pipe(), os.memfd_create("[timerfd]"), os.eventfd(0)]
    assert [is_set_timer(fd) for fd in fds] == [False] * 4
    assert not is_set_timer(9999)
