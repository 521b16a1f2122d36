"""What the kernel knows of its wall clock, for a resident agent that does not load ctypes.

Asked by the worker, which has ctypes and reads no byte of a stranger. No job child needs any of
this, so none may call it: the filters stay as they are.
"""

from __future__ import annotations

import os
import struct
import time

from hal.confinement import kernel

_TIMEX_BYTES = 512  # struct timex has 208 bytes, or 128 where `long` has 32 bits
_TIMEX = struct.Struct("@I3l")  # modes, offset, freq, maxerror
_ABSOLUTE_AND_CANCELLED = 1 | 2  # TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET of linux/timerfd.h
_NEVER_S = 2**33  # the year 2242, beyond what clock_settime(2) takes
_SETTIME64 = 411  # timerfd_settime64 of all 32-bit machines, Linux 5.1


def maxerror_us() -> int:
    """How far the clock may be off, by the word of who keeps it. Raises OSError.

    Below `hal.ports.UNKNOWN_US` somebody does, or did within nine hours: the kernel adds 500 us
    each second. STA_UNSYNC says less: chrony without `rtcsync` leaves it set (adjtimex(2)).
    """
    return int(_TIMEX.unpack_from(kernel.filled("adjtimex", _TIMEX_BYTES))[3])


def set_timer() -> int:
    """A timer that becomes readable, as ECANCELED, when the wall clock is set. Raises OSError.

    It stays armed when it is read. It does not tell of a clock that is slewed.
    """
    fd = kernel.call("timerfd_create", time.CLOCK_REALTIME, os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        when = struct.pack("=4q", 0, 0, _NEVER_S, 0)  # no interval
        if struct.calcsize("P") == 8:
            kernel.call("timerfd_settime", fd, _ABSOLUTE_AND_CANCELLED, when, None)
        else:  # the struct of the C library may have either size there
            kernel.call("syscall", _SETTIME64, fd, _ABSOLUTE_AND_CANCELLED, when, None)
    except OSError:
        os.close(fd)
        raise
    return fd
