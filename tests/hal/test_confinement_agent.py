"""The agent on systems that lack rungs: it applies all the same, warns once, and `display version`
tells. And who may look into the agent."""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.board import Agent, check_certificate, procedure
from tests.helpers.confined import DEBIAN_PYTHON, OTHER_USER, RUNGS, SYSTEMS, System, copy_for
from tests.helpers.labca import LabCa, wait_for
from tests.helpers.taken_over import children
from tests.whole.test_enrol_places import needs_debian, needs_root

WARNING = "CONFINEMENT_WEAK"


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that every user can enter; pytest's are shut."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def told(agent: Agent) -> dict[str, list[str]]:
    """The item of `display version json`, once a child has told."""
    found: dict[str, list[str]] = {}

    def look() -> bool:
        found.update(json.loads(agent.must("display version json"))["items"][0])
        return found["confinement"] is not None

    wait_for(look, 60, "no child tells what confines it")
    return found


def enrol(agent: Agent, ca: LabCa) -> None:
    """By name, so that name resolution is confined too."""
    url = ca.url.replace("127.0.0.1", "localhost")
    agent.must(
        *procedure(url, f"fingerprint sha256 {ca.fingerprint}"),
        "pki enroll-certificate realm abc",
    )
    check_certificate(agent, ca.dir / "ca.pem")


def check_told(agent: Agent, missing: dict[str, str]) -> None:
    """In JSON, as text, and in one warning. The reason of a missing filter is the filter's."""
    item = told(agent)
    lacks = dict(one.rstrip(")").split(" (") for one in item["confinement_missing"])
    unfiltered = lacks.pop("seccomp", None)
    assert lacks == {name: why for name, why in missing.items() if name != "seccomp"}
    if "seccomp" in missing:
        assert unfiltered
    assert set(RUNGS) - set(item["confinement"]) - set(lacks) <= {"own user", "seccomp"}
    text = agent.must("display version")
    assert f" Missing: {', '.join(item['confinement_missing']) or '-'}\n" in text
    warnings = [line for line in agent.log().splitlines() if WARNING in line]
    assert len(warnings) == bool(item["confinement_missing"])
    for line in warnings:
        lacked = ", ".join(item["confinement_missing"])
        assert line == f"<4>PKI/4/{WARNING}: job children lack {lacked}"


@needs_root
@needs_debian
@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_a_missing_rung_is_one_warning_and_never_stops_a_job(
    folder: Path, tmp_path: Path, system: System
) -> None:
    clone = copy_for(folder)
    agent = Agent(
        folder,
        python=DEBIAN_PYTHON,
        clone=clone,
        prefix=system.prefix(DEBIAN_PYTHON, clone),
        uid=None if system.root else OTHER_USER,
    )
    with LabCa(tmp_path) as ca, agent:
        enrol(agent, ca)
        check_told(agent, system.missing)


@needs_debian
def test_a_python_without_ctypes_applies_all_the_same(folder: Path, tmp_path: Path) -> None:
    clone = copy_for(folder)
    for name in ("ctypes", "_ctypes"):
        (clone / f"{name}.py").write_text("raise ImportError('not in this Python')\n")
    with LabCa(tmp_path) as ca, Agent(folder, python=DEBIAN_PYTHON, clone=clone) as agent:
        enrol(agent, ca)
        own = {"own user"} if os.geteuid() == 0 else set()
        check_told(agent, dict.fromkeys(set(RUNGS) - {"own user"}, "no ctypes"))
        assert set(told(agent)["confinement"]) == own


# -- who may look into the agent -------------------------------------------------------------------

LOOK = """
import os, sys
for name in ("mem", "environ", "maps", "fd"):
    path = f"/proc/{sys.argv[1]}/{name}"
    try:
        os.readlink(path + "/0") if name == "fd" else open(path, "rb").read(1)
    except PermissionError:
        continue
    except OSError as error:  # it was opened: what is at address 0 cannot be read
        pass
    print(name)
"""
# Root as in a bare container. With the right to change groups both times: who has fewer rights than
# the agent cannot look into it anyway.
BARE_ROOT = ["setpriv", "--bounding-set", "-all,+setgid"]


def looked(pid: int, uid: int | None) -> str:
    """What somebody of the agent's user and with its capabilities can open of a process."""
    prefix = BARE_ROOT if uid is None else []
    command = [*prefix, DEBIAN_PYTHON, "-I", "-c", LOOK, str(pid)]
    ids = {} if uid is None else {"user": uid, "group": uid, "extra_groups": []}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, **ids)
    assert done.stderr == ""
    return done.stdout


@needs_root
@needs_debian
@pytest.mark.parametrize(
    ("uid", "ctypes"),
    [(None, True), (None, False), (OTHER_USER, True)],
    ids=["root", "root-no-ctypes", "not-root"],
)
def test_nobody_of_the_same_user_reads_the_memory_of_agent_or_worker(
    folder: Path, uid: int | None, ctypes: bool
) -> None:
    clone = copy_for(folder)
    if not ctypes:
        (clone / "_ctypes.py").write_text("raise ImportError('not in this Python')\n")
    prefix = BARE_ROOT if uid is None else []
    with Agent(folder, python=DEBIAN_PYTHON, clone=clone, uid=uid, prefix=prefix) as agent:
        told(agent)
        (pid,) = [one for one in children(os.getpid()) if runs(one, clone)]
        (worker,) = children(pid)
        os.kill(pid, signal.SIGSTOP)  # or it sends its worker away, on a machine that is busy
        try:
            assert os.getsid(worker) == worker  # it has not the terminal of the agent
            assert looked(pid, uid) == ""
            assert not ctypes or looked(worker, uid) == ""
        finally:
            os.kill(pid, signal.SIGCONT)
    sleeper = subprocess.Popen([*prefix, "sleep", "60"], user=uid, group=uid)
    try:
        assert looked(sleeper.pid, uid).split() == ["mem", "environ", "maps", "fd"]
    finally:
        sleeper.kill()
        sleeper.wait(60)


def runs(pid: int, clone: Path) -> bool:
    return str(clone).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
