"""Classic BPF as the kernel runs it on a system call, for tests of the programs themselves.

Instructions that the checker of the kernel would not take are an AssertionError
(`seccomp_check_filter`: other codes, a jump behind the end, a load outside of `seccomp_data`).
"""

import struct
from collections.abc import Sequence

Line = tuple[int, int, int, int]
MOST = 4096  # BPF_MAXINSNS
DATA = struct.Struct("<iIQ6Q")  # seccomp_data: number, architecture, instruction pointer, arguments


def lines(program: bytes) -> list[Line]:
    """The instructions of a program, checked as the kernel does before it takes one."""
    assert len(program) % 8 == 0
    found = list(struct.iter_unpack("=HBBI", program))
    assert 0 < len(found) <= MOST
    for at, (code, yes, no, operand) in enumerate(found):
        assert code in (0x20, 0x54, 0x15, 0x35, 0x05, 0x06), hex(code)
        if code == 0x20:
            assert operand % 4 == 0
            assert operand < DATA.size
        furthest = {0x15: max(yes, no), 0x35: max(yes, no), 0x05: operand, 0x06: -1}.get(code, 0)
        assert at + 1 + furthest < len(found), "beyond the end"
    assert found[-1][0] == 0x06
    return found


def run(program: Sequence[Line], arch: int, number: int, arguments: Sequence[int] = ()) -> int:
    """The verdict on a call; arguments are 64-bit words, missing ones 0."""
    words = [word & 2**64 - 1 for word in (*arguments, *[0] * 6)][:6]
    signed = struct.unpack("<i", struct.pack("<I", number & 2**32 - 1))[0]
    data = DATA.pack(signed, arch, 0, *words)
    accumulator = at = 0
    while True:
        code, yes, no, operand = program[at]
        at += 1
        if code == 0x06:
            return operand
        if code == 0x20:
            accumulator = struct.unpack_from("<I", data, operand)[0]
        elif code == 0x54:
            accumulator &= operand
        elif code == 0x05:
            at += operand
        else:
            met = accumulator == operand if code == 0x15 else accumulator >= operand
            at += yes if met else no
