"""System calls that Python 3.11 has no function for, by ctypes. They raise OSError alone.

A small Python comes without ctypes (OpenWrt's `python3-light`). Then each call is ENOSYS, and who
asks goes on without it. The C library is looked up before there are children.
"""

from __future__ import annotations

import errno
import os
import struct
from typing import Any

try:
    import ctypes
except ImportError:
    _LIBC: Any = None
else:
    _LIBC = ctypes.CDLL(None, use_errno=True)
    for _name in ("capset", "prctl", "setns", "syscall", "unshare"):
        getattr(_LIBC, _name)  # found once, and not in each child

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
_NO_CTYPES = "no ctypes"
_CAPABILITY_VERSION_3 = 0x20080522  # linux/capability.h: two words for each of three sets


def call(name: str, *arguments: int | bytes | None) -> int:
    """A function of the C library that returns -1 and sets errno; its result. Raises OSError."""
    if _LIBC is None:
        raise OSError(errno.ENOSYS, _NO_CTYPES)
    # As long as a register: `syscall` takes its arguments from there, whatever their type.
    words = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    result = int(getattr(_LIBC, name)(*words))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def filled(name: str, size: int) -> bytes:
    """What a function of the C library writes into a buffer of zeroes. Raises OSError."""
    if _LIBC is None:
        raise OSError(errno.ENOSYS, _NO_CTYPES)
    buffer = ctypes.create_string_buffer(size)
    if getattr(_LIBC, name)(buffer) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return bytes(buffer)


def prctl(option: int, value: int) -> None:
    """prctl(2) with one argument."""
    call("prctl", option, value, 0, 0, 0)


def drop_capabilities() -> None:
    """Leaves none: they would count in a user name space of our own."""
    call("capset", struct.pack("=Ii", _CAPABILITY_VERSION_3, 0), bytes(24))


def reason(error: OSError) -> str:
    """Why a rung is missing, in one word where the kernel says so: EPERM."""
    if error.strerror == _NO_CTYPES:
        return _NO_CTYPES
    return errno.errorcode.get(error.errno or 0, str(error))
