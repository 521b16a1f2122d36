"""The worker process: it forks the children of each job, and ends them.

The worker imports what children use and forks one child for each job, or two where a job has keys
and a network (`agent/child.py`). It reads no byte from the network and none from a job. A child
opens nothing of this program by path: the installation may lie where the worker user cannot go. So
the one library that is left out at the start is loaded before the child that needs it.

Fault model. A child may crash, run for ever, take all memory, answer half, or do what a stranger
wants who has taken it over. The agent may end at any moment. The promises: each job that was
accepted is reported once, and its report comes after its children are gone. "ok" means that the
child that answers exited with 0, which it does behind the last byte of its answer alone. The worker
stays what it was before the fork, because a child hands nothing back to it but an exit status.

Two children of a job die together. When the one that talks has gone, the other one is killed. When
the one that keeps the keys ends badly, somebody has asked what no job asks: that ends the job.

Who ends a child: the worker at the deadline; the kernel when the worker dies (death signal); the
child's own alarm when the worker hangs. Deadlines are on the outside clock, which the simulated
board does not scale. Only the parent of a process can kill it without a race: its number is given
to nobody else before it has been reaped, and that happens in one place.

There are sixteen places for children. A place has a user of its own where the board names none, so
that no child can signal another, nor the one that keeps its keys. More jobs than places wait, and
their deadlines do not.

The protocol between agent and worker is at the head of `hal/jobs.py`.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
from collections.abc import Sequence

from agent import child, limits
from agent.rehearsal import rehearse
from agent.scep import preload
from hal.clock import LinuxClock
from hal.confinement import kernel_clock
from hal.confinement.ladder import PLACES, Bounds, Identity, Ladder
from hal.confinement.namespaces import LOCAL, NETWORK
from hal.jobs import (
    CANCEL,
    CAUSES,
    CONTROL_FD,
    ENDED,
    HAS_KEYS,
    HEADER,
    NEEDS_LIBRARY,
    START,
    TIME,
    USES_NETWORK,
    WITH_TIMER,
)
from hal.named import NamedTuple
from hal.ports import UNKNOWN_US

_ALONE, _PAIR = 1, 2  # children of a job
_LEAST_FDS = {_ALONE: 1, _PAIR: 3}  # the channel; the request for keys and the device key too


class _Job(NamedTuple):
    """A job as it came: its number, kind, children, deadline in outside time, descriptors (ours).

    kind: LOCAL or NETWORK, which the agent says beside the job: a child needs its filter before it
    may read. fds: the channel, then as `agent.child.parts` takes them. library: it needs the one
    that is loaded for few jobs.
    """

    number: int
    kind: str
    children: int
    deadline_ns: int
    fds: Sequence[int]
    library: bool


class _Run:
    """A job at work: its places, its children, why they were killed, and what came of it.

    Children that end badly without having been killed have died, so that is where it begins.
    """

    __slots__ = ("answered", "broken", "cause", "job", "parts", "places")

    def __init__(self, job: _Job, places: Sequence[int]) -> None:
        self.job, self.places, self.cause = job, places, "died"
        self.parts: dict[int, child.Part] = {}  # by pid, until they have been reaped
        self.answered = self.broken = False

    def ended(self, pid: int, good: bool) -> None:
        """Notes the end of a child. Where it was one of two, the other may have to end with it."""
        if self.parts.pop(pid).answers:
            self.answered = good
            self.kill()
        elif not good and self.parts:
            self.broken = True
            self.kill()

    def kill(self) -> None:
        for pid in self.parts:
            os.kill(pid, signal.SIGKILL)  # still ours: only `Worker._reap` gives a pid back


class Worker:
    """Forks a child for each job that arrives on `control`, until the agent closes it."""

    def __init__(self, control: socket.socket, ladder: Ladder) -> None:
        self._control, self._ladder = control, ladder
        self._clock = LinuxClock()
        self._runs: dict[int, _Run] = {}  # by number of the job
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
                    return self._end(list(self._runs), "cancelled")
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
        return [*self._waiting.values(), *(run.job for run in self._runs.values())]

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
        children = _PAIR if flags & HAS_KEYS else _ALONE
        if kind == START and len(fds) >= _LEAST_FDS[children]:
            deadline_ns = self._clock.outside_ns() + deadline_ms * 1_000_000
            network = NETWORK if flags & USES_NETWORK else LOCAL
            library = bool(flags & NEEDS_LIBRARY)
            self._waiting[number] = _Job(number, network, children, deadline_ns, fds, library)
            return True
        if kind == CANCEL:
            self._end([number], "cancelled")
        elif kind == START:  # it lacks descriptors: there is nobody who could answer
            self._say(number, "died")
        elif kind == TIME:
            self._tell_time(number, bool(flags & WITH_TIMER))
        for fd in fds:
            os.close(fd)
        return True

    def _tell_time(self, number: int, with_timer: bool) -> None:
        """What the kernel says of its clock; without ctypes that nobody keeps it, and no timer."""
        maxerror_us, timer = UNKNOWN_US, []
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
        """Gives free places to the job that has waited longest, and to the next ones."""
        while self._waiting:
            job = self._waiting[next(iter(self._waiting))]
            taken = {place for run in self._runs.values() for place in run.places}
            free = [place for place in range(PLACES) if place not in taken]
            if len(free) < job.children:
                return
            del self._waiting[job.number]
            self._start(job, free[: job.children])

    def _start(self, job: _Job, places: Sequence[int]) -> None:
        """Forks the children of a job. Descriptors are closed here then, or the agent would never
        see the end of the channel, nor one child that of the other."""
        self._ladder.refresh(job.kind)  # a lease may have replaced resolv.conf
        if job.library:
            preload.load_library()
        run, fds = _Run(job, places), list(job.fds)
        try:
            if job.children == _PAIR:
                ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                fds += [end.detach() for end in ends]
            for part, place in zip(child.parts(job.kind, fds, job.children), places, strict=True):
                run.parts[self._fork(job, part, place)] = part
        except OSError:
            run.kill()
        finally:
            _close(fds)
        self._runs[job.number] = run
        if not run.parts:
            self._report(run)

    def _fork(self, job: _Job, part: child.Part, place: int) -> int:
        """The pid of a child, which never comes back from here: whatever it raises, it exits,
        without the handlers and buffers that belong to the worker."""
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                rest_s = (job.deadline_ns - self._clock.outside_ns()) // 1_000_000_000
                status = child.run(part, self._ladder, place, max(0, rest_s) + 1)
            finally:
                os._exit(status)
        return pid

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
                self._say(number, cause)
            elif run := self._runs.get(number):
                run.cause = cause
                run.kill()

    def _reap(self) -> None:
        """Reports jobs whose children are gone. The status decides, not the kill: a child that had
        answered and left before the signal came has done its job."""
        for run in list(self._runs.values()):
            for pid in list(run.parts):
                reaped, status = os.waitpid(pid, os.WNOHANG)
                if reaped:
                    run.ended(pid, status == 0)
            if not run.parts:
                self._report(run)

    def _report(self, run: _Run) -> None:
        del self._runs[run.job.number]
        self._say(run.job.number, None if run.answered and not run.broken else run.cause)

    def _say(self, job: int, cause: str | None) -> None:
        try:
            self._control.send(HEADER.pack(ENDED, job, CAUSES.index(cause), 0))
        except OSError:
            return  # the agent has gone; the next read of the control socket tells


def _close(fds: Sequence[int]) -> None:
    for fd in fds:
        os.close(fd)


def main(arguments: Sequence[str]) -> int:
    """Serves the control socket that the agent left. UID, GID and STEP (-1: stay, see `Identity`),
    bytes, seconds."""
    uid, gid, step, memory_bytes, cpu_s = (int(argument) for argument in arguments)
    preload.load_all()
    rehearse()
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
    gc.freeze()  # what a child makes is linked to nothing of ours, in whose pages it would write
    bounds = Bounds(memory_bytes, cpu_s, limits.CHILD_FILES, limits.JOB_BYTES)
    ladder = Ladder(identity, bounds, **more)
    Worker(socket.socket(fileno=CONTROL_FD), ladder).serve()
