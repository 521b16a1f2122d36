"""Bash completion of the command line: real bash is asked, and the table of commands compared."""

import subprocess
from pathlib import Path

import pytest

from agent.__main__ import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "platforms" / "completion" / "scep-agent.bash"

# What readline does for `complete -F`: the words so far, and the one under the cursor.
ASK = """
source "$1"; shift
complete -p scep-agent >/dev/null || exit 1
COMP_WORDS=(scep-agent "$@"); COMP_CWORD=$#
_scep_agent
printf '%s\\n' "${COMPREPLY[@]}"
"""


def offered(folder: Path, *words: str) -> list[str]:
    done = subprocess.run(
        ["bash", "--norc", "-c", ASK, "bash", str(FILE), *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return sorted(done.stdout.split())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "router.cfg").touch()
    (tmp_path / "state").mkdir()
    return tmp_path


def test_the_commands_that_a_person_types(folder: Path) -> None:
    assert offered(folder, "") == sorted(set(COMMANDS) - {"worker"})
    assert offered(folder, "co") == ["console"]
    assert offered(folder, "nothing") == []


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"worker"}))
def test_the_options_are_those_of_the_table(folder: Path, name: str) -> None:
    known = [option.name for option in COMMANDS[name].options()]
    assert offered(folder, name, "-") == sorted(known)
    for option in known:
        assert option in offered(folder, name, option)


def test_files_and_folders(folder: Path) -> None:
    assert offered(folder, "apply", "ro") == ["router.cfg"]
    assert offered(folder, "apply", "--dry-run", "") == ["router.cfg", "state"]
    assert offered(folder, "run", "--config", "r") == ["router.cfg"]
    assert offered(folder, "run", "--state", "") == ["state"]
    assert offered(folder, "run", "--board", "s") == ["sim", "state"]
    assert offered(folder, "console", "--socket", "st") == ["state"]
    assert offered(folder, "console", "-c", "") == []
    assert offered(folder, "enroll", "--password-file", "r") == ["router.cfg"]
    assert offered(folder, "enroll", "--state", "") == []
