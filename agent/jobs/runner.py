"""Jobs with checked results: maps out, maps or `AgentError` in.

`JobRunner.run` sends one job map to a child (`agent/worker.py`) and calls `done` once, from the
loop, with the `ok` map or with an error. Its row in `agent/jobs/contract.py` says which descriptors
go along with the job, how long it may take, and which fields the answer must have.

The answer is the word of a process that has parsed the bytes of a stranger and may have been taken
over by them. So it is CBOR under a cap, a map, of the fields and types of its row, before anybody
sees it; and an error is one of the catalogue, or `job-answer`. A shape is all that can be checked
here. That what it says is true is not believed: the pin is compared again by the job that sends,
and what consumers trust is worked out again by the job that writes files (docs/DESIGN.md, Trust).

A child acts on its job alone, so that a recorded reply can be judged again: the agent draws the
senderNonce (RFC 8894 3.2.1.5), the moment comes from its clock, and the CAs of an https server go
along as bytes, since a child opens no path. The device key is a descriptor that nobody reads here.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent import limits
from agent.appliance import Done
from agent.errors import AgentError, fail, from_map
from agent.jobs import contract
from agent.jobs.answers import Answer
from agent.jobs.contract import ROWS, Operation
from hal import cbor
from hal.ports import Chance, Files, FilesError, JobEnd, Jobs


class JobRunner:
    """Starts jobs on the `Jobs` port and understands how they end.

    timeouts: what the board file says, in outside seconds. files: device storage, if there is one.
    """

    def __init__(
        self,
        jobs: Jobs,
        chance: Chance,
        device_key_fd: int,
        timeouts: limits.Timeouts = limits.TIMEOUTS,
        files: Files | None = None,
    ) -> None:
        self._jobs, self._device_key_fd, self._timeouts = jobs, device_key_fd, timeouts
        self._chance, self._files = chance, files

    def use_device_key(self, fd: int) -> None:
        """The device key that jobs get from now on."""
        self._device_key_fd = fd

    def run(self, job: dict[str, object], done: Done[Answer], fds: Sequence[int] = ()) -> int:
        """Starts `job` and returns its number, for `cancel`. The caller may close `fds` then.

        job: {op: a key of ROWS, and the fields of its row but those that are added here}. fds: open
        for writing, in the order of the row. `done` never comes from within this call, also when
        nothing could be started. AgentError `tls-trust-file`: the CAs of the https server cannot be
        read; then `done` does not come at all.
        """
        row = ROWS[str(job["op"])]
        deadline_s = row.deadline_s
        if deadline_s is None:  # it uses the network: the board knows how slow that is
            job = {
                **job,
                "limits": self._timeouts._asdict(),
                "https_ca": self._https_ca(job),
                "nonce": self._chance.draw(limits.NONCE_BYTES),
            }
            deadline_s = self._timeouts.job_s()
        time_s = deadline_s

        def end(result: JobEnd) -> None:
            done(_result(result, row, time_s))

        request = cbor.dumps(job)
        # A child that unseals nothing must not be able to: it parses what nobody has signed.
        key = [self._device_key_fd] if row.needs_device_key(job.get("kind")) else []
        return self._jobs.start(request, [*key, *fds], time_s, end, row.network)

    def _https_ca(self, job: dict[str, object]) -> bytes | None:
        """The content of the realm's `https ca-file`; None for a server without TLS."""
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
        self._jobs.cancel(number)


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
