"""Whose turn it is among the jobs that use the network. Pure.

After a power cut in a building a thousand realms may be due at once, and a board has room for a few
children. So a few jobs run at a time, one of a realm; the others wait. A job that a person waits
for comes first. Of the rest, the next is of the CA with the fewest jobs at work, and among such CAs
each has its turn after the others. So one that answers nothing until the time is up keeps no more
places than another one wants. The jobs of one CA run in the order in which they came, so none of
them is overtaken for ever.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from itertools import chain

from hal.named import NamedTuple


class Turn(NamedTuple):
    """A job that wants the network. `ca`: whatever tells one server from another; `attended`: a
    person waits for it."""

    number: int
    realm: str
    ca: str
    attended: bool


class Turns:
    """`places`: how many jobs may run at once."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._running: dict[int, Turn] = {}
        self._attended: deque[Turn] = deque()
        self._lines: dict[str, deque[Turn]] = {}  # by CA; the first one has the next turn

    def __len__(self) -> int:
        """How many jobs wait."""
        return len(self._attended) + sum(map(len, self._lines.values()))

    def add(self, turn: Turn) -> None:
        """A job that waits from now on."""
        line = self._attended if turn.attended else self._lines.setdefault(turn.ca, deque())
        line.append(turn)

    def take(self) -> Turn | None:
        """The next job that may run; it counts as running. None: there is none, or no place."""
        if len(self._running) >= self._places:
            return None
        busy = {turn.realm for turn in self._running.values()}
        turn = next((turn for turn in self._in_order() if turn.realm not in busy), None)
        if turn:
            self._leave(turn)
            self._running[turn.number] = turn
            if not turn.attended and turn.ca in self._lines:
                self._lines[turn.ca] = self._lines.pop(turn.ca)  # behind the other CAs
        return turn

    def drop(self, number: int) -> bool:
        """A job has ended, or is wanted no more; whether it was still waiting."""
        if self._running.pop(number, None):
            return False
        turn = next((turn for turn in self._in_order() if turn.number == number), None)
        if turn:
            self._leave(turn)
        return turn is not None

    def _in_order(self) -> Iterator[Turn]:
        """All that wait. People leave the last place to the others: scripts are people, too, and
        one that applies without end must not keep renewals away."""
        people = sum(turn.attended for turn in self._running.values())
        at_work = Counter(turn.ca for turn in self._running.values())
        others = (
            turn
            for count in range(self._places + 1)
            for ca, line in self._lines.items()
            if at_work[ca] == count
            for turn in line
        )
        first = people < max(1, self._places - 1) or not self._lines
        return chain(self._attended, others) if first else chain(others, self._attended)

    def _leave(self, turn: Turn) -> None:
        """Out of its line."""
        if turn.attended:
            self._attended.remove(turn)
            return
        self._lines[turn.ca].remove(turn)
        if not self._lines[turn.ca]:
            del self._lines[turn.ca]
