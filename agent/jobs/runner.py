"""Jobs with checked results: maps out, maps or `AgentError` in.

`JobRunner.run` sends one job map to a child (`agent/worker.py`) and calls `done` once, from the
loop, with the `ok` map or with an error. Its row in `agent/jobs/contract.py` says which descriptors
go along with the job, how long it may take, and which fields the answer must have.

The answer is the word of a process that has parsed the bytes of a stranger and may have been taken
over by them. So it is CBOR under a cap, a map, of the fields and types of its row, before anybody
sees it; and an error is one of the catalogue, or `job-answer`. A shape is all that can be checked
here. That what it says is true is not believed: the pin is compared again by the job that sends,
and what consumers trust is worked out again by the job that writes files (docs/DESIGN.md, Trust).

Jobs that use the network wait for their turn (`turns.py`). One that waits is a map: its nonce, and
the CAs of its server, are added when it starts, its time-out begins then, and its moment has moved
on by as much as it has waited: a certificate that was issued meanwhile is none of the future. What
computes only starts at once: a person who seals a password is not held up by CAs that are down.

A child acts on its job alone, so that a recorded reply can be judged again: the agent draws the
senderNonce (RFC 8894 3.2.1.5), the moment comes from its clock, and the CAs of an https server go
along as bytes, since a child opens no path. The device key is a descriptor that nobody reads here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent import limits
from agent.appliance import Done
from agent.errors import AgentError, fail, from_map
from agent.jobs import contract
from agent.jobs.answers import Answer
from agent.jobs.contract import ROWS, Operation
from agent.jobs.split import split
from agent.jobs.turns import Turn, Turns, server
from hal import cbor
from hal.named import NamedTuple
from hal.ports import Chance, Clock, Files, FilesError, JobEnd, Jobs


class Wanted(NamedTuple):
    """A job that was asked for; `number`: its handle here; `since_ns`: monotonic."""

    number: int
    since_ns: int
    job: dict[str, object]
    done: Done[Answer]


class JobRunner:
    """Starts jobs on the `Jobs` port and understands how they end.

    later: calls back from the loop. timeouts: what the board file says, in outside seconds. files:
    device storage, if there is one.
    """

    def __init__(
        self,
        jobs: Jobs,
        chance: Chance,
        clock: Clock,
        later: Callable[[Callable[[], None]], object],
        device_key_fd: int,
        timeouts: limits.Timeouts = limits.TIMEOUTS,
        files: Files | None = None,
    ) -> None:
        self._jobs, self._device_key_fd, self._timeouts = jobs, device_key_fd, timeouts
        self._chance, self._clock, self._later, self._files = chance, clock, later, files
        self._last = 0
        self._numbers: dict[int, int] = {}  # handle -> the number of the port, while it runs
        self._turns, self._waiting = Turns(limits.NETWORK_JOBS), dict[int, Wanted]()

    @property
    def waiting(self) -> int:
        """How many jobs wait for their turn at the network."""
        return len(self._turns)

    @property
    def network_s(self) -> int:
        """How long a job that uses the network takes at most."""
        return self._timeouts.job_s()

    def use_device_key(self, fd: int) -> None:
        """The device key that jobs get from now on."""
        self._device_key_fd = fd

    def run(
        self,
        job: dict[str, object],
        done: Done[Answer],
        fds: Sequence[int] = (),
        attended: bool = True,
        behind: bool = False,
    ) -> int:
        """Starts `job`, or has it wait for its turn at the network; its number, for `cancel`.

        job: {op: a key of ROWS, and the fields of its row but those that are added here}. fds: open
        for writing, in the order of the row; the caller may close them then. No job that uses the
        network has any. attended: a person waits for the outcome; behind: nobody does, and whatever
        else uses the network goes first. `done` never comes from within this call, also when
        nothing could be started. AgentError `tls-trust-file`: the CAs of the
        https server cannot be read; then `done` does not come at all.
        """
        self._last += 1
        wanted = Wanted(self._last, self._clock.monotonic_ns(), job, done)
        if not ROWS[str(job["op"])].network:
            self._start(wanted, job, fds)
            return wanted.number
        self._https_ca(job)  # who asks hears at once that it cannot be read
        self._waiting[wanted.number] = wanted
        realm, ca = str(job.get("realm")), server(job.get("url"))
        self._turns.add(Turn(wanted.number, realm, ca, attended, behind))
        self._start_next()
        return wanted.number

    def _start_next(self) -> None:
        """Starts what may run now: after a job was added, and after each end."""
        while turn := self._turns.take():
            wanted = self._waiting.pop(turn.number)
            try:
                job = {
                    **self._by_now(wanted),
                    "limits": self._timeouts._asdict(),
                    "https_ca": self._https_ca(wanted.job),
                    "nonce": self._chance.draw(limits.NONCE_BYTES),
                }
            except AgentError as error:  # the file has gone while the job waited
                self._turns.drop(turn.number)
                self._fail(wanted, error)
            else:
                self._start(wanted, job, ())

    def _by_now(self, wanted: Wanted) -> dict[str, object]:
        """The job with the time that it is now, by a clock that nobody sets."""
        now_s = wanted.job.get("now_s")
        waited_s = (self._clock.monotonic_ns() - wanted.since_ns) // 1_000_000_000
        return {**wanted.job, "now_s": now_s + waited_s} if isinstance(now_s, int) else wanted.job

    def _start(self, wanted: Wanted, job: dict[str, object], fds: Sequence[int]) -> None:
        """Hands a job to the port. The handle is ours: one that waits has no number there yet."""
        row = ROWS[str(job["op"])]
        # A network job has as long as the board says, which knows how slow its network is.
        deadline_s = self.network_s if row.deadline_s is None else row.deadline_s

        def end(result: JobEnd) -> None:
            self._numbers.pop(wanted.number, None)
            # The end may ask for the next job of the same realm, which then has its place.
            wanted.done(_result(result, row, deadline_s))
            if row.network:
                self._turns.drop(wanted.number)
            self._start_next()

        # A child that unseals nothing must not be able to: it parses what nobody has signed.
        key = [self._device_key_fd] if row.needs_device_key(job.get("kind")) else []
        keys = b""
        try:
            if row.asks:
                job, kept = split(row, job)
                keys = cbor.dumps(kept)
            request = cbor.dumps(job)
        except cbor.CborError as error:  # a stored record may hold more than a job can
            self._turns.drop(wanted.number)
            self._fail(wanted, fail("job-start", reason=f"it cannot be written: {error}"))
            return
        needs = row.network, keys, row.pkcs12
        number = self._jobs.start(request, [*key, *fds], deadline_s, end, *needs)
        self._numbers[wanted.number] = number

    def _fail(self, wanted: Wanted, error: AgentError) -> None:
        """The end of a job that never was: from the loop, as every other end."""
        self._later(lambda: wanted.done(error))

    def _https_ca(self, job: dict[str, object]) -> bytes | None:
        """The content of the realm's `https ca-file`; None for a server without TLS.

        Read for each job: who runs the server renews its CA, and the operator replaces the file
        under the same name.
        """
        name, url = job.get("https_ca_file"), job.get("url")
        if not isinstance(name, str) or not str(url).lower().startswith("https:"):
            return None
        if self._files is None:
            raise fail("tls-trust-file", name=name, reason="there is no device storage")
        try:
            data = self._files.read(name)
        except FilesError as error:
            raise fail("tls-trust-file", name=name, reason=error.what) from error
        if len(data) > limits.HTTPS_CA_BYTES:
            reason = f"it is longer than {limits.HTTPS_CA_BYTES} bytes"
            raise fail("tls-trust-file", name=name, reason=reason)
        return data

    def cancel(self, number: int) -> None:
        """Stops a job; `done` still comes, with an error, or with an answer that was on its way."""
        # A child is killed by the worker, which tells of it; one that waits has nobody to tell.
        wanted = self._waiting.pop(number, None)
        if wanted:
            self._turns.drop(number)
            self._fail(wanted, fail("job-died"))
        elif number in self._numbers:
            self._jobs.cancel(self._numbers[number])


def _result(end: JobEnd, row: Operation, deadline_s: int) -> Answer | AgentError:
    """The `ok` map of a job, or why there is none. How it ended comes first: half an answer of a
    child that was killed may be whole CBOR."""
    if end.failure == "deadline":
        return fail("job-deadline", seconds=deadline_s)
    if end.failure == "start":
        return fail("job-start", reason=end.detail)
    if end.failure or end.answer is None:
        return fail("job-died")
    try:
        answer = cbor.loads(end.answer, max_bytes=limits.JOB_BYTES)
    except cbor.CborError:
        return fail("job-answer")
    if not isinstance(answer, dict):
        return fail("job-answer")
    ok = answer.get("ok")  # the worker sends this or the map of an error, never both
    if not isinstance(ok, dict):
        return from_map(answer)
    return fail("job-answer") if contract.fault(row.gives, ok) else ok
