"""What a long run is watched with: objects that stay behind, and progress for people."""

import gc
import sys
import time

EVERY_S = 1
WARM_BLOCKS = 16  # until caches of the interpreter and of the tables are full
LEAK_OBJECTS = 0.2  # for each input; an input that leaves something behind leaves one at least


class Memory:
    """How many objects the process has, from block to block."""

    def __init__(self) -> None:
        gc.collect()
        gc.freeze()  # a test run with thousands of tests would be walked again for each block
        self._blocks = self._inputs = self._before = 0

    def leaked(self, inputs: int) -> bool:
        """Whether the inputs since the process was warm have left objects behind."""
        gc.collect()
        now = sys.getallocatedblocks()
        self._blocks += 1
        if self._blocks <= WARM_BLOCKS:
            self._before, self._inputs = now, 0
            return False
        self._inputs += inputs
        return now - self._before > 2000 + self._inputs * LEAK_OBJECTS


class Progress:
    """A line that is written again and again, at a terminal only."""

    def __init__(self, wanted: int) -> None:
        self._wanted, self._next_s = max(wanted, 1), 0.0
        self._shown = sys.stderr.isatty()

    def tell(self, done: int, found: int) -> None:
        now_s = time.monotonic()
        if self._shown and (now_s >= self._next_s or done >= self._wanted):
            self._next_s = now_s + EVERY_S
            share = f"{done * 100 // self._wanted} % of {self._wanted}"
            print(f"\r{share}, {found} failures\x1b[K", end="", file=sys.stderr)

    def end(self) -> None:
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr)
