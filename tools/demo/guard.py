"""python -m tools.demo.guard MODULE WORD...: runs a module until it ends, or its starter does.

The kernel tells a process when its starter dies, and forgets about it when the process changes its
groups (prctl(2), PR_SET_PDEATHSIG), as the agent does. This one changes nothing and passes it on.
"""

import signal
import subprocess
import sys
from types import FrameType


class Guard:
    """One process, and whether it is to end."""

    def __init__(self) -> None:
        self._ends = False
        self._process: subprocess.Popen[bytes] | None = None
        signal.signal(signal.SIGTERM, self._end)

    def run(self, words: list[str]) -> int:
        """Its exit status."""
        self._process = subprocess.Popen([sys.executable, "-m", *words])
        if self._ends:
            self._process.terminate()
        status = self._process.wait()
        return status if status >= 0 else 128 - status

    def _end(self, _signal: int, _frame: FrameType | None) -> None:
        self._ends = True
        if self._process:
            self._process.terminate()


if __name__ == "__main__":
    sys.exit(Guard().run(sys.argv[1:]))
