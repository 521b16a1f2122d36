"""Where the memory of the idle agent goes: what each import adds to a fresh interpreter.

`-X importtime` tells the order in which imports end, the innermost first. A second interpreter
imports the same modules in that order, one by one, and looks at itself after each; so a module is
charged with itself and not with what it imports. What the interpreter loads by itself is its own
line.
"""

import subprocess
from typing import NamedTuple

from agent.resident import ROOT
from tools.bench.figures import MIB, number

LOADED = "agent.__main__, agent.resident, hal.serialport"  # the agent with a serial line
ROOMS = ("agent", "hal", "platforms")
BARE = "(interpreter)"
ALL = "(all)"
SMALLER = "(smaller ones)"
SMALL_KIB = 64  # modules below it are added up in one line
RUN_S = 60

IMPORT_ALL = f"import sys; sys.path.insert(0, {ROOT!r}); import {LOADED}"
ONE_BY_ONE = f"""
import sys
sys.path.insert(0, {ROOT!r})

def look():
    with open("/proc/self/smaps_rollup") as file:
        fields = dict(line.split(":", 1) for line in file.read().splitlines()[1:])
    return [int(fields[name].split()[0]) for name in ("Rss", "Private_Dirty")]

look()
before = look()
print({BARE!r}, *before)
for name in sys.argv[1:]:
    if name in sys.modules:
        continue
    try:
        __import__(name)
    except ImportError:
        continue
    after = look()
    print(name, *(new - old for new, old in zip(after, before)))
    before = after
"""


class Added(NamedTuple):
    """What a module, or a group of them, adds; KiB."""

    name: str
    resident_kib: int
    dirty_kib: int


def measured(python: str) -> list[Added]:
    """The groups, the largest first, and at the end all that are small."""
    names = _order(python)
    groups: dict[str, Added] = {}
    for line in _run(python, "-c", ONE_BY_ONE, *names).stdout.splitlines():
        name, resident, dirty = line.split()
        had = groups.get(group(name), Added(group(name), 0, 0))
        groups[had.name] = Added(
            had.name, had.resident_kib + int(resident), had.dirty_kib + int(dirty)
        )
    ranked = sorted(groups.values(), key=lambda one: -one.dirty_kib)
    large = [one for one in ranked if one.dirty_kib >= SMALL_KIB]
    return [*large, total(SMALLER, ranked[len(large) :])]


def group(module: str) -> str:
    """The package of a module; of our own rooms, the part of the room."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] in ROOMS else parts[0]


def total(name: str, parts: list[Added]) -> Added:
    """The sum of several."""
    return Added(name, sum(p.resident_kib for p in parts), sum(p.dirty_kib for p in parts))


def listing(found: list[Added], column: str) -> list[str]:
    """One line a group."""
    rows = [*found, total(ALL, found)]
    where = f" interpreter={column}" if column else ""
    return [
        f"modules: {one.name} resident={number(one.resident_kib, MIB)} MiB"
        f" dirty={number(one.dirty_kib, MIB)} MiB{where}"
        for one in rows
    ]


def _order(python: str) -> list[str]:
    lines = _run(python, "-X", "importtime", "-c", IMPORT_ALL).stderr.splitlines()
    return [line.rpartition("|")[2].strip() for line in lines if line.count("|") == 2][1:]


def _run(python: str, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [python, "-I", *words], capture_output=True, text=True, timeout=RUN_S, check=True
    )
