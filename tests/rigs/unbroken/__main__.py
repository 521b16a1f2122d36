"""`python -m tests.rigs.unbroken`: see the package. The last line has the figures; the status is 0
when nothing fell short."""

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from tests.rigs.unbroken import course


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.rigs.unbroken", description=__doc__)
    parser.add_argument("--seconds", type=int, default=900)
    parser.add_argument("--rate", type=int, default=1, help="of the clocks of board and CA")
    parser.add_argument("--seed", default="1")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = course.run(
            *(Path(folder), wanted.seconds, wanted.seed),
            rate=wanted.rate,
            # A faster clock leaves a certificate that waits for its turn too little of it.
            realms=course.REALMS if wanted.rate == 1 else course.AT_ONCE,
            tell=lambda text: print(text, flush=True),
        )
    for text in found.excuses():
        print(f"excused: {text}")
    for text in found.short():
        print(f"falls short: {text}")
    print(found.line(wanted.seed))
    return int(bool(found.short()))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main())
