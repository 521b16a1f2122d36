"""The same hostile replies against a real child of a real worker: its memory, and its deadline.

The worker is started as the agent starts it, with the user, the limits and the job channel that it
has on a board; the replies come over loopback. Each child tells the peak of its own memory.
"""

import os
import ssl
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from agent import limits, resident
from agent.jobs.contract import ROWS as ROWS_OF_JOBS
from agent.jobs.split import split
from hal import cbor
from hal.jobs import WorkerJobs
from hal.ports import JobEnd
from platforms.board import Worker
from tests.helpers import tls_server as https
from tests.helpers.reactor import LiveReactor
from tests.scep.test_vectors import outcome
from tests.vectors import desk
from tests.vectors.row import Row, load
from tests.vectors.server import Vectors

ROWS = load()
PEAK_KIB, TLS_PEAK_KIB = 48 * 1024, 56 * 1024
LEAST_KIB = 16 * 1024  # what any child has: less was not measured
SLACK_S = 20  # of a busy machine, beyond what the job itself may take
AT_ONCE = 6
TURN_NS = 100_000_000
PART_S = 200
PART = 60  # rows of one test, so that they spread over the processes of a test run
START = (
    "import sys; root = sys.argv.pop(1); sys.path.insert(0, root);"
    " from tests.vectors.worker import main; sys.exit(main(sys.argv[1:]))"
)


class Ended(NamedTuple):
    """How a job ended: outcome or how its child died, the child's peak, and how long it took."""

    outcome: str
    peak_kib: int
    seconds: float


class Shop:
    """A worker and the jobs that it is given, a few at once."""

    def __init__(self) -> None:
        argv = resident.worker_argv(Worker(), sys.executable, START)
        self.reactor = LiveReactor()
        self._jobs = WorkerJobs(
            self.reactor, argv, answer_bytes=limits.JOB_BYTES, linger_s=limits.WORKER_LINGER_S
        )
        self._key = os.memfd_create("device-key")
        os.write(self._key, desk.DEVICE_KEY)
        self.ended: dict[str, Ended] = {}

    def start(self, row: Row, url: str, deadline_s: int) -> None:
        peak, began = os.memfd_create("peak"), time.monotonic()

        def done(end: JobEnd) -> None:
            answer = cbor.loads(end.answer, max_bytes=limits.JOB_BYTES) if end.answer else None
            kib = int(os.pread(peak, 32, 0) or 0)
            os.close(peak)
            what = outcome(answer) if isinstance(answer, dict) else f"({end.failure})"
            self.ended[row.name] = Ended(what, kib, time.monotonic() - began)

        contract, job, keys = ROWS_OF_JOBS[row.op], desk.job(row, url), b""
        fds = [self._key, peak]
        if contract.asks:
            job, kept = split(contract, job)
            keys = cbor.dumps(kept)
            fds.append(peak)  # the last file is for the child that keeps keys, and not for this one
        self._jobs.start(cbor.dumps(job), fds, deadline_s, done, True, keys)

    def close(self) -> None:
        self._jobs.close()
        self.reactor.run(100_000_000)  # the worker goes and is reaped
        self.reactor.close()
        os.close(self._key)


@pytest.fixture
def shop() -> Iterator[Shop]:
    made = Shop()
    yield made
    made.close()


def tried(
    shop: Shop, rows: Sequence[Row], secure: ssl.SSLContext | None = None
) -> dict[str, Ended]:
    deadline_s = limits.Timeouts(**desk.LIMITS).job_s()
    with Vectors(rows, secure) as served:
        end = time.monotonic() + PART_S
        waiting = list(reversed(rows))
        while len(shop.ended) < len(rows):
            under_way = len(rows) - len(waiting) - len(shop.ended)
            for _ in range(min(AT_ONCE - under_way, len(waiting))):
                row = waiting.pop()
                shop.start(row, served.url(row), deadline_s)
            shop.reactor.turn(time.monotonic_ns() + TURN_NS)
            assert time.monotonic() < end
    return shop.ended


def check(rows: Sequence[Row], ended: dict[str, Ended], most_kib: int) -> None:
    wrong = {row.name: ended[row.name] for row in rows if ended[row.name].outcome != row.outcome}
    assert not wrong
    peaks = {name: one.peak_kib for name, one in ended.items()}
    assert {n: kib for n, kib in peaks.items() if not LEAST_KIB < kib <= most_kib} == {}
    longest_s = desk.LIMITS["exchange_s"] + SLACK_S
    assert {name: one.seconds for name, one in ended.items() if one.seconds > longest_s} == {}


@pytest.mark.slow
@pytest.mark.parametrize("begin", range(0, len(ROWS), PART))
def test_memory_deadline_and_outcome_of_a_child(shop: Shop, begin: int) -> None:
    rows = ROWS[begin : begin + PART]
    check(rows, tried(shop, rows), PEAK_KIB)


# The heaviest of each kind, and a reply that is accepted.
BEHIND_TLS = (
    "honest", "elements", "nesting", "inner-huge", "leaf-many", "key-huge", "integer-huge",
    "attributes-many", "text-escapes", "caset-large", "caset-elements", "ca-many", "caps-huge",
    "next-crowd", "http-reply-huge", "http-reply-huge-length", "http-set-huge-chunk",
    "http-reply-huge-headers", "http-reply-never", "http-reply-drip-body",
)  # fmt: skip


@pytest.mark.slow
def test_the_same_behind_tls(shop: Shop, tmp_path: Path) -> None:
    """What TLS and the trust file take comes on top."""
    ca = https.authority()
    secure = https.context(tmp_path, https.server_certificate(ca))
    trust = {"https_ca_file": "web.pem", "https_ca": ca.der}
    rows = [row._replace(job={**row.job, **trust}) for row in ROWS if row.name in BEHIND_TLS]
    assert len(rows) == len(BEHIND_TLS)
    check(rows, tried(shop, rows, secure), TLS_PEAK_KIB)
