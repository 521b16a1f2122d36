"""The fuzzing rig: a slice of its inputs, and that it finds what is planted. `make fuzz`: all."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rigs.planted.consoles import FAULTS, Leaking
from tools.fuzz import __main__ as command
from tools.fuzz import growth, rig
from tools.fuzz.watching import WARM_BLOCKS, Memory

ROOT = Path(__file__).resolve().parents[2]
RUN_S = 300
SLICE = ("--inputs", "5000", "--lines", "1000", "--processes", "2")
BLOCKS = 12
MOST_BLOCKS = 60  # the rarest of the planted faults is in one of eight, and each new row moves it


def fuzz(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tools.fuzz", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )


@pytest.mark.slow
def test_a_slice_with_nothing_found() -> None:
    done = fuzz(*SLICE, "--seed", "7")
    shape = (
        r"fuzz: inputs=5000 lines=1000 escapes=0 different=0 unanswered=0 growth=0"
        r" seconds=\d+ seed=7\n"
    )
    assert re.fullmatch(shape, done.stdout), done.stdout + done.stderr
    assert done.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_and_replayed(fault: str) -> None:
    make = FAULTS[fault]
    kind = "lines" if fault == rig.UNANSWERED else "bytes"
    blocks = (rig.run(1, kind, number, make=make).failure for number in range(MOST_BLOCKS))
    first = next((one for one in blocks if one and one.fault == fault), None)
    assert first, f"not in {MOST_BLOCKS} blocks"
    _seed, _kind, number, count = first.code.split(".")
    assert rig.run(1, kind, int(number), int(count), make).failure == first
    if fault != rig.GROWN:  # which is looked for now and then
        assert rig.run(1, kind, int(number), int(count) - 1, make).failure is None


@pytest.mark.slow
def test_what_stays_behind_in_a_module_is_found() -> None:
    memory = Memory()
    codes = [
        command.checked(rig.run(2, "bytes", number, 50, Leaking), memory, "2.bytes.0.0").failure
        for number in range(WARM_BLOCKS + BLOCKS)
    ]
    assert [one.fault for one in codes if one][:1] == [rig.GROWN]


def test_what_fell_short_is_told_counted_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    bad = rig.Outcome(3, 0, rig.Failure("1.bytes.0.3", rig.ESCAPED, "b'x': IndexError: y"))
    total = command.summed(iter([bad, rig.Outcome(0, 250, None)]), lambda _total: None)
    assert total.line(4, 1) == (
        "fuzz: inputs=3 lines=250 escapes=1 different=0 unanswered=0 growth=0 seconds=4 seed=1"
    )
    assert "escapes: --replay 1.bytes.0.3\n  b'x': IndexError: y\n" in capsys.readouterr().err
    assert command.main(["--inputs", "0", "--lines", "0"]) == 1
    assert command.main(["--replay", "1.bytes.0.5"]) == 0


def test_every_input_is_done_once() -> None:
    found = list(command.blocks(1, rig.BLOCK * 2 + 1, 3))
    assert [(kind, number, count) for _, kind, number, count in found] == [
        ("bytes", 0, rig.BLOCK),
        ("bytes", 1, rig.BLOCK),
        ("bytes", 2, 1),
        ("lines", 0, 3),
    ]


def test_what_is_held_is_counted_but_not_what_is_shared() -> None:
    shared = [b"x" * 5000]
    assert growth.held({"a": shared, "b": [b"y" * 1000]}, (shared,)) < 2500
    assert growth.held({"a": shared}, ()) > 5000
