"""The system calls of job children, as strace sees them."""

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

STRACE = "/usr/bin/strace"
_LINE = re.compile(r"^(\d+) +(<\.\.\. )?(\w+)(?:\(| resumed>)(.*)$")
_END = re.compile(r"^(\d+) +\+\+\+ ", re.MULTILINE)
_RESULT = re.compile(r"= -1 (EPERM|EACCES|ENOSYS) ")
_CONFINED = "PR_SET_SECCOMP"  # the last act of a child before it reads its job
_WAIT_S, _LOOK_S = 20, 0.05


def command(argv: Sequence[str], out: Path) -> list[str]:
    """The worker under strace; the worker stays the child of its agent (-D)."""
    return [STRACE, "-D", "-f", "-q", "-e", "signal=kill", "-o", str(out), *argv]


class Calls(NamedTuple):
    """What a child called, and which of these calls were refused, with the errno."""

    made: frozenset[str]
    refused: frozenset[tuple[str, str]]


def children(text: str) -> list[Calls]:
    """The calls of each child once it was confined, in the order in which that happened."""
    made, refused = _by_child(text)
    return [Calls(frozenset(made[pid]), frozenset(refused[pid])) for pid in made]


def whole(out: Path) -> str:
    """The trace when all its children have ended: strace writes a little later than they do."""
    deadline = time.monotonic() + _WAIT_S
    while time.monotonic() < deadline:
        text = out.read_text(errors="replace") if out.exists() else ""
        if text and set(_by_child(text)[0]) <= set(_END.findall(text)):
            return text
        time.sleep(_LOOK_S)
    raise AssertionError(f"{out} does not end")


def _by_child(text: str) -> tuple[dict[str, set[str]], dict[str, set[tuple[str, str]]]]:
    """Pid -> names of its calls, and pid -> those that were refused with the errno."""
    made: dict[str, set[str]] = {}
    refused: dict[str, set[tuple[str, str]]] = {}
    for line in text.splitlines():
        if not (found := _LINE.match(line)):
            continue
        pid, resumed, name, rest = found.groups()
        if pid in made and not (resumed and name == "prctl"):
            made[pid].add(name)
            refused[pid] |= {(name, number) for number in _RESULT.findall(rest)}
        elif name == "prctl" and _CONFINED in rest:
            made[pid], refused[pid] = set(), set()
    return made, refused
