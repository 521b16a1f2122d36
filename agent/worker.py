"""The worker process and its job children.

The worker imports everything that it will ever use and forks one child for each job. It reads no
byte from the network and none from a job. A child gives up what it does not need (limits, user,
and what else `hal/confinement` has), and only then reads its job; it answers once in CBOR and
exits, so what parsed one CA's bytes never serves another realm. After that nothing of this program
is opened by path: the installation may lie where the worker user cannot go.

There are sixteen places for children. A place has a user of its own where the board names none, so
that no child can signal another. More jobs than places wait, and their deadlines do not.

The protocol between agent and worker is at the head of `hal/jobs.py`.
"""

from __future__ import annotations

import errno
import gc
import os
import select
import signal
import socket
from collections.abc import Callable, Sequence

from agent import limits
from agent.errors import AgentError, fail
from agent.jobs import contract
from agent.scep import operations, preload
from hal import cbor
from hal.clock import LinuxClock
from hal.confinement.ladder import PLACES, Bounds, Identity, Ladder, Rungs
from hal.confinement.namespaces import LOCAL, NETWORK
from hal.jobs import CANCEL, CAUSES, CONTROL_FD, ENDED, HEADER, START, USES_NETWORK
from hal.link import LinuxLink
from hal.named import NamedTuple

RUNGS = "rungs"  # the one operation that is not of SCEP: what confines a child here


class _Job(NamedTuple):
    """A job as it came: its number, kind, deadline in outside time, and descriptors (ours)."""

    number: int
    kind: str
    deadline_ns: int
    fds: Sequence[int]


class _Child:
    """A running child: its job, its place, and why it was killed, if it was."""

    __slots__ = ("cause", "job", "place")

    def __init__(self, job: _Job, place: int) -> None:
        self.job, self.place, self.cause = job, place, "died"


class Worker:
    """Forks a child for each job that arrives on `control`, until the agent closes it."""

    def __init__(self, control: socket.socket, ladder: Ladder) -> None:
        self._control, self._ladder = control, ladder
        self._clock = LinuxClock()
        self._children: dict[int, _Child] = {}  # by pid
        self._waiting: dict[int, _Job] = {}  # for a place, by number: the oldest first
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
            self._end_late()
            self._reap()
            self._seat()

    def _wait_ms(self) -> int | None:
        deadlines_ns = [job.deadline_ns for job in self._jobs()]
        if not deadlines_ns:
            return None
        return max(0, (min(deadlines_ns) - self._clock.outside_ns()) // 1_000_000 + 1)

    def _jobs(self) -> list[_Job]:
        return [*self._waiting.values(), *(child.job for child in self._children.values())]

    def _obey(self) -> bool:
        """One message of the agent; False when it has gone."""
        message, fds, _flags, _address = socket.recv_fds(
            self._control, HEADER.size, limits.JOB_DESCRIPTORS
        )
        if len(message) != HEADER.size:
            return False
        kind, number, deadline_ms, flags = HEADER.unpack(message)
        if kind == START and fds:
            deadline_ns = self._clock.outside_ns() + deadline_ms * 1_000_000
            network = NETWORK if flags & USES_NETWORK else LOCAL
            self._waiting[number] = _Job(number, network, deadline_ns, fds)
            return True
        if kind == CANCEL:
            self._end([number], "cancelled")
        for fd in fds:
            os.close(fd)
        return True

    def _seat(self) -> None:
        """Gives each free place to the job that has waited longest."""
        taken = {child.place for child in self._children.values()}
        for place in range(PLACES):
            if self._waiting and place not in taken:
                job = self._waiting.pop(next(iter(self._waiting)))
                self._fork(job, place)
                _close(job.fds)

    def _fork(self, job: _Job, place: int) -> None:
        self._ladder.refresh(job.kind)
        try:
            pid = os.fork()
        except OSError:
            self._report(job.number, "died")
            return
        if pid == 0:
            status = 1
            try:
                left_s = (job.deadline_ns - self._clock.outside_ns()) // 1_000_000_000
                status = _run_child(job, self._ladder, place, max(0, left_s) + 1)
            finally:
                os._exit(status)
        self._children[pid] = _Child(job, place)

    def _end_late(self) -> None:
        now = self._clock.outside_ns()
        self._end([job.number for job in self._jobs() if job.deadline_ns <= now], "deadline")

    def _end(self, numbers: Sequence[int], cause: str) -> None:
        """Ends jobs that wait or run, for this cause."""
        for number in numbers:
            if job := self._waiting.pop(number, None):
                _close(job.fds)
                self._report(number, cause)
        self._kill([pid for pid, one in self._children.items() if one.job.number in numbers], cause)

    def _kill(self, pids: Sequence[int], cause: str) -> None:
        for pid in pids:
            self._children[pid].cause = cause
            os.kill(pid, signal.SIGKILL)  # still ours: only `_reap` gives a pid back

    def _reap(self) -> None:
        for pid in list(self._children):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                child = self._children.pop(pid)
                self._report(child.job.number, None if status == 0 else child.cause)

    def _report(self, job: int, cause: str | None) -> None:
        try:
            self._control.send(HEADER.pack(ENDED, job, CAUSES.index(cause), 0))
        except OSError:
            return  # the agent has gone; the next read of the control socket tells


def _close(fds: Sequence[int]) -> None:
    for fd in fds:
        os.close(fd)


def _run_child(job: _Job, ladder: Ladder, place: int, alarm_s: int) -> int:
    """The life of a child: confine, read, work, answer. The exit status, 0 when it answered."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.alarm(alarm_s)  # the backstop of a backstop: the worker kills at the deadline
    _close_others([*job.fds, *ladder.descriptors(job.kind)])
    rungs = ladder.climb(job.kind, place)
    channel = socket.socket(fileno=job.fds[0])
    request = _read_all(channel)
    channel.sendall(cbor.dumps(perform(request, job.fds[1:], rungs)))
    return 0


def perform(request: bytes, files: Sequence[int], rungs: Rungs | None = None) -> dict[str, object]:
    """The answer of a job: `{ok: map}`, or the map of an error. Never raises for a bad job."""
    try:
        job = cbor.loads(request, max_bytes=limits.JOB_BYTES)
        if not isinstance(job, dict):
            raise fail("job-fault", place="a job is a map")
        if rungs and job == {"op": RUNGS}:
            return {"ok": {"held": rungs.held, "missing": rungs.missing}}
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
        return dict(fail(_fault(error), place=place).as_map())


def _fault(error: Exception) -> str:
    """A fault of this software, or a call that the filter of a child refused."""
    refused = isinstance(error, OSError) and error.errno in (errno.EPERM, errno.ENOSYS)
    return "job-refused" if refused else "job-fault"


def _operation(job: dict[str, object]) -> Callable[..., dict[str, object]]:
    """The function of a job whose fields are as the contract says."""
    op = job.get("op")
    if not isinstance(op, str) or op not in operations.OPS or op not in contract.ROWS:
        raise fail("job-fault", place=f"unknown operation {op!r}")
    wrong = contract.fault(contract.ROWS[op].takes, job)
    if wrong is not None:
        raise fail("job-request", field=wrong)
    return operations.OPS[op]


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
    """Serves the control socket that the agent left. UID, GID and STEP (-1: stay, see `Identity`),
    bytes, seconds."""
    uid, gid, step, memory_bytes, cpu_s = (int(argument) for argument in arguments)
    preload.load_all()
    serve(Identity(uid, gid, step) if uid >= 0 else None, memory_bytes, cpu_s)
    return 0


def serve(
    identity: Identity | None,
    memory_bytes: int = limits.CHILD_MEMORY_BYTES,
    cpu_s: int = limits.CHILD_CPU_S,
    **more: Sequence[str],
) -> None:
    """Makes the ladder and is the worker; all that children need has been loaded. `more`: as for
    `Ladder`, in tests."""
    # A child shares our pages until it writes to them; the collector would write to all of them.
    gc.disable()
    gc.freeze()
    bounds = Bounds(memory_bytes, cpu_s, limits.CHILD_FILES, limits.JOB_BYTES)
    ladder = Ladder(identity, bounds, **more)
    Worker(socket.socket(fileno=CONTROL_FD), ladder).serve()
