"""All faces of the graph of the engine, and 100,000 steps by chance: `make nightly`.

A line for each face and policy, and one with the sums. Exit status 1 where an edge breaks what is
promised, or where a step by chance leads to a shape that the folded graph does not have.
"""

import argparse
import os
import sys
from collections.abc import Iterable
from multiprocessing import Pool
from typing import NamedTuple

from tests.helpers.engine_graph import FACES, POLICIES
from tests.helpers.engine_walk import Walk


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


def walked(task: tuple[str, int, int, int]) -> tuple[Figures, str]:
    """The figures of a face under a policy, and what is to be told of them."""
    name, number, steps, seed = task
    walk = Walk(POLICIES[number], FACES[name])
    walk.close(walk.born(), [])
    walk.stroll(steps, seed)
    told = [f"face={name} policy={number}"]
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
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    cases = [(name, number) for name in options.faces for number in range(len(POLICIES))]
    tasks = [(*case, options.steps // len(cases), options.seed) for case in cases]
    found = []
    with Pool(os.cpu_count()) as pool:
        for figures, told in pool.imap(walked, tasks):
            print(f"engine: {figures} {told}", flush=True)
            found.append(figures)
    whole = total(found)
    print(f"engine: {whole} seed={options.seed}")
    return int(whole.violations + whole.unmet > 0 or not whole.closed)


if __name__ == "__main__":
    sys.exit(main())
