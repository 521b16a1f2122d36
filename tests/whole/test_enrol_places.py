"""Who runs it and where it lies: root and an ordinary user, a clone in a folder that is shut."""

import os
import pwd
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from platforms.users import worker_user
from tests.helpers.board import ROOT, Agent, check_certificate, copy_program, procedure
from tests.helpers.labca import LabCa

DEBIAN_PYTHON = "/usr/bin/python3"
NOBODY = pwd.getpwnam("nobody").pw_uid


def _has_runtime(python: str) -> bool:
    done = subprocess.run(
        [python, "-I", "-c", "import cryptography, serial"], capture_output=True, timeout=120
    )
    return done.returncode == 0


needs_debian = pytest.mark.skipif(
    not (os.path.exists(DEBIAN_PYTHON) and _has_runtime(DEBIAN_PYTHON)),
    reason="needs Debian's python3-cryptography, python3-serial",
)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: changes the user")


def enrol(tmp_path: Path, **how: object) -> Agent:
    with LabCa(tmp_path) as ca, Agent(tmp_path, **how) as agent:  # type: ignore[arg-type]
        agent.must(
            *procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"),
            "pki enroll-certificate realm abc",
            "display pki certificate local realm abc",
        )
        check_certificate(agent, ca.dir / "ca.pem")
        return agent


@needs_debian
def test_on_the_packages_of_debian(tmp_path: Path) -> None:
    enrol(tmp_path, python=DEBIAN_PYTHON)


@needs_debian
@needs_root
def test_as_root_from_a_clone_that_the_worker_user_cannot_enter(tmp_path: Path) -> None:
    shut = tmp_path / "shut"
    shut.mkdir(mode=0o700)
    clone = copy_program(shut)
    enrol(tmp_path, python=DEBIAN_PYTHON, clone=clone)


@needs_root
def test_as_root_with_an_interpreter_and_a_clone_that_are_shut(tmp_path: Path) -> None:
    """Everything below one 0700 folder: program, packages; the child has dropped its rights."""
    shut = tmp_path / "shut"
    shut.mkdir(mode=0o700)
    packages = Path(next(p for p in sys.path if p.endswith("site-packages")))
    clone = copy_program(shut)
    (shut / "packages").symlink_to(packages)
    enrol(tmp_path, clone=clone)


@needs_debian
@needs_root
def test_as_an_ordinary_user() -> None:
    """No root, no change of user: the same, and what it made belongs to that user alone."""
    with tempfile.TemporaryDirectory() as name:  # pytest's folders are shut for other users
        folder = Path(name)
        folder.chmod(0o755)
        agent = enrol(folder, python=DEBIAN_PYTHON, clone=copy_program(folder), uid=NOBODY)
        _check_private(agent)


def _check_private(agent: Agent) -> None:
    for path in (agent.dir / "flash.bin", agent.dir / "device.key"):
        assert path.stat().st_uid == NOBODY
        assert path.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="this is the test for everybody but root")
def test_as_the_user_who_runs_the_tests(tmp_path: Path) -> None:
    enrol(tmp_path)


@needs_root
def test_each_child_has_a_user_and_opens_nothing_of_the_program(tmp_path: Path) -> None:
    """strace's opinion: after the change of user no path of program or packages is opened."""
    if subprocess.run(["which", "strace"], capture_output=True).returncode:
        pytest.skip("needs strace")
    trace = tmp_path / "trace"
    prefix = ["strace", "-D", "-f", "-qq", "-e", "trace=openat,open,setresuid", "-o", str(trace)]
    enrol(tmp_path, prefix=prefix)
    (uid, _gid, _step), dropped = worker_user("") or (0, 0, 0), set()
    opened: list[str] = []
    for line in trace.read_text(errors="replace").splitlines():
        pid, call = line.split(None, 1)
        if call.startswith(f"setresuid({uid},"):  # one job after the other: place 0
            dropped.add(pid)
        elif pid in dropped and "open" in call.split("(")[0]:
            opened.append(call)
    assert len(dropped) >= 4  # generate-key, fetch-ca, enrol, activate, inspect
    inside = (str(ROOT), sys.prefix, sys.base_prefix, "site-packages", "dist-packages")
    assert [call for call in opened if any(folder in call for folder in inside)] == []
