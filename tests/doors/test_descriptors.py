"""Few descriptors: by the limit that the agent is started with, or because others hold them.

Whoever limits them, or opens sessions until none is left, must not get a console that hangs: the
agent refuses to start in words, or each command is answered, with what is lacking.
"""

import os
import resource
import subprocess
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from agent import limits
from hal.sockets import connect_unix, peer_credentials
from tests.helpers.board import AGAIN, Agent, procedure
from tests.helpers.hostile import descendants
from tests.helpers.labca import LabCa, wait_for

SHOW = ("return", "display current-configuration")
ANSWER_S = 25  # of any command without a descriptor; a time-out of the network would take longer
CPU_S = 5
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("display version",),
    ("dir",),
    ("save", "y"),
    ("display interface brief",),
    ("diagnose realm abc",),
    ("display pki certificate ca realm abc",),
    ("system-view", "pki rsa local-key-pair create {name} modulus 2048"),
    ("system-view", "pki get-certificate ca realm abc"),
    AGAIN,
    ("system-view", "pki export-certificate local realm abc pem filename {name}.pem"),
    ("system-view", "pki import-certificate local realm abc"),
    ("system-view", "pki validate-certificate local realm abc"),
    ("system-view", "pki enroll-certificate realm abc pkcs10 filename {name}.req"),
    ("system-view", "pki realm abc", "password cipher x12345"),
)


@pytest.mark.parametrize("few", [6, 10, 14, 15, 16, 17, 18, 20, 24, 31])
def test_too_few_are_said_at_the_start(tmp_path: Path, few: int) -> None:
    agent = Agent(tmp_path, prefix=["prlimit", f"--nofile={few}:{few}"])
    done = subprocess.run(
        [*agent._prefix, *agent.command("run", "--board", "sim", "--state", str(agent.dir))],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    assert done.returncode == 1
    assert f"may open {few} files" in done.stderr
    assert "Next step:" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "limit", ["16:4096", f"{limits.DESCRIPTORS_LEAST}:{limits.DESCRIPTORS_LEAST}"]
)
def test_what_is_enough_serves_a_whole_application(tmp_path: Path, limit: str) -> None:
    with LabCa(tmp_path) as ca, Agent(tmp_path, prefix=["prlimit", f"--nofile={limit}"]) as agent:
        agent.must(*procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"))
        agent.must("system-view", "pki enroll-certificate realm abc")
        assert agent.state() == "issued"


@pytest.fixture
def issued(tmp_path: Path) -> Iterator[Agent]:
    with LabCa(tmp_path) as ca, Agent(tmp_path) as agent:
        agent.must(*procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"))
        agent.must("system-view", "pki enroll-certificate realm abc")
        yield agent


@pytest.mark.slow
def test_every_command_is_answered_when_few_are_left(issued: Agent) -> None:
    with connect_unix(str(issued.dir / "console.sock")) as console:
        pid = peer_credentials(console).pid
    before, used_s = resource.prlimit(pid, resource.RLIMIT_NOFILE), cpu_s(pid)
    for spare in range(1, 10):  # with the session that asks
        wait_for(lambda: not list(descendants(pid)), 60, "the worker lingers")
        left = len(list(Path(f"/proc/{pid}/fd").iterdir())) + spare
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (left, before[1]))
        for lines in COMMANDS:
            began = time.monotonic()
            said = issued.script(*(line.format(name=f"spare{spare}") for line in lines))
            assert time.monotonic() - began < ANSWER_S, (spare, lines)
            assert said.status == 0 or "Next step:" in said.text, (spare, lines, said.text)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    issued.must(*AGAIN)
    assert issued.state() == "issued"
    assert cpu_s(pid) - used_s < CPU_S, "it spins"


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        (("display version json",), '"display": "version"'),
        (("display pki realm x\u0301",), "Wrong parameter"),  # a mark is looked up in a table
        (
            ("system-view", "pki entity e1", "fqdn b\u00fccher.example.com", *SHOW),
            "fqdn xn--bcher-kva.example.com",
        ),
    ],
)
def test_what_is_rarely_used_needs_no_descriptor(
    tmp_path: Path, lines: tuple[str, ...], answer: str
) -> None:
    """The session takes the last one."""
    with Agent(tmp_path) as agent:
        before = resource.prlimit(agent.pid, resource.RLIMIT_NOFILE)
        held = {int(name) for name in os.listdir(f"/proc/{agent.pid}/fd")}
        free = next(number for number in count() if number not in held)
        resource.prlimit(agent.pid, resource.RLIMIT_NOFILE, (free + 1, before[1]))
        assert answer in agent.script(*lines).text
        resource.prlimit(agent.pid, resource.RLIMIT_NOFILE, before)
        agent.must("display version")


def cpu_s(pid: int) -> float:
    """The CPU time of a process itself (proc(5): utime and stime, in ticks of 10 ms)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
