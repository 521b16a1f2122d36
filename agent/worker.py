"""The worker process and its job children.

The worker imports everything that it will ever use and forks one child for each job. It reads no
byte from the network and none from a job. A child gives up what it does not need (limits, user,
and what else `hal/confinement` has), and only then reads its job; it answers once in CBOR and
exits, so what parsed one CA's bytes never serves another realm. After that nothing of this program
is opened by path: the installation may lie where the worker user cannot go.

Fault model. A child may crash, run for ever, take all memory, answer half, or do what a stranger
wants who has taken it over. The agent may end at any moment. The promises: each job that was
accepted is reported once, and its report comes after its child is gone. "ok" means that the child
exited with 0, which it does behind the last byte of its answer alone. The worker stays what it was
before the fork, because a child hands nothing back to it but an exit status.

Who ends a child: the worker at the deadline; the kernel when the worker dies (death signal); the
child's own alarm when the worker hangs. Deadlines are on the outside clock, which the simulated
board does not scale. Only the parent of a process can kill it without a race: its number is given
to nobody else before it has been reaped, and that happens in one place.

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
from hal.confinement import kernel_clock
from hal.confinement.ladder import PLACES, Bounds, Identity, Ladder, Rungs
from hal.confinement.namespaces import LOCAL, NETWORK
from hal.jobs import (
    CANCEL,
    CAUSES,
    CONTROL_FD,
    ENDED,
    HEADER,
    START,
    TIME,
    USES_NETWORK,
    WITH_TIMER,
)
from hal.link import LinuxLink
from hal.named import NamedTuple

RUNGS = "rungs"  # the one operation that is not of SCEP: what confines a child here


class _Job(NamedTuple):
    """A job as it came: its number, kind, deadline in outside time, and descriptors (ours).

    kind: LOCAL or NETWORK, which the agent says beside the job: the child needs its filter before
    it may read. fds: the channel, then the device key if the job has it, then files to write.
    """

    number: int
    kind: str
    deadline_ns: int
    fds: Sequence[int]


class _Child:
    """A running child: its job, its place, and why it was killed, if it was.

    A child that ends badly without having been killed has died, so that is where it begins.
    """

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
        """Returns when the agent has closed the control socket; children are killed then.

        A signal that is not handled writes nothing to the pipe, hence a handler that does nothing.
        The pipe may be full: one byte is enough to wake up, and `_reap` asks after every child.
        """
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
            # In this order: a child that is late is killed, one that is gone makes its place free,
            # and a job that has waited gets it, unless its own deadline has just passed.
            self._end_late()
            self._reap()
            self._seat()

    def _wait_ms(self) -> int | None:
        deadlines_ns = [job.deadline_ns for job in self._jobs()]
        if not deadlines_ns:
            return None
        # Rounded up: a poll that ends before the deadline would spin until it has come.
        return max(0, (min(deadlines_ns) - self._clock.outside_ns()) // 1_000_000 + 1)

    def _jobs(self) -> list[_Job]:
        return [*self._waiting.values(), *(child.job for child in self._children.values())]

    def _obey(self) -> bool:
        """One message of the agent; False when it has gone.

        SOCK_SEQPACKET keeps messages whole, so another length than ours is the end of the agent.
        Descriptors that belong to no job are closed, or they would be in every later child.
        """
        try:
            message, fds, _flags, _address = socket.recv_fds(
                self._control, HEADER.size, limits.JOB_DESCRIPTORS
            )
        except OSError:  # it has gone without having read our last report
            return False
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
        elif kind == TIME:
            self._tell_time(number, bool(flags & WITH_TIMER))
        for fd in fds:
            os.close(fd)
        return True

    def _tell_time(self, number: int, with_timer: bool) -> None:
        """What the kernel says of its clock; without ctypes that nobody keeps it, and no timer."""
        maxerror_us, timer = kernel_clock.UNKNOWN_US, []
        try:
            maxerror_us = kernel_clock.maxerror_us()
            timer = [kernel_clock.set_timer()] if with_timer else []
        except OSError:
            pass
        try:
            message = HEADER.pack(TIME, number, maxerror_us, 0)
            socket.send_fds(self._control, [message], timer)
        except OSError:
            pass  # the agent has gone; the next read of the control socket tells
        _close(timer)

    def _seat(self) -> None:
        """Gives each free place to the job that has waited longest."""
        places = {child.place for child in self._children.values()}
        for place in range(PLACES):
            if self._waiting and place not in places:
                job = self._waiting.pop(next(iter(self._waiting)))
                self._fork(job, place)
                _close(job.fds)  # or the agent would never see the end of the channel

    def _fork(self, job: _Job, place: int) -> None:
        """Starts a child. It never comes back from here: whatever it raises, it exits, without the
        handlers and buffers that belong to the worker."""
        self._ladder.refresh(job.kind)  # a lease may have replaced resolv.conf
        try:
            pid = os.fork()
        except OSError:
            self._report(job.number, "died")
            return
        if pid == 0:
            status = 1
            try:
                rest_s = (job.deadline_ns - self._clock.outside_ns()) // 1_000_000_000
                status = _run_child(job, self._ladder, place, max(0, rest_s) + 1)
            finally:
                os._exit(status)
        self._children[pid] = _Child(job, place)

    def _end_late(self) -> None:
        now = self._clock.outside_ns()
        self._end([job.number for job in self._jobs() if job.deadline_ns <= now], "deadline")

    def _end(self, numbers: Sequence[int], cause: str) -> None:
        """Ends jobs that wait or run, for this cause.

        A job that waits has no child and is reported at once; that of a child comes from `_reap`.
        A number that nobody has any more is the usual race of a cancellation with an end.
        """
        for number in numbers:
            if job := self._waiting.pop(number, None):
                _close(job.fds)
                self._report(number, cause)
        children = self._children.items()
        self._kill([pid for pid, child in children if child.job.number in numbers], cause)

    def _kill(self, pids: Sequence[int], cause: str) -> None:
        for pid in pids:
            self._children[pid].cause = cause
            os.kill(pid, signal.SIGKILL)  # still ours: only `_reap` gives a pid back

    def _reap(self) -> None:
        """Reports children that are gone. The status decides, not the kill: a child that had
        answered and left before the signal came has done its job."""
        for pid in list(self._children):
            reaped, status = os.waitpid(pid, os.WNOHANG)
            if reaped:
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
    """The life of a child: confine, read, work, answer. The exit status, 0 when it answered.

    Until the job has been read, nothing here depends on a byte of a stranger; from then on nothing
    but the answer leaves. Anything raised on the way is an exit with 1, which the agent knows as
    `job-died`.
    """
    signal.set_wakeup_fd(-1)  # the pipe is that of the worker
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.alarm(alarm_s)  # for a worker that hangs; else it kills up to a second earlier
    _close_others([*job.fds, *ladder.descriptors(job.kind)])
    rungs = ladder.climb(job.kind, place)
    channel = socket.socket(fileno=job.fds[0])
    request = _read_all(channel)
    channel.sendall(cbor.dumps(perform(request, job.fds[1:], rungs)))
    return 0


def perform(request: bytes, files: Sequence[int], rungs: Rungs | None = None) -> dict[str, object]:
    """The answer of a job: `{ok: map}`, or the map of an error. Never raises for a bad job.

    files: the descriptors behind the channel. Rungs are asked for by the first job of each start
    and answered here, because no operation of SCEP knows what confines it.
    """
    try:
        job = cbor.loads(request, max_bytes=limits.JOB_BYTES)
        if not isinstance(job, dict):
            raise fail("job-fault", place="a job is a map")
        if rungs and job == {"op": RUNGS}:
            return {"ok": {"held": rungs.held, "missing": rungs.missing}}
        operation = _operation(job)
        return {"ok": operation(job, files, LinuxLink())}
    except AgentError as error:
        return dict(error.as_map())
    except MemoryError:  # the limit of address space: a peer, or a file, wanted more than any needs
        return dict(fail("job-died").as_map())
    except Exception as error:
        # A fault of ours, met by bytes from outside: say where, never what (it may be secret).
        frame = error.__traceback__
        while frame and frame.tb_next:
            frame = frame.tb_next
        name = os.path.basename(frame.tb_frame.f_code.co_filename) if frame else "?"
        place = f"{type(error).__name__} at {name}:{frame.tb_lineno if frame else 0}"
        return dict(fail(_fault(error), place=place).as_map())


def _fault(error: Exception) -> str:
    """A fault of this software, or a call that the filter of a child refused.

    The filter answers EPERM to a dangerous call and ENOSYS to one that it does not know. Neither
    is expected of our code: it means a newer C library, or a stranger at work in the child.
    """
    refused = isinstance(error, OSError) and error.errno in (errno.EPERM, errno.ENOSYS)
    return "job-refused" if refused else "job-fault"


def _operation(job: dict[str, object]) -> Callable[..., dict[str, object]]:
    """The function of a job whose fields are as the contract says.

    The agent has made the job, but from settings and records; a field of another type is told here
    by its name, before a parser stumbles over it.
    """
    op = job.get("op")
    if not isinstance(op, str) or op not in operations.OPS or op not in contract.ROWS:
        raise fail("job-fault", place=f"unknown operation {op!r}")
    field = contract.fault(contract.ROWS[op].takes, job)
    if field is not None:
        raise fail("job-request", field=field)
    return operations.OPS[op]


def _close_others(fds: Sequence[int]) -> None:
    """Leaves a child the descriptors of its job, and /dev/null in the place of the standard ones.

    The worker holds the control socket, by which a child could report the ends of others, and the
    channels and device keys of all jobs that wait. Nothing of it may outlive the fork.
    """
    for fd in (1, 2):  # what the agent's log and terminal are to others is not for a child
        os.dup2(0, fd)
    survivors = sorted({0, 1, 2, *fds})
    for low, high in zip(survivors, [*survivors[1:], 65536], strict=True):
        os.closerange(low + 1, high)


def _read_all(channel: socket.socket) -> bytes:
    """The job: all that comes before the agent shuts its end for writing."""
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
