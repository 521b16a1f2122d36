"""The rung Landlock: no path can be opened, no process outside can be signalled. Needs no root.

Landlock's own versions (ABI) have ever more rights; all that the kernel knows are taken away
(landlock(7)). What was opened before goes on; so do look-ups without opening (stat). Sockets other
than TCP are not covered before they are in the name spaces.

What can go wrong: the kernel has no Landlock (ENOSYS before 5.13, EOPNOTSUPP when it is switched
off at boot), or a filter above us denies it (EPERM). On MIPS the numbers are others: ENOSYS.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence

from hal.confinement import kernel

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # on all but MIPS and Alpha
_VERSION = 1  # flag of create_ruleset: tell the ABI
_PATH_BENEATH = 1
_READ_FILE = 1 << 2
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}  # number of rights by ABI; more: the last
_FILE_RIGHTS_LAST = 16  # from 5 on
_TCP = 0b11  # bind, connect; from 4 on
_OUTSIDE = 0b11  # abstract UNIX sockets and signals, from 6 on


def restrict(readable: Sequence[str], network: bool) -> None:
    """For good: only the files `readable` can be opened, for reading; TCP only with `network`.

    Files that are not there are left out. Needs no-new-privileges. Raises OSError.
    """
    abi = kernel.call("syscall", _CREATE_RULESET, None, 0, _VERSION)
    rules = _handled(abi, network)
    ruleset = kernel.call("syscall", _CREATE_RULESET, rules, len(rules), 0)
    try:
        for path in readable:
            _allow(ruleset, path)
        kernel.call("syscall", _RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _handled(abi: int, network: bool) -> bytes:
    """struct landlock_ruleset_attr, as long as this ABI knows it: what is denied unless allowed."""
    files = (1 << _FILE_RIGHTS.get(abi, _FILE_RIGHTS_LAST)) - 1
    words = [files]
    if abi >= 4:
        words.append(0 if network else _TCP)
    if abi >= 6:
        words.append(_OUTSIDE)
    return struct.pack(f"={len(words)}Q", *words)


def _allow(ruleset: int, path: str) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rule = struct.pack("=Qi", _READ_FILE, fd)
        kernel.call("syscall", _ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
    finally:
        os.close(fd)
