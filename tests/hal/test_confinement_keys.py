"""Keys and network never meet: by descriptors, by name space and by memory, in every operation.

Real children, looked at from outside by root. Those of the first tests were taken over at their
first instruction: they wait in place of their operation. In the last one an application waits for a
CA that does not answer.
"""

import os
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from agent.jobs.contract import ROWS, fields
from agent.scep import crypto, vault
from tests.helpers import memory_of
from tests.helpers import scep_lab as lab
from tests.helpers.confined import OWN_USERS
from tests.helpers.key_worker import KeyWorker
from tests.scep.test_operations import job_for

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: looks into children")
DEVICE_KEY = crypto.digest("sha-256", b"a device key that no table of a library has")
CHALLENGE, OTHER_CHALLENGE = b"open sesame, said realm one", b"open barley, said realm two"
DUMMIES: dict[str, Any] = {
    "text": "x", "bytes": b"x", "int": 1, "bool": False, "map": {}, "texts": [], "blobs": [],
    "maps": [],
}  # fmt: skip
PAIRED = sorted(op for op, row in ROWS.items() if row.asks and row.network)
SINGLE = sorted(op for op, row in ROWS.items() if not row.asks and op != "rungs")


def key_map(name: str) -> dict[str, Any]:
    sealed = vault.seal(DEVICE_KEY, lab.private_der(name), f"key|{name}|1".encode())
    return {"name": name, "generation": 1, "sealed": sealed, "spki": lab.public_der(name)}


def job_of(op: str, name: str, challenge: bytes, renewing: bool = False) -> dict[str, Any]:
    """A job that the contract lets pass, with a real key pair and a real password."""
    job = {field: DUMMIES[kind] for field, kind, _optional in fields(ROWS[op].takes)}
    holder = {"certificate": b"x", "key": key_map(name)}
    real = {
        "op": op,
        "key": key_map(name),
        "signer": holder,
        "renewal": holder if renewing else None,
        "password": vault.seal_password(DEVICE_KEY, challenge.decode()),
    }
    return {**job, **{field: real[field] for field in real.keys() & {"op", *job}}}


SECRETS = {name: memory_of.secrets_of(lab.key(name)) for name in ("one", "two")}
ALL = {*SECRETS["one"], *SECRETS["two"], DEVICE_KEY, CHALLENGE, OTHER_CHALLENGE}


def has_device_key(bench: KeyWorker, pid: int) -> bool:
    return bench.device_key_place in memory_of.descriptors(pid).values()


@pytest.fixture(scope="module")
def seized() -> Iterator[KeyWorker]:
    with KeyWorker(DEVICE_KEY, OWN_USERS, paused="all") as made:
        yield made


@contextmanager
def running(bench: KeyWorker, op: str, job: dict[str, Any]) -> Iterator[None]:
    number, ends = bench.start(ROWS[op], job)
    try:
        yield
    finally:
        bench.cancel(number)
        bench.end(ends)


@pytest.mark.parametrize("op", SINGLE)
def test_a_job_of_one_child_has_the_device_key_or_a_network(seized: KeyWorker, op: str) -> None:
    with running(seized, op, job_of(op, "one", CHALLENGE)):
        (pid,) = seized.children(1)
        reaches = memory_of.network(pid) == memory_of.network(os.getpid())
        assert reaches == ROWS[op].network
        assert has_device_key(seized, pid) == ROWS[op].needs_device_key(None)
        assert not (reaches and has_device_key(seized, pid))
        assert memory_of.found_in(pid, ALL) == set(), "what was sealed is sealed still"


@pytest.mark.parametrize("renewing", [False, True], ids=["first", "renewing"])
@pytest.mark.parametrize("op", PAIRED)
def test_a_talking_child_has_no_key_and_whoever_keeps_them_no_network(
    seized: KeyWorker, op: str, renewing: bool
) -> None:
    """Two realms at once: neither has anything of the other."""
    with running(seized, op, job_of(op, "one", CHALLENGE, renewing)):
        seized.children(2)
        with running(seized, op, job_of(op, "two", OTHER_CHALLENGE, renewing)):
            check_pairs(seized, op, seized.children(4))


def test_who_reads_certificates_for_consumers_has_no_key(seized: KeyWorker) -> None:
    """Whoever has placed it has gone by then: there is no question left."""
    with running(seized, "activate", job_of("activate", "one", CHALLENGE)):
        (pid,) = seized.children(1)
        assert memory_of.found_in(pid, ALL) == set()
        assert not has_device_key(seized, pid)
        assert memory_of.network(pid) != memory_of.network(os.getpid())


def check_pairs(seized: KeyWorker, op: str, pids: list[int]) -> None:
    keeping, talking = pids[::2], pids[1::2]
    for pid in talking:
        assert memory_of.found_in(pid, ALL) == set()
        assert not has_device_key(seized, pid)
        assert memory_of.network(pid) == memory_of.network(os.getpid())
    heard = ROWS[op].hands_over != ""
    for pid, name, challenge in zip(keeping, SECRETS, (CHALLENGE, OTHER_CHALLENGE), strict=True):
        found = memory_of.found_in(pid, ALL) - {DEVICE_KEY}
        assert found & set(SECRETS[name]), "the look would see a key"
        assert found <= {*SECRETS[name], challenge}
        assert (challenge in found) == heard
        assert not has_device_key(seized, pid), "it has been read, once"
        assert memory_of.network(pid) not in {memory_of.network(one) for one in talking}
        assert memory_of.internet_sockets(pid) == []
    for pid in pids:
        leads = {place.partition(":")[0] for place in memory_of.descriptors(pid).values()}
        assert leads <= {"socket", "/dev/null"}


def test_while_a_ca_does_not_answer() -> None:
    """All that is signed has been signed before anything was read: one block is left to ask for."""
    with (
        KeyWorker(DEVICE_KEY, OWN_USERS) as bench,
        socket.create_server(("127.0.0.1", 0)) as silent,
    ):
        place = f"http://127.0.0.1:{silent.getsockname()[1]}/scep"
        how = {"connect_s": 20, "receive_s": 20, "exchange_s": 20}
        password = vault.seal_password(DEVICE_KEY, CHALLENGE.decode())
        job = {"limits": how, "key": key_map("one"), "password": password, "renewal": None}
        root = lab.root().cert.sha256.hex()
        more = {"https_ca": None, "fingerprint": {"algorithm": "sha256", "hex": root}}
        whole = job_for(place, **job, **more, revocation=None)
        with running(bench, "enrol", whole):
            bench.until(lambda: readable(silent))
            line, _address = silent.accept()
            bench.until(lambda: readable(line))
            assert line.recv(100), "the request is made, signed, and on its way"
            keeping, talking = bench.children(2)
            assert memory_of.found_in(talking, ALL) == {CHALLENGE}, "which is in the request"
            assert memory_of.internet_sockets(talking) != []
            assert memory_of.found_in(keeping, ALL) & set(SECRETS["one"])
            assert memory_of.internet_sockets(keeping) == []
            line.close()


def readable(sock: socket.socket) -> bool:
    return bool(select.select([sock], [], [], 0)[0])
