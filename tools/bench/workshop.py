"""The worker driven without an agent: the bench takes the agent's place at the jobs port."""

import os
import time
from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import Self

from agent import limits, resident
from agent.errors import AgentError
from agent.jobs import maps
from agent.jobs.answers import Answer, certificate, field, items
from agent.jobs.runner import JobRunner
from agent.loop import Loop
from agent.settings import Entity, Realm
from hal.chance import LinuxChance
from hal.clock import LinuxClock
from hal.jobs import WorkerJobs
from hal.ports import Files
from hal.records import CaRecord, KeyRecord, RequestRecord
from platforms.board import Worker
from tools.bench import proc

TURN_NS = 50_000_000
END_S = 10
HOOKED_START = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from hal.forking import spare_children; spare_children(); "
    "from tools.bench.hooked import main; sys.exit(main(sys.argv[1:]))"
)


def worker_argv(python: str, start: str = resident.WORKER_START) -> list[str]:
    """How the agent starts the worker, as the default board has it."""
    return resident.worker_argv(Worker(), python, start)


def end_workers(loop: Loop, jobs: WorkerJobs, before: Sequence[int]) -> None:
    """Tells the worker to go and turns the loop until no child is left that was not there before.

    Processes of the CA under test are among those `before`.
    """
    jobs.close()
    deadline = time.monotonic() + END_S
    while set(proc.children(os.getpid())) - set(before) and time.monotonic() < deadline:
        loop.turn(TURN_NS)


class Workshop:
    """`with Workshop(argv) as shop:` `shop.do(job)` is the answer of a child of one worker."""

    def __init__(self, argv: Sequence[str], files: Files | None = None) -> None:
        self._loop = Loop(LinuxClock())
        self._jobs = WorkerJobs(self._loop, argv, answer_bytes=limits.JOB_BYTES, linger_s=60)
        self._key = os.memfd_create("device.key")
        os.write(self._key, b"\x5a" * 32)
        chance, clock, later = LinuxChance(), LinuxClock(), partial(self._loop.after, 0)
        self._runner = JobRunner(self._jobs, chance, clock, later, self._key, files=files)
        self._before = proc.children(os.getpid())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        end_workers(self._loop, self._jobs, self._before)
        self._loop.close()
        os.close(self._key)

    def worker(self) -> int | None:
        """The worker process, from the first job on."""
        new = [pid for pid in proc.children(os.getpid()) if pid not in self._before]
        return new[0] if new else None

    def do(self, job: Answer, fds: Sequence[int] = ()) -> Answer:
        """One job; raises the AgentError that it ended with."""
        ends: list[Answer | AgentError] = []
        self._runner.run(job, ends.append, fds)
        while not ends:
            self._loop.turn(TURN_NS)
        if isinstance(ends[0], AgentError):
            raise ends[0]
        return ends[0]


class Applicant:
    """The records of a realm that is ready to enrol, made by the worker itself."""

    def __init__(
        self, shop: Workshop, url: str, bits: int = 2048, challenge: str = "", weak: str = ""
    ) -> None:
        self._realm, entity = Realm("abc"), Entity("r1")
        self._realm.url, self._realm.key_pair = url, "k1"
        self._realm.weak = tuple(weak.split())
        entity.common_name = "r1.example"
        made = shop.do({"op": "generate-key", "name": "k1", "generation": 1, "bits": bits})
        sealed, spki = field(made, "sealed", bytes), field(made, "spki", bytes)
        self.key = KeyRecord("k1", 1, bits, False, int(time.time()), spki, sealed)
        self._settings = maps.snapshot(self._realm, entity, [], None)
        self._password: str | None = None
        if challenge:
            self._password = field(shop.do({"op": "seal", "plain": challenge}), "sealed", str)
        fetch = maps.fetch_job(self._realm, self._settings, None, str)
        self.ca = _ca(shop.do({**fetch, **_moment()}))

    def job(self, op: str, transaction: int) -> Answer:
        """The map of `enrol` or `poll` as the agent would send it."""
        request = self._request(transaction)
        job = maps.request_job(
            op, self._realm, request, self.ca, maps.Keys(self.key, self.key), str
        )
        return {**job, **_moment()}

    def _request(self, transaction: int = 0) -> RequestRecord:
        name = f"{transaction:032x}"
        return RequestRecord(
            "sent", name, int(time.time()), 1, self._settings, self._password, 0, None, self.ca.caps
        )


def _moment() -> Answer:
    return {"now_s": int(time.time()), "clock_trusted": True}


def _ca(answer: Answer) -> CaRecord:
    found = items(answer, "certificates", dict)
    index = next(at for at, one in enumerate(found) if field(one, "is_ca", bool))
    md5, sha1, sha256 = (field(found[index], name, str) for name in ("md5", "sha1", "sha256"))
    return CaRecord(
        pin=sha256,
        pin_md5=md5,
        pin_sha1=sha1,
        pin_index=index,
        trusted_by="fingerprint",
        certificates=[certificate(one) for one in found],
        caps=items(answer, "caps", str),
        fetched_s=int(time.time()),
    )
