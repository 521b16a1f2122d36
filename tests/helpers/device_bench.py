"""A whole device on fakes: real engines, store, settings, console; flash, jobs and clock as data.

The worker is a function: it is given the job map that a child would get and answers as a child
would, so what crosses the job channel is what crosses it in life.
"""

import os
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

from agent.device.device import Device
from agent.device.hardware import Hardware, Part
from agent.errors import AgentError, fail
from agent.jobs.contract import ROWS, fault, fields
from agent.jobs.runner import JobRunner
from agent.log import Log
from agent.loop import Loop
from agent.pieces import at_once
from agent.settings import Settings
from hal import cbor
from hal.fakes.chance import SeededChance
from hal.fakes.flash import FakeFlash
from hal.fakes.lines import FakeLink
from hal.fakes.storage import FakeFiles, FakeMemory
from hal.fakes.work import FakeClock, FakeJobs, StartedJob
from hal.ports import Interface, JobEnd, StoreError
from hal.store import Store
from hal.withheld import WithheldStore
from tests.helpers.appliance_values import hashed

START_S = 1_800_000_000
SECOND_NS = 1_000_000_000
SHA256 = "5a" * 32
# Of a certificate that stands alone: who vouches for whom in the set.
RELATIONS = {"below": [], "generations": [], "above": [], "self_signed": True, "sent": True}

Answer = dict[str, Any]


def certificate(name: str, serial: str = "2a", issuer: str = "CN=CA") -> Answer:
    return {
        "der": f"der of {name} {serial}".encode(),
        "subject": name,
        "issuer": issuer,
        "serial": serial,
        "not_before_s": START_S,
        "not_after_s": START_S + 365 * 86400,
    }


def revocation_list(_job: Answer) -> Answer:
    """What the worker says of a list that it accepts."""
    return {
        "crl": b"list", "issuer": "CN=CA", "this_update_s": START_S, "source": "http://ca/crl",
        "next_update_s": START_S + 86400, "count": 3, "notes": [],
        "revoked": ["", ""],
    }  # fmt: skip


class Worker:
    """Answers jobs: `answers[op]` is a map, an error, or a function of the job map."""

    def __init__(self) -> None:
        self.jobs: list[Answer] = []
        ca = {**certificate("CN=CA", "01"), "is_ca": True, "key_usage": []}
        prints = {"md5": "5a" * 16, "sha1": "5a" * 20, "sha256": SHA256, **RELATIONS}
        self.answers: dict[str, Any] = {
            "generate-key": {"sealed": b"sealed key", "spki": b"spki", "bits": 2048},
            "seal": lambda job: {"sealed": f"%^%#{job['plain'][::-1]}%^%#"},
            "check-sealed": {},
            "hash-password": lambda job: {"hash": hashed(job["plain"])},
            "check-password": lambda job: {"matches": hashed(job["plain"]) == job["hash"]},
            "fetch-ca": {"caps": ["AES"], "certificates": [{**ca, **prints}], "notes": []},
            "diagnose": {"recipient": "CN=CA, with aes128", "notes": []},
            "enrol": self.issue,
            "poll": {"status": "pending", "notes": []},
            "next-ca": fail("next-ca-none", reason="HTTP 404"),
            "fetch-crl": revocation_list,
            "get-crl": lambda job: {**revocation_list(job), "source": "scep"},
            "import-crl": lambda job: {**revocation_list(job), "source": f"file {job['name']}"},
            "fetch-file": {"data": b"content"},
            "inspect": lambda job: {
                "texts": [f"text of {der!r}" for der in job["ders"]],
                "items": [{"subject": "CN=x"} for _ in job["ders"]],
            },
            "validate": {
                "rows": [{"certificate": "local", "subject": "CN=x", "status": "Valid"}],
                "chain": [b"der of CN=CA 01"],
            },
            "activate": {
                "chain": [b"der of CN=CA 01"],
                "ca": [b"der of CN=CA 01"],
                "notes": [],
            },
        }

    def issue(self, job: Answer) -> Answer:
        leaf = certificate(f"CN={job['entity']['common_name']}", job["transaction"][:8])
        return {
            "status": "issued",
            "certificate": leaf,
            "chain": [b"der of CN=CA 01"],
            "notes": ["the signature of the reply uses sha1"],
        }

    def __call__(self, started: StartedJob) -> JobEnd | None:
        job = _whole(started)
        self.jobs.append(job)
        _check(job)
        answer = self.answers[job["op"]]
        try:
            found = answer(job) if callable(answer) else answer
        except AgentError as error:
            found = error
        if found is None or isinstance(found, JobEnd):
            return found
        if isinstance(found, AgentError):
            return JobEnd(cbor.dumps(found.as_map()))
        if job["op"] == "activate":
            for fd, text in zip(started.fds[1:], ("cert", "chain", "ca", "bundle", "key")):  # noqa: B905
                os.write(fd, text.encode())
        return JobEnd(cbor.dumps({"ok": found}))

    def ops(self) -> list[str]:
        return [job["op"] for job in self.jobs]


def _whole(started: StartedJob) -> Any:
    """The job as it was before it was split: with what its key child was told."""
    job = cbor.loads(started.request, max_bytes=1_000_000)
    if started.keys:
        kept = cbor.loads(started.keys, max_bytes=1_000_000)
        for pair in kept["keys"]:
            *above, field = pair["field"].split(".")
            holder = job[above[0]] if above else job
            names = ("name", "generation", "sealed", "spki")
            holder[field] = {name: pair[name] for name in names}
        if kept["password"] is not None:
            job["password"] = kept["password"]
    return job


def _check(job: Any) -> None:
    """The contract has each field of the job, and each is as it says."""
    shape = ROWS[job["op"]].takes
    assert fault(shape, job) is None, (job["op"], fault(shape, job))
    assert set(job) <= {"op", *(field[0] for field in fields(shape))}, job["op"]


class Waiter:
    """A session as the device sees it: what it was told, and its answer about a CA."""

    def __init__(self, answer: bool | None = None) -> None:
        self.notes: list[str] = []
        self.results: list[object] = []
        self.asked: list[Any] = []
        self._answer = answer

    def note(self, text: str) -> None:
        self.notes.append(text)

    def confirm_ca(self, prints: Any, answer: Callable[[bool], None]) -> None:
        self.asked.append(prints)
        if self._answer is not None:
            answer(self._answer)

    confirm = confirm_ca

    def done(self, result: object) -> None:
        self.results.append(result)

    @property
    def code(self) -> str | None:
        (result,) = self.results
        return result.code if isinstance(result, AgentError) else None


def _closed(loop: Loop, key_fd: int) -> None:
    """A test process has room for some thousand descriptors, and for many more benches."""
    loop.close()
    os.close(key_fd)


class Bench:
    """A device on a flash part; `reboot` makes another one on the same part."""

    def __init__(self, factory: str = "", flash: FakeFlash | None = None, seed: int = 0) -> None:
        self.flash = flash or FakeFlash(4096, 64)
        self.clock, self.chance = FakeClock(START_S, synchronised=True), SeededChance(seed)
        self.worker = Worker()
        self.link = FakeLink([Interface("eth0", True, ("192.0.2.1", "2001:db8::1"))])
        self.factory = factory
        self.restarts: list[bool] = []  # asked for by the device
        self.host_name = ""  # of this board
        self.machine = ""  # what tells this board from another
        self.keeps_folders = False  # from now on, through reboots
        self._boot()

    def _boot(self) -> None:
        self.loop = Loop(self.clock)
        if not self.keeps_folders:
            self.files, self.memory = FakeFiles(), FakeMemory(self.loop)
        self.store, withheld = self._mounted()
        self.jobs = FakeJobs(self.loop, [self.worker] * 1000)
        self.hardware = Hardware(
            clock=self.clock,
            chance=self.chance,
            files=self.files,
            link=self.link,
            memory=self.memory,
            interfaces={"GigabitEthernet0/0/0": "eth0"},
            serial="SN42",
            herd_s=0,
            withheld=withheld,
            machine=self.machine,
            host_name=self.host_name,
        )
        key_fd = os.memfd_create("device.key")
        log = Log(self.clock.wall_s, None)
        self._unplug = weakref.finalize(self, _closed, self.loop, key_fd)
        later = partial(self.loop.after, 0)
        work = JobRunner(self.jobs, self.chance, self.clock, later, key_fd, files=self.files)
        self.device = Device(self.loop, self.store, self.hardware, work, log)
        self.device.boot(self.factory)
        self.turn()

    def _mounted(self) -> tuple[Store, Part | None]:
        """As `agent/resident.py` does it."""
        try:
            return Store.mount(self.flash), None
        except StoreError as error:
            part = Part(str(error), lambda: self.flash, lambda: self.restarts.append(True))
            return WithheldStore(self.flash, str(error)), part

    def reboot(self) -> None:
        """Power off, power on: what flash holds, and nothing else."""
        self.device.close()
        self._unplug()
        self.flash = FakeFlash.from_image(self.flash.image(), self.flash.block_size)
        self._boot()

    def turn(self, times: int = 10) -> None:
        for _turn in range(times):
            self.loop.turn(0)

    def advance(self, seconds: int) -> None:
        self.clock.advance(seconds * SECOND_NS)
        self.turn()

    def replace(self, settings: Settings) -> None:
        """The running and the saved configuration become these, all at once."""
        configuration = self.device.configuration
        at_once(configuration.replace(settings, configuration.edits()))

    def key(self, name: str = "k1") -> None:
        waiter = Waiter()
        self.device.create_key_pair(name, 2048, False, waiter.done)
        self.turn()
        assert waiter.code is None

    def enrol(self, plain: str | None = None, answer: bool | None = None) -> Waiter:
        waiter = Waiter(answer)
        self.device.applications.enrol("abc", plain, waiter, waiter.done)
        self.turn()
        return waiter

    def logged(self) -> str:
        return "\n".join(line.text for line in self.device.shared.log.lines)


CONFIGURATION = f"""#
pki entity r1
 common-name r1.example
#
pki realm abc
 entity r1
 rsa local-key-pair k1
 enrollment-url http://192.0.2.9/scep interval 2 times 3
 fingerprint sha256 {SHA256}
#
return
"""


def ready(flash: FakeFlash | None = None, seed: int = 0) -> Bench:
    """A device with a saved, complete realm `abc`."""
    bench = Bench(flash=flash, seed=seed)
    bench.key()
    bench.factory = CONFIGURATION
    bench.reboot()
    at_once(bench.device.configuration.save())
    bench.worker.jobs.clear()
    return bench


def refuse(code: str, **values: object) -> Callable[[Answer], Answer]:
    """An answer of the worker that is an error."""

    def answer(_job: Answer) -> Answer:
        raise fail(code, **values)

    return answer
