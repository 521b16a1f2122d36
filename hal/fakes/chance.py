"""A fake of chance: the same seed draws the same bytes. For tests; nothing that it draws is secret.

What goes wrong here goes wrong because it was asked for: nothing does. Out of the model: a kernel
that waits for entropy.
"""

from __future__ import annotations

from hashlib import sha256


class SeededChance:
    """`hal.ports.Chance` from a seed."""

    def __init__(self, seed: int = 0) -> None:
        self._drawn = 0
        self._seed = seed

    def draw(self, count: int) -> bytes:
        drawn = b""
        while len(drawn) < count:
            drawn += sha256(f"{self._seed} {self._drawn + len(drawn)}".encode()).digest()
        self._drawn += count
        return drawn[:count]
