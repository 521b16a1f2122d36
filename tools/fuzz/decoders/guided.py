"""Fuzzing that follows coverage: Atheris (libFuzzer) on the same decoders, judged the same way.

    PYTHONPATH=build/atheris python -m tools.fuzz.decoders.guided --seconds 600

The first octet of an input says which decoder it is for, the rest is what that reads. Half of the
changes are libFuzzer's own, which knows what found new ways; half are those of `mutations`, which
knows what a message is made of. Each process runs on its own; what they find is shared through the
folder of the corpus. A fault is written down and the run goes on.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import NamedTuple

import atheris

with atheris.instrument_imports(include=["agent.scep", "agent.pem"]):
    from tools.fuzz.decoders.targets import TARGETS, Place

from tools.fuzz.decoders import corpus, judging, mutations
from tools.fuzz.decoders.__main__ import FAULTS, KEPT
from tools.fuzz.decoders.rig import GROWN, Failure

FOLDER = Path("build/fuzz/guided")
LARGEST = 32 * 1024  # larger ones are slow and find nothing new
_EXECUTED = re.compile(r"stat::number_of_executed_units: *(\d+)")
_COVERED = re.compile(r"cov: (\d+)")
_NAMES = tuple(TARGETS)


class _Run:
    """What one process does with an input."""

    def __init__(self, found: corpus.Corpus, failures: Path) -> None:
        self._places = {name: Place.of(found.worlds[_world(found, name)]) for name in _NAMES}
        self._pool = mutations.Pool([sample.data for sample in found.samples])
        self._failures, self._told = failures, Counter[tuple[str, str]]()

    def one(self, data: bytes) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)  # Atheris' own time-out: `judging` has one
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        if not data:
            return
        name, data = _NAMES[data[0] % len(_NAMES)], data[1:]
        fault = judging.judged(TARGETS[name].decode, data, self._places[name])
        if fault is None:
            return
        kind = name, fault.text[:40]
        self._told[kind] += 1
        if self._told[kind] <= 2:
            with self._failures.open("a", encoding="utf-8") as rows:
                rows.write(f"{fault.kind} {Failure('', name, fault, data).row()}\n")

    def changed(self, data: bytes, most: int, seed: int) -> bytes:
        random = Random(seed)
        if random.random() < 0.5 or len(data) < 2:
            found: bytes = atheris.Mutate(data, most)
            return found
        target = TARGETS[_NAMES[data[0] % len(_NAMES)]]
        return (data[:1] + mutations.mutated(random, data[1:], self._pool, target.text))[:most]


def _world(found: corpus.Corpus, name: str) -> int:
    """That of the first good message for a decoder."""
    return found.of(TARGETS[name].kinds[0])[0].world


def begun(found: corpus.Corpus, folder: Path) -> None:
    """The messages to begin with, as files: of each quirk's conversation, where they differ."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(_NAMES):
        for kind in TARGETS[name].kinds:
            for sample in found.of(kind)[::3]:
                data = bytes((number,)) + sample.data
                (folder / f"{name}-{sha256(data).hexdigest()[:12]}").write_bytes(data)


def fuzz(seconds: int, seed: int) -> None:
    """One process; it ends itself."""
    run = _Run(corpus.kept(KEPT), FOLDER / "failures")
    judging.prepare()
    words = [
        f"-max_total_time={seconds}", f"-seed={seed}", f"-max_len={LARGEST}", "-timeout=3600",
        "-rss_limit_mb=0", f"-artifact_prefix={FOLDER}/", "-print_final_stats=1", "-reload=1",
        "-len_control=0", str(FOLDER / "corpus"),
    ]  # fmt: skip
    atheris.Setup(["guided", *words], run.one, custom_mutator=run.changed)
    atheris.Fuzz()


class Total(NamedTuple):
    inputs: int
    covered: int
    faults: Counter[str]

    def line(self, seconds: int, seed: int) -> str:
        faults = " ".join(f"{name}={self.faults[name]}" for name in FAULTS if name != GROWN)
        counted = f"inputs={self.inputs} covered={self.covered}"
        return f"atheris: {counted} {faults} seconds={seconds} seed={seed}"


def processes(seconds: int, seed: int, number: int) -> Total:
    """All of them side by side, and what they came to."""
    command = [sys.executable, "-m", __spec__.name, "--seconds", str(seconds), "--process"]
    running = [
        subprocess.Popen([*command, str(seed + one)], stderr=subprocess.PIPE, text=True)
        for one in range(number)
    ]
    said = [process.communicate()[1] for process in running]
    for process, text in zip(running, said, strict=True):
        if process.returncode != 0 or not _EXECUTED.search(text):
            raise SystemExit(f"a process ended with {process.returncode}: {text[-2000:]}")
    rows = (FOLDER / "failures").read_text(encoding="utf-8").splitlines()
    print(*rows, sep="\n", end="\n" if rows else "", file=sys.stderr)
    return Total(
        sum(int(count) for text in said for count in _EXECUTED.findall(text)),
        max((int(count) for text in said for count in _COVERED.findall(text)), default=0),
        Counter(row.partition(" ")[0] for row in rows),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 when nothing fell short."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz.decoders.guided")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--process", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.process is not None:
        fuzz(options.seconds, options.process)
    begun(corpus.kept(KEPT), FOLDER / "corpus")
    (FOLDER / "failures").write_text("", encoding="utf-8")
    begin_s = time.monotonic()
    total = processes(options.seconds, options.seed, options.processes)
    print(total.line(int(time.monotonic() - begin_s), options.seed))
    return int(bool(total.faults) or not total.covered)


if __name__ == "__main__":
    sys.exit(main())
