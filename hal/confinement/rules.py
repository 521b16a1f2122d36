"""The system calls of a job child, for each kind of job.

`local` jobs (keys, certificates, files that are open already) use memory and open descriptors.
`network` jobs also resolve a name, connect, and speak HTTP and TLS. The lists come from strace on
glibc (`docs/confinement.md`) and from the source of musl; they hold harmless neighbours too, since
a C library of the year six may choose another way to read a clock.

Refused are all other rows of `syscalls.NUMBERS`, with EPERM. Those that matter most:

* **A signal to somebody** (`kill` and its kin, but also F_SETOWN and F_SETSIG of `fcntl`, which let
  the kernel send any signal). `abort` survives the refusal: its next instruction traps.
* **Executable memory**: a child runs the code that it was born with.
* **Sockets of other families**: only INET, INET6 and the routing part of NETLINK reach anything
  that a job needs. The kernel's other families are its weakest code. UNIX gets EACCES, because
  `getaddrinfo` asks for nscd first and takes that for an answer.

Arguments that are pointers cannot be looked at. So `socketcall` of i386, which glibc uses there in
place of `socket` (Debian 12 still), hides the family: the other rungs are the only limit.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable

from hal.confinement.syscalls import NUMBERS
from hal.named import NamedTuple

ALLOW = 0x7FFF0000  # linux/seccomp.h
_ERRNO = 0x00050000
_LOW_WORD = 0xFFFFFFFF

LOCAL, NETWORK = "local", "network"


class Condition(NamedTuple):
    """True where the low 32 bits of an argument, under the mask, are one of the values."""

    argument: int
    values: tuple[int, ...]
    mask: int = _LOW_WORD


class Case(NamedTuple):
    """A verdict for calls that meet all conditions."""

    verdict: int
    conditions: tuple[Condition, ...] = ()


Rule = tuple[Case, ...]  # the first case that fits decides; the last one always fits


def refuse(number: int) -> int:
    """The verdict that makes a call fail with this errno."""
    return _ERRNO | number


ALLOWED: Rule = (Case(ALLOW),)
REFUSED: Rule = (Case(refuse(errno.EPERM)),)
UNKNOWN: Rule = (Case(refuse(errno.ENOSYS)),)


def _only(*conditions: Condition) -> Rule:
    """Allowed under these conditions, else EPERM."""
    return (Case(ALLOW, conditions), *REFUSED)


_CALLS = (
    *("brk", "mremap", "munmap", "madvise"),
    *("read", "write", "readv", "writev", "pread64", "lseek", "_llseek", "fstat", "fstat64"),
    *("close", "recvfrom", "sendto", "recv", "send", "shutdown"),
    *("getsockname", "getpeername", "getsockopt"),
    *("restart_syscall", "sched_yield", "futex", "futex_time64", "membarrier"),
    *("nanosleep", "clock_nanosleep", "clock_nanosleep_time64"),
    *("clock_gettime", "clock_gettime64", "clock_getres", "clock_getres_time64"),
    *("gettimeofday", "time", "times", "getrandom", "uname", "getcpu"),
    *("rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigreturn", "sigaltstack"),
    *("getpid", "getppid", "gettid", "getuid", "getuid32", "geteuid", "geteuid32"),
    *("getgid", "getgid32", "getegid", "getegid32", "getrusage", "getrlimit", "ugetrlimit"),
    *("set_robust_list", "rseq", "exit", "exit_group"),
)
_NETWORK_CALLS = (
    *("connect", "bind", "sendmsg", "sendmmsg", "recvmsg", "recvmmsg", "recvmmsg_time64"),
    *("poll", "ppoll", "ppoll_time64", "select", "_newselect", "pselect6", "pselect6_time64"),
    *("setitimer", "stat", "stat64", "lstat", "lstat64", "newfstatat", "fstatat64", "statx"),
    *("access", "faccessat", "faccessat2"),
)

_NOT_EXECUTABLE = _only(Condition(2, (0,), mask=4))  # PROT_EXEC
EXECUTING = ("mmap", "mmap2", "mprotect")
_FCNTL = _only(Condition(1, (1, 2, 3, 4)))  # F_GETFD, F_SETFD, F_GETFL, F_SETFL
_RULES: dict[str, Rule] = {
    **dict.fromkeys(EXECUTING, _NOT_EXECUTABLE),
    "fcntl": _FCNTL,
    "fcntl64": _FCNTL,
    "prlimit64": _only(Condition(0, (0,))),  # one's own
    # SYS_GETSOCKNAME, GETPEERNAME, SEND to RECVFROM, SHUTDOWN, GETSOCKOPT of linux/net.h
    "socketcall": _only(Condition(0, (6, 7, 9, 10, 11, 12, 13, 15))),
}

_UNIX, _INET, _INET6, _NETLINK = 1, 2, 10, 16
_STREAM_OR_DATAGRAM = Condition(1, (1, 2), mask=0xF)  # beside SOCK_CLOEXEC and SOCK_NONBLOCK
_DEFAULT_TCP_UDP = Condition(2, (0, 6, 17))
_NETLINK_ROUTE = Condition(2, (0,))
# For O_RDONLY the access mode, O_CREAT and O_TRUNC are 0; the same bits on all architectures here.
_TO_READ = 0o1103
_NETWORK_RULES: dict[str, Rule] = {
    "socket": (
        Case(ALLOW, (Condition(0, (_INET, _INET6)), _STREAM_OR_DATAGRAM, _DEFAULT_TCP_UDP)),
        Case(ALLOW, (Condition(0, (_NETLINK,)), _NETLINK_ROUTE)),
        Case(refuse(errno.EACCES), (Condition(0, (_UNIX,)),)),
        *REFUSED,
    ),
    "setsockopt": (
        # REUSEADDR, SNDBUF, RCVBUF, KEEPALIVE, RCVTIMEO, SNDTIMEO (old and new), BINDTODEVICE
        Case(ALLOW, (Condition(1, (1,)), Condition(2, (2, 7, 8, 9, 20, 21, 25, 66, 67)))),
        Case(ALLOW, (Condition(1, (0,)), Condition(2, (10, 11)))),  # IP_MTU_DISCOVER, IP_RECVERR
        # IPV6_MTU_DISCOVER, IPV6_RECVERR, IPV6_V6ONLY
        Case(ALLOW, (Condition(1, (41,)), Condition(2, (23, 25, 26)))),
        # TCP_NODELAY, KEEPIDLE, KEEPINTVL, KEEPCNT, USER_TIMEOUT, FASTOPEN_CONNECT
        Case(ALLOW, (Condition(1, (6,)), Condition(2, (1, 4, 5, 6, 18, 30)))),
        *REFUSED,
    ),
    "ioctl": _only(Condition(1, (0x5421, 0x541B))),  # FIONBIO, FIONREAD (glibc's resolver)
    "open": _only(Condition(1, (0,), mask=_TO_READ)),
    "openat": _only(Condition(2, (0,), mask=_TO_READ)),
    # Beside those of a local job SOCKET, BIND, CONNECT, SETSOCKOPT, SENDMSG, RECVMSG, the last two
    # for many messages
    "socketcall": _only(Condition(0, (1, 2, 3, 6, 7, *range(9, 18), 19, 20))),
}


def rules(kind: str, extra: Iterable[str] = ()) -> dict[str, Rule]:
    """A rule for each call of `NUMBERS`. `extra`: calls allowed besides, whatever they ask for."""
    found = dict.fromkeys(NUMBERS, REFUSED)
    found.update(dict.fromkeys(_CALLS, ALLOWED))
    found.update(_RULES)
    if kind == NETWORK:
        found.update(dict.fromkeys(_NETWORK_CALLS, ALLOWED))
        found.update(_NETWORK_RULES)
    found.update(dict.fromkeys(extra, ALLOWED))
    return found
