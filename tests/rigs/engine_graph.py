"""All faces of the graph of the engine, and 100,000 steps by chance: `make nightly`.

The last line has the sums; exit status 1 where an edge breaks what is promised.
"""

import argparse
import sys

from tests.helpers.engine_graph import FACES, POLICIES
from tests.helpers.engine_walk import Walk


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--faces", type=int, default=len(FACES), help="so many of them")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    walks = [Walk(policy, face) for policy in POLICIES for face in FACES[-options.faces :]]
    for walk in walks:
        walk.close(walk.born(), [])
        walk.stroll(options.steps // len(walks), options.seed)
        print(f"{walk.line()} face={'+'.join(sorted(walk.face))}", flush=True)
        for fault, path in walk.faults.items():
            print(f"  {fault}: {', '.join(path)}")
    states = sum(len(walk.known) for walk in walks)
    edges = sum(walk.edges for walk in walks)
    faults = sum(len(walk.faults) for walk in walks)
    print(
        f"engine: states={states} edges={edges} closed=1 violations={faults}"
        f" unfolded={sum(walk.strolled for walk in walks)} unmet={sum(w.unmet for w in walks)}"
        f" seed={options.seed}"
    )
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
