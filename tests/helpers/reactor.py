"""A minimal event loop for tests of single ports: real descriptors, real time, always bounded."""

import heapq
import itertools
import selectors
import time
from collections.abc import Callable

SECOND_NS = 1_000_000_000
Call = Callable[[], None]


def turn_until(turn: Call, done: Callable[[], bool], limit_s: int = 60) -> None:
    """Turns a loop until `done()`; fails the test when that takes longer than `limit_s`."""
    end_ns = time.monotonic_ns() + limit_s * SECOND_NS
    while not done():
        assert time.monotonic_ns() < end_ns, "the condition did not come true in time"
        turn()


class _Timer:
    def __init__(self, call: Call) -> None:
        self.call: Call | None = call

    def cancel(self) -> None:
        self.call = None


class LiveReactor:
    """`hal.ports.Reactor` over selectors. `turns` counts wake-ups: a test for spinning."""

    def __init__(self) -> None:
        self.turns = 0
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[int, int, _Timer]] = []
        self._order = itertools.count()

    def watch(self, fd: int, on_read: Call | None, on_write: Call | None = None) -> None:
        self.unwatch(fd)
        mask = (selectors.EVENT_READ if on_read else 0) | (selectors.EVENT_WRITE if on_write else 0)
        if mask:
            self._selector.register(fd, mask, (on_read, on_write))

    def unwatch(self, fd: int) -> None:
        if fd in self._selector.get_map():
            self._selector.unregister(fd)

    def after(self, delay_ns: int, call: Call) -> _Timer:
        timer = _Timer(call)
        heapq.heappush(self._timers, (time.monotonic_ns() + delay_ns, next(self._order), timer))
        return timer

    def until(self, done: Callable[[], bool], limit_s: int = 60) -> None:
        """Runs until `done()`; fails the test when that takes longer than `limit_s`."""
        turn_until(lambda: self.turn(time.monotonic_ns() + SECOND_NS // 100), done, limit_s)

    def run(self, duration_ns: int) -> None:
        """Runs for this long."""
        end_ns = time.monotonic_ns() + duration_ns
        while time.monotonic_ns() < end_ns:
            self.turn(end_ns)

    def turn(self, until_ns: int) -> None:
        """One wait, at most until then, and the callbacks of what happened."""
        next_ns = min(until_ns, self._timers[0][0] if self._timers else until_ns)
        wait_ns = max(0, next_ns - time.monotonic_ns())
        self.turns += 1
        for key, mask in self._selector.select(wait_ns / SECOND_NS):
            on_read, on_write = key.data
            if mask & selectors.EVENT_READ and on_read:
                on_read()
            if mask & selectors.EVENT_WRITE and on_write:
                on_write()
        while self._timers and self._timers[0][0] <= time.monotonic_ns():
            timer = heapq.heappop(self._timers)[2]
            if timer.call is not None:
                timer.call()

    def close(self) -> None:
        self._selector.close()
