"""Jobs in a worker process: `os.posix_spawn`, descriptors, deadlines.

The worker is started when the first job comes and told to go by the end of its control socket.
Everything between agent and worker is on two kinds of sockets:

    control (SOCK_SEQPACKET, descriptor 3 of the worker)
        agent -> worker   J id deadline_ms flags   with the job's end of its channel, then its
                                                   descriptors; flags: 1, it uses the network;
                                                   2, it has a key child beside it, whose request
                                                   is the second descriptor; 4, it needs a library
                                                   that few jobs need
                          C id                     stop that job
                          T id 0 flags             what the kernel says of its clock; 1: a timer too
        worker -> agent   E id cause               the child is gone: ok, died, deadline, cancelled
                          T id maxerror_us         perhaps with a timer, the one descriptor that
                                                   ever comes this way
    channel (SOCK_STREAM, one a job)
        agent -> child    the request, then end of file
        child -> agent    the answer, then end of file

What can go wrong: the worker does not start, dies, or is killed with its children; a child dies
after half an answer; it never answers. An answer counts only when its child ended well (`E` says
so), so half of one is never taken for whole. A child has no way to hand over a descriptor: a
channel is read without room for one. The worker enforces the deadlines of its children; the
agent kills the worker when it does not report one in time, and all its jobs have died.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import struct
from collections.abc import Callable, Sequence

from hal.ports import JobEnd, KernelTime, Reactor, Timer
from hal.priority import of_a_worker, stand_back
from hal.settimer import is_set_timer
from hal.signals import TO_DEFAULT

CONTROL_FD = 3
HEADER = struct.Struct("<cIQB")  # kind, job, deadline_ms or cause, flags
START, CANCEL, ENDED, TIME = b"J", b"C", b"E", b"T"
WITH_TIMER = 1  # flag of TIME
# Flags of START: known before the child reads its job, which it does confined.
USES_NETWORK, HAS_KEYS, NEEDS_LIBRARY = 1, 2, 4
CAUSES = (None, "died", "deadline", "cancelled")
GRACE_NS = 5_000_000_000  # the worker's own deadline comes first; this is for a worker that hangs
NS_S = 1_000_000_000
ASKED_S = 60  # the worker imports everything first, on a slow board

Told = Callable[[KernelTime | None], None]


class _Job:
    """One job as the agent sees it: its channel, what is still to be sent, what has come."""

    __slots__ = ("answer", "backstop", "cause", "channel", "done", "ended", "eof", "request")

    def __init__(self, channel: socket.socket, request: bytes, done: Callable[[JobEnd], None]):
        self.channel, self.request, self.done = channel, memoryview(request), done
        self.answer = bytearray()
        self.eof = False
        self.ended = False
        self.cause: str | None = None
        self.backstop: Timer | None = None


def _holding(data: bytes) -> socket.socket:
    """A socket from which this is read, then end of file. Some kilobytes lie in its buffer, so
    nobody waits; OSError when they do not."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with ours:
            ours.setblocking(False)
            if ours.send(data) != len(data):
                raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
    except OSError:
        theirs.close()
        raise
    return theirs


def _timer(wanted: Sequence[int], fds: Sequence[int]) -> int | None:
    """The one of these descriptors that is a timer and wanted; the others are closed."""
    timer = next(filter(is_set_timer, wanted), None)
    for fd in fds:
        if fd != timer:
            os.close(fd)
    return timer


class WorkerJobs:
    """`hal.ports.Jobs` and `TimeSource`.

    argv: how to start the worker; it finds the control socket on descriptor 3.
    """

    def __init__(
        self, reactor: Reactor, argv: Sequence[str], *, answer_bytes: int, linger_s: int
    ) -> None:
        self._reactor, self._argv = reactor, list(argv)
        self._answer_bytes, self._linger_ns = answer_bytes, linger_s * NS_S
        self._control: socket.socket | None = None
        self._pid = 0
        self._last = 0
        self._jobs: dict[int, _Job] = {}
        self._asked: dict[int, tuple[Told, Timer]] = {}
        self._idle: Timer | None = None

    def start(
        self,
        request: bytes,
        fds: Sequence[int],
        deadline_s: int,
        done: Callable[[JobEnd], None],
        network: bool = False,
        keys: bytes = b"",
        library: bool = False,
    ) -> int:
        """Sends a job to the worker; the descriptors stay the caller's, who may close them now."""
        self._last += 1
        number = self._last
        try:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        except OSError as error:
            return self._fail(number, error, done)
        given = [theirs]
        try:
            control = self._worker()
            if keys:
                given.append(_holding(keys))
            flags = USES_NETWORK * network | HAS_KEYS * bool(keys) | NEEDS_LIBRARY * library
            header = HEADER.pack(START, number, deadline_s * 1000, flags)
            socket.send_fds(control, [header], [*(one.fileno() for one in given), *fds])
        except OSError as error:
            ours.close()
            return self._fail(number, error, done)
        finally:
            for one in given:
                one.close()
        job = self._jobs[number] = _Job(ours, request, done)
        ours.setblocking(False)
        self._reactor.watch(
            ours.fileno(), lambda: self._receive(number), lambda: self._send(number)
        )
        job.backstop = self._reactor.after(deadline_s * NS_S + GRACE_NS, self._worker_hangs)
        return number

    def ask(self, watch: bool, done: Told) -> None:
        """`hal.ports.TimeSource`; the worker answers itself, because it reads nothing foreign."""
        self._last += 1
        number = self._last
        try:
            header = HEADER.pack(TIME, number, 0, WITH_TIMER if watch else 0)
            self._worker().send(header)
        except OSError:
            self._reactor.after(0, lambda: done(None))
            return
        late = self._reactor.after(ASKED_S * NS_S, lambda: self._tell(number, None))
        self._asked[number] = (done, late)

    def _tell(self, number: int, said: KernelTime | None) -> None:
        """An answer to `ask`. A timer that nobody waits for any more is closed."""
        done, late = self._asked.pop(number, (None, None))
        if late:
            late.cancel()
        self._linger()
        if done:
            done(said)
        elif said and said.timer is not None:
            os.close(said.timer)

    def _fail(self, number: int, error: OSError, done: Callable[[JobEnd], None]) -> int:
        """No worker, or no descriptor left: said from the loop, as every other end."""
        end = JobEnd(None, "start", os.strerror(error.errno or 0))
        self._reactor.after(0, lambda: done(end))
        return number

    def renew(self, argv: Sequence[str]) -> None:
        """The next worker is started so; the one that lingers goes, one at work when it is done."""
        self._argv = list(argv)
        if not self._jobs and not self._asked:
            self._retire()

    def cancel(self, job: int) -> None:
        """Stops a job; unknown or ended ones are left alone."""
        if job in self._jobs and self._control:
            try:
                self._control.send(HEADER.pack(CANCEL, job, 0, 0))
            except OSError:
                return  # the worker has gone; its end is about to be read

    def close(self) -> None:
        """Ends the worker and with it every child; no `done` is called any more."""
        for job in self._jobs.values():
            self._release(job)
        self._jobs.clear()
        for _done, late in self._asked.values():
            late.cancel()
        self._asked.clear()
        self._retire()

    # -- the worker process ------------------------------------------------------------------------

    def _worker(self) -> socket.socket:
        if self._idle:
            self._idle.cancel()
            self._idle = None
        if self._control is None:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            try:
                self._pid = os.posix_spawn(
                    self._argv[0],
                    self._argv,
                    {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"},
                    file_actions=[
                        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDWR, 0),
                        (os.POSIX_SPAWN_DUP2, theirs.fileno(), CONTROL_FD),
                    ],
                    setsigmask=[],
                    setsid=True,  # else a child could type into the terminal that we run in
                    setsigdef=TO_DEFAULT,
                )
            except OSError:
                ours.close()
                raise
            finally:
                theirs.close()
            stand_back(self._pid, of_a_worker())
            ours.setblocking(False)
            self._control = ours
            self._reactor.watch(ours.fileno(), self._report)
        return self._control

    def _report(self) -> None:
        """A report of the worker, or the end of it."""
        if self._control is None:
            return
        try:
            message, fds, _flags, _from = socket.recv_fds(
                self._control, HEADER.size, 1, socket.MSG_CMSG_CLOEXEC
            )
        except BlockingIOError:
            return
        except OSError:
            message, fds = b"", []
        if len(message) != HEADER.size:
            message = bytes(HEADER.size)  # the end of it
        kind, number, cause, _flags = HEADER.unpack(message)
        timer = _timer(fds if kind == TIME else [], fds)
        job = self._jobs.get(number)
        if kind == TIME:
            self._tell(number, KernelTime(cause, timer))
        elif kind != ENDED:
            self._lost()
        elif job:
            job.ended = True
            job.cause = CAUSES[cause] if cause < len(CAUSES) else "died"
            if job.eof or job.cause:
                self._finish(number)

    def _lost(self) -> None:
        """The worker is gone; its children go with it (they asked the kernel for that)."""
        self._retire()
        for number in list(self._asked):
            self._tell(number, None)
        for number, job in list(self._jobs.items()):
            job.cause = job.cause or "died"
            self._finish(number, "the worker process ended")

    def _worker_hangs(self) -> None:
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
        self._lost()

    def _retire(self) -> None:
        """Closes the control socket: the worker goes. It is reaped here, being our child."""
        if self._idle:
            self._idle.cancel()
            self._idle = None
        if self._control is None:
            return
        self._reactor.unwatch(self._control.fileno())
        self._control.close()
        self._control = None
        pid, self._pid = self._pid, 0
        self._reap(pid, 0)

    def _reap(self, pid: int, tries: int) -> None:
        """Without blocking; a worker that does not go within two seconds is killed."""
        try:
            gone = os.waitpid(pid, os.WNOHANG)[0]
        except ChildProcessError:  # whoever started us had SIGCHLD ignored: the kernel reaps
            return
        if gone == 0:
            if tries == 40:
                os.kill(pid, signal.SIGKILL)
            self._reactor.after(50_000_000, lambda: self._reap(pid, tries + 1))

    # -- channels ----------------------------------------------------------------------------------

    def _send(self, number: int) -> None:
        job = self._jobs[number]
        try:
            sent = job.channel.send(job.request)
        except BlockingIOError:
            return
        except OSError:
            sent = len(job.request)  # the child is gone; `E` will say why
        job.request = job.request[sent:]
        if not job.request:
            self._reactor.watch(job.channel.fileno(), lambda: self._receive(number))
            try:
                job.channel.shutdown(socket.SHUT_WR)
            except OSError:
                return

    def _receive(self, number: int) -> None:
        job = self._jobs[number]
        try:
            data = job.channel.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        job.answer += data
        if data and len(job.answer) <= self._answer_bytes:
            return
        if data:  # more than any answer may have
            job.answer.clear()
            self.cancel(number)
        job.eof = True
        self._reactor.unwatch(job.channel.fileno())
        if job.ended:
            self._finish(number)

    def _finish(self, number: int, detail: str = "") -> None:
        job = self._jobs.pop(number, None)
        if job is None:
            return
        self._release(job)
        self._linger()
        answer = bytes(job.answer) if job.cause is None else None
        job.done(JobEnd(answer, job.cause, detail))

    def _linger(self) -> None:
        """A worker without work goes in a while."""
        if not self._jobs and not self._asked and self._control and not self._idle:
            self._idle = self._reactor.after(self._linger_ns, self._retire)

    def _release(self, job: _Job) -> None:
        self._reactor.unwatch(job.channel.fileno())
        job.channel.close()
        if job.backstop:
            job.backstop.cancel()
