"""The work of the store that no commit should wait for, done while the loop has nothing else.

A part of flash stops whoever erases it, for 50 ms and more a block. So the store says what is due
and after which pause (`hal/store.py`), and this asks for one piece a turn, behind all that is ready
and due in that turn: a key is echoed no later than one piece after it was typed.
"""

from __future__ import annotations

from agent.loop import Loop
from hal.store import Store

START_NS = 3_000_000_000  # at the start others come first


class Upkeep:
    """Sleeps while nothing is due; each commit wakes it."""

    def __init__(self, loop: Loop, store: Store) -> None:
        self._loop, self._store = loop, store
        self._waits = True
        store.when_due(self._wake)
        loop.after(START_NS, self._turn)

    def _wake(self) -> None:
        if not self._waits:
            self._waits = True
            self._turn()

    def _turn(self) -> None:
        self._loop.aside(self._piece)

    def _piece(self) -> None:
        pause_ns = self._store.work()
        self._waits = pause_ns is not None
        if pause_ns is not None:
            self._loop.after(pause_ns, self._turn)
