"""The table of system call numbers, against the kernel's headers and against libseccomp."""

import ctypes
import re
from pathlib import Path

import pytest

from hal.confinement.syscalls import (
    AARCH64,
    ARM,
    I386,
    NUMBERS,
    RISCV64,
    X86_64,
    Architecture,
    architecture,
)

INCLUDE = Path("/usr/include")
HEADERS = {  # of linux-libc-dev; those of arm come with linux-libc-dev:armhf only
    "x86_64-linux-gnu/asm/unistd_64.h": X86_64,
    "x86_64-linux-gnu/asm/unistd_32.h": I386,
    "arm-linux-gnueabihf/asm/unistd-eabi.h": ARM,
    "asm-generic/unistd.h": AARCH64,
}
ARCHITECTURES = {X86_64: "x86-64", I386: "i386", ARM: "arm", AARCH64: "arm64", RISCV64: "riscv64"}


def defined(header: Path) -> dict[str, int]:
    """The numbers that a header gives; `__NR3264_` is the generic name of a call of both sizes."""
    found: dict[str, int] = {}
    common = header.with_name("unistd-common.h")
    texts = [path.read_text() for path in (header, common) if path.exists()]
    pattern = r"#define __NR(?:3264)?_(\w+)\s+(?:\(__NR_SYSCALL_BASE \+ )?(\d+)"
    for name, number in re.findall(pattern, "\n".join(texts)):
        found.setdefault(name, int(number))
    if "fstatat" in found:
        found["newfstatat"] = found["fstatat"]
    return found


@pytest.mark.parametrize("name", [name for name in HEADERS if (INCLUDE / name).exists()])
def test_the_numbers_are_those_of_the_headers(name: str) -> None:
    header, column = defined(INCLUDE / name), HEADERS[name].column
    assert len(header) > 250
    ours = {call: row[column] for call, row in NUMBERS.items() if row[column] is not None}
    assert {call: header.get(call) for call in ours} == ours


def test_headers_are_here() -> None:
    """Without them the test above would look at nothing; they come with `make packages`."""
    assert (INCLUDE / "asm-generic/unistd.h").exists()


# Where the two mean to differ: arguments behind a pointer; a number that riscv64 left empty.
APART = {(I386, "mmap"): 90, (RISCV64, "renameat"): None}
MULTIPLEXED = (*range(-120, -100), *range(-224, -200))  # the parts of socketcall and ipc


@pytest.mark.parametrize("arch", ARCHITECTURES, ids=ARCHITECTURES.get)
def test_the_numbers_are_those_of_libseccomp(arch: Architecture) -> None:
    """On any machine, for every architecture: a second opinion that shares nothing with ours."""
    resolve = ctypes.CDLL("libseccomp.so.2").seccomp_syscall_resolve_name_arch
    resolve.argtypes = (ctypes.c_uint32, ctypes.c_char_p)
    for call, row in NUMBERS.items():
        theirs = resolve(arch.audit, call.encode())
        if theirs not in MULTIPLEXED:
            expected = APART.get((arch, call), row[arch.column])
            assert (call, expected) == (call, theirs if theirs >= 0 else None)


@pytest.mark.parametrize(
    ("machine", "pointer", "order", "triplet", "expected"),
    [
        ("x86_64", 8, "little", "x86_64-linux-gnu", X86_64),
        ("x86_64", 4, "little", "i386-linux-gnu", I386),
        ("x86_64", 4, "little", "x86_64-linux-gnux32", None),
        ("i686", 4, "little", "", I386),
        ("armv5tel", 4, "little", "", ARM),
        ("armv7l", 4, "little", "arm-linux-gnueabihf", ARM),
        ("aarch64", 4, "little", "", ARM),
        ("aarch64", 8, "little", "", AARCH64),
        ("aarch64_be", 8, "big", "", None),
        ("armv7b", 4, "big", "", None),
        ("riscv64", 8, "little", "", RISCV64),
        ("riscv32", 4, "little", "", None),
        ("ppc64le", 8, "little", "", None),
        ("mips", 4, "big", "", None),
    ],
)
def test_which_architecture_a_process_is(
    machine: str, pointer: int, order: str, triplet: str, expected: Architecture | None
) -> None:
    assert architecture(machine, pointer, order, triplet) == expected


def test_no_number_stands_for_two_calls() -> None:
    for column in range(4):
        numbers = [row[column] for row in NUMBERS.values() if row[column] is not None]
        assert len(numbers) == len(set(numbers))
