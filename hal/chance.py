"""Random bytes of the kernel: the only place of the agent that draws them.

Fault model. A board that has just been switched on may not have collected enough entropy yet, and
two boards of one production must not draw the same. getrandom(2), which Python calls, waits until
the kernel's generator is seeded, and never gives bytes of one that is not.
"""

from __future__ import annotations

import os


class LinuxChance:
    """`hal.ports.Chance` of this machine."""

    def draw(self, count: int) -> bytes:
        return os.urandom(count)
