"""The command: how much, on how many processes; progress for people, one closing line for all."""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import Pool
from typing import NamedTuple

from tools.fuzz import rig
from tools.fuzz.watching import Memory, Progress

INPUTS, LINES = 1_000_000, 100_000
SHOWN = 20  # failures that are told one by one
TEXT_CHARACTERS = 600

Work = tuple[int, str, int, int]


class Total(NamedTuple):
    inputs: int
    lines: int
    faults: Counter[str]

    def share(self) -> tuple[int, int]:
        """What is done, and how much of it failed."""
        return self.inputs + self.lines, self.faults.total()

    def line(self, seconds: int, seed: int) -> str:
        faults = " ".join(f"{name}={self.faults[name]}" for name in rig.FAULTS)
        return (
            f"fuzz: inputs={self.inputs} lines={self.lines} {faults} seconds={seconds} seed={seed}"
        )


_memory = Memory()  # of a process of the pool


def work(item: Work) -> rig.Outcome:
    """One block, in a process of the pool."""
    seed, kind, number, count = item
    return checked(rig.run(seed, kind, number, count), _memory, f"{seed}.{kind}.{number}.0")


def checked(outcome: rig.Outcome, memory: Memory, code: str) -> rig.Outcome:
    """The outcome, with what the process has kept of it."""
    if memory.leaked(outcome.inputs + outcome.lines) and not outcome.failure:
        text = "objects stay behind, from block to block"
        return outcome._replace(failure=rig.Failure(code, rig.GROWN, text))
    return outcome


def blocks(seed: int, inputs: int, lines: int) -> Iterator[Work]:
    for kind, total in (("bytes", inputs), ("lines", lines)):
        for number, begun in enumerate(range(0, total, rig.BLOCK)):
            yield seed, kind, number, min(rig.BLOCK, total - begun)


def summed(outcomes: Iterator[rig.Outcome], tell: Callable[[Total], None]) -> Total:
    """All blocks together; failures are told as they come."""
    total = Total(0, 0, Counter())
    for one in outcomes:
        total = total._replace(inputs=total.inputs + one.inputs, lines=total.lines + one.lines)
        if one.failure:
            total.faults[one.failure.fault] += 1
            if total.faults.total() <= SHOWN:
                print(f"{one.failure.fault}: --replay {one.failure.code}", file=sys.stderr)
                print(f"  {one.failure.text[:TEXT_CHARACTERS]}", file=sys.stderr)
        tell(total)
    return total


def replay(code: str) -> int:
    """A block up to the input of a code; 1 when it fails there again."""
    seed, kind, number, count = code.split(".")
    outcome = rig.run(int(seed), kind, int(number), int(count) or rig.BLOCK)
    print(outcome.failure.text if outcome.failure else "nothing fails")
    return int(outcome.failure is not None)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 when nothing fell short."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--inputs", type=int, default=INPUTS, help="byte sequences")
    parser.add_argument("--lines", type=int, default=LINES, help="command lines")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--replay", metavar="CODE", help="one failure again")
    options = parser.parse_args(arguments)
    if options.replay:
        return replay(options.replay)
    begin_s, progress = time.monotonic(), Progress(options.inputs + options.lines)
    with Pool(options.processes) as pool:
        todo = blocks(options.seed, options.inputs, options.lines)
        total = summed(pool.imap_unordered(work, todo), lambda one: progress.tell(*one.share()))
    progress.end()
    print(total.line(int(time.monotonic() - begin_s), options.seed))
    return int(bool(total.faults) or total.inputs + total.lines == 0)


if __name__ == "__main__":
    sys.exit(main())
