"""The event loop: descriptors, deadlines on three clocks, signals. One thread, no asyncio.

Deadlines live on the clock that they mean: `at_monotonic` for polls and back-off, `at_wall` for
calendar time, and `after` in outside time for processes and people. Integers only.

A wall clock that is set moves the deadlines that hang on it. After every wake the loop compares it
with the monotonic clock and tells of a jump once, before anything else is called. A loop that
sleeps sees a jump when it wakes: at once where the kernel tells of it (`hear_sets`), after
`longest_ns` at the latest elsewhere. A clock that runs too fast or too slowly jumps in small steps.

An exception that leaves a callback ends the process: it is a fault of this program, flash is
consistent at every moment, and the supervisor starts the agent again. What people or peers can
provoke is caught where it is caused.
"""

from __future__ import annotations

import errno
import heapq
import os
import selectors
import signal
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from types import FrameType

from hal.ports import Clock

LONGEST_NS = 60_000_000_000  # the clock watch: a wall clock that jumped is noticed after a minute
SLEEP_NS = 2_000_000 * 1_000_000_000  # epoll counts milliseconds in 31 bits: 24.8 days
HEAP_ROOM = 64  # deadlines, the cancelled ones included, before these are looked for
DUE_A_TURN = 4  # deadlines of one clock; a thousand are due at once after a jump, and keys come
JUMP_NS = 1_000_000_000  # more than a time source that slews does between two wakes

Call = Callable[[], None]


class Deadline:
    """A callback at a time of one clock; cancelled ones stay in the heap until their time."""

    __slots__ = ("_order", "call", "when")
    _count = 0

    def __init__(self, when: int, call: Call) -> None:
        Deadline._count += 1
        self.when, self._order = when, Deadline._count
        self.call: Call | None = call

    def __lt__(self, other: Deadline) -> bool:
        return (self.when, self._order) < (other.when, other._order)

    def cancel(self) -> None:
        self.call = None


class Loop:
    """`hal.ports.Reactor`, and the deadlines of the engines. `longest_ns`: never sleeps longer."""

    def __init__(self, clock: Clock, longest_ns: int = LONGEST_NS) -> None:
        self._on_jump: list[Callable[[int], None]] = []
        self.use_clock(clock, longest_ns)
        self._selector = selectors.DefaultSelector()
        self._heaps: dict[str, list[Deadline]] = {"outside": [], "monotonic": [], "wall": []}
        self._full = dict.fromkeys(self._heaps, HEAP_ROOM)
        self._aside: deque[Call] = deque()
        self._running = False
        self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._timer: int | None = None
        self._heard: dict[int, Call] = {}
        self._before: Call = lambda: None  # gives back what `hear` has taken
        self.watch(self._wake[0], self._drain_wake)

    def use_clock(self, clock: Clock, longest_ns: int) -> None:
        """The board's clock, once the board is open; its `outside_ns` is the one before."""
        self._clock, self._longest_ns = clock, min(longest_ns, SLEEP_NS)
        self._ahead_ns = clock.ahead_ns()

    def wall_s(self) -> int:
        """The wall time of the clock in use."""
        return self._clock.wall_s()

    def outside_ns(self) -> int:
        """The time of `after`."""
        return self._clock.outside_ns()

    # -- hal.ports.Reactor -------------------------------------------------------------------------

    def watch(self, fd: int, on_read: Call | None, on_write: Call | None = None) -> None:
        """Calls back when `fd` is ready; replaces what was watched on it; no callbacks: unwatch."""
        events = (selectors.EVENT_READ if on_read else 0) | (
            selectors.EVENT_WRITE if on_write else 0
        )
        known = fd in self._selector.get_map()
        if not events:
            self.unwatch(fd)
        elif known:
            self._selector.modify(fd, events, (on_read, on_write))
        else:
            self._selector.register(fd, events, (on_read, on_write))

    def unwatch(self, fd: int) -> None:
        """Forgets `fd`; to be called before it is closed. Not watched: nothing happens."""
        if fd in self._selector.get_map():
            self._selector.unregister(fd)

    def after(self, delay_ns: int, call: Call) -> Deadline:
        """`call` after `delay_ns` of outside time."""
        return self._at("outside", self._clock.outside_ns() + delay_ns, call)

    def aside(self, call: Call) -> None:
        """`call` behind all that is ready and due, and one such call a turn.

        Work that comes in pieces without end, from many, takes no longer than one piece before a
        key is echoed.
        """
        self._aside.append(call)

    def pieces(self, work: Iterator[object]) -> None:
        """Work to its end: a piece of it, which is one `next`, now; then one a turn, as `aside`
        has it."""

        def go_on() -> None:
            if next(work, _ENDED) is not _ENDED:
                self.aside(go_on)

        go_on()

    # -- deadlines of the board's clocks -----------------------------------------------------------

    def at_monotonic(self, when_ns: int, call: Call) -> Deadline:
        """`call` when the monotonic clock of the board reaches `when_ns`."""
        return self._at("monotonic", when_ns, call)

    def at_wall(self, when_s: int, call: Call) -> Deadline:
        """`call` when the wall clock of the board reaches `when_s`, by running or by a jump."""
        return self._at("wall", when_s, call)

    def on_jump(self, call: Callable[[int], None]) -> None:
        """`call` with the seconds by which the wall clock has jumped, for each jump once.

        In the order in which they asked, and before any deadline is looked at.
        """
        self._on_jump.append(call)

    def hear_sets(self, fd: int) -> None:
        """`fd` is a timer that the kernel cancels when the wall clock is set (timerfd_create(2)):
        nobody looks each minute any more. It is the loop's from now on."""
        minute_ns = self._longest_ns

        def woken() -> None:
            try:
                os.read(fd, 8)
            except OSError as error:
                if error.errno not in (errno.ECANCELED, errno.EAGAIN):
                    self.unwatch(fd)  # it would wake us without end
                    self._longest_ns = minute_ns

        self.watch(fd, woken)
        self._timer, self._longest_ns = fd, SLEEP_NS

    def _look(self) -> None:
        """Tells of a jump of the wall clock since the last one."""
        ahead_ns = self._clock.ahead_ns()
        jump_ns = ahead_ns - self._ahead_ns
        if abs(jump_ns) > JUMP_NS:
            self._ahead_ns = ahead_ns
            for call in self._on_jump:
                call(round(jump_ns / 1_000_000_000))

    def _at(self, heap: str, when: int, call: Call) -> Deadline:
        deadline, heaped = Deadline(when, call), self._heaps[heap]
        if len(heaped) >= self._full[heap]:  # cancelled ones may have years to go
            heaped[:] = [one for one in heaped if one.call]
            heapq.heapify(heaped)
            self._full[heap] = 2 * len(heaped) + HEAP_ROOM
        heapq.heappush(heaped, deadline)
        return deadline

    # -- signals -----------------------------------------------------------------------------------

    def hear(self, calls: Mapping[int, Call]) -> None:
        """Calls back, from `run`, when one of these signals has come, also if it was before that.

        Until `close`. One that this process was started with as ignored stays ignored.
        """
        heard = [number for number in calls if signal.getsignal(number) != signal.SIG_IGN]
        old_fd = signal.set_wakeup_fd(self._wake[1], warn_on_full_buffer=False)
        old = {number: signal.signal(number, _woken) for number in heard}
        self._heard = dict(calls)

        def give_back() -> None:
            signal.set_wakeup_fd(old_fd)
            for number, handler in old.items():
                signal.signal(number, handler)

        self._before = give_back

    # -- running -----------------------------------------------------------------------------------

    def run(self) -> None:
        """Until `stop` is called or SIGTERM or SIGINT arrives."""
        self._running = True
        old_fd = signal.set_wakeup_fd(self._wake[1], warn_on_full_buffer=False)
        old = {number: signal.signal(number, self._on_signal) for number in _STOPPING}
        try:
            while self._running:
                self.turn(self._sleep_ns())
        finally:
            signal.set_wakeup_fd(old_fd)
            for number, handler in old.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        """`run` returns after the callbacks of this turn."""
        self._running = False

    def turn(self, longest_ns: int) -> None:
        """One wait of at most `longest_ns`, and all that became ready or due."""
        ready = self._selector.select(0 if self._aside else min(longest_ns, SLEEP_NS) / 1e9)
        self._look()
        for key, mask in ready:
            for event, callback in zip(_EVENTS, key.data, strict=True):
                # A callback before this one may have closed this descriptor, or watch it anew.
                now_watched = self._selector.get_map().get(key.fd)
                if callback and mask & event and now_watched and now_watched.data is key.data:
                    callback()
        for name, now in self._clocks():
            heap, left = self._heaps[name], DUE_A_TURN
            while left and heap and (heap[0].call is None or heap[0].when <= now):
                call = heapq.heappop(heap).call
                if call is not None:
                    left -= 1
                    call()
        if self._aside:
            self._aside.popleft()()

    def close(self) -> None:
        """Gives the loop's own descriptors back, and the signals."""
        self._before()
        self._selector.close()
        for fd in (*self._wake, self._timer):
            if fd is not None:
                os.close(fd)

    def _clocks(self) -> tuple[tuple[str, int], ...]:
        clock = self._clock
        return (
            ("outside", clock.outside_ns()),
            ("monotonic", clock.monotonic_ns()),
            ("wall", clock.wall_s()),
        )

    def _sleep_ns(self) -> int:
        """Until the next deadline of a clock that runs like ours, at most `longest_ns`."""
        wait = self._longest_ns
        for name, now in self._clocks():
            heap = self._heaps[name]
            while heap and heap[0].call is None:
                heapq.heappop(heap)
            if heap and name == "wall":
                wait = min(wait, (heap[0].when - now) * 1_000_000_000)
            elif heap:
                wait = min(wait, heap[0].when - now)
        return max(wait, 0)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.stop()

    def _drain_wake(self) -> None:
        """What woke the loop: the numbers of signals (signal.set_wakeup_fd)."""
        try:
            numbers = os.read(self._wake[0], 64)
        except BlockingIOError:
            return
        for number in numbers:
            if call := self._heard.get(number):
                call()


def _woken(_number: int, _frame: FrameType | None) -> None:
    """The number is in the pipe; what it means is looked up when nothing else is at work."""


_ENDED = object()
_EVENTS = (selectors.EVENT_READ, selectors.EVENT_WRITE)
_STOPPING = (signal.SIGTERM, signal.SIGINT)
