"""Work in pieces: a generator whose steps are bounded, and whose result is what it returns.

The loop stands still for one piece at most (`Loop.pieces`), whatever a thousand realms take
together. Between two pieces others have changed what they may; so who needs the same state in two
of them looks for it in each.
"""

from __future__ import annotations

from collections.abc import Generator

from hal.annotations import TypeVar

TOGETHER = 16  # blocks of a configuration: a millisecond or two

T = TypeVar("T")
Pieces = Generator[None, None, T]


def at_once(work: Pieces[T]) -> T:
    """The result of all pieces, one right behind the other: for a start, when no loop turns."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: T = end.value
            return result


def grouped(work: Pieces[T]) -> Pieces[T]:
    """The same in larger pieces, of work whose pieces are too small for a turn each."""
    while True:
        try:
            for _piece in range(TOGETHER):
                next(work)
        except StopIteration as end:
            result: T = end.value
            return result
        yield
