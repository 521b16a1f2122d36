"""Ends the session of a terminal that somebody has left.

The last key is remembered as a time, and one timer asks whether it is long ago: a timer for each
key would fill the loop's heap, which keeps a cancelled one until it is due.
"""

from __future__ import annotations

from collections.abc import Callable

from agent import limits
from hal.ports import Reactor, Timer

SECOND_NS = 1_000_000_000
LOOK_NS = limits.IDLE_LOOK_S * SECOND_NS


class Idle:
    """Calls `expired` once, when `heard` was not called for `limit_s` seconds of outside time.

    The limit is asked for at each look, so that it may change; 0 is never.
    """

    def __init__(
        self, now_ns: Callable[[], int], limit_s: Callable[[], int], expired: Callable[[], None]
    ) -> None:
        self._now_ns, self._limit_s, self._expired = now_ns, limit_s, expired
        self._heard_ns = now_ns()
        self._timer: Timer | None = None

    def start(self, reactor: Reactor) -> None:
        self.heard()
        self._wait(reactor)

    def heard(self) -> None:
        self._heard_ns = self._now_ns()

    def idle_s(self) -> int:
        return (self._now_ns() - self._heard_ns) // SECOND_NS

    def stop(self) -> None:
        if self._timer:
            self._timer.cancel()

    def _wait(self, reactor: Reactor) -> None:
        limit_s = self._limit_s()
        left_ns = self._heard_ns + limit_s * SECOND_NS - self._now_ns()
        if left_ns > 0 or not limit_s:
            look_ns = min(left_ns, LOOK_NS) if limit_s else LOOK_NS
            self._timer = reactor.after(look_ns, lambda: self._wait(reactor))
        else:
            self._expired()
