"""The rig that makes docs/confinement.md: what it reads, and that the lists fit what jobs call."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from agent.scep.operations import OPS
from hal.confinement import rules
from platforms.users import worker_user
from tools.confinement import operations, page, reach, trace
from tools.confinement.environments import Environment, Stack

TRACE = """\
10 prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) = 0
10 openat(AT_FDCWD, "/before", O_RDONLY) = 3
10 prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, {len=267, filter=0x7f}) = 0
11 openat(AT_FDCWD, "/of the worker", O_RDONLY) = 3
10 recvfrom(3,  <unfinished ...>
12 prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, {len=267, filter=0x7f} <unfinished ...>
12 <... prctl resumed>) = 0
10 <... recvfrom resumed>"", 65536, 0, NULL, NULL) = 0
12 socket(AF_UNIX, SOCK_STREAM, 0) = -1 EACCES (Permission denied)
12 connect(3, {sa_family=AF_INET}, 16) = -1 ECONNREFUSED (Connection refused)
10 +++ exited with 0 +++
"""
HERE = Environment("here", (), worker_user(""))
ROOT = Path(__file__).resolve().parents[2]
STACK = Stack(sys.executable, (), "these versions")


def test_a_trace_is_read() -> None:
    first, second = trace.children(TRACE)
    assert first == trace.Calls(frozenset(["recvfrom"]), frozenset())
    assert second.made == {"socket", "connect"}
    assert second.refused == {("socket", "EACCES")}


def test_a_trace_that_has_not_ended_is_waited_for(tmp_path: Path) -> None:
    out = tmp_path / "trace"
    out.write_text(TRACE)
    ended = TRACE + "12 +++ exited with 0 +++\n"
    late = threading.Timer(0.2, lambda: out.write_text(ended))
    late.start()
    assert trace.whole(out) == ended
    late.join()


def test_the_page() -> None:
    calls = trace.children(TRACE)
    found = [
        operations.Operation("seal", False, calls[0]),
        operations.Operation("https", True, calls[1]),
    ]
    columns = {("a", "1"): {"x": "ok"}, ("a", "2"): {"x": "EPERM"}, ("b", "1"): {"x": "ok"}}
    text = page.page(found, {rules.LOCAL: columns})
    assert "| https | network | `connect`, `socket` |" in text
    assert "| | a | b |\n|---|---|---|\n| x | ok / EPERM | ok |\n" in text
    assert "`socket` (EACCES)" in text


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists(trace.STRACE), reason="needs strace")
def test_every_operation_ends_well_and_no_call_is_refused(tmp_path: Path) -> None:
    """All of `OPS` under strace: nothing is refused but the cache of names. A call that a
    newer library makes and does without fails here, before a later one needs it."""
    if os.geteuid() == 0:  # the children of a worker of root are somebody else
        tmp_path.chmod(0o755)
    found = operations.watched(STACK, HERE, tmp_path, operations.every_operation)
    assert frozenset.union(*(one.calls.refused for one in found)) <= {("socket", "EACCES")}
    assert {one.name for one in found} > set(OPS)
    for one in found:
        table = rules.rules(rules.NETWORK if one.network else rules.LOCAL)
        assert {call for call in one.calls.made if table[call] == rules.REFUSED} == set(), one.name


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a network with a name server of its own")
@pytest.mark.skipif(not os.path.exists(trace.STRACE), reason="needs strace")
def test_names_from_a_server_need_no_call_that_is_refused() -> None:
    """By UDP, and by TCP where the answer is too long."""
    command = [sys.executable, "-m", "tools.confinement", "--names"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "2 children; refused: nothing\n")
    assert "`sendmmsg`" in done.stdout
    assert "| a long answer of it | network | `writev` |" in done.stdout


@pytest.mark.slow
def test_the_rungs_are_seen(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of the agent")
    found = reach.tried(STACK, HERE, False, secret)
    assert found["seccomp filters"] != "0"
    assert found["no new privileges"] == "1"
    names = list(found)
    assert {found[name] for name in names[names.index("open /etc/passwd") :]} == {"EPERM", "ENOSYS"}
