"""Who may look into this process: nobody of the same user (prctl(2), PR_SET_DUMPABLE).

A typed password passes through the agent's memory, and without root a job child is the same user:
ptrace and /proc/PID/{mem,environ,fd} must be shut to it. CAP_SYS_PTRACE opens them still.
"""

from __future__ import annotations

import os
from typing import Any

_PR_SET_DUMPABLE = 4
_RTLD_NOW = 2


def forbid_inspection() -> bool:
    """Whether it is forbidden from now on, until this process starts another program.

    By what lies below ctypes: 50 KiB of memory that stays, against 220 for ctypes itself. Where
    that is missing, the kernel does the same to who changes groups, as root alone can there and
    back; but for an odd fs.suid_dumpable.
    """
    try:
        import _ctypes

        foreign: Any = _ctypes
        prctl = foreign.dlsym(foreign.dlopen(None, _RTLD_NOW), "prctl")
        done: int = foreign.call_function(prctl, (_PR_SET_DUMPABLE, 0, 0, 0, 0))
    except (ImportError, AttributeError, OSError):
        return _change_group()
    return done == 0


def _change_group() -> bool:
    if os.geteuid() != 0:
        return False
    group = os.getegid()
    try:
        os.setegid(group + 1)
        os.setegid(group)
    except OSError:
        return False
    return True
