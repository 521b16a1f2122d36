"""The kernel's word about its clock, and the timer that tells of a set one."""

import os
import struct

import pytest

from hal.confinement import kernel, kernel_clock

pytestmark = pytest.mark.skipif(kernel._LIBC is None, reason="needs ctypes")


def test_the_error_is_that_of_the_kernel() -> None:
    """The same as by the call itself, without the C library's own struct."""
    number = {"x86_64": 159, "aarch64": 171}.get(os.uname().machine)
    if number is None or struct.calcsize("P") != 8:
        pytest.skip("the number of the call is not known here")
    import ctypes

    def by_itself() -> int:
        buffer = ctypes.create_string_buffer(512)
        assert kernel._LIBC.syscall(number, buffer) >= 0
        return int(struct.unpack_from("@I3l", buffer)[3])

    for _try in range(5):  # a second that passes, or a daemon, changes it
        before, ours, after = by_itself(), kernel_clock.maxerror_us(), by_itself()
        if before == after:
            break
    assert before == ours == after


def test_a_timer_is_armed_for_the_far_future_and_cancelled_by_a_set_clock() -> None:
    fd = kernel_clock.set_timer()
    with open(f"/proc/self/fdinfo/{fd}") as file:
        said = dict(line.rstrip().split(":", 1) for line in file)
    assert said["settime flags"].strip() == "03"
    assert int(said["it_value"].split(",")[0].strip(" (")) > 10**9  # decades from now
    assert not os.get_inheritable(fd)
    os.close(fd)
