"""Answers of jobs: taken only in the shape that was agreed on."""

import os
from typing import Any

import pytest

from agent import limits
from agent.errors import AgentError
from agent.jobs.answers import certificate, field, items
from agent.jobs.contract import ROWS
from agent.jobs.runner import JobRunner
from hal import cbor
from hal.fakes.chance import SeededChance
from hal.fakes.storage import FakeFiles
from hal.fakes.work import FakeClock, FakeJobs, FakeReactor
from hal.ports import JobEnd

ENDS = [
    (JobEnd(cbor.dumps({"ok": {"hash": "x"}})), {"hash": "x"}),
    (JobEnd(cbor.dumps({"ok": {"hash": 1}})), "job-answer"),
    (JobEnd(cbor.dumps({"ok": {}})), "job-answer"),
    (JobEnd(None, "died"), "job-died"),
    (JobEnd(None, "cancelled"), "job-died"),
    (JobEnd(None, "deadline"), "job-deadline"),
    (JobEnd(None, "start", "no memory"), "job-start"),
    (JobEnd(b""), "job-answer"),
    (JobEnd(cbor.dumps([1])), "job-answer"),
    (JobEnd(cbor.dumps({"ok": 1})), "job-answer"),
    (
        JobEnd(cbor.dumps({"error": "ca-no-ca", "what": "w", "cause": "c", "remedy": "r"})),
        "ca-no-ca",
    ),
    (JobEnd(cbor.dumps({"error": "never-heard-of"})), "job-answer"),
    (JobEnd(cbor.dumps({"error": 7})), "job-answer"),
]


@pytest.mark.parametrize(("end", "expected"), ENDS)
def test_how_a_job_ends(end: JobEnd, expected: Any) -> None:
    reactor = FakeReactor(FakeClock())
    jobs = FakeJobs(reactor, [end])
    fd = os.memfd_create("key")
    found: list[Any] = []
    JobRunner(jobs, SeededChance(), fd).run({"op": "hash-password"}, found.append, [0])
    assert jobs.started[0].fds == (0,)
    reactor.advance(1)
    os.close(fd)
    (result,) = found
    assert (result.code if isinstance(result, AgentError) else result) == expected


SEALING = {
    *("generate-key", "seal", "check-sealed", "enrol", "poll", "activate"),
    *("request", "import", "export", "get-cert", "get-crl"),
}


@pytest.mark.parametrize("op", sorted(ROWS))
def test_only_who_must_unseal_is_given_the_device_key(op: str) -> None:
    jobs = FakeJobs(FakeReactor(FakeClock()))
    JobRunner(jobs, SeededChance(), 77).run({"op": op}, lambda _result: None, [5])
    assert jobs.started[0].fds == ((77, 5) if op in SEALING else (5,))


def test_each_message_has_a_nonce_of_its_own() -> None:
    jobs = FakeJobs(FakeReactor(FakeClock()))
    work = JobRunner(jobs, SeededChance(), 77)
    for _ in range(2):
        work.run({"op": "enrol"}, lambda _result: None)
    nonces = {cbor.loads(one.request, max_bytes=limits.JOB_BYTES)["nonce"] for one in jobs.started}
    assert [len(nonce) for nonce in nonces] == [16, 16]  # RFC 8894 3.2.1.5


@pytest.mark.parametrize("op", ["import", "export"])
def test_certificates_alone_need_no_device_key(op: str) -> None:
    jobs = FakeJobs(FakeReactor(FakeClock()))
    for kind in ("ca", "local"):
        JobRunner(jobs, SeededChance(), 77).run({"op": op, "kind": kind}, lambda _result: None)
    assert [job.fds for job in jobs.started] == [(), (77,)]


def test_a_network_job_has_longer_than_a_local_one() -> None:
    jobs = FakeJobs(FakeReactor(FakeClock()))
    for op in ("enrol", "inspect", "generate-key"):
        JobRunner(jobs, SeededChance(), 0).run({"op": op}, lambda _result: None)
    network, local, key = (job.deadline_s for job in jobs.started)
    assert local < network < key


HTTPS = {"op": "fetch-ca", "url": "HTTPS://ca/", "https_ca_file": "web.pem"}


def test_the_ca_of_an_https_server_goes_along_where_the_url_asks_for_it() -> None:
    jobs, files = FakeJobs(FakeReactor(FakeClock())), FakeFiles()
    files.write("web.pem", b"PEM")
    work = JobRunner(jobs, SeededChance(), 0, files=files)
    for job in (HTTPS, {**HTTPS, "https_ca_file": None}, {**HTTPS, "url": "http://ca/"}):
        work.run(job, lambda _result: None)
    sent = [cbor.loads(job.request, max_bytes=10_000)["https_ca"] for job in jobs.started]
    assert sent == [b"PEM", None, None]


@pytest.mark.parametrize("data", [None, b"x" * (limits.HTTPS_CA_BYTES + 1)])
def test_a_file_that_cannot_go_along(data: bytes | None) -> None:
    jobs, files = FakeJobs(FakeReactor(FakeClock())), FakeFiles()
    if data is not None:
        files.write("web.pem", data)
    for work in (
        JobRunner(jobs, SeededChance(), 0, files=files),
        JobRunner(jobs, SeededChance(), 0),
    ):
        with pytest.raises(AgentError, match=r"web\.pem"):
            work.run(HTTPS, lambda _result: None)
    assert jobs.started == []


def test_fields_lists_and_certificates_are_checked() -> None:
    good = {
        "der": b"x",
        "subject": "CN=a",
        "issuer": "CN=b",
        "serial": "01",
        "not_before_s": 1,
        "not_after_s": 2,
    }
    assert certificate({**good, "more": "left out"}).serial == "01"
    assert field({"a": b"x"}, "a", bytes) == b"x"
    assert items({"a": ["x"]}, "a", str) == ["x"]
    bad = [
        lambda: certificate({**good, "der": "text"}),
        lambda: certificate({**good, "serial": None}),
        lambda: certificate("text"),
        lambda: field({"a": 1}, "a", bytes),
        lambda: field({}, "a", bytes),
        lambda: items({"a": ["x", 1]}, "a", str),
        lambda: items({"a": "x"}, "a", str),
    ]
    for call in bad:
        with pytest.raises(AgentError) as caught:
            call()
        assert caught.value.code == "job-answer"
