"""The command: how much, on how many processes; one closing line, 0 when nothing fell short."""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from multiprocessing import Pool
from pathlib import Path
from typing import NamedTuple

from tools.fuzz.decoders import corpus, judging
from tools.fuzz.decoders.rig import BLOCK, GROWN, Failure, Outcome, Rig
from tools.fuzz.decoders.targets import TARGETS, Target
from tools.fuzz.watching import Memory, Progress
from tools.lab_ca.quirks import QUIRKS

INPUTS = 1_000_000
KEPT = Path("build/fuzz/corpus.pickle")
SHOWN = 20  # failures that are told one by one
FAULTS = (*judging.FAULTS, GROWN)

Work = tuple[int, int, int]


class Total(NamedTuple):
    inputs: int
    faults: Counter[str]

    def line(self, seconds: int, seed: int) -> str:
        faults = " ".join(f"{name}={self.faults[name]}" for name in FAULTS)
        return f"fuzz-decoders: inputs={self.inputs} {faults} seconds={seconds} seed={seed}"


class _Process:
    """What a process of the pool has: the rig, and a watch over what stays behind."""

    rig: Rig
    memory: Memory


def begin(found: corpus.Corpus, targets: Mapping[str, Target] = TARGETS) -> None:
    """Once in each process of the pool."""
    _Process.rig, _Process.memory = Rig(found, targets), Memory()
    judging.prepare()


def work(item: Work) -> Outcome:
    """One block, in a process of the pool."""
    return checked(_Process.rig.run(*item), _Process.memory, f"{item[0]}.{item[1]}.0")


def checked(outcome: Outcome, memory: Memory, code: str) -> Outcome:
    """The outcome, with what the process has kept of it."""
    if memory.leaked(outcome.inputs) and not outcome.failure:
        fault = judging.Fault(GROWN, "objects stay behind, from block to block")
        return outcome._replace(failure=Failure(code, "", fault, b""))
    return outcome


def blocks(seed: int, inputs: int) -> Iterator[Work]:
    for number, begun in enumerate(range(0, inputs, BLOCK)):
        yield seed, number, min(BLOCK, inputs - begun)


def summed(outcomes: Iterator[Outcome], tell: Callable[[int, int], None]) -> Total:
    """All blocks together; failures are told as they come."""
    total = Total(0, Counter())
    for one in outcomes:
        total = total._replace(inputs=total.inputs + one.inputs)
        if one.failure:
            total.faults[one.failure.fault.kind] += 1
            if total.faults.total() <= SHOWN:
                told(one.failure)
        tell(total.inputs, total.faults.total())
    return total


def told(failure: Failure) -> None:
    print(f"{failure.fault.kind}: --replay {failure.code} {failure.target}", file=sys.stderr)
    print(f"  {failure.fault.text[:300]}\n  {failure.row()}", file=sys.stderr)


def replay(rig: Rig, code: str) -> int:
    """A block up to the input of a code; 1 when it fails there again."""
    judging.prepare()
    seed, number, count = map(int, code.split("."))
    failure = rig.run(seed, number, count or BLOCK).failure
    if failure:
        told(failure)
    else:
        print("nothing fails")
    return int(failure is not None)


def chosen(path: Path, quirks: Sequence[str] | None) -> corpus.Corpus:
    """The corpus in a file; with names of quirks a small one, which is not kept."""
    if quirks is None:
        return corpus.kept(path)
    return corpus.made({name: QUIRKS[name] for name in quirks})


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 when nothing fell short."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz.decoders")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--inputs", type=int, default=INPUTS)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--corpus", type=Path, default=KEPT, help="made when it is not there")
    parser.add_argument("--quirk", action="append", choices=QUIRKS, help="of these, not kept")
    parser.add_argument("--replay", metavar="CODE", help="one failure again, on the same corpus")
    options = parser.parse_args(arguments)
    found = chosen(options.corpus, options.quirk)
    if options.replay:
        return replay(Rig(found, TARGETS), options.replay)
    begin_s, progress = time.monotonic(), Progress(options.inputs)
    with Pool(options.processes, begin, (found,)) as pool:
        todo = blocks(options.seed, options.inputs)
        total = summed(pool.imap_unordered(work, todo), progress.tell)
    progress.end()
    print(total.line(int(time.monotonic() - begin_s), options.seed))
    return int(bool(total.faults) or total.inputs == 0)


if __name__ == "__main__":
    sys.exit(main())
