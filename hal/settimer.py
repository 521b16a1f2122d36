"""The timer that tells of a set wall clock, looked at by who receives it.

It comes from another process. A descriptor of another kind, or a timer that would wake the loop
without end, is not taken; then the loop looks at the clock each minute, as it does without one.
"""

from __future__ import annotations

import os

_LINK = "anon_inode:[timerfd]"
_LIMIT_BYTES = 4096
# CLOCK_REALTIME, an absolute time, cancelled by a set clock, no interval (proc_pid_fdinfo(5)).
_LINES = {"clockid: 0", "settime flags: 03", "it_interval: (0, 0)"}


def is_set_timer(fd: int) -> bool:
    """Whether `fd` is such a timer; one that never blocks from then on."""
    try:
        if os.readlink(f"/proc/self/fd/{fd}") != _LINK:
            return False
        os.set_blocking(fd, False)
        info = os.open(f"/proc/self/fdinfo/{fd}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        said = os.read(info, _LIMIT_BYTES)
    except OSError:
        return False
    finally:
        os.close(info)
    return set(said.decode("ascii", "replace").splitlines()) >= _LINES
