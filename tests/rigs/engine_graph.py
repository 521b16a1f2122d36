"""All faces of the graph of the engine, and 100,000 steps by chance: `make nightly`.

A line for each face and policy, and one with the sums; on the way, one each ten seconds for each
that is at work. Exit status 1 where an edge breaks what is promised, or where a step by chance
leads to a shape that the folded graph does not have.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable
from multiprocessing import Pool
from typing import NamedTuple

from tests.helpers.engine_graph import FACES, POLICIES
from tests.helpers.engine_walk import Walk

LOOK_S = 10


class Task(NamedTuple):
    """What one process walks. number: of the policy; steps: by chance, behind it."""

    face: str
    number: int
    steps: int
    seed: int

    def __str__(self) -> str:
        return f"face={self.face} policy={self.number}"


class Figures(NamedTuple):
    """Of a walk, or of all of them."""

    states: int
    edges: int
    closed: int
    violations: int
    unfolded: int
    unmet: int

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self._asdict().items())


def progress(task: Task) -> Callable[[Walk], None]:
    """Tells how far a walk is, each ten seconds."""
    begun_s = told_s = time.monotonic()

    def seen(walk: Walk) -> None:
        nonlocal told_s
        now_s = time.monotonic()
        if now_s - told_s < LOOK_S:
            return
        told_s, rate = now_s, walk.edges / (now_s - begun_s)
        figures = f"wave={walk.waves} states={len(walk.known)} edges={walk.edges}"
        print(f"  {task}: {figures} edges/s={rate:.0f}", file=sys.stderr, flush=True)

    return seen


def walked(task: Task) -> tuple[Figures, str]:
    """The figures of a face under a policy, and what is to be told of them."""
    begun_s = time.monotonic()
    walk = Walk(POLICIES[task.number], FACES[task.face])
    walk.close(walk.born(), seen=progress(task))
    walk.stroll(task.steps, task.seed)
    told = [f"{task} seconds={time.monotonic() - begun_s:.0f}"]
    told += [f"  {fault}: {', '.join(path)}" for fault, path in walk.faults.items()]
    told += [f"  unmet: {', '.join(path)}" for path in walk.unmet[:3]]
    counts = int(walk.closed), len(walk.faults), walk.strolled, len(walk.unmet)
    return Figures(len(walk.known), walk.edges, *counts), "\n".join(told)


def total(found: Iterable[Figures]) -> Figures:
    """closed: all of them are."""
    columns = list(zip(*found, strict=True))
    return Figures(*map(sum, columns))._replace(closed=min(columns[2]))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--faces", nargs="+", choices=FACES, default=list(FACES))
    parser.add_argument("--policies", nargs="+", type=int, default=range(len(POLICIES)))
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    cases = [(name, number) for number in options.policies for name in options.faces]
    tasks = [Task(*case, options.steps // len(cases), options.seed) for case in cases]
    found = []
    with Pool(options.processes) as pool:  # the largest come first
        for figures, told in pool.imap_unordered(walked, tasks[::-1]):
            print(f"engine: {figures} {told}", flush=True)
            found.append(figures)
    whole = total(found)
    print(f"engine: {whole} seed={options.seed}")
    return int(whole.violations + whole.unmet > 0 or not whole.closed)


if __name__ == "__main__":
    sys.exit(main())
