"""Who may look into this process: nobody of the same user (prctl(2), PR_SET_DUMPABLE).

A typed password passes through the agent's memory, and without root a job child is the same user:
ptrace and /proc/PID/{mem,environ,fd} must be shut to it. CAP_SYS_PTRACE opens them still.
"""

from __future__ import annotations

import os

from hal.annotations import Any
from hal.files import read_text
from hal.ports import FilesError

_PR_SET_DUMPABLE = 4
_RTLD_NOW = 2
_AFTER_A_CHANGE = "/proc/sys/fs/suid_dumpable"  # how dumpable who changes groups is
_SETTING_BYTES = 16


def forbid_inspection() -> bool:
    """Whether it is forbidden from now on, until this process starts another program.

    The kernel does it to who changes groups, as root alone can there and back, unless
    fs.suid_dumpable is odd. What lies below ctypes does it for everybody, and is 0.2 MiB of memory
    that stays, where a small Python has it at all.
    """
    if _is_usual() and _change_group():
        return True
    try:
        import _ctypes

        foreign: Any = _ctypes
        prctl = foreign.dlsym(foreign.dlopen(None, _RTLD_NOW), "prctl")
        done: int = foreign.call_function(prctl, (_PR_SET_DUMPABLE, 0, 0, 0, 0))
    except (ImportError, AttributeError, OSError):
        return _change_group()
    return done == 0


def _is_usual() -> bool:
    try:
        return read_text(_AFTER_A_CHANGE, _SETTING_BYTES).strip() == "0"
    except FilesError:
        return False


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
