"""The bench rig: each figure can be obtained, and what is over its goal is told. No times here."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.bench import everything, modules, page
from tools.bench.__main__ import PROBES, main
from tools.bench.figures import MIB, MS, Figure, MissingPeerError, Result
from tools.bench.rig import Probe, Rig, Samples

ROOT = Path(__file__).resolve().parents[2]
RUN_S = 300
SMALL = Figure("small", MS, "a figure", 10_000)
FREE = Figure("free", MIB, "one without a goal")


@pytest.mark.slow
@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_each_figure_can_be_obtained(probe: Probe) -> None:
    """In a process of its own: the bench becomes the parent of orphans."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.bench", "--quick", "--runs", "1", "--only", probe.name],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    *lines, last = done.stdout.splitlines()
    shape = r"bench: ([a-z0-9_]+)(=[0-9.]+ .*goal=.* (ok|over) min=.* max=.*| skipped: .+)"
    found = [re.fullmatch(shape, line) for line in lines]
    assert all(found), done.stdout + done.stderr
    assert [one[1] for one in found if one] == [figure.name for figure in probe.figures]
    assert re.fullmatch(r"bench: figures=\d+ over=\d+ skipped=\d+ failed=0 runs=1 .*", last)
    assert done.returncode == int(" over min" in done.stdout)


def planted(*values: int) -> Probe:
    """A probe whose runs give these values of `small`."""
    left = list(values)

    def take(_rig: Rig) -> Samples:
        return {"small": [left.pop(0)], "free": [2560]}

    return Probe("planted", take, (SMALL, FREE))


def test_a_median_over_its_goal_is_told_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quick", "--runs", "3"], [planted(9_000, 10_010, 20_000)]) == 1
    small, free, last = capsys.readouterr().out.splitlines()
    assert small == "bench: small=10.01 ms goal=10.00 over min=9.00 max=20.00"
    assert free == "bench: free=2.50 MiB goal=- ok min=2.50 max=2.50"
    assert last.startswith("bench: figures=2 over=1 skipped=0 failed=0 runs=3 seconds=")


def test_a_single_run_over_the_goal_is_not_the_median(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quick", "--runs", "3"], [planted(9_000, 10_000, 20_000)]) == 0
    assert " ok min=9.00 max=20.00" in capsys.readouterr().out


def test_a_missing_peer_is_skipped_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    def take(_rig: Rig) -> Samples:
        raise MissingPeerError("needs a peer")

    assert main(["--quick"], [Probe("peer", take, (FREE,))]) == 0
    said = capsys.readouterr().out
    assert "bench: free skipped: needs a peer\n" in said
    assert "figures=0 over=0 skipped=1 failed=0" in said


def test_a_figure_that_cannot_be_obtained_fails(capsys: pytest.CaptureFixture[str]) -> None:
    def take(_rig: Rig) -> Samples:
        raise AssertionError("not\nso")

    assert main(["--quick"], [Probe("broken", take, (FREE,))]) == 1
    assert "bench: free failed: AssertionError: not so\n" in capsys.readouterr().out


def test_only_takes_a_probe_or_a_figure(capsys: pytest.CaptureFixture[str]) -> None:
    other = Probe("other", lambda _rig: {"x": [1]}, (Figure("x", MS, "another"),))
    for name in ("planted", "free"):
        assert main(["--quick", "--runs", "1", "--only", name], [planted(1), other]) == 0
        assert " x=" not in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["--quick", "--only", "nothing"], [other])


def test_the_session_uses_every_command_and_would_notice_a_new_one() -> None:
    typed = everything.lines("http://ca.example/scep", "12" * 32)
    assert everything.unused(typed) == []
    without = [line for line in typed if not line.startswith("undo key-usage")]
    assert everything.unused(without) == ["undo key-usage"]


@pytest.mark.slow
def test_the_page_has_every_figure_and_every_column() -> None:
    results = [
        Result(SMALL, "", (1_000, 20_000, 30_000)),
        Result(SMALL, "debian", (2_000,)),
        Result(FREE, "", skipped="needs a peer"),
    ]
    text = page.text(results, {"": sys.executable, "debian": sys.executable}, 3, 0.5)
    row = "| `small` | 10.00 | ms | 20.00 **over** (1.00..30.00) | 2.00 (2.00..2.00) | a figure |"
    assert row in text
    assert "| `free` | - | MiB | skipped: needs a peer |  | one without a goal |" in text
    assert "| (interpreter) |" in text


def test_modules_are_charged_with_themselves() -> None:
    found = {one.name: one for one in modules.measured(sys.executable)}
    assert found["(interpreter)"].dirty_kib > max(
        one.dirty_kib for name, one in found.items() if name != "(interpreter)"
    )
    assert "agent.console" in found
    assert modules.group("agent.console.terminal.editor") == "agent.console"
    assert modules.group("serial.tools") == "serial"
