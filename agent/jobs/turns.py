"""Whose turn it is among the jobs that use the network. Pure.

After a power cut in a building a thousand realms may be due at once, and a board has room for a few
children. So a few jobs run at a time, one of a realm; the others wait. A job that a person waits
for comes first. Of the rest, the next is of the CA with the fewest jobs at work, and among such CAs
each has its turn after the others. So one that answers nothing until the time is up keeps no more
places than another one wants. The jobs of one CA run in the order in which their realms came, so
none of them is overtaken for ever.

A realm keeps its place from its first job until it has none: an application is a job for the CA's
certificates and then one that applies. If the second stood behind the first ones of all others, the
whole herd would wait for twice as long until the first certificate is there, and each would have
said in flash that its request has left, long before it does. An application is a handful of jobs,
and pauses are no jobs, so no realm keeps its place for long.

What a realm fetches ahead of time (the next CA, a revocation list) stands behind all of these: one
such job at a time, only where no other can begin, and never in the last place that is free.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Iterator
from itertools import chain

from hal.named import NamedTuple


def server(url: object) -> str:
    """The host of a CA, with its port; two paths of one host share its patience."""
    return "".join(str(url).lower().split("/")[2:3])


class Turn(NamedTuple):
    """A job that wants the network. `number`: a later one has a higher number; `ca`: whatever tells
    one server from another; `attended`: a person waits for it; `behind`: nothing does, not yet."""

    number: int
    realm: str
    ca: str
    attended: bool
    behind: bool = False


class Turns:
    """`places`: how many jobs may run at once."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._running: dict[int, Turn] = {}
        self._attended: list[Turn] = []
        self._behind: list[Turn] = []
        self._lines: dict[str, list[Turn]] = {}  # by CA; the first one has the next turn
        self._first: dict[str, int] = {}  # by realm: the job that has its place
        self._jobs: Counter[str] = Counter()  # by realm: those that wait or run

    def __len__(self) -> int:
        """How many jobs wait."""
        return len(self._attended) + len(self._behind) + sum(map(len, self._lines.values()))

    def add(self, turn: Turn) -> None:
        """A job that waits from now on."""
        if turn.behind:  # it gives its realm no place
            self._behind.append(turn)
            return
        self._jobs[turn.realm] += 1
        self._first.setdefault(turn.realm, turn.number)
        line = self._attended if turn.attended else self._lines.setdefault(turn.ca, [])
        insort(line, turn, key=lambda other: (self._first[other.realm], other.number))

    def take(self) -> Turn | None:
        """The next job that may run; it counts as running. None: there is none, or no place."""
        if len(self._running) >= self._places:
            return None
        busy = {turn.realm for turn in self._running.values() if not turn.behind}
        turn = next((turn for turn in self._in_order() if turn.realm not in busy), None)
        turn = turn or self._last()
        if turn:
            self._leave(turn)
            self._running[turn.number] = turn
            if not turn.attended and turn.ca in self._lines:
                self._lines[turn.ca] = self._lines.pop(turn.ca)  # behind the other CAs
        return turn

    def drop(self, number: int) -> bool:
        """A job has ended, or is wanted no more; whether it was still waiting. The next job of its
        realm is added before, if that is to keep its place."""
        turn = self._running.pop(number, None)
        waited = turn is None
        if turn is None:
            waiting = chain(self._in_order(), self._behind)
            turn = next((turn for turn in waiting if turn.number == number), None)
            if turn is None:
                return False
            self._leave(turn)
        if turn.behind:
            return waited
        self._jobs[turn.realm] -= 1
        if not self._jobs[turn.realm]:
            del self._jobs[turn.realm], self._first[turn.realm]
        return waited

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

    def _last(self) -> Turn | None:
        """One that stands behind, when nobody else can begin."""
        alone = not any(turn.behind for turn in self._running.values())
        room = len(self._running) < max(1, self._places - 1)
        return self._behind[0] if self._behind and alone and room else None

    def _leave(self, turn: Turn) -> None:
        """Out of its line."""
        if turn.behind:
            self._behind.remove(turn)
            return
        if turn.attended:
            self._attended.remove(turn)
            return
        self._lines[turn.ca].remove(turn)
        if not self._lines[turn.ca]:
            del self._lines[turn.ca]
