"""The lines of a script that wait for their session, and who hears how one has ended."""

from __future__ import annotations

from collections.abc import Callable

Finished = Callable[[int], None]  # gets the exit status


class Script:
    """Lines, one at work at a time. `untold`: a status that nobody was there to hear, or 0."""

    def __init__(self) -> None:
        self._lines: list[tuple[str, Finished]] = []
        self._finished: Finished | None = None
        self.untold = 0

    def add(self, text: str, finished: Finished) -> None:
        self._lines.append((text, finished))

    @property
    def waits(self) -> bool:
        """Whether a line waits and none is at work."""
        return bool(self._lines) and self._finished is None

    def next(self) -> str:
        """The line whose turn it is; it is at work from here to `end`."""
        text, finished = self._lines.pop(0)
        self.begin(finished)
        return text

    def begin(self, finished: Finished) -> None:
        """Work that is no line."""
        self._finished = finished

    def end(self, status: int) -> None:
        """What was at work is over; without anything at work, a task has ended by itself."""
        finished, self._finished = self._finished, None
        self.untold = 0 if finished else status
        if finished:
            finished(status)
