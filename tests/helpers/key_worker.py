"""The worker as it is, with children that were taken over at their first instruction.

    ... tests.helpers.key_worker UID GID STEP PAUSED   the worker (hal/jobs.py); UID -1: stay

PAUSED: `all` operations of the contract do nothing but wait, or `none`. Beside them there is `ask`:
what a talking child that was taken over asks of whoever keeps its keys. {asking: [[verb,
argument, ...], ...]} -> {answers: [bytes, or text: the code of the error, ...]}

    sign name digest value      unwrap name block size      password      raw message
    pause                       until somebody kills it
"""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from agent import limits, worker
from agent.errors import AgentError
from agent.jobs import contract
from agent.jobs.split import split
from agent.keydoor import Asked
from agent.loop import Loop
from agent.scep import operations
from agent.scep.jobmap import Answer, Job, items
from agent.scep.keys import Hands
from hal import cbor
from hal.clock import LinuxClock
from hal.confinement.ladder import Identity
from hal.jobs import WorkerJobs
from hal.ports import JobEnd, Link
from tests.helpers import keeping

ROOT = Path(__file__).resolve().parents[2]
START = (
    "import sys, runpy; sys.path.insert(0, sys.argv.pop(1)); "
    "runpy.run_module('tests.helpers.key_worker', run_name='__main__')"
)
ASK = contract.Operation(asks="key:1:1", opens="key password",
                         hands_over="password", deadline_s=None)  # fmt: skip
STAY = (-1, -1, 0)
WAIT_S = 120


def _pause(_job: Job, _hands: Hands, _link: Link) -> Answer:
    time.sleep(10 * WAIT_S)
    return {}


def _ask(job: Job, hands: Hands, _link: Link) -> Answer:
    asked = hands.held
    assert isinstance(asked, Asked)
    return {"answers": [_answer(asked, *one) for one in items(job, "asking", list)]}


def _answer(asked: Asked, verb: str, *words: Any) -> object:
    try:
        if verb == "pause":
            time.sleep(10 * WAIT_S)
        if verb == "raw":
            asked.password()  # what comes first has come
            asked._door.sendall(words[0])
            return asked._read()
        if verb == "unwrap":
            name, block, size = words
            return asked.unwrap(name, block, size, None)
        found: object = getattr(asked, verb)(*words)
        return found
    except AgentError as error:
        return error.code


def work(numbers: Sequence[str], paused: str) -> None:
    """The worker itself."""
    if paused == "all":
        operations.OPS.update(dict.fromkeys(operations.OPS, _pause))
    operations.OPS["ask"] = _ask
    contract.ROWS["ask"] = contract.Operation()
    uid, gid, step = map(int, numbers)
    worker.serve(Identity(uid, gid, step) if uid >= 0 else None)


class KeyWorker:
    """`with KeyWorker() as bench:` the agent's part. Jobs are split as the agent splits them."""

    def __init__(
        self, device_key: bytes, user: tuple[int, int, int] = STAY, paused: str = "none"
    ) -> None:
        self._loop = Loop(LinuxClock())
        argv = [sys.executable, "-I", "-c", START, str(ROOT), *map(str, user), paused]
        self._jobs = WorkerJobs(self._loop, argv, answer_bytes=limits.JOB_BYTES, linger_s=1)
        self._key = keeping.device_key(device_key)
        self.device_key_place = os.readlink(f"/proc/self/fd/{self._key}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._jobs.close()
        for _turn in range(20):
            self._loop.turn(10_000_000)
        self._loop.close()
        os.close(self._key)

    def start(
        self,
        row: contract.Operation,
        job: dict[str, Any],
        kept: dict[str, Any] | None = None,
        deadline_s: int = WAIT_S,
    ) -> tuple[int, list[JobEnd]]:
        """A job as the agent would start it; `kept`: another request to the key child."""
        ends: list[JobEnd] = []
        fds = [self._key] if row.needs_device_key(job.get("kind")) else []
        keys = b""
        if row.asks:
            job, usual = split(row, job)
            keys = cbor.dumps(kept or usual)
        files = [os.open(os.devnull, os.O_WRONLY) for _name in row.files.split()]
        number = self._jobs.start(
            cbor.dumps(job), [*fds, *files], deadline_s, ends.append, row.network, keys
        )
        for fd in files:
            os.close(fd)
        return number, ends

    def ask(self, kept: dict[str, Any], *asking: list[object]) -> JobEnd:
        """How a job ends whose talking child asks this; `kept`: the request to the other one."""
        _number, ends = self.start(ASK, {"op": "ask", "asking": list(asking)}, kept)
        return self.end(ends)

    def cancel(self, number: int) -> None:
        self._jobs.cancel(number)

    def end(self, ends: list[JobEnd]) -> JobEnd:
        self.until(lambda: bool(ends))
        return ends[0]

    def until(self, met: Any) -> None:
        """Turns the loop until this is true."""
        deadline = time.monotonic() + WAIT_S
        while not met():
            assert time.monotonic() < deadline, "it does not come"
            self._loop.turn(10_000_000)

    def children(self, count: int) -> list[int]:
        """The pids of all job children, oldest first, once they are so many and all wait in their
        confinement."""
        found: list[int] = []

        def waiting() -> bool:
            worker = self._jobs._pid
            place = Path(f"/proc/{worker}/task/{worker}/children")
            found[:] = sorted(map(int, place.read_text().split())) if worker else ()
            return len(found) == count and all(map(_waits, found))

        self.until(waiting)
        return found


def answers(end: JobEnd) -> list[Any]:
    """What the talking child heard."""
    assert end.answer is not None, end
    found = cbor.loads(end.answer, max_bytes=limits.JOB_BYTES)
    assert isinstance(found, dict), found
    return list(found["ok"]["answers"])


def _waits(pid: int) -> bool:
    """It sleeps in its last confinement: it has read what it was given, or waits for it."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    return "State:\tS" in text and "Seccomp:\t2" in text


if __name__ == "__main__":
    work(sys.argv[1:4], sys.argv[4])
