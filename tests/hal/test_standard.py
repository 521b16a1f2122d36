"""Standard streams: closed ones, a reader that has gone, a disk that is full."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILL = """
import os, sys
from hal import standard
standard.fill()
print(*(os.readlink(f"/proc/self/fd/{n}") for n in range(3)), file=open(sys.argv[1], "w"))
sys.stdout.write("x"), sys.stderr.write("x"), sys.stdin.read()
"""
SAY = """
import sys
from hal import standard
from hal.ports import FilesError
for _ in range(2):
    try:
        standard.say(b"text")
    except (BrokenPipeError, FilesError) as error:
        sys.stderr.write(f"{type(error).__name__} {error}.")
"""


def python(code: str, *words: str, shell: str = 'exec "$@"') -> tuple[int, str]:
    """Exit status and standard error of a program that a shell starts."""
    done = subprocess.run(
        ["sh", "-c", shell, "sh", sys.executable, "-c", code, *words],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        timeout=60,
    )
    return done.returncode, done.stderr.decode()


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- 2>&-", "<&- >&- 2>&-"])
def test_what_is_closed_is_dev_null(tmp_path: Path, closed: str) -> None:
    path = tmp_path / "seen"
    status, _said = python(FILL, str(path), shell=f'exec "$@" {closed}')
    assert status == 0
    seen = path.read_text().split()
    for number in (0, 1):
        assert seen[number] == os.devnull
    assert (seen[2] == os.devnull) == ("2>&-" in closed)


def test_output_that_cannot_be_written_is_told_once() -> None:
    full = python(SAY, shell='exec "$@" >/dev/full')
    assert full == (0, "FilesError standard output: No space left on device.")
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-c", SAY], cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, timeout=60
    )
    os.close(writer)
    assert done.stderr == b"BrokenPipeError [Errno 32] Broken pipe."
    assert done.returncode == 0
