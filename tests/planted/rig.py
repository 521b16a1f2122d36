"""Applies a patch to a copy of the sources, and looks whether its test finds the fault."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PATCHES = tuple(sorted(Path(__file__).parent.glob("*.patch")))
SOURCES = ("agent", "hal", "platforms", "tools", "tests")
HEAD = re.compile(r"What: (.+)\nTest: (tests/\S+\.py::\S+)\nBudget: (\d+)\n(diff|---) ")
APPLY = ("git", "apply", "--unidiff-zero", "--whitespace=nowarn")
QUICK = ("-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist")
FAILED = 1  # of pytest: tests were run and some failed; 2 to 5 are errors of another kind


class Planted(NamedTuple):
    what: str
    test: str
    budget_s: int


def read(patch: Path) -> Planted:
    """The head of a patch."""
    found = HEAD.match(patch.read_text(encoding="utf-8"))
    assert found, f"{patch.name} has no head"
    return Planted(found[1], found[2], int(found[3]))


def misfit(patch: Path, folder: Path = ROOT) -> str:
    """Why a patch does not apply; "" when it does."""
    done = subprocess.run(
        [*APPLY, "--check", str(patch)], cwd=folder, capture_output=True, text=True, timeout=120
    )
    return done.stderr if done.returncode else ""


def named(name: str) -> Path:
    """A patch by what its file is called, without its number."""
    (patch,) = (patch for patch in PATCHES if patch.stem.partition("-")[2] == name)
    return patch


def plant(patch: Path, copy: Path) -> None:
    """Applies it to a copy of the sources; AssertionError when it does not fit."""
    # As outside of a repository: git would leave out what is not below the place where it stands.
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(copy.parent)}
    done = subprocess.run(
        [*APPLY, str(patch)], cwd=copy, capture_output=True, text=True, timeout=120, env=environment
    )
    assert done.returncode == 0, f"{patch.name} does not apply any more: {done.stderr}"


def find(patch: Path, folder: Path) -> float:
    """How many seconds its test took to find it, in a copy below `folder`.

    AssertionError: the patch does not apply, the test does not fail, or not in time.
    """
    copy = folder / patch.stem
    copy.mkdir()
    try:
        return _found(read(patch), patch, copy)
    finally:
        shutil.rmtree(copy)


def _found(planted: Planted, patch: Path, copy: Path) -> float:
    for name in SOURCES:
        shutil.copytree(ROOT / name, copy / name)
    shutil.copy2(ROOT / "pyproject.toml", copy)
    plant(patch, copy)
    begin = time.monotonic()
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", *QUICK, planted.test],
            cwd=copy,
            capture_output=True,
            text=True,
            timeout=planted.budget_s,
        )
    except subprocess.TimeoutExpired:
        raise AssertionError(f"{patch.name}: nothing in {planted.budget_s} s") from None
    told = f"{patch.name}: {planted.test} ended with {ended.returncode}: {ended.stdout[-1000:]}"
    assert ended.returncode == FAILED, told
    return time.monotonic() - begin
