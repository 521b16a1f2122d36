"""Children that were taken over on purpose, under the filters, and what must go on under them."""

import os
import signal
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hal.confinement.rules import LOCAL, NETWORK
from hal.confinement.syscalls import NUMBERS
from hal.jobs import WorkerJobs
from tests.helpers.labca import wait_for
from tools.bench import proc
from tools.confinement.captor import Attempt, Captor
from tools.confinement.reach import call, has

WAIT_S = 30
MADE = f"/tmp/of-a-child-that-was-taken-over-{os.getpid()}"
PAUSE_S = 4  # it must be found meanwhile
PAUSE = struct.pack("@ll", PAUSE_S, 0)


@pytest.fixture
def captor() -> Iterator[Captor]:
    with Captor() as made:
        yield made


def child_of(captor: Captor) -> int:
    """The child that is at work; its filter is loaded."""

    def look() -> int:
        captor.turn()
        assert isinstance(captor.jobs, WorkerJobs)
        found = proc.children(captor.jobs._pid) if captor.jobs._pid else []
        return next((pid for pid in found if status(pid, "Seccomp") == "2"), 0)

    return wait_for(look, WAIT_S, "no child, or no filter")


def status(pid: int, field: str) -> str:
    """A field of /proc/PID/status."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:  # it has ended meanwhile
        return ""
    return dict(line.split(":", 1) for line in lines)[field].strip()


# -- what it tries ---------------------------------------------------------------------------------

IN_ANY_CHILD: dict[str, Attempt] = {
    "a process": ["fork"],
    "a program": call("execve", b"/bin/true", 0, 0),
    "executable memory": call("mmap" if has("mmap") else "mmap2", 0, 4096, 7, 0x22, -1, 0),
    "a descriptor's owner": call("fcntl", 0, 8, os.getpid()),
    "a packet socket": call("socket", 17, 3, 0),
    "a raw socket": call("socket", 2, 3, 1),
    "the kernel's ciphers": call("socket", 38, 5, 0),
    "the audit of the kernel": call("socket", 16, 3, 9),
    "a name space": call("unshare", 0x10000000),
    "its own priority": call("setpriority", 0, 0, 19),
    "an anonymous file": call("memfd_create", b"x", 0),
    "a ring of calls": call("io_uring_setup", 1, bytes(256)),
    "page faults": call("userfaultfd", 0),
    "counters": call("perf_event_open", bytes(128), 0, -1, -1, 0),
    "keys of the kernel": call("keyctl", 0, -3, 0),
    "a file of its own": ["write", MADE],
    "the mode of a file": call("fchmod", 0, 0o777),
    "to be dumped": call("prctl", 4, 1, 0, 0, 0),
}
LATER = 590  # a number that some later kernel may give to a call that some later libc tries


@pytest.mark.parametrize("kind", [LOCAL, NETWORK])
def test_a_child_that_was_taken_over_is_refused_and_lives(captor: Captor, kind: str) -> None:
    found = captor.outcomes(kind == NETWORK, *IN_ANY_CHILD.values(), ["call", LATER])
    assert dict(zip(IN_ANY_CHILD, found, strict=False)) == dict.fromkeys(IN_ANY_CHILD, "EPERM")
    assert found[-1] == "ENOSYS"
    assert not os.path.exists(MADE)


def test_a_job_without_network_reaches_nobody_and_opens_nothing(captor: Captor) -> None:
    tried = (["connect", "127.0.0.1", 1], ["connect", "::1", 1], call("socket", 16, 3, 0))
    read = (["open", "/etc/passwd"], ["open", "/proc/self/environ"], ["list", "/"])
    assert set(captor.outcomes(False, *tried, call("socket", 1, 1, 0), *read)) == {"EPERM"}


def test_a_job_with_network_reaches_peers_and_no_daemon_of_this_device(captor: Captor) -> None:
    """UNIX sockets are the doors of D-Bus, of container engines and of the agent's own console."""
    assert captor.outcomes(True, ["connect", "127.0.0.1", 1])[0] == "ok"
    assert captor.outcomes(True, call("socket", 1, 1, 0)) == ["EACCES"]


def test_a_job_with_network_lists_no_folder(captor: Captor) -> None:
    """By this rung alone EPERM; a rung before it may refuse the folder itself."""
    assert captor.outcomes(True, ["list", "/"])[0] in ("EPERM", "EACCES")


@pytest.mark.slow
@pytest.mark.parametrize("kind", [LOCAL, NETWORK])
def test_a_child_reaches_no_other_one(captor: Captor, kind: str) -> None:
    """Siblings may have the same user, so nothing of the kernel's own rules stands between them."""
    ends = captor.start(False, call("nanosleep", PAUSE, 0))
    sibling, worker = child_of(captor), captor.jobs._pid
    attempts = [call("kill", sibling, int(signal.SIGSTOP))]
    attempts += [["signal", pid] for pid in (worker, os.getpid())]
    attempts += [call("prlimit64", sibling, 7, 0, bytes(16)), call("ptrace", 0x4206, sibling, 0, 0)]
    attempts += [
        call("setpriority", 0, sibling, 19),
        call("sched_setaffinity", sibling, 8, bytes(8)),
    ]
    attempts += [call("pidfd_open", sibling, 0), call("tgkill", sibling, sibling, 0)]
    found = captor.outcomes(kind == NETWORK, *attempts)
    assert found == ["EPERM"] * len(attempts)
    while not ends:
        captor.turn()
    assert ends[0].failure is None


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="needs x86-64: it has two other ABIs")
@pytest.mark.parametrize("kind", [LOCAL, NETWORK])
def test_other_abis_are_no_way_round(captor: Captor, kind: str) -> None:
    """`getpid`, which every child may ask for, by int 0x80 and by the number of x32."""
    getpid, i386, x32 = call("getpid"), NUMBERS["getpid"][1], 0x40000000 | 39
    assert i386 is not None
    tried = (getpid, ["int80", i386], ["call", x32])
    assert captor.outcomes(kind == NETWORK, *tried) == ["ok", "EPERM", "EPERM"]


# -- and what must go on ---------------------------------------------------------------------------


def test_who_aborts_dies_at_once_though_it_may_not_signal_itself(captor: Captor) -> None:
    began = time.monotonic()
    assert captor.end(False, ["abort"]).failure == "died"
    assert time.monotonic() - began < WAIT_S


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ("poll", "nanosleep") if has(name)])
def test_a_child_that_was_stopped_and_continued_goes_on_waiting(captor: Captor, name: str) -> None:
    """A freezer or a suspend does the same: the kernel goes on by restart_syscall."""
    waiting = call("poll", 0, 0, 1000 * PAUSE_S) if name == "poll" else call("nanosleep", PAUSE, 0)
    ends = captor.start(True, waiting)
    child = child_of(captor)
    wait_for(lambda: status(child, "State").startswith("S"), WAIT_S, "it does not wait")
    os.kill(child, signal.SIGSTOP)
    wait_for(lambda: status(child, "State").startswith("T"), WAIT_S, "it does not stop")
    os.kill(child, signal.SIGCONT)
    while not ends:
        captor.turn()
    assert captor.understood(ends[0]) == ["ok"]
