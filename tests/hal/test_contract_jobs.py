"""The Jobs port: the real worker process and the fake keep the same promises."""

import ast
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent import limits
from agent.loop import Loop
from hal import cbor
from hal.clock import LinuxClock
from hal.confinement.ladder import PLACES
from hal.fakes.work import FakeClock, FakeJobs, FakeReactor
from hal.jobs import WorkerJobs
from hal.ports import JobEnd, Jobs
from hal.priority import behind
from tests.helpers.labca import wait_for
from tests.helpers.reactor import turn_until

ROOT = Path(__file__).resolve().parents[2]
SECOND = 1_000_000_000


def worker_argv(*user: int) -> list[str]:
    code = (
        f"import sys, runpy; sys.path.insert(0, {str(ROOT)!r}); "
        "runpy.run_module('tests.helpers.job_worker', run_name='__main__')"
    )
    return [sys.executable, "-I", "-c", code, *map(str, user)]


class Bench:
    """A Jobs port and a way to let time pass until a job has ended."""

    def __init__(self, jobs: Jobs, turn: Callable[[], None]) -> None:
        self.jobs, self.turn = jobs, turn

    def start(self, op: str, deadline_s: int = 30, **more: Any) -> tuple[int, list[JobEnd]]:
        ends: list[JobEnd] = []
        fds = more.pop("fds", [])
        request = cbor.dumps({"op": op, **more})
        return self.jobs.start(request, fds, deadline_s, ends.append), ends

    def wait(self, ends: list[JobEnd]) -> JobEnd:
        turn_until(self.turn, lambda: bool(ends))
        return ends[0]


@pytest.fixture
def real() -> Iterator[Bench]:
    loop = Loop(LinuxClock())
    jobs = WorkerJobs(loop, worker_argv(), answer_bytes=limits.JOB_BYTES, linger_s=1)
    yield Bench(jobs, lambda: loop.turn(10_000_000))
    jobs.close()
    for _turn in range(20):
        loop.turn(5_000_000)
    loop.close()


def fake() -> Bench:
    reactor = FakeReactor(FakeClock())
    outcomes = [
        JobEnd(cbor.dumps({"ok": {"said": "hello", "files": []}})),
        JobEnd(None, "died"),
        JobEnd(None, "deadline"),
    ]
    return Bench(FakeJobs(reactor, outcomes), lambda: reactor.advance(SECOND))


@pytest.fixture(params=["real", "fake"])
def bench(request: pytest.FixtureRequest) -> Bench:
    if request.param == "fake":
        return fake()
    found: Bench = request.getfixturevalue("real")
    return found


def test_each_job_ends_once_with_an_answer_or_a_failure(bench: Bench) -> None:
    answers = [bench.start("echo", say="hello")[1], bench.start("die")[1]]
    late = bench.start("sleep", deadline_s=1)[1]
    assert cbor.loads(bench.wait(answers[0]).answer or b"", max_bytes=1000) == {
        "ok": {"said": "hello", "files": []}
    }
    assert bench.wait(answers[1])[:2] == (None, "died")
    assert bench.wait(late)[:2] == (None, "deadline")
    assert [len(ends) for ends in (*answers, late)] == [1, 1, 1]


def test_done_never_comes_from_within_start(bench: Bench) -> None:
    assert bench.start("echo", say="hello")[1] == []


def test_a_cancelled_job_says_so() -> None:
    reactor = FakeReactor(FakeClock())
    bench = Bench(FakeJobs(reactor), lambda: reactor.advance(SECOND))
    number, ends = bench.start("sleep")
    for job in (number, number, 999):
        bench.jobs.cancel(job)
    assert bench.wait(ends) == JobEnd(None, "cancelled")


def test_a_cancelled_child_is_killed(real: Bench) -> None:
    number, ends = real.start("sleep")
    for _turn in range(50):
        real.turn()
    real.jobs.cancel(number)
    assert real.wait(ends)[:2] == (None, "cancelled")


def test_errors_are_answers_and_faults_tell_no_secret(real: Bench) -> None:
    errors = {"refuse": "ca-no-ca", "fault": "job-fault", "nonsense": "job-fault"}
    for op, code in {**errors, "nicer": "job-refused"}.items():
        answer = real.wait(real.start(op)[1]).answer
        found = cbor.loads(answer or b"", max_bytes=10_000)
        assert found["error"] == code
        assert b"secret" not in (answer or b"")


def test_memory_and_answers_are_capped(real: Bench) -> None:
    hoard = cbor.loads(real.wait(real.start("hoard")[1]).answer or b"", max_bytes=10_000)
    assert hoard["error"] == "job-died"
    assert real.wait(real.start("flood")[1]).failure in ("died", "cancelled")
    assert real.wait(real.start("echo", say="still there")[1]).failure is None


def test_descriptors_reach_the_child_and_stay_ours(real: Bench) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"content")
        file.flush()
        _number, ends = real.start("echo", say="x", fds=[file.fileno(), file.fileno()])
        answer = cbor.loads(real.wait(ends).answer or b"", max_bytes=1000)
        assert answer["ok"]["files"] == [b"content", b"content"]
        assert os.fstat(file.fileno()).st_size == 7


def test_a_job_that_lacks_descriptors_ends(real: Bench) -> None:
    """With a key child there are a request for keys and a device key."""
    ends: list[JobEnd] = []
    real.jobs.start(b"x", [], 30, ends.append, True, b"keys")
    assert real.wait(ends).failure == "died"


def test_a_request_for_keys_that_no_socket_takes_is_a_failure(real: Bench) -> None:
    ends: list[JobEnd] = []
    with tempfile.TemporaryFile() as file:
        real.jobs.start(b"x", [file.fileno()], 30, ends.append, True, bytes(8_000_000))
    assert real.wait(ends).failure == "start"


def test_a_large_request_arrives_whole(real: Bench) -> None:
    text = "x" * 900_000
    answer = real.wait(real.start("echo", say=text)[1]).answer
    assert cbor.loads(answer or b"", max_bytes=limits.JOB_BYTES)["ok"]["said"] == text


def test_many_jobs_at_once_keep_their_answers_apart(real: Bench) -> None:
    running = [real.start("echo", say=str(n)) for n in range(12)]
    for n, (_number, ends) in enumerate(running):
        answer = cbor.loads(real.wait(ends).answer or b"", max_bytes=1000)
        assert answer["ok"]["said"] == str(n)


def test_more_jobs_than_places_wait_for_one_and_their_deadlines_do_not(real: Bench) -> None:
    sleeping = [real.start("sleep", deadline_s=60) for _place in range(PLACES)]
    late = real.start("echo", deadline_s=1, say="late")[1]
    number, unwanted = real.start("echo", say="unwanted")
    waits = real.start("echo", say="waits")[1]
    assert real.wait(late).failure == "deadline"
    real.jobs.cancel(number)
    assert real.wait(unwanted).failure == "cancelled"
    assert not waits
    real.jobs.cancel(sleeping[3][0])
    assert real.wait(waits).failure is None
    for number, _ends in sleeping:
        real.jobs.cancel(number)
    assert {real.wait(ends).failure for _number, ends in sleeping} == {"cancelled"}


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="no autogroup here")
def test_the_session_of_a_child_is_behind_the_console(real: Bench) -> None:
    """Beside its nice value, which counts within its session alone (sched(7), autogroup)."""
    number, ends = real.start("sleep")
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    behind_us = f"nice {min(19, nice + 10)}"
    wait_for(lambda: behind_us in map(session, of_workers(real)), 60, "no child stands back")
    assert {session(pid) for pid in children(os.getpid())} == {f"nice {nice}"}, (
        "it ends jobs in time"
    )
    real.jobs.cancel(number)
    assert real.wait(ends).failure == "cancelled"


def session(pid: int) -> str:
    """The nice value of the session of a process; "" when it has gone."""
    try:
        return Path(f"/proc/{pid}/autogroup").read_text().strip().split(" ", 1)[1]
    except OSError:
        return ""


def of_workers(real: Bench) -> list[int]:
    """The job children, after a turn of the loop."""
    real.turn()
    return [child for worker in children(os.getpid()) for child in children(worker)]


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_child_is_confined(real: Bench) -> None:
    answer = cbor.loads(real.wait(real.start("look")[1]).answer or b"", max_bytes=1000)
    found = answer["ok"]
    assert found["no_new_privs"] == 1
    assert found["nice"] == behind()
    if os.getuid() != 0:
        assert found["fork"] is False
    assert [fd for fd in found["fds"] if fd > 2] == found["fds"][-1:]  # its channel alone


def test_a_worker_that_does_not_start_is_a_failure() -> None:
    loop = Loop(LinuxClock())
    jobs = WorkerJobs(loop, ["/nonexistent/python"], answer_bytes=1000, linger_s=1)
    bench = Bench(jobs, lambda: loop.turn(10_000_000))
    end = bench.wait(bench.start("echo")[1])
    assert end.failure == "start"
    assert "No such file" in end.detail
    loop.close()


def test_a_worker_that_ends_takes_its_jobs_along_and_the_next_job_starts_another() -> None:
    loop = Loop(LinuxClock())
    jobs = WorkerJobs(loop, ["/bin/true"], answer_bytes=1000, linger_s=1)
    bench = Bench(jobs, lambda: loop.turn(10_000_000))
    assert bench.wait(bench.start("echo")[1]).failure in ("died", "start")
    assert bench.wait(bench.start("echo")[1]).failure in ("died", "start")
    jobs.close()
    loop.close()


@pytest.mark.skipif(os.getuid() != 0, reason="needs root: changes the user of the child")
def test_as_root_the_child_is_another_user_and_sees_no_folder_of_ours() -> None:
    loop = Loop(LinuxClock())
    jobs = WorkerJobs(loop, worker_argv(65534, 65534, 0), answer_bytes=10_000, linger_s=1)
    bench = Bench(jobs, lambda: loop.turn(10_000_000))
    found = cbor.loads(bench.wait(bench.start("look")[1]).answer or b"", max_bytes=1000)["ok"]
    assert (found["uid"], found["groups"], found["fork"]) == (65534, [], False)
    jobs.close()
    loop.close()


def test_the_worker_goes_when_nobody_needs_it(real: Bench) -> None:
    real.wait(real.start("echo", say="x")[1])
    jobs = real.jobs
    assert isinstance(jobs, WorkerJobs)
    pid = jobs._pid
    assert pid
    turn_until(real.turn, lambda: not jobs._pid and not _alive(pid))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


SCARCE = """
import os, resource, signal, sys
sys.path.insert(0, {root!r})
from agent.loop import Loop
from hal.clock import LinuxClock
from hal.confinement.ladder import PLACES
from hal.jobs import WorkerJobs
signal.signal(signal.SIGCHLD, signal.{chld})
loop, ends = Loop(LinuxClock()), []
jobs = WorkerJobs(loop, [{python!r}, "-c", "pass"], answer_bytes=1000, linger_s=1)
resource.setrlimit(resource.RLIMIT_NOFILE, ({files}, {files}))
for _job in range(3):
    jobs.start(b"x", [], 5, ends.append)
for _turn in range(150):
    loop.turn(10_000_000)
print([end.failure for end in ends])
"""


@pytest.mark.parametrize(("files", "chld"), [(6, "SIG_DFL"), (100, "SIG_IGN")])
def test_a_shortage_is_a_failure_of_the_job_and_never_of_the_agent(files: int, chld: str) -> None:
    """No descriptor left; a parent that had SIGCHLD ignored."""
    code = SCARCE.format(root=str(ROOT), python=sys.executable, files=files, chld=chld)
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=120
    )
    assert done.stderr == ""
    failures = ast.literal_eval(done.stdout)
    assert len(failures) == 3
    assert set(failures) <= {"start", "died"}
