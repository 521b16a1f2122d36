"""Prints the figures.

python -m tools.structure [--json] [CHECKOUT]     of this checkout, or of another folder
python -m tools.structure --journey               of one enrolment in this checkout
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.structure import figures

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.structure", description=figures.__doc__)
    parser.add_argument("checkout", nargs="?", type=Path, default=ROOT, help="a folder")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    parser.add_argument("--journey", action="store_true", help="records one enrolment")
    options = parser.parse_args(arguments)
    if options.journey:
        return told(options.json)
    found = figures.measure(options.checkout.resolve())
    print(json.dumps(figures.as_map(found), indent=1) if options.json else figures.text(found))
    return 0 if found.rooms else 2


def told(as_json: bool) -> int:
    """Prints the figures of one enrolment."""
    from tools.structure import journey  # it runs the product, which figures only read

    found = journey.record()
    lines = [*found.stops, found.line()]
    print(json.dumps(found._asdict(), indent=1) if as_json else "\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
