"""The rung seccomp: a filter of system calls, an allow list for each kind of job.

`build` makes the program in the worker; a child loads it as its last act before it reads its job.
No filter kills: a renewal that met a call nobody thought of would die in silence, again and again.
A call without a number in our table gets ENOSYS, so that a newer C library falls back to an older
call; a dangerous one gets EPERM (`rules`). Foreign ABIs (int 0x80 in a 64-bit process, x32) get
EPERM before any number is looked at, because their numbers mean other calls.

What can go wrong: there is no ctypes, the machine is unknown, the kernel has no seccomp (EINVAL;
also under qemu-user), or somebody above us denies it. Then `load` says why and the job goes on
without this rung. The filter is loaded by prctl: the list @system-service of systemd 252 denies
seccomp(2).

The kernel tells nobody about a call that a filter refused with an errno, and a child that was taken
over does not either. A refusal that a job of ours meets is its error `job-refused`.
"""

from __future__ import annotations

import errno
import os
import struct
import sys
from collections.abc import Sequence

from hal.confinement import rules
from hal.confinement.rules import NETWORK, Case, Condition, Rule
from hal.confinement.syscalls import NUMBERS, X86_64, Architecture, architecture
from hal.named import NamedTuple

try:
    import ctypes
except ImportError:  # a small Python: no filter, one rung less
    _prctl = None
else:
    _prctl = ctypes.CDLL(None, use_errno=True).prctl
    _prctl.argtypes = (ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p, *[ctypes.c_ulong] * 2)

PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2

# linux/bpf_common.h: load a word, mask it, jump if (not) equal or greater, jump, return.
_LOAD, _AND, _EQUAL, _AT_LEAST, _JUMP, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x05, 0x06
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_X32 = 0x40000000
_FAR = 255  # a conditional jump has eight bits, the other one 32
_INSTRUCTION = struct.Struct("=HBBI")  # struct sock_filter

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, operand


class Filter(NamedTuple):
    """A program for the kernel, or the reason why there is none.

    header: struct sock_fprog, with the address of the program; empty: not made yet.
    """

    program: bytes
    reason: str = ""
    header: bytes = b""


def build(kind: str, extra: Sequence[str] = ()) -> Filter:
    """The filter of a kind of job, `local` or `network`. `extra`: see `rules.rules`."""
    found = own_architecture()
    if found is None:
        return Filter(b"", f"unknown machine {os.uname().machine}")
    modules = rules.EXECUTING if kind == NETWORK and resolver_in_modules(_c_library()) else ()
    code = assemble(found, rules.rules(kind, (*extra, *modules)))
    program = b"".join(_INSTRUCTION.pack(*instruction) for instruction in code)
    return Filter(program, header=_header(program))  # made here, or each child would


def _header(program: bytes) -> bytes:
    """For as long as somebody keeps the program."""
    address = ctypes.cast(ctypes.c_char_p(program), ctypes.c_void_p).value if _prctl else 0
    return struct.pack("@HP", len(program) // _INSTRUCTION.size, address)


def own_architecture() -> Architecture | None:
    """That of this process, which may have shorter pointers than its kernel."""
    triplet = getattr(sys.implementation, "_multiarch", "")
    return architecture(os.uname().machine, struct.calcsize("P"), sys.byteorder, triplet)


def _c_library() -> str:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except ValueError:  # another one does not know the name
        return ""


def resolver_in_modules(c_library: str) -> bool:
    """glibc before 2.34 loads code for /etc/hosts and DNS at the first name that it resolves."""
    name, _, version = c_library.partition(" ")
    return name == "glibc" and tuple(int(part) for part in version.split(".")) < (2, 34)


def load(filter_: Filter) -> str:
    """Confines this process for good; "" or the reason why not. Never raises."""
    if filter_.reason or _prctl is None:
        return filter_.reason or "no ctypes"
    header = filter_.header or _header(filter_.program)
    for option, first, second in (
        (PR_SET_NO_NEW_PRIVS, 1, None),
        (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header),
    ):
        if _prctl(option, first, second, 0, 0) != 0:
            return errno.errorcode.get(ctypes.get_errno(), "prctl")
    return ""


def assemble(arch: Architecture, verdicts: dict[str, Rule]) -> list[Instruction]:
    """The program: foreign ABIs, then a binary search over ranges of numbers.

    The kernel runs it once for each number when it is loaded (to know which calls it need not ask
    about later), so a search costs a child 0.2 ms less than a list.
    """
    return [*_entry(arch), *_search(_ranges(arch, verdicts))]


def _ranges(arch: Architecture, verdicts: dict[str, Rule]) -> list[tuple[int, Rule]]:
    """The first number of each range, and its rule; the last one goes on without end."""
    known = {NUMBERS[name][arch.column]: rule for name, rule in verdicts.items()}
    last = max(number for number in known if number is not None)
    found: list[tuple[int, Rule]] = []
    for number in range(last + 2):
        rule = known.get(number, rules.UNKNOWN)
        if not found or found[-1][1] != rule:
            found.append((number, rule))
    return found


def _search(ranges: list[tuple[int, Rule]]) -> list[Instruction]:
    """Instructions that run the rule of the range which has the number in the accumulator."""
    if len(ranges) == 1:
        return [line for case in ranges[0][1] for line in _case(case)]
    middle = len(ranges) // 2
    below, above = _search(ranges[:middle]), _search(ranges[middle:])
    first = ranges[middle][0]
    if len(below) <= _FAR:
        return [(_AT_LEAST, len(below), 0, first), *below, *above]
    return [(_AT_LEAST, 0, 1, first), (_JUMP, 0, 0, len(below)), *below, *above]


def _entry(arch: Architecture) -> list[Instruction]:
    """Refuses foreign ABIs; leaves the number of the call in the accumulator."""
    refuse = _return(rules.REFUSED[0].verdict)
    code = [(_LOAD, 0, 0, _ARCH), (_EQUAL, 1, 0, arch.audit), refuse, (_LOAD, 0, 0, _NUMBER)]
    return [*code, (_AT_LEAST, 0, 1, _X32), refuse] if arch == X86_64 else code


def _case(case: Case) -> list[Instruction]:
    code = [_return(case.verdict)]
    for condition in reversed(case.conditions):
        code = _test(condition, len(code)) + code
    return code


def _test(condition: Condition, skip: int) -> list[Instruction]:
    """Goes on where one of the values fits, else `skip` instructions further."""
    code = [(_LOAD, 0, 0, _ARGUMENTS + 8 * condition.argument)]  # the low half stands first
    if condition.mask != 0xFFFFFFFF:
        code.append((_AND, 0, 0, condition.mask))
    last = len(condition.values) - 1
    code += [
        (_EQUAL, last - n, skip if n == last else 0, value)
        for n, value in enumerate(condition.values)
    ]
    return code


def _return(verdict: int) -> Instruction:
    return (_RETURN, 0, 0, verdict)
