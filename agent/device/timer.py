"""The deadline of one realm on the clocks of the board: whichever half comes first calls back."""

from __future__ import annotations

from collections.abc import Callable

from agent.enrolment.actions import NEVER, Deadline
from agent.loop import Deadline as Armed
from agent.loop import Loop


class Timer:
    """At most one deadline at a time; `call` comes once for it, from the loop."""

    __slots__ = ("_armed", "_call", "_loop", "_set")

    def __init__(self, loop: Loop, call: Callable[[], None]) -> None:
        self._loop, self._call = loop, call
        self._set = NEVER
        self._armed: list[Armed] = []

    def set(self, deadline: Deadline) -> None:
        """Replaces the deadline before it. One that is asked for again stays: the loop keeps a
        cancelled one until its time, which may be next year."""
        if deadline == self._set:
            return
        self.cancel()
        self._set = deadline
        if deadline.monotonic_ns is not None:
            self._armed.append(self._loop.at_monotonic(deadline.monotonic_ns, self._due))
        if deadline.wall_s is not None:
            self._armed.append(self._loop.at_wall(deadline.wall_s, self._due))

    def cancel(self) -> None:
        self._set = NEVER
        for half in self._armed:
            half.cancel()
        self._armed.clear()

    def _due(self) -> None:
        self.cancel()
        self._call()
