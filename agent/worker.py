"""The worker process and its job children.

The worker imports everything that it will ever use and forks one child for each job. It reads no
byte from the network and none from a job. A child gives up what it does not need (limits, no new
privileges, the worker's user), and only then reads its job; it answers once in CBOR and exits, so
what parsed one CA's bytes never serves another realm. After the drop nothing of this program is
opened by path: the installation may lie where the worker user cannot go.

The protocol between agent and worker is at the head of `hal/jobs.py`.
"""

import ctypes
import gc
import os
import resource
import select
import signal
import socket
from collections.abc import Callable, Sequence
from typing import NamedTuple

from agent import limits
from agent.errors import AgentError, fail
from agent.scep import client, preload
from hal import cbor
from hal.clock import LinuxClock
from hal.jobs import CANCEL, CAUSES, CONTROL_FD, ENDED, HEADER, START
from hal.link import LinuxLink

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38

_PRCTL = ctypes.CDLL(None, use_errno=True).prctl  # looked up before there are children
NICE = 10  # a key that is being generated must not make the console wait

LIMITS = (
    (resource.RLIMIT_NOFILE, limits.CHILD_FILES),
    (resource.RLIMIT_FSIZE, limits.JOB_BYTES),
    (resource.RLIMIT_CORE, 0),
    (resource.RLIMIT_NPROC, 0),
)


class Confinement(NamedTuple):
    """What a child runs as: user and group, or None to stay; address space and CPU time."""

    user: tuple[int, int] | None = None
    memory_bytes: int = limits.CHILD_MEMORY_BYTES
    cpu_s: int = limits.CHILD_CPU_S


class _Child:
    """A running child: its job, its deadline in outside time, and why it was killed, if it was."""

    __slots__ = ("cause", "deadline_ns", "job")

    def __init__(self, job: int, deadline_ns: int) -> None:
        self.job, self.deadline_ns, self.cause = job, deadline_ns, "died"


class Worker:
    """Forks a child for each job that arrives on `control`, until the agent closes it."""

    def __init__(self, control: socket.socket, confinement: Confinement) -> None:
        self._control, self._confinement = control, confinement
        self._clock = LinuxClock()
        self._children: dict[int, _Child] = {}
        self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def serve(self) -> None:
        """Returns when the agent has closed the control socket; children are killed then."""
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(self._wake[1], warn_on_full_buffer=False)
        poll = select.poll()
        poll.register(self._control.fileno(), select.POLLIN)
        poll.register(self._wake[0], select.POLLIN)
        while True:
            for fd, _event in poll.poll(self._wait_ms()):
                if fd == self._wake[0]:
                    os.read(self._wake[0], 64)
                elif not self._obey():
                    return self._kill(list(self._children), "cancelled")
            now = self._clock.outside_ns()
            late = [pid for pid, child in self._children.items() if child.deadline_ns <= now]
            self._kill(late, "deadline")
            self._reap()

    def _wait_ms(self) -> int | None:
        if not self._children:
            return None
        first = min(child.deadline_ns for child in self._children.values())
        return max(0, (first - self._clock.outside_ns()) // 1_000_000 + 1)

    def _obey(self) -> bool:
        """One message of the agent; False when it has gone."""
        message, fds, _flags, _address = socket.recv_fds(
            self._control, HEADER.size, limits.JOB_DESCRIPTORS
        )
        if len(message) != HEADER.size:
            return False
        kind, job, deadline_ms = HEADER.unpack(message)
        if kind == START and fds:
            self._fork(job, deadline_ms, fds)
        elif kind == CANCEL:
            pids = [pid for pid, child in self._children.items() if child.job == job]
            self._kill(pids, "cancelled")
        for fd in fds:
            os.close(fd)
        return True

    def _fork(self, job: int, deadline_ms: int, fds: Sequence[int]) -> None:
        try:
            pid = os.fork()
        except OSError:
            self._report(job, "died")
            return
        if pid == 0:
            status = 1
            try:
                status = _run_child(fds, self._confinement, deadline_ms // 1000 + 1)
            finally:
                os._exit(status)
        self._children[pid] = _Child(job, self._clock.outside_ns() + deadline_ms * 1_000_000)

    def _kill(self, pids: Sequence[int], cause: str) -> None:
        for pid in pids:
            self._children[pid].cause = cause
            os.kill(pid, signal.SIGKILL)  # still ours: only `_reap` gives a pid back

    def _reap(self) -> None:
        for pid in list(self._children):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                child = self._children.pop(pid)
                self._report(child.job, None if status == 0 else child.cause)

    def _report(self, job: int, cause: str | None) -> None:
        try:
            self._control.send(HEADER.pack(ENDED, job, CAUSES.index(cause)))
        except OSError:
            return  # the agent has gone; the next read of the control socket tells


def _run_child(fds: Sequence[int], confinement: Confinement, alarm_s: int) -> int:
    """The life of a child: confine, read, work, answer. The exit status, 0 when it answered."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.alarm(alarm_s)  # the backstop of a backstop: the worker kills at the deadline
    _close_others(fds)
    confine(confinement)
    channel = socket.socket(fileno=fds[0])
    request = _read_all(channel)
    channel.sendall(cbor.dumps(perform(request, fds[1:])))
    return 0


def perform(request: bytes, files: Sequence[int]) -> dict[str, object]:
    """The answer of a job: `{ok: map}`, or the map of an error. Never raises for a bad job."""
    try:
        job = cbor.loads(request, max_bytes=limits.JOB_BYTES)
        work = _operation(job)
        return {"ok": work(job, files, LinuxLink())}
    except AgentError as error:
        return dict(error.as_map())
    except MemoryError:
        return dict(fail("job-died").as_map())
    except Exception as error:
        # A fault of ours, met by bytes from outside: say where, never what (it may be secret).
        where = error.__traceback__
        while where and where.tb_next:
            where = where.tb_next
        name = os.path.basename(where.tb_frame.f_code.co_filename) if where else "?"
        place = f"{type(error).__name__} at {name}:{where.tb_lineno if where else 0}"
        return dict(fail("job-fault", place=place).as_map())


def _operation(job: object) -> Callable[..., dict[str, object]]:
    op = job.get("op") if isinstance(job, dict) else None
    if not isinstance(op, str) or op not in client.OPS:
        raise fail("job-fault", place=f"unknown operation {op!r}")
    return client.OPS[op]


def confine(to: Confinement) -> None:
    """Limits, the worker's user, no new privileges; dies with the worker. Order matters: after the
    change of user the limits could not be set, and the kernel forgets the death signal there."""
    parent = os.getppid()
    os.nice(NICE)
    own = ((resource.RLIMIT_AS, to.memory_bytes), (resource.RLIMIT_CPU, to.cpu_s))
    for what, most in (*own, *LIMITS):
        _soft, hard = resource.getrlimit(what)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))
    if to.user:
        uid, gid = to.user
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    for option, value in (
        (PR_SET_NO_NEW_PRIVS, 1),
        (PR_SET_DUMPABLE, 0),
        (PR_SET_PDEATHSIG, signal.SIGKILL),
    ):
        if _PRCTL(option, int(value), 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:  # the worker died before the kernel knew
        os._exit(1)


def _close_others(fds: Sequence[int]) -> None:
    for fd in (1, 2):  # what the agent's log and terminal are to others is not for a child
        os.dup2(0, fd)
    keep = sorted({0, 1, 2, *fds})
    for low, high in zip(keep, [*keep[1:], 65536], strict=True):
        os.closerange(low + 1, high)


def _read_all(channel: socket.socket) -> bytes:
    data = bytearray()
    while piece := channel.recv(65536):
        data += piece
        if len(data) > limits.JOB_BYTES:
            raise ValueError("job too long")
    return bytes(data)


def main(arguments: Sequence[str]) -> int:
    """Serves the control socket that the agent left. UID and GID (-1: stay), bytes, seconds."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C at the agent's terminal is for the agent
    uid, gid, memory_bytes, cpu_s = (int(argument) for argument in arguments)
    preload.load_all()
    # A child shares our pages until it writes to them; the collector would write to all of them.
    gc.disable()
    gc.freeze()
    confinement = Confinement(None if uid < 0 else (uid, gid), memory_bytes, cpu_s)
    Worker(socket.socket(fileno=CONTROL_FD), confinement).serve()
    return 0
