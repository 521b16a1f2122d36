"""`python -m tests.planted`: all of them. The last line has the figures; the status is 0 when each
was found."""

import sys
import tempfile
import time
from pathlib import Path

from tests.planted.rig import PATCHES, find


def main() -> int:
    begin, found, slowest = time.monotonic(), 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        for patch in PATCHES:
            try:
                seconds = find(patch, Path(folder))
            except AssertionError as error:
                print(f"falls short: {error}", flush=True)
                continue
            print(f"{patch.stem}: found in {seconds:.1f} s", flush=True)
            found, slowest = found + 1, max(slowest, seconds)
    total = time.monotonic() - begin
    print(f"planted: patches={len(PATCHES)} {found=} {slowest=:.1f} seconds={total:.0f}")
    return int(found != len(PATCHES))


if __name__ == "__main__":
    sys.exit(main())
