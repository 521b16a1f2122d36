"""Answers of jobs: taken only in the shape that was agreed on."""

import os
from functools import partial
from typing import Any

import pytest

from agent import limits
from agent.errors import AgentError
from agent.jobs.answers import certificate, field, items
from agent.jobs.contract import ROWS
from agent.jobs.runner import JobRunner
from hal import cbor
from hal.clock import SECOND_NS
from hal.fakes.chance import SeededChance
from hal.fakes.storage import FakeFiles
from hal.fakes.work import FakeClock, FakeJobs, FakeReactor
from hal.ports import JobEnd


def runner(
    jobs: FakeJobs,
    key_fd: int = 0,
    files: FakeFiles | None = None,
    reactor: FakeReactor | None = None,
) -> JobRunner:
    """A runner on fakes. `reactor`: that of the jobs, where time matters."""
    reactor = reactor or FakeReactor(FakeClock())
    later = partial(reactor.after, 0)
    return JobRunner(jobs, SeededChance(), reactor.clock, later, key_fd, files=files)


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
    runner(jobs, fd).run({"op": "hash-password"}, found.append, [0])
    assert jobs.started[0].fds == (0,)
    reactor.advance(1)
    os.close(fd)
    (result,) = found
    assert (result.code if isinstance(result, AgentError) else result) == expected


SEALING = {
    *("generate-key", "seal", "check-sealed", "enrol", "poll", "activate"),
    *("request", "import", "export", "get-cert", "get-crl"),
}


# No job that uses the network is given a file.
FILES = {op: [] if row.network else [5] for op, row in ROWS.items()}


@pytest.mark.parametrize("op", sorted(ROWS))
def test_only_who_must_unseal_is_given_the_device_key(op: str) -> None:
    jobs = FakeJobs(FakeReactor(FakeClock()))
    runner(jobs, 77).run({"op": op}, lambda _result: None, FILES[op])
    key = [77] if op in SEALING else []
    assert jobs.started[0].fds == (*key, *FILES[op])


def test_each_message_has_a_nonce_of_its_own() -> None:
    jobs = FakeJobs(FakeReactor(FakeClock()))
    work = runner(jobs, 77)
    for realm in "ab":
        work.run({"op": "enrol", "realm": realm}, lambda _result: None)
    nonces = {cbor.loads(one.request, max_bytes=limits.JOB_BYTES)["nonce"] for one in jobs.started}
    assert [len(nonce) for nonce in nonces] == [16, 16]  # RFC 8894 3.2.1.5


@pytest.mark.parametrize("op", ["import", "export"])
def test_certificates_alone_need_no_device_key(op: str) -> None:
    jobs = FakeJobs(FakeReactor(FakeClock()))
    for kind in ("ca", "local"):
        runner(jobs, 77).run({"op": op, "kind": kind}, lambda _result: None)
    assert [job.fds for job in jobs.started] == [(), (77,)]


def test_a_network_job_has_longer_than_a_local_one() -> None:
    jobs = FakeJobs(FakeReactor(FakeClock()))
    for op in ("enrol", "inspect", "generate-key"):
        runner(jobs, 0).run({"op": op}, lambda _result: None)
    network, local, key = (job.deadline_s for job in jobs.started)
    assert local < network < key


@pytest.mark.parametrize("op", sorted(ROWS))
def test_the_port_is_told_who_needs_a_library(op: str) -> None:
    jobs = FakeJobs(FakeReactor(FakeClock()))
    runner(jobs, 77).run({"op": op}, lambda _result: None, FILES[op])
    assert jobs.started[0].library is ROWS[op].pkcs12


HTTPS = {"op": "fetch-ca", "url": "HTTPS://ca/", "https_ca_file": "web.pem"}


def test_the_ca_of_an_https_server_goes_along_where_the_url_asks_for_it() -> None:
    jobs, files = FakeJobs(FakeReactor(FakeClock())), FakeFiles()
    files.write("web.pem", b"PEM")
    work = runner(jobs, 0, files=files)
    for job in (HTTPS, {**HTTPS, "https_ca_file": None}, {**HTTPS, "url": "http://ca/"}):
        work.run({**job, "realm": str(len(jobs.started))}, lambda _result: None)
    sent = [cbor.loads(job.request, max_bytes=10_000)["https_ca"] for job in jobs.started]
    assert sent == [b"PEM", None, None]


@pytest.mark.parametrize("data", [None, b"x" * (limits.HTTPS_CA_BYTES + 1)])
def test_a_file_that_cannot_go_along(data: bytes | None) -> None:
    jobs, files = FakeJobs(FakeReactor(FakeClock())), FakeFiles()
    if data is not None:
        files.write("web.pem", data)
    for work in (runner(jobs, files=files), runner(jobs)):
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


def network(realm: str, **more: object) -> dict[str, object]:
    return {"op": "fetch-ca", "realm": realm, "url": "http://ca/scep", **more}


def test_four_use_the_network_at_once_and_local_jobs_do_not_wait_for_them() -> None:
    jobs = FakeJobs(FakeReactor(FakeClock()))
    work, ended = runner(jobs), list[object]()
    for number in range(10):
        work.run(network(f"r{number}"), ended.append, attended=False)
    work.run({"op": "seal"}, ended.append)
    assert len(jobs.started) == limits.NETWORK_JOBS + 1
    assert work.waiting == 6
    jobs.finish(jobs.started[0].number, JobEnd(None, "died"))
    assert len(jobs.started) == limits.NETWORK_JOBS + 2
    while jobs.running():
        jobs.finish(jobs.running()[0], JobEnd(None, "died"))
    assert len(ended) == 11
    assert work.waiting == 0


def test_the_next_job_of_a_realm_may_come_from_the_end_of_the_one_before() -> None:
    jobs = FakeJobs(FakeReactor(FakeClock()))
    work = runner(jobs)
    work.run(network("a"), lambda _end: work.run(network("a"), lambda _end: None))
    jobs.finish(1, JobEnd(None, "died"))
    assert len(jobs.started) == 2


def test_the_next_job_of_a_realm_has_the_place_of_the_one_before() -> None:
    jobs = FakeJobs(FakeReactor(FakeClock()))
    work = runner(jobs)
    work.run(network("r0"), lambda _end: work.run(network("r0", more=1), print), attended=False)
    for number in range(1, 10):
        work.run(network(f"r{number}"), print, attended=False)
    jobs.finish(1, JobEnd(None, "died"))
    last = cbor.loads(jobs.started[-1].request, max_bytes=10_000)
    assert (last["realm"], last["more"]) == ("r0", 1)
    assert len(jobs.running()) == limits.NETWORK_JOBS


def test_one_that_waits_is_cancelled_without_having_begun() -> None:
    reactor = FakeReactor(FakeClock())
    jobs = FakeJobs(reactor)
    work, ended = runner(jobs, reactor=reactor), list[object]()
    work.run(network("a"), ended.append)
    waiting = work.run(network("a"), ended.append)
    work.cancel(waiting)
    assert not ended, "never from within"
    reactor.advance(1)
    (error,) = ended
    assert isinstance(error, AgentError)
    assert error.code == "job-died"
    assert (len(jobs.started), work.waiting) == (1, 0)
    work.cancel(waiting)
    work.cancel(1)
    reactor.advance(1)
    assert len(ended) == 2


def test_a_trust_file_that_goes_while_a_job_waits_is_its_end() -> None:
    reactor, files = FakeReactor(FakeClock()), FakeFiles()
    jobs = FakeJobs(reactor)
    files.write("web.pem", b"PEM")
    work, ended = runner(jobs, files=files, reactor=reactor), list[object]()
    work.run({**HTTPS, "realm": "a"}, ended.append)
    work.run({**HTTPS, "realm": "a"}, ended.append)
    files.remove("web.pem")
    jobs.finish(1, JobEnd(None, "died"))
    reactor.advance(1)
    codes = [end.code for end in ended if isinstance(end, AgentError)]
    assert codes == ["job-died", "tls-trust-file"]
    assert work.waiting == 0


def test_the_moment_of_a_job_goes_on_while_it_waits() -> None:
    reactor = FakeReactor(FakeClock())
    jobs = FakeJobs(reactor)
    work = runner(jobs, reactor=reactor)
    for _job in range(2):
        work.run(network("a", now_s=1000), lambda _end: None)
    reactor.advance(90 * SECOND_NS)
    jobs.finish(1, JobEnd(None, "died"))
    sent = [cbor.loads(job.request, max_bytes=10_000)["now_s"] for job in jobs.started]
    assert sent == [1000, 1090]
