"""Runs a program to which the kernel denies some system calls, as in a container or an old kernel.

    python -I denied.py NAME=ERRNO ... -- COMMAND...      unshare=EPERM, seccomp=EINVAL, ...

By a filter that the program and all its children inherit.
"""

import ctypes
import errno
import os
import struct
import sys

# One for x86-64, one for architectures with the generic table; Landlock has one for all.
NUMBERS = {"unshare": (272, 97), "mount": (165, 40), "landlock_create_ruleset": (444, 444)}
PRCTL = (157, 167)
GENERIC = os.uname().machine != "x86_64"
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, FILTER = 22, 38, 2
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x50000
NUMBER, FIRST_ARGUMENT = 0, 16  # in struct seccomp_data

Instruction = tuple[int, int, int, int]


def rules(name: str, refused: int) -> list[Instruction]:
    """Instructions that refuse one call and let all others by."""
    end = (RETURN, 0, 0, REFUSE | refused)
    if name == "seccomp":  # by prctl, as the product does it
        return [
            (LOAD, 0, 0, NUMBER),
            (EQUAL, 0, 3, PRCTL[GENERIC]),
            (LOAD, 0, 0, FIRST_ARGUMENT),
            (EQUAL, 0, 1, PR_SET_SECCOMP),
            end,
        ]
    return [(LOAD, 0, 0, NUMBER), (EQUAL, 0, 1, NUMBERS[name][GENERIC]), end]


class Program(ctypes.Structure):
    """struct sock_fprog"""

    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def deny(wanted: list[str]) -> None:
    """Loads the filter into this process."""
    code: list[Instruction] = []
    for one in wanted:
        name, number = one.split("=")
        code += rules(name, getattr(errno, number))
    code.append((RETURN, 0, 0, ALLOW))
    text = b"".join(struct.pack("=HBBI", *instruction) for instruction in code)
    libc = ctypes.CDLL(None, use_errno=True)
    program = Program(len(code), text)
    assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    assert libc.prctl(PR_SET_SECCOMP, FILTER, ctypes.byref(program), 0, 0) == 0, ctypes.get_errno()


if __name__ == "__main__":
    split = sys.argv.index("--")
    deny(sys.argv[1:split])
    os.execvp(sys.argv[split + 1], sys.argv[split + 1 :])
