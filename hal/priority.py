"""How much of the processor work takes while somebody else wants it too.

Linux may share the processor between sessions before it shares it between processes (autogroup,
sched(7)). The nice value of a process then counts within its session alone, and a job that has a
session of its own takes half of what the console needs. So the session is made nice as well. In a
control group with a weight of its own, or without autogroup, the kernel does not look at it.

The agent comes forward a little: what it does takes milliseconds, and somebody waits for the echo
of a key. The worker has the value that the agent was started with, so it does not stand back: it
ends jobs whose time is up, however busy the machine is.
"""

from __future__ import annotations

import os

_STEP = 10  # a key that is being generated must not make the console wait
_LAST = 19
_USUAL, _FRONT = 0, -5  # a key is echoed while children, a worker and others are at work


def come_forward() -> None:
    """Puts this process before others, and its session if that is its own.

    Only where whoever started it has not given it another place, and as far as it may: as root.
    """
    pid = os.getpid()
    if os.getpriority(os.PRIO_PROCESS, 0) != _USUAL:
        return
    try:
        os.setpriority(os.PRIO_PROCESS, pid, _FRONT)
    except OSError:
        return
    if os.getsid(0) == pid:
        stand_back(pid, _FRONT)


def of_a_worker() -> int:
    """The nice value of a process that this one starts, which has come forward or not."""
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    return _USUAL if nice == _FRONT else nice


def behind() -> int:
    """The nice value of what stands back behind this process."""
    return min(_LAST, os.getpriority(os.PRIO_PROCESS, 0) + _STEP)


def stand_back(pid: int, nice: int) -> None:
    """Lets others go before a process and its session.

    Never raises: work that may not stand back is done all the same. A session that the process
    makes later is a new one.
    """
    try:
        os.setpriority(os.PRIO_PROCESS, pid, nice)
        session = os.open(f"/proc/{pid}/autogroup", os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        os.write(session, b"%d" % nice)
    except OSError:
        pass  # the kernel takes one change in 0.1 s from all who are not root
    finally:
        os.close(session)
