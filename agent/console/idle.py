"""Ends the session of a terminal that somebody has left.

The last key is remembered as a time, and one timer asks whether it is long ago: a timer for each
key would fill the loop's heap, which keeps a cancelled one until it is due.
"""

from collections.abc import Callable

from agent import limits
from hal.ports import Reactor, Timer

IDLE_NS = limits.IDLE_SESSION_S * 1_000_000_000


class Idle:
    """Calls `expired` once, when `heard` was not called for `IDLE_SESSION_S` of outside time."""

    def __init__(self, now_ns: Callable[[], int], expired: Callable[[], None]) -> None:
        self._now_ns, self._expired = now_ns, expired
        self._heard_ns = 0
        self._timer: Timer | None = None

    def start(self, reactor: Reactor) -> None:
        self.heard()
        self._wait(reactor)

    def heard(self) -> None:
        self._heard_ns = self._now_ns()

    def stop(self) -> None:
        if self._timer:
            self._timer.cancel()

    def _wait(self, reactor: Reactor) -> None:
        left_ns = self._heard_ns + IDLE_NS - self._now_ns()
        if left_ns > 0:
            self._timer = reactor.after(left_ns, lambda: self._wait(reactor))
        else:
            self._expired()
