"""The command: which probes, how often, what is printed and written."""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.bench import (
    alone,
    echo,
    flashcost,
    herd,
    idle,
    modules,
    page,
    peaks,
    scale,
    series,
    single,
)
from tools.bench.figures import MissingPeerError, Result, closing
from tools.bench.rig import FULL, QUICK, Probe, Rig, Samples

PROBES = (
    *idle.PROBES,
    *echo.PROBES,
    *single.PROBES,
    *series.PROBES,
    *peaks.PROBES,
    *flashcost.PROBES,
    *scale.PROBES,
    *herd.PROBES,
    *alone.PROBES,
)
RUNS = 5
DEBIAN = "/usr/bin/python3"
HAS_PACKAGES = "import cryptography, serial"


def interpreters() -> dict[str, str]:
    """Column -> interpreter: this one, and Debian's when it is another and has what it needs."""
    found = {"": sys.executable}
    if Path(DEBIAN).exists() and Path(sys.executable).resolve() != Path(DEBIAN).resolve():
        done = subprocess.run(
            [DEBIAN, "-I", "-c", HAS_PACKAGES], capture_output=True, timeout=60, check=False
        )
        if done.returncode == 0:
            found["debian"] = DEBIAN
    return found


def measured(probe: Probe, column: str, python: str, runs: int, quick: bool) -> list[Result]:
    """All figures of a probe."""
    samples: Samples = {figure.name: [] for figure in probe.figures}
    scale = QUICK if quick else FULL
    skipped = failed = ""
    try:
        for _run in range(1 if probe.once else runs):
            with tempfile.TemporaryDirectory(prefix="bench-") as folder:
                found = probe.take(Rig(Path(folder), python, scale, runs))
            for name, values in found.items():
                samples[name] += values
    except MissingPeerError as why:
        skipped = str(why)
    except Exception as error:
        # A rig of many parts: whatever went wrong is told, and the other figures are still taken.
        failed = f"{type(error).__name__}: {error}".replace("\n", " ")
        traceback.print_exc()
    empty: list[int] = []
    return [
        Result(figure, column, tuple(empty if failed else samples[figure.name]), skipped, failed)
        for figure in probe.figures
    ]


def chosen(probes: Sequence[Probe], names: Sequence[str]) -> list[Probe]:
    """The probes that are called so, or that take a figure that is."""
    if not names:
        return list(probes)
    return [
        probe
        for probe in probes
        if {probe.name, *(figure.name for figure in probe.figures)} & set(names)
    ]


def taken(
    probes: Sequence[Probe], columns: dict[str, str], runs: int, quick: bool
) -> Iterator[Result]:
    """All results, each printed as soon as it is there."""
    for probe in probes:
        for column, python in columns.items():
            if column and probe.own:
                continue
            for result in measured(probe, column, python, runs, quick):
                print(result.line(), flush=True)
                yield result


def main(arguments: Sequence[str] | None = None, probes: Sequence[Probe] = PROBES) -> int:
    """The exit status: 0 when every figure was obtained or skipped, and none is over its goal."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench")
    parser.add_argument("--runs", type=int, default=RUNS, help=f"runs a figure, default {RUNS}")
    parser.add_argument("--only", action="append", default=[], help="a probe or a figure")
    parser.add_argument("--quick", action="store_true", help="little work: is the rig whole?")
    parser.add_argument("--modules", action="store_true", help="what each import adds, and end")
    parser.add_argument("--write", metavar="FILE", help="write the page as well")
    options = parser.parse_args(arguments)
    columns = {"": sys.executable} if options.quick else interpreters()
    if options.modules:
        for column, python in columns.items():
            print("\n".join(modules.listing(modules.measured(python), column)))
        return 0
    wanted = chosen(probes, options.only)
    if not wanted or options.runs < 1:
        parser.error("there is no such figure")
    load, begin = os.getloadavg()[0], time.monotonic()
    results = list(taken(wanted, columns, options.runs, options.quick))
    print(closing(results, options.runs, int(time.monotonic() - begin)))
    if options.write:
        Path(options.write).write_text(page.text(results, columns, options.runs, load))
    return int(any(result.over or result.failed for result in results))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # or agents and CAs would be left behind
    sys.exit(main())
