"""Jobs with checked results: maps out, maps or `AgentError` in.

`JobRunner.run` sends one job map to a child (`agent/worker.py`) and calls `done` once, from the
loop, with the `ok` map or with an error. What goes along with the job, and which fields the answer
must have, is its row in `agent/jobs/contract.py`. The device key is a descriptor that nobody reads
here. The runner adds the CAs of an https server, as bytes of a file of device storage, and draws
the senderNonce, so that a child acts on its job alone: a recorded reply can be judged again.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from agent import limits
from agent.appliance import Done
from agent.errors import AgentError, fail, from_map
from agent.jobs import contract
from agent.jobs.answers import Answer
from agent.jobs.contract import ROWS, Operation
from hal import cbor
from hal.ports import Files, FilesError, JobEnd, Jobs


class JobRunner:
    """Starts jobs on the `Jobs` port and understands how they end."""

    def __init__(
        self,
        jobs: Jobs,
        device_key_fd: int,
        timeouts: limits.Timeouts = limits.TIMEOUTS,
        files: Files | None = None,
    ) -> None:
        self._jobs, self._device_key_fd, self._timeouts = jobs, device_key_fd, timeouts
        self._files = files

    def use_device_key(self, fd: int) -> None:
        """The device key that jobs get from now on."""
        self._device_key_fd = fd

    def run(self, job: dict[str, object], done: Done[Answer], fds: Sequence[int] = ()) -> int:
        """Starts `job` and returns its number, for `cancel`. The caller may close `fds` then.

        AgentError `tls-trust-file`: the CAs of the https server cannot be read.
        """
        row = ROWS[str(job["op"])]
        deadline_s = row.deadline_s
        if deadline_s is None:
            job = {
                **job,
                "limits": self._timeouts._asdict(),
                "https_ca": self._https_ca(job),
                "nonce": os.urandom(limits.NONCE_BYTES),
            }
            deadline_s = self._timeouts.job_s()
        given_s = deadline_s

        def end(result: JobEnd) -> None:
            done(_result(result, row, given_s))

        request = cbor.dumps(job)
        key = [self._device_key_fd] if row.needs_device_key(job.get("kind")) else []
        return self._jobs.start(request, [*key, *fds], given_s, end, row.network)

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
        """Stops a job; `done` still comes, with an error."""
        self._jobs.cancel(number)


def _result(end: JobEnd, row: Operation, deadline_s: int) -> Answer | AgentError:
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
    ok = answer.get("ok")
    if not isinstance(ok, dict):
        return from_map(answer)
    return fail("job-answer") if contract.fault(row.gives, ok) else ok
