"""Trees of Debian's packages below `build/`, each made once by whoever asks first."""

import fcntl
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.helpers.board import ROOT

MIRROR = "deb http://deb.debian.org/debian bookworm main"
BUILD = ROOT / "build"


def tree(name: str, packages: Sequence[str], *options: str, seconds: int) -> Path:
    """A tree of these packages; options: of mmdebstrap. AssertionError with what it has said."""
    found = BUILD / name
    BUILD.mkdir(exist_ok=True)
    with open(BUILD / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not found.exists():
            staged = BUILD / f"{name}.new"
            shutil.rmtree(staged, ignore_errors=True)
            command = ["mmdebstrap", *options, f"--include={','.join(packages)}"]
            command += ["bookworm", str(staged), MIRROR]
            made = subprocess.run(
                command, capture_output=True, text=True, timeout=seconds, check=False
            )
            assert made.returncode == 0, made.stderr
            staged.rename(found)
    return found
