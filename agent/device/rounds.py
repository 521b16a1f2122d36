"""A few a turn: what is done for each of many things, when one event concerns them all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from agent.loop import Loop
from hal.annotations import Generic, TypeVar

T = TypeVar("T")


class Round(Generic[T]):
    """Calls `visit` with each thing: one now, one a turn of the loop, in the order in which they
    came, and once however often one came before its turn. A jump of the clock concerns a thousand
    realms, and a visit may be a commit.
    """

    def __init__(self, loop: Loop, visit: Callable[[T], None]) -> None:
        self._loop, self._visit = loop, visit
        self._waiting: dict[T, None] = {}
        self._goes = False

    def add(self, things: Iterable[T]) -> None:
        """They wait for their turn, if it has not come."""
        self._waiting.update(dict.fromkeys(things))
        if self._waiting and not self._goes:
            self._goes = True
            self._loop.pieces(self._visits())

    def clear(self) -> None:
        """Nothing waits any more."""
        self._waiting.clear()

    def _visits(self) -> Iterator[None]:
        while self._waiting:
            thing = next(iter(self._waiting))
            del self._waiting[thing]
            self._visit(thing)
            if self._waiting:
                yield
        self._goes = False
