"""Runs a program as an ordinary user for whom the kernel makes no user name spaces.

    python -I nested.py UID COMMAND...    as root

A user name space of its own, in which the limit of further ones is 0: what /proc/sys/user would say
on a device where the administrator has set it.
"""

import ctypes
import os
import sys
from collections.abc import Sequence

CLONE_NEWUSER = 0x10000000
LIMIT = "/proc/sys/user/max_user_namespaces"


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    os.write(descriptor, text.encode())
    os.close(descriptor)


def _map_from_outside(ready: int, pid: int) -> None:
    """All ids stay what they are. Only a process outside may say so."""
    os.read(ready, 1)
    for name in ("uid_map", "gid_map"):
        _write(f"/proc/{pid}/{name}", "0 0 65536")


def main(arguments: Sequence[str]) -> None:
    uid, command = int(arguments[0]), list(arguments[1:])
    ready, tell = os.pipe()
    helper, pid = os.fork(), os.getpid()
    if helper == 0:
        _map_from_outside(ready, os.getppid())
        os._exit(0)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    os.write(tell, b"x")
    _, status = os.waitpid(helper, 0)
    assert status == 0, f"no map for {pid}"
    _write(LIMIT, "0")
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
