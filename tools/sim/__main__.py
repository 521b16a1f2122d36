"""`python -m tools.sim NAME`: see the package."""

from __future__ import annotations

import argparse
import sys

from tools.sim import herd, timeless


def run_herd(options: argparse.Namespace) -> list[str]:
    found = []
    for one in herd.HERDS:
        found.append(one(options.devices, options.seed))
        print(found[-1].line(), flush=True)
    print(
        f"herd-sim: herds={len(found)} devices={options.devices} "
        f"ratio={max(one.peak / one.mean for one in found):.2f} "
        f"seconds={sum(one.seconds for one in found):.0f} seed={options.seed}"
    )
    return [text for one in found for text in one.short()]


def run_timeless(options: argparse.Namespace) -> list[str]:
    found = timeless.run(options.cuts, options.years, options.seed)
    print(found.line(options.seed))
    return found.short()


RUNS = {"herd": run_herd, "timeless": run_timeless}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.sim", description=__doc__)
    parser.add_argument("name", choices=RUNS)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--devices", type=int, default=herd.DEVICES)
    parser.add_argument("--cuts", type=int, default=1000)
    parser.add_argument("--years", type=float, default=10)
    options = parser.parse_args(arguments)
    short = RUNS[options.name](options)
    for text in short:
        print(f"falls short: {text}")
    return int(bool(short))


if __name__ == "__main__":
    sys.exit(main())
