"""The clock of a simulated board, read by a CA that is to live as fast as the board does.

The board keeps two files of JSON: `clock` ({"offset_s": integer, "rate": number}), which a person
or a rig writes, and beside it `clock.gain` ({"outside_ns", "gain_ns", "rate_ppm"}: what the board
had gained on real time at a moment of this machine's monotonic clock, and its rate since). The rate
counts from the moment at which the board has seen it, so the gain is the board's alone to write.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path

SECOND_NS = 1_000_000_000
PPM = 1_000_000


def of_board(path: Path) -> Callable[[], int]:
    """The wall clock of that board, in seconds since 1970.

    A file that is missing or being written is read as before; at first, as one that moves nothing.
    """
    seen: dict[Path, dict[str, int]] = {}

    def fields(of: Path) -> dict[str, int]:
        try:
            table = json.loads(of.read_bytes())
            seen[of] = {name: int(value) for name, value in table.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            pass
        return seen.get(of, {})

    def now_s() -> int:
        offset_s = fields(path).get("offset_s", 0)
        gain = fields(path.with_name(f"{path.name}.gain"))
        monotonic_ns = time.monotonic_ns()
        since_ns = monotonic_ns - min(gain.get("outside_ns", monotonic_ns), monotonic_ns)
        gain_ns = gain.get("gain_ns", 0) + since_ns * (gain.get("rate_ppm", PPM) - PPM) // PPM
        return (time.time_ns() + gain_ns) // SECOND_NS + offset_s

    return now_s
