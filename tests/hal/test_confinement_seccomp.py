"""The filters as programs: an interpreter of classic BPF runs them for all five architectures."""

import errno
import random
import struct
import subprocess
import sys
from collections.abc import Callable

import pytest

from hal.confinement import rules, seccomp
from hal.confinement.rules import ALLOW, LOCAL, NETWORK, Rule, refuse
from hal.confinement.syscalls import (
    AARCH64,
    ARM,
    I386,
    NUMBERS,
    RISCV64,
    X86_64,
    Architecture,
)
from tests.helpers import bpf
from tests.helpers.board import ROOT

NAMES = {X86_64: "x86-64", I386: "i386", ARM: "arm", AARCH64: "arm64", RISCV64: "riscv64"}
EPERM, EACCES, ENOSYS = refuse(errno.EPERM), refuse(errno.EACCES), refuse(errno.ENOSYS)
SEED = 20261130

each_architecture = pytest.mark.parametrize("arch", NAMES, ids=NAMES.get)
each_kind = pytest.mark.parametrize("kind", [LOCAL, NETWORK])


def program(arch: Architecture, kind: str, extra: tuple[str, ...] = ()) -> list[bpf.Line]:
    code = seccomp.assemble(arch, rules.rules(kind, extra))
    return bpf.lines(b"".join(struct.pack("=HBBI", *line) for line in code))


def judge(arch: Architecture, kind: str) -> Callable[..., int]:
    """The verdict on a call by its name; AssertionError where the architecture has it not."""
    code = program(arch, kind)

    def verdict(name: str, *arguments: int) -> int:
        number = NUMBERS[name][arch.column]
        assert number is not None, f"{NAMES[arch]} has no {name}"
        return bpf.run(code, arch.audit, number, arguments)

    return verdict


def has(arch: Architecture, name: str) -> bool:
    return NUMBERS[name][arch.column] is not None


# -- what jobs need, and what an attacker would like ----------------------------------------------

# Of both kinds, from strace of glibc on the five architectures: call and arguments.
HONEST: list[tuple[str, tuple[int, ...]]] = [
    *((name, ()) for name in ("read", "write", "close", "brk", "munmap", "madvise", "mremap")),
    *((name, ()) for name in ("recvfrom", "sendto", "recv", "send", "getsockname", "getpeername")),
    *((name, ()) for name in ("getsockopt", "getpid", "getrandom", "futex", "futex_time64")),
    *((name, ()) for name in ("pread64", "exit", "exit_group", "restart_syscall", "rt_sigreturn")),
    *((name, ()) for name in ("rt_sigaction", "clock_gettime", "clock_gettime64", "uname")),
    ("mmap", (0, 4096, 3)),  # PROT_READ | PROT_WRITE
    ("mmap2", (0, 4096, 3)),
    ("mprotect", (4096, 4096, 1)),
    ("prlimit64", (0, 7)),
    ("fcntl", (3, 3)),  # F_GETFL
]
# What resolving a name and talking to a server takes, in glibc and in musl.
TALK: list[tuple[str, tuple[int, ...]]] = [
    *((name, ()) for name in ("connect", "bind", "sendmsg", "sendmmsg", "recvmsg", "setitimer")),
    *((name, ()) for name in ("poll", "ppoll", "ppoll_time64", "newfstatat", "fstatat64", "statx")),
    *((name, ()) for name in ("stat", "stat64", "fstat", "fstat64", "lseek", "_llseek", "readv")),
    ("socket", (2, 1, 0)),  # TCP
    ("socket", (10, 1 | 0o2004000, 6)),  # with SOCK_CLOEXEC and SOCK_NONBLOCK
    ("socket", (2, 2 | 0o2004000, 17)),  # a name server
    ("socket", (16, 3 | 0o2000000, 0)),  # NETLINK_ROUTE
    ("setsockopt", (3, 1, 25)),  # SO_BINDTODEVICE
    ("setsockopt", (3, 0, 11)),  # IP_RECVERR
    ("setsockopt", (3, 41, 26)),  # IPV6_V6ONLY
    ("ioctl", (3, 0x5421)),  # FIONBIO
    ("ioctl", (3, 0x541B)),  # FIONREAD
    ("open", (4096, 0o2000000)),  # O_RDONLY | O_CLOEXEC
    ("openat", (-100, 4096, 0o2000000)),
]
# Dangerous for both kinds.
HOSTILE: list[tuple[str, tuple[int, ...]]] = [
    *((name, (1, 9)) for name in ("kill", "tkill", "tgkill", "rt_sigqueueinfo", "pidfd_open")),
    *((name, ()) for name in ("ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd")),
    *((name, ()) for name in ("clone", "fork", "vfork", "execve", "execveat", "unshare", "setns")),
    *((name, ()) for name in ("mount", "umount2", "pivot_root", "chroot", "move_mount", "fsopen")),
    *((name, ()) for name in ("bpf", "perf_event_open", "keyctl", "add_key", "request_key")),
    *((name, ()) for name in ("init_module", "finit_module", "delete_module", "kexec_load")),
    *(
        (name, ())
        for name in ("reboot", "io_uring_setup", "userfaultfd", "memfd_create", "seccomp")
    ),
    *((name, ()) for name in ("setuid", "setgroups", "capset", "personality", "prctl", "syslog")),
    *((name, ()) for name in ("unlink", "unlinkat", "renameat2", "chmod", "fchmod", "mkdirat")),
    *((name, ()) for name in ("listen", "accept", "accept4", "socketpair", "setpriority")),
    ("prlimit64", (1, 7)),  # of another process
    ("mmap", (0, 4096, 7)),  # PROT_EXEC
    ("mmap2", (0, 4096, 4)),
    ("mprotect", (4096, 4096, 5)),
    ("fcntl", (3, 8, 1)),  # F_SETOWN
    ("fcntl64", (3, 10, 9)),  # F_SETSIG
    ("socket", (17, 3, 0)),  # AF_PACKET
    ("socket", (38, 5, 0)),  # AF_ALG
    ("socket", (40, 1, 0)),  # AF_VSOCK
    ("socket", (2, 3, 1)),  # a raw socket
    ("socket", (2, 1, 132)),  # SCTP
    ("socket", (16, 3, 9)),  # NETLINK_AUDIT
    ("setsockopt", (3, 0, 64)),  # IPT_SO_SET_REPLACE
    ("setsockopt", (3, 6, 31)),  # TCP_ULP
    ("setsockopt", (3, 1, 26)),  # SO_ATTACH_FILTER
    ("ioctl", (0, 0x5412)),  # TIOCSTI
    ("open", (4096, 1)),  # O_WRONLY
    ("openat", (-100, 4096, 2)),  # O_RDWR
    ("openat", (-100, 4096, 0o100)),  # O_CREAT
    ("openat", (-100, 4096, 0o1000)),  # O_TRUNC
    ("openat", (-100, 4096, 0o20200002)),  # O_TMPFILE | O_RDWR
]


@each_kind
@each_architecture
def test_what_a_job_needs_is_allowed(arch: Architecture, kind: str) -> None:
    verdict = judge(arch, kind)
    needed = HONEST + (TALK if kind == NETWORK else [])
    tried = [(name, arguments) for name, arguments in needed if has(arch, name)]
    assert len(tried) > 25
    assert [call for call in tried if verdict(call[0], *call[1]) != ALLOW] == []


@each_kind
@each_architecture
def test_what_is_dangerous_is_refused(arch: Architecture, kind: str) -> None:
    verdict = judge(arch, kind)
    tried = [(name, arguments) for name, arguments in HOSTILE if has(arch, name)]
    assert len(tried) > 60
    assert [call for call in tried if verdict(call[0], *call[1]) != EPERM] == []


@each_architecture
def test_a_local_job_opens_and_connects_nothing(arch: Architecture) -> None:
    verdict = judge(arch, LOCAL)
    for name in ("socket", "connect", "bind", "sendmsg", "setsockopt", "openat", "open", "ioctl"):
        calls = [arguments for call, arguments in TALK if call == name]
        assert calls
        if has(arch, name):
            assert {verdict(name, *arguments) for arguments in calls} == {EPERM}


@each_architecture
def test_the_name_service_cache_is_an_answer_that_getaddrinfo_survives(arch: Architecture) -> None:
    """It connects to nscd first; after EACCES it goes on to its files and the name server."""
    assert judge(arch, NETWORK)("socket", 1, 1 | 0o2004000, 0) == EACCES
    assert judge(arch, LOCAL)("socket", 1, 1, 0) == EPERM


@each_architecture
def test_every_family_of_sockets(arch: Architecture) -> None:
    """INET and INET6 for TCP and UDP, NETLINK for routes: of all families, kinds and protocols."""
    verdict = judge(arch, NETWORK)
    found = {
        (family, kind, protocol)
        for family in range(64)
        for kind in range(1, 7)
        for protocol in (0, 1, 3, 6, 9, 12, 15, 17, 132, 255, 262)
        if verdict("socket", family, kind | 0o2004000, protocol) == ALLOW
    }
    inet = {(f, kind, p) for f in (2, 10) for kind in (1, 2) for p in (0, 6, 17)}
    assert found == inet | {(16, kind, 0) for kind in range(1, 7)}


def test_the_multiplexer_of_i386() -> None:
    """SYS_SOCKET, SYS_CONNECT, SYS_SETSOCKOPT: not in local jobs. SYS_LISTEN: in none."""
    local, network = judge(I386, LOCAL), judge(I386, NETWORK)
    assert {local("socketcall", call) for call in (1, 2, 3, 4, 5, 8, 14, 16, 17, 18)} == {EPERM}
    assert {network("socketcall", call) for call in (4, 5, 8, 18, 21)} == {EPERM}
    assert {network("socketcall", call) for call in (1, 2, 3, 6, 7, 9, 10, 14, 17, 20)} == {ALLOW}


# -- every number ---------------------------------------------------------------------------------


def expected(rule: Rule, arguments: list[int]) -> int:
    """The rule read once more, without a program."""
    for case in rule:
        fits = [arguments[c.argument] & 0xFFFFFFFF & c.mask in c.values for c in case.conditions]
        if all(fits):
            return case.verdict
    raise AssertionError("no case fits")


def likely(chance: random.Random, rule: Rule) -> list[int]:
    """Arguments near those that the rule asks for, sometimes with something in the upper half."""
    words = [chance.getrandbits(chance.choice((2, 32, 64))) for _ in range(6)]
    conditions = [c for case in rule for c in case.conditions]
    for c in chance.sample(conditions, chance.randint(0, len(conditions))):
        words[c.argument] = chance.choice(c.values) | chance.choice((0, 0, 1 << 40, 4))
    return words


@each_kind
@each_architecture
def test_every_number(arch: Architecture, kind: str) -> None:
    """In the table: its rule, whatever the arguments. Else ENOSYS, for a libc to fall back."""
    chance = random.Random(SEED)
    code, table = program(arch, kind), rules.rules(kind)
    known = {
        row[arch.column]: name for name, row in NUMBERS.items() if row[arch.column] is not None
    }
    assert set(table) == set(NUMBERS)
    for number in [*range(600), 5000, 0x3FFFFFFF]:
        rule = table[known[number]] if number in known else None
        for _ in range(20 if rule and rule[0].conditions else 2):
            words = likely(chance, rule or ())
            want = expected(rule, words) if rule else ENOSYS
            assert bpf.run(code, arch.audit, number, words) == want, (number, words)


@each_kind
@each_architecture
def test_other_abis_are_refused_whatever_they_ask(arch: Architecture, kind: str) -> None:
    """int 0x80 in a 64-bit process: its `getpid` has the number of a dangerous call, and the other
    way round. x32: bit 30 of the number."""
    code = program(arch, kind)
    others = [other.audit for other in NAMES if other.audit != arch.audit]
    for audit in (*others, 0, 0x80000028, 0x28, 0xFFFFFFFF):
        assert {bpf.run(code, audit, number) for number in range(600)} == {EPERM}
    x32 = {bpf.run(code, arch.audit, 0x40000000 | number) for number in range(600)}
    assert x32 == {EPERM if arch == X86_64 else ENOSYS}


@each_kind
@each_architecture
def test_no_verdict_kills(arch: Architecture, kind: str) -> None:
    verdicts = {line[3] for line in program(arch, kind) if line[0] == 0x06}
    assert verdicts <= {ALLOW, EPERM, EACCES, ENOSYS}


@each_architecture
def test_all_calls_of_the_table_allowed(arch: Architecture) -> None:
    """The most that `extra` can ask for."""
    code = program(arch, LOCAL, tuple(NUMBERS))
    numbers = [row[arch.column] for row in NUMBERS.values() if row[arch.column] is not None]
    assert {bpf.run(code, arch.audit, number) for number in numbers} == {ALLOW}
    assert bpf.run(code, arch.audit, 599) == ENOSYS


# -- building and loading -------------------------------------------------------------------------


@each_kind
def test_building(kind: str) -> None:
    made = seccomp.build(kind)
    assert made.reason == ""
    assert len(bpf.lines(made.program)) < 500
    with pytest.raises(KeyError):
        seccomp.build(kind, ("no such call",))


@pytest.mark.parametrize(
    ("c_library", "modules"),
    [("glibc 2.17", True), ("glibc 2.33", True), ("glibc 2.34", False), ("glibc 3.0", False),
     ("", False)],
)  # fmt: skip
def test_c_libraries_that_load_code_to_resolve_a_name(c_library: str, modules: bool) -> None:
    """With executable memory refused, no name would resolve on them."""
    assert seccomp.resolver_in_modules(c_library) == modules


LOADING = """
import os, sys
sys.path.insert(0, {root!r})
{before}
from hal.confinement import rules, seccomp
status = seccomp.load({filter})
print(status or "loaded")
print([line.split()[1] for line in open("/proc/self/status") if line.startswith("Seccomp:")][0])
"""
DENY_PRCTL = """
import ctypes, struct
lines = [(0x20, 0, 0, 0), (0x15, 0, 1, {number}), (0x06, 0, 0, 0x50001), (0x06, 0, 0, 0x7FFF0000)]
code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in lines))
prog = ctypes.create_string_buffer(struct.pack("@HP", 4, ctypes.addressof(code)))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.c_void_p(ctypes.addressof(prog)), 0, 0) == 0
"""


def loading(before: str = "", filter_: str = "seccomp.build(rules.NETWORK)") -> list[str]:
    code = LOADING.format(root=str(ROOT), before=before, filter=filter_)
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_loading() -> None:
    assert loading() == ["loaded", "2"]


def test_a_python_without_ctypes_goes_on_without_this_rung() -> None:
    assert loading("sys.modules['ctypes'] = None") == ["no ctypes", "0"]


def test_an_unknown_machine_goes_on_without_this_rung() -> None:
    reason = "unknown machine sparc64"
    assert loading("", f"seccomp.Filter(b'', {reason!r})") == [reason, "0"]


def test_a_kernel_that_does_not_take_it_says_why() -> None:
    """EINVAL: of a kernel without seccomp, of qemu-user; here for a program that is none."""
    assert loading("", "seccomp.Filter(bytes(8))") == ["EINVAL", "0"]


def test_somebody_above_who_denies_prctl_is_told() -> None:
    """A container whose own filter refuses prctl with EPERM."""
    here = seccomp.own_architecture()
    assert here is not None
    before = DENY_PRCTL.format(number=NUMBERS["prctl"][here.column])
    assert loading(before) == ["EPERM", "2"]
