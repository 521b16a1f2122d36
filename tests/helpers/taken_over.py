"""A child that was taken over, on purpose: each operation tries what it must not be able to do.

    ... tests.helpers.taken_over worker UID GID STEP WITHOUT   the worker (hal/jobs.py)
    ... tests.helpers.taken_over agent ATTEMPTS                what starts it, as the agent does;
                                                               prints JSON

ATTEMPTS: JSON {user, without, network, attempts: [[name, argument, ...], ...]}. An argument
`sibling`, `worker` or `agent` stands for a pid. The answer: {uid, rungs, sibling, tried: {name:
[outcome, ...]}, session}, where an outcome is `done` or the name of an errno, `sibling` the state
of another child after all that, and `session` whether that child has one of its own.
"""

import ctypes
import errno
import fcntl
import json
import os
import resource
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from agent import child, limits, worker
from agent.jobs import contract
from agent.loop import Loop
from agent.scep import operations
from agent.scep.keys import Hands
from hal import cbor
from hal.clock import LinuxClock
from hal.confinement import kernel
from hal.confinement.ladder import Identity
from hal.jobs import WorkerJobs
from hal.ports import JobEnd

ROOT = Path(__file__).resolve().parents[2]
START = (
    "import sys, runpy; sys.path.insert(0, sys.argv.pop(1)); "
    "runpy.run_module('tests.helpers.taken_over', run_name='__main__')"
)
TIOCSTI = 0x5412
PTRACE_ATTACH, PIDFD_OPEN, PIDFD_GETFD = 16, 434, 438
NEWUSER = 0x10000000
WAIT_S = 200


def _open(path: str, flags: int = os.O_RDONLY) -> None:
    os.close(os.open(path, flags | os.O_NONBLOCK))


def _type_into_a_terminal() -> None:
    """Pushes a key into each descriptor, one of which may be a terminal's: the last refusal."""
    try:
        os.open("/dev/tty", os.O_RDWR)
    except OSError as error:
        last = error
    for fd in range(limits.CHILD_FILES):
        try:
            fcntl.ioctl(fd, TIOCSTI, b"x")
        except OSError as error:
            last = error
        else:
            return
    raise last


def _connect(family: int, address: Any) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.settimeout(5)
        sock.connect(address)


def _send_to(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"x", (host.encode(), port))


def _steal_descriptors(pid: int) -> None:
    fd = kernel.call("syscall", PIDFD_OPEN, pid, 0)
    kernel.call("syscall", PIDFD_GETFD, fd, 0, 0)


def _read_memory(pid: int) -> None:
    """One byte of it: where our own buffer is, a fork has something too."""
    buffer = ctypes.create_string_buffer(1)
    vector = struct.pack("@NN", ctypes.addressof(buffer), 1)
    try:
        kernel.call("process_vm_readv", pid, vector, 1, vector, 1, 0)
    except OSError as error:
        if error.errno != errno.EFAULT:  # which is said when the look was allowed
            raise


def _resolve(name: str, wanted: str) -> None:
    """What a network job must still be able to do."""
    found = {row[4][0] for row in socket.getaddrinfo(name.encode(), 80)}
    if found != {wanted}:
        raise OSError(errno.EBADMSG, str(found))


ATTACKS: dict[str, Callable[..., object]] = {
    "open": _open,
    "write": lambda path: _open(path, os.O_WRONLY | os.O_CREAT),
    "list": os.listdir,
    "make a folder": os.mkdir,
    "type": _type_into_a_terminal,
    "kill": lambda pid: os.kill(pid, signal.SIGTERM),
    "stop": lambda pid: os.kill(pid, signal.SIGSTOP),
    "limit": lambda pid: resource.prlimit(pid, resource.RLIMIT_CPU, (1, 1)),
    "trace": lambda pid: kernel.call("ptrace", PTRACE_ATTACH, pid, 0, 0),
    "read memory": _read_memory,
    "steal descriptors": _steal_descriptors,
    "connect": lambda host, port: _connect(socket.AF_INET, (host.encode(), port)),
    "connect abstract": lambda name: _connect(socket.AF_UNIX, b"\0" + name.encode()),
    "send": _send_to,
    "user name space": lambda: kernel.call("unshare", NEWUSER),
    "mount": lambda: kernel.call("mount", b"x", b"/", b"tmpfs", 0, None),
    "new root": lambda: os.chroot("."),
    "be root": lambda: os.setresuid(0, 0, 0),
    "another process": os.fork,
    "resolve": _resolve,
}


def _try(job: dict[str, Any], _hands: Hands, _link: object) -> dict[str, object]:
    try:
        ATTACKS[job["name"]](*job["arguments"])
    except OSError as error:
        return {"outcome": errno.errorcode.get(error.errno or 0, str(error))}
    return {"outcome": "done"}


def _who(_job: dict[str, Any], _hands: Hands, _link: object) -> dict[str, object]:
    return {"uid": os.getuid()}


def _sleep(_job: dict[str, Any], _hands: Hands, _link: object) -> dict[str, object]:
    time.sleep(WAIT_S)
    return {}


def work(numbers: Sequence[str], without: str) -> None:
    """The worker itself."""
    operations.OPS.update({"try": _try, "sleep": _sleep, "who": _who})
    contract.ROWS.update(dict.fromkeys(("try", "sleep", "who"), contract.Operation()))
    uid, gid, step = map(int, numbers)
    identity = Identity(uid, gid, step) if uid >= 0 else None
    worker.serve(identity, without=tuple(filter(None, without.split(","))))


class Overtaker:
    """The agent's part: starts the worker, then one child for each attempt."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._plan, self._loop = plan, Loop(LinuxClock())
        argv = [sys.executable, "-I", "-c", START, str(ROOT), "worker"]
        argv += [*map(str, plan["user"]), ",".join(plan["without"])]
        self._jobs = WorkerJobs(self._loop, argv, answer_bytes=limits.JOB_BYTES, linger_s=1)
        self._pids = {"agent": os.getpid()}

    def run(self) -> dict[str, Any]:
        sleeping: list[JobEnd] = []
        number = self._start({"op": "sleep"}, sleeping)
        told = {**self._do({"op": "who"}), "rungs": self._do({"op": child.RUNGS})}
        (self._pids["worker"],) = children(os.getpid())
        (self._pids["sibling"],) = children(self._pids["worker"])
        tried: dict[str, list[object]] = {}
        for name, *arguments in self._plan["attempts"]:
            given = [self._pids.get(one, one) for one in arguments]
            job = {"op": "try", "name": name, "arguments": given}
            tried.setdefault(name, []).append(self._do(job)["outcome"])
        sibling = "gone" if sleeping else self._state("done" in tried.get("stop", ()))
        session = not sleeping and os.getsid(self._pids["sibling"]) == self._pids["sibling"]
        self._jobs.cancel(number)
        self._until(sleeping)
        self._jobs.close()
        for _turn in range(20):
            self._loop.turn(10_000_000)
        self._loop.close()
        return {**told, "tried": tried, "sibling": sibling, "session": session}

    def _state(self, stopped: bool) -> str:
        """Of the sibling; a signal is felt when its turn comes."""
        deadline = time.monotonic() + WAIT_S
        while stopped and state(self._pids["sibling"]) != "T" and time.monotonic() < deadline:
            self._loop.turn(10_000_000)
        return state(self._pids["sibling"])

    def _start(self, job: dict[str, Any], ends: list[JobEnd]) -> int:
        network = bool(self._plan["network"])
        return self._jobs.start(cbor.dumps(job), [], WAIT_S, ends.append, network)

    def _do(self, job: dict[str, Any]) -> dict[str, Any]:
        ends: list[JobEnd] = []
        self._start(job, ends)
        self._until(ends)
        if ends[0].answer is None:
            return {"outcome": f"job {ends[0].failure}"}
        answer = cbor.loads(ends[0].answer, max_bytes=limits.JOB_BYTES)
        assert isinstance(answer, dict), answer
        return dict(answer.get("ok", {"outcome": str(answer)}))

    def _until(self, ends: list[JobEnd]) -> None:
        while not ends:
            self._loop.turn(10_000_000)


def status(pid: int) -> dict[str, str]:
    """/proc/PID/status, which everybody may read."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def state(pid: int) -> str:
    """S for one that sleeps, T for one that was stopped."""
    return status(pid)["State"][0]


def children(parent: int) -> list[int]:
    """Pids of the processes that another one has started, zombies left out."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            try:
                of = status(int(entry))
            except OSError:
                continue
            if of["PPid"] == str(parent) and of["State"][0] != "Z":
                found.append(int(entry))
    return found


if __name__ == "__main__":
    role, *rest = sys.argv[1:]
    if role == "worker":
        work(rest[:3], rest[3])
    else:
        print(json.dumps(Overtaker(json.loads(rest[0])).run()), flush=True)
