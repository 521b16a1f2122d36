"""The wheel in an environment of its own: the command enrols, and no name of a room is taken."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.labca import LabCa
from tools import wheel

WAIT_S = 120
RUN_S = 60


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The build changes its folder for a moment, so it is a process."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "tools.wheel", "--out", str(folder)]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=WAIT_S)
    found, source = said.stdout.split()
    return Path(found), Path(source)


@pytest.fixture
def environment(tmp_path: Path, built: tuple[Path, Path]) -> Path:
    """An empty environment with the wheel; what the product depends on is that of the tests."""
    folder = tmp_path / "environment"
    venv.create(folder, symlinks=True)
    (site,) = folder.glob("lib/python3*/site-packages")
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
    command = [*pip, "install", "-q", "--no-index", "--no-deps", str(built[0])]
    subprocess.run(command, check=True, timeout=WAIT_S, capture_output=True)
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


@pytest.fixture
def agent(tmp_path: Path, environment: Path) -> Iterator[Path]:
    """The command; its agent runs on a simulated board, whose console socket is `console.sock`."""
    command, state = environment / "bin" / "scep-agent", tmp_path / "board"
    process = subprocess.Popen(
        [command, "run", "--board", "sim", "--state", str(state)],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"]},
    )
    try:
        assert process.stderr
        for line in process.stderr:
            if "AGENT_START" in line:
                break
        yield command
    finally:
        process.terminate()
        process.communicate(timeout=RUN_S)


def test_the_command_enrols(tmp_path: Path, agent: Path) -> None:
    with LabCa(tmp_path) as ca:
        done = subprocess.run(
            [
                *(agent, "enroll", "--socket", str(tmp_path / "board" / "console.sock")),
                *("--url", ca.url, "--fingerprint", ca.fingerprint, "--common-name", "r1"),
            ],
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert len(ca.issued()) == 1
    assert (tmp_path / "board" / "memory" / "default" / "cert.pem").exists()


def test_no_room_is_a_module_of_everybody(environment: Path) -> None:
    (site,) = environment.glob("lib/python3*/site-packages")
    ours = {path.name for path in site.iterdir() if not path.name.startswith(("pip", "setup"))}
    assert ours == {"scep_agent", "scep_agent-0.1.0.dist-info", "dependencies.pth"}


def test_the_source_distribution_has_what_the_wheel_has(
    tmp_path: Path, built: tuple[Path, Path]
) -> None:
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-index", "--no-deps"]
    command = [*pip, "--no-build-isolation", "--wheel-dir", str(tmp_path), str(built[1])]
    subprocess.run(command, check=True, timeout=WAIT_S, capture_output=True)
    (again,) = tmp_path.glob("*.whl")
    names = [sorted(zipfile.ZipFile(path).namelist()) for path in (built[0], again)]
    assert names[0] == names[1]
    assert wheel.PACKAGE + "/agent/__main__.py" in names[0]
