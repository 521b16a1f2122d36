"""Into storage and memory: what is written, what is left alone, what a failure leaves behind."""

import os
from functools import partial

import pytest

from agent import pem
from agent.device.activation import MEMORY_FILES, Activation, InUse
from agent.errors import AgentError
from agent.jobs.runner import JobRunner
from agent.log import Log
from hal import cbor
from hal.fakes.chance import SeededChance
from hal.fakes.storage import FakeFiles, FakeMemory
from hal.fakes.work import FakeClock, FakeJobs, FakeReactor, StartedJob
from hal.ports import DeviceMemoryError, FilesError, JobEnd
from hal.records import CertificateRecord, KeyRecord, LocalRecord

LEAF = CertificateRecord(b"leaf", "CN=r1", "CN=CA", "2a", 0, 1)
LOCAL = LocalRecord(LEAF, [b"authority"], "k1", 1, 0)
KEY = KeyRecord("k1", 1, 2048, False, 0, b"spki", b"sealed")
JUDGED: dict[str, object] = {"ca": {"pin": "ab"}, "chain": [b"authority"]}
WHAT = InUse("abc", LOCAL, KEY, JUDGED)
STORAGE = {"local": [b"leaf"], "ca": [b"authority", b"root"]}


class Bench:
    """An activation on fakes; the child writes the name of each file into it, and says that the
    CAs to trust are `ca`."""

    def __init__(self, fails: bool = False) -> None:
        self.reactor, self.ca = FakeReactor(FakeClock()), [b"authority", b"root"]
        self.files, self.memory = FakeFiles(), FakeMemory(self.reactor)
        self.jobs = FakeJobs(self.reactor, [JobEnd(None, "died") if fails else self._child] * 5)
        self.log = Log(lambda: 0, None)
        jobs = JobRunner(self.jobs, SeededChance(), FakeClock(), partial(self.reactor.after, 0), 0)
        self.activation = Activation(self.reactor, self.files, self.memory, jobs, self.log)

    def _child(self, job: StartedJob) -> JobEnd:
        for fd, name in zip(job.fds[1:], MEMORY_FILES, strict=True):
            os.write(fd, name.encode())
        found = {"chain": [b"authority"], "ca": self.ca, "notes": []}
        return JobEnd(cbor.dumps({"ok": found}))

    def activate(self, what: InUse = WHAT) -> AgentError | None:
        found: list[AgentError | None] = []
        self.activation.activate(what, found.append)
        self.reactor.advance(1)
        (result,) = found
        return result


def test_memory_gets_every_file_in_one_step() -> None:
    bench = Bench()
    assert bench.activate() is None
    assert bench.memory.sets["abc"] == {name: name.encode() for name in MEMORY_FILES}
    job = cbor.loads(bench.jobs.started[0].request, max_bytes=10_000)
    assert isinstance(job, dict)
    assert (job["op"], job["certificate"]) == ("activate", b"leaf")
    assert (job["ca"], job["chain"]) == ({"pin": "ab"}, [b"authority"])
    assert bench.files.read("abc_ca.cer").count(b"BEGIN CERTIFICATE") == 2  # what the child said
    assert bench.files.read("abc_local.cer").count(b"BEGIN CERTIFICATE") == 1


def test_a_child_that_fails_leaves_what_was_there() -> None:
    bench = Bench(fails=True)
    bench.memory.sets["abc"] = {"cert.pem": b"before"}
    error = bench.activate()
    assert error is not None
    assert error.code == "job-died"
    assert bench.memory.sets["abc"] == {"cert.pem": b"before"}


@pytest.mark.parametrize("call", [1, 2])
def test_a_folder_that_fails_is_an_error_of_ours(call: int) -> None:
    bench = Bench()
    bench.memory.faults.at[call] = DeviceMemoryError("no space")
    error = bench.activate()
    assert error is not None
    assert error.code == "storage-failed"
    assert "abc" not in bench.memory.sets


def test_without_its_own_key_nothing_is_put_into_use() -> None:
    bench = Bench()
    error = bench.activate(WHAT._replace(key=None))
    assert error is not None
    assert error.code == "key-unknown"
    assert bench.jobs.started == []


def test_storage_in_both_formats_and_only_when_it_is_stale() -> None:
    bench = Bench()
    bench.activation.project("abc", STORAGE, "pem")
    pem = bench.files.read("abc_ca.cer")
    assert pem.count(b"BEGIN CERTIFICATE") == 2
    bench.activation.project("abc", STORAGE, "der")  # what is there is not converted (VRP)
    assert bench.files.read("abc_ca.cer") == pem
    bench.files.write("abc_ca.cer", b"damaged")
    bench.files.remove("abc_local.cer")
    bench.activation.project("abc", STORAGE, "der")
    assert bench.files.read("abc_ca.cer") == b"authority"
    assert bench.files.read("abc_local.cer") == b"leaf"


def test_a_storage_that_fails_is_logged_and_survived() -> None:
    bench = Bench()
    bench.files.faults.at.update({n: FilesError("no space") for n in range(10)})
    bench.activation.project("abc", STORAGE, "pem")
    assert "no space" in bench.log.lines[0].text


def test_the_folder_of_a_thousand_realms_is_not_listed_for_one() -> None:
    bench = Bench()
    bench.files.names = lambda: pytest.fail("it was listed")  # type: ignore[method-assign]
    assert bench.activate(WHAT._replace(waits=LOCAL)) is None
    assert "abc_next.cer" in bench.files.content
    assert bench.activate() is None
    assert "abc_next.cer" not in bench.files.content


def served(bench: Bench) -> dict[str, bytes]:
    return bench.memory.sets["abc"]


def test_memory_that_serves_just_this_is_left_alone_unless_it_is_asked_for_again() -> None:
    bench = Bench()
    assert bench.activate() is None
    bench.memory.sets["abc"] = here = {
        **served(bench),
        "cert.pem": pem.encode("CERTIFICATE", [b"leaf"]),
        "chain.pem": pem.encode("CERTIFICATE", [b"authority"]),
        "ca.pem": pem.encode("CERTIFICATE", bench.ca),
    }
    assert bench.activate(WHAT._replace(again=False)) is None
    assert served(bench) is here
    assert bench.activate() is None
    assert served(bench) is not here


def test_another_list_of_cas_is_written_and_told() -> None:
    bench = Bench()
    assert bench.activate() is None
    assert "CA_FILE_CHANGED" not in bench.log.counts
    bench.ca = [b"authority"]
    assert bench.activate(WHAT._replace(again=False)) is None
    assert bench.log.counts["CA_FILE_CHANGED"] == 1
    assert bench.files.read("abc_ca.cer").count(b"BEGIN CERTIFICATE") == 1


def test_an_answer_of_a_wrong_shape_changes_nothing() -> None:
    bench = Bench()
    bench.ca = ["no bytes"]  # type: ignore[list-item]
    error = bench.activate()
    assert error is not None
    assert error.code == "job-answer"
    assert "abc" not in bench.memory.sets
    assert "abc_ca.cer" not in bench.files.names()
