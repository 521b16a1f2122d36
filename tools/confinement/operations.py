"""Every operation under strace: the system calls that each kind of job child makes."""

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from agent.jobs import maps
from agent.jobs.answers import Answer
from agent.jobs.contract import ROWS
from agent.settings import Realm
from hal.files import FolderFiles
from hal.ports import Files
from tests.helpers import tls_server
from tests.helpers.labca import LabCa
from tools.bench import peaks
from tools.bench.workshop import Workshop
from tools.confinement import trace
from tools.confinement.captor import worker_argv
from tools.confinement.environments import Environment, Stack

BY_NAME, BEHIND_TLS = "a name as host", "https"
FROM_SERVER = {"a name from a server": "ca.example", "a long answer of it": "long.example"}
WAIT_S = 10


class Operation(NamedTuple):
    """One job: its operation or what is special about it, whether it has network, its calls."""

    name: str
    network: bool
    calls: trace.Calls


class _Watched(Workshop):
    """Notes the names of the jobs in their order."""

    def __init__(self, argv: Sequence[str], files: Files) -> None:
        super().__init__(argv, files)
        self.names: list[str] = []
        self.called = ""

    def do(self, job: Answer, fds: Sequence[int] = ()) -> Answer:
        self.names.append(self.called or str(job["op"]))
        return super().do(job, fds)


Work = Callable[[_Watched, LabCa, Path], None]


def watched(stack: Stack, where: Environment, folder: Path, work: Work) -> list[Operation]:
    """The jobs of `work`; an AssertionError when strace saw fewer children."""
    out = folder / "trace"
    worker = worker_argv(stack.python, stack.packages, where.user)
    argv = trace.command([*where.prefix, *worker], out)
    with LabCa(folder) as ca, _Watched(argv, FolderFiles(str(folder / "storage"))) as shop:
        work(shop, ca, folder)
        names = shop.names
    seen = trace.children(trace.whole(out))
    counts = [2 if name in ROWS and ROWS[name].asks else 1 for name in names]
    assert len(seen) >= sum(counts), f"{len(seen)} children for {len(names)} jobs"
    rest = iter(seen[-sum(counts) :])  # what came before was the worker's own trial
    return [
        operation
        for name, count in zip(names, counts, strict=True)
        for operation in _operations(name, list(islice(rest, count)))
    ]


def _operations(name: str, children: list[trace.Calls]) -> Iterator[Operation]:
    """The children of one job; of two, which work side by side, the one that connects talks."""
    network = {*(op for op, row in ROWS.items() if row.network), BY_NAME, BEHIND_TLS, *FROM_SERVER}
    *keeping, talking = sorted(children, key=lambda calls: "connect" in calls.made)
    for calls in keeping:
        yield Operation(f"{name}: its keys", False, calls)
    yield Operation(name, name in network, talking)


def every_operation(shop: _Watched, ca: LabCa, folder: Path) -> None:
    """Each at least once; the CA also by its name in /etc/hosts, and a server behind TLS."""
    peaks.every_operation(shop, ca)
    job = _fetch()
    shop.called = BY_NAME
    shop.do({**job, "url": f"http://localhost:{ca.port}/scep"})
    shop.called = BEHIND_TLS
    web = tls_server.authority()
    (folder / "storage" / "web.cer").write_bytes(web.der)
    how = tls_server.context(folder, tls_server.server_certificate(web))
    with tls_server.serving(lambda request: _forwarded(request, ca.port), how) as server:
        shop.do({**job, "url": server.url(), "https_ca_file": "web.cer"})


def names_from_a_server(shop: _Watched, ca: LabCa, _folder: Path) -> None:
    """The CA by names that `nameserver` gives it."""
    for shop.called, host in FROM_SERVER.items():
        shop.do({**_fetch(), "url": f"http://{host}:{ca.port}/scep"})


def _fetch() -> Answer:
    job = maps.fetch_job(Realm("abc"), {"url": None, "ca_id": None, "ra": False}, None, str)
    return {**job, "now_s": int(time.time()), "clock_trusted": True}


def _forwarded(request: bytes, port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), WAIT_S) as real:
        real.sendall(request)
        return b"".join(iter(lambda: real.recv(65536), b""))
