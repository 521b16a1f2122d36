"""What a child that was taken over can do, and the rungs that stand around it."""

import os
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hal.confinement import seccomp
from hal.confinement.syscalls import NUMBERS
from tools.bench import proc
from tools.confinement.captor import Attempt, Captor, worker_argv
from tools.confinement.environments import Environment, Stack

SECONDS = 5
WRITTEN = f"/tmp/of-a-child-{os.getpid()}"
_FOREVER = struct.pack("@ll", SECONDS, 0)
_NAMESPACES = ("user", "mnt", "net", "ipc", "pid")

Outcomes = dict[str, str]  # attempt -> "ok" or errno


def call(name: str, *arguments: int | bytes) -> Attempt:
    """An attempt at a system call; AssertionError where this machine has none of that name."""
    here = seccomp.own_architecture()
    number = NUMBERS[name][here.column] if here else None
    assert number is not None, f"this machine has no {name}"
    return ["call", number, *arguments]


def attempts(secret: Path, port: int, sibling: int, worker: int) -> dict[str, Attempt]:
    """`secret`: a file of the agent. `port`: somebody listens there on loopback."""
    opened = ("/etc/passwd", "/etc/shadow", "/etc/hosts", "/etc/resolv.conf", "/proc/1/environ")
    paths = (*opened, "/proc/self/environ", f"/proc/{sibling}/status", "/dev/tty", "/dev/mem")
    named = {path.replace(str(sibling), "SIBLING"): path for path in paths}
    return {
        **{f"open {name}": ["open", path] for name, path in named.items()},
        "open a file of the agent": ["open", str(secret)],
        "list /": ["list", "/"],
        "write in /tmp": ["write", WRITTEN],
        "signal the agent": ["signal", os.getpid()],
        "signal its worker": ["signal", worker],
        "signal a sibling": ["signal", sibling],
        "trace a sibling": call("ptrace", 0x4206, sibling, 0, 0),  # PTRACE_SEIZE
        "set a sibling's limits": call("prlimit64", sibling, 7, 0, bytes(16)),
        "connect to 127.0.0.1": ["connect", "127.0.0.1", port],
        "connect to ::1": ["connect", "::1", port],
        "a UNIX socket": call("socket", 1, 1, 0),
        "a packet socket": call("socket", 17, 3, 0),
        "a process": ["fork"],
        "a program": call("execve", b"/bin/true", 0, 0),
        "executable memory": call("mmap" if has("mmap") else "mmap2", 0, 4096, 7, 0x22, -1, 0),
        "int 0x80": ["int80", 20],
        "a call that nobody knows": ["call", 590],
        "a user name space": call("unshare", 0x10000000),  # the last: it changes who one is
    }


def has(name: str) -> bool:
    """Whether this machine has a call of that name."""
    here = seccomp.own_architecture()
    return here is not None and NUMBERS[name][here.column] is not None


def tried(stack: Stack, where: Environment, network: bool, secret: Path) -> Outcomes:
    """What a child of this kind can do beside a sibling that sleeps, and what stands around it."""
    argv = [*where.prefix, *worker_argv(stack.python, stack.packages, where.user)]
    with Captor(argv) as captor, _listening() as port:
        ends = captor.start(network, call("nanosleep", _FOREVER, 0))
        sibling, worker = _sleeping(captor)
        found = attempts(secret, port, sibling, worker)
        outcomes = dict(zip(found, captor.outcomes(network, *found.values()), strict=True))
        rungs = _rungs(sibling, worker)
        while not ends:
            captor.turn()
    Path(WRITTEN).unlink(missing_ok=True)
    return {**rungs, **outcomes}


def _sleeping(captor: Captor) -> tuple[int, int]:
    """The child that sleeps and its worker: the child is confined when it sleeps."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        captor.turn()
        for worker in proc.children(os.getpid()):
            for child in proc.children(worker):
                if "nanosleep" in _read(f"/proc/{child}/wchan"):
                    return child, worker
    raise AssertionError("no child sleeps")


def _rungs(child: int, worker: int) -> Outcomes:
    """From outside: its user, its session, the name spaces that are its own, its filters."""
    fields = dict(line.split(":", 1) for line in _read(f"/proc/{child}/status").splitlines())
    own = [name for name in _NAMESPACES if _namespace(child, name) != _namespace(worker, name)]
    session = "its own" if os.getsid(child) != os.getsid(0) else "the agent's"
    return {
        "uid": fields["Uid"].split()[0],
        "session": session,
        "name spaces of its own": ", ".join(own) or "none",
        "root": os.readlink(f"/proc/{child}/root"),
        "no new privileges": fields["NoNewPrivs"].strip(),
        "seccomp filters": fields.get("Seccomp_filters", "?").strip(),
    }


def _namespace(pid: int, name: str) -> str:
    return os.readlink(f"/proc/{pid}/ns/{name}")


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


@contextmanager
def _listening() -> Iterator[int]:
    """A port on both loopback addresses."""
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        yield int(server.getsockname()[1])
