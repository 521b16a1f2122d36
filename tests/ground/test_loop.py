"""The event loop on real descriptors and a clock whose time is an argument."""

import os
import select
import signal
import socket
import threading
import tracemalloc
from collections.abc import Iterator

import pytest

from agent.loop import DUE_A_TURN, HEAP_ROOM, LONGEST_NS, SLEEP_NS, Loop

SECOND_NS = 1_000_000_000
DAY_S = 86400


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.outside, self.monotonic, self.wall = 0, 0, 1_800_000_000

    def outside_ns(self) -> int:
        return self.outside

    def monotonic_ns(self) -> int:
        return self.monotonic

    def wall_s(self) -> int:
        return self.wall

    def ahead_ns(self) -> int:
        return self.wall * SECOND_NS - self.monotonic

    def synchronised(self) -> bool:
        return True

    def set_wall(self, wall_s: int) -> None:
        self.wall = wall_s


def test_deadlines_live_on_their_own_clocks() -> None:
    clock, seen = HandClock(), []
    loop = Loop(clock)
    loop.after(10, lambda: seen.append("outside"))
    loop.at_monotonic(20, lambda: seen.append("monotonic"))
    loop.at_wall(clock.wall + 5, lambda: seen.append("wall"))
    loop.turn(0)
    assert seen == []
    clock.outside = 10
    loop.turn(0)
    assert seen == ["outside"]
    clock.wall += 3600  # a jump, not a running clock
    loop.turn(0)
    clock.monotonic = 20
    loop.turn(0)
    assert seen == ["outside", "wall", "monotonic"]
    loop.close()


def test_order_cancel_and_callbacks_that_add_callbacks() -> None:
    clock, seen = HandClock(), []
    loop = Loop(clock)
    first = loop.after(1, lambda: seen.append("never"))
    loop.after(2, lambda: seen.append("b"))
    loop.after(2, lambda: (seen.append("c"), loop.after(0, lambda: seen.append("d"))))
    loop.after(1, lambda: seen.append("a"))
    first.cancel()
    first.cancel()
    clock.outside = 2
    loop.turn(0)
    assert seen == ["a", "b", "c", "d"]
    loop.close()


def test_what_is_aside_comes_behind_all_others_and_one_a_turn() -> None:
    clock, seen = HandClock(), []
    loop = Loop(clock)
    ours, theirs = socket.socketpair()

    def endless() -> None:
        seen.append("piece")
        loop.aside(endless)

    with ours, theirs:
        loop.watch(ours.fileno(), lambda: seen.append(ours.recv(1).decode()))
        loop.aside(endless)
        loop.aside(lambda: seen.append("other"))
        loop.after(0, lambda: seen.append("due"))
        theirs.send(b"k")
        for _turn in range(3):
            loop.turn(60_000_000_000)  # it does not sleep while there is work
        theirs.send(b"l")
        loop.turn(60_000_000_000)
        loop.unwatch(ours.fileno())
    assert seen == ["k", "due", "piece", "other", "piece", "l", "piece"]
    loop.close()


def test_it_sleeps_until_the_next_deadline_and_never_longer_than_told() -> None:
    clock = HandClock()
    loop = Loop(clock, longest_ns=60_000_000_000)
    assert loop._sleep_ns() == 60_000_000_000
    loop.at_wall(clock.wall + 7, lambda: None)
    assert loop._sleep_ns() == 7_000_000_000
    loop.after(5, lambda: None).cancel()
    loop.at_monotonic(9, lambda: None)
    assert loop._sleep_ns() == 9
    clock.monotonic = 100
    assert loop._sleep_ns() == 0
    loop.close()


def test_descriptors_read_write_and_a_callback_that_closes_its_own() -> None:
    loop, seen = Loop(HandClock()), []
    ours, theirs = socket.socketpair()

    def on_read() -> None:
        seen.append(ours.recv(10))
        loop.unwatch(ours.fileno())
        ours.close()

    loop.watch(ours.fileno(), on_read, lambda: seen.append(b"writable"))
    loop.turn(0)
    theirs.send(b"x")
    loop.turn(1_000_000_000)
    assert seen == [b"writable", b"x"]  # closed by the first callback: the second must not run
    loop.unwatch(9999)
    theirs.close()
    loop.close()


def test_what_one_callback_closes_is_not_called_in_the_same_turn() -> None:
    loop, seen = Loop(HandClock()), []
    pairs = [socket.socketpair() for _pair in range(2)]

    def close_both() -> None:
        seen.append("called")
        for ours, _theirs in pairs:
            loop.unwatch(ours.fileno())
            ours.close()

    for ours, theirs in pairs:
        loop.watch(ours.fileno(), close_both)
        theirs.send(b"x")
    loop.turn(1_000_000_000)
    assert seen == ["called"]
    for _ours, theirs in pairs:
        theirs.close()
    loop.close()


def test_a_signal_ends_run_at_once() -> None:
    loop = Loop(HandClock())
    before = signal.getsignal(signal.SIGTERM)
    pid = os.getpid()
    timer = threading.Timer(0.05, lambda: os.kill(pid, signal.SIGTERM))
    timer.start()
    loop.run()
    timer.join(5)
    assert signal.getsignal(signal.SIGTERM) is before
    loop.close()


def test_a_signal_is_heard_from_the_loop_also_when_it_came_before() -> None:
    loop, seen = Loop(HandClock()), []
    before = signal.getsignal(signal.SIGUSR1)
    loop.hear({signal.SIGUSR1: lambda: seen.append("usr1"), signal.SIGUSR2: loop.stop})
    os.kill(os.getpid(), signal.SIGUSR1)
    assert seen == []
    os.kill(os.getpid(), signal.SIGUSR2)
    loop.run()
    assert seen == ["usr1"]
    loop.close()
    assert signal.getsignal(signal.SIGUSR1) == before


def test_what_is_ignored_from_the_start_stays_ignored() -> None:
    old = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    loop = Loop(HandClock())
    loop.hear({signal.SIGUSR1: lambda: None})
    assert signal.getsignal(signal.SIGUSR1) == signal.SIG_IGN
    loop.close()
    signal.signal(signal.SIGUSR1, old)


# -- a wall clock that is set ----------------------------------------------------------------------


@pytest.mark.parametrize("jump_s", [2, 60, 3600, DAY_S, 30 * DAY_S, 365 * DAY_S, 18262 * DAY_S])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_jump_is_told_once_and_to_all_before_a_deadline_falls_due(jump_s: int, sign: int) -> None:
    clock, seen = HandClock(), []
    loop = Loop(clock)
    loop.on_jump(lambda jump: seen.append(("first", jump)))
    loop.on_jump(lambda jump: seen.append(("second", jump)))
    loop.at_wall(clock.wall + 1, lambda: seen.append("due"))
    loop.turn(0)
    clock.wall += sign * jump_s
    for _turn in range(3):
        loop.turn(0)
    told = [("first", sign * jump_s), ("second", sign * jump_s)]
    assert seen == (told if sign < 0 else [*told, "due"])
    loop.close()


def test_time_that_passes_is_no_jump_and_drift_is_one_when_it_has_come_to_a_second() -> None:
    clock, seen = HandClock(), []
    loop = Loop(clock)
    loop.on_jump(seen.append)
    for _day in range(3):
        clock.wall, clock.monotonic = clock.wall + DAY_S, clock.monotonic + DAY_S * SECOND_NS
        loop.turn(0)
    assert seen == []
    for _minute in range(4):  # 0.6 s too fast in each
        clock.wall, clock.monotonic = clock.wall + 60, clock.monotonic + 59_400_000_000
        loop.turn(0)
    assert seen == [1, 1]
    loop.close()


def test_the_clock_of_a_board_is_no_jump() -> None:
    first, second, seen = HandClock(), HandClock(), []
    second.wall += DAY_S
    loop = Loop(first)
    loop.on_jump(seen.append)
    loop.use_clock(second, LONGEST_NS)
    loop.turn(0)
    assert seen == []
    loop.close()


@pytest.mark.parametrize("jump_s", [40, -40, 365 * DAY_S, -365 * DAY_S])
def test_the_sleep_follows_the_wall_clock_both_ways(jump_s: int) -> None:
    clock, seen = HandClock(), []
    loop = Loop(clock)
    loop.at_wall(clock.wall + 45, lambda: seen.append("near"))
    loop.at_wall(clock.wall + 50 * DAY_S, lambda: seen.append("far"))
    assert loop._sleep_ns() == 45 * SECOND_NS
    clock.wall += jump_s
    loop.turn(0)
    due = {40: [], -40: [], 365 * DAY_S: ["near", "far"], -365 * DAY_S: []}[jump_s]
    assert seen == due
    assert loop._sleep_ns() == (5 * SECOND_NS if jump_s == 40 else LONGEST_NS)
    loop.close()


def test_a_lone_deadline_of_a_century_is_no_error_for_epoll() -> None:
    loop = Loop(HandClock(), longest_ns=10**30)
    century_s = 36_525 * DAY_S
    loop.at_wall(loop.wall_s() + century_s, lambda: None)
    assert loop._sleep_ns() == SLEEP_NS
    threading.Timer(0.05, lambda: os.write(loop._wake[1], b"x")).start()
    loop.turn(loop._sleep_ns())
    threading.Timer(0.05, lambda: os.write(loop._wake[1], b"x")).start()
    loop.turn(century_s * SECOND_NS)
    loop.close()


def test_a_loop_that_hears_sets_looks_when_it_is_told_and_not_each_minute() -> None:
    clock, seen = HandClock(), []
    loop = Loop(clock)
    loop.on_jump(seen.append)
    told = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)  # ready when somebody writes to it
    loop.hear_sets(told)
    assert loop._sleep_ns() == SLEEP_NS
    loop.turn(0)
    clock.wall -= DAY_S
    os.eventfd_write(told, 1)
    loop.turn(60 * SECOND_NS)
    loop.turn(0)
    assert seen == [-DAY_S]
    loop.close()
    with pytest.raises(OSError, match="Bad file"):
        os.close(told)


def test_a_timer_that_cannot_be_read_gives_the_look_each_minute_back() -> None:
    loop = Loop(HandClock())
    read, write = os.pipe()
    loop.hear_sets(write)  # ready to be read at once, as an error
    os.close(read)
    loop.turn(0)
    assert loop._sleep_ns() == LONGEST_NS
    poll = select.poll()
    poll.register(loop._selector.fileno(), select.POLLIN)
    assert poll.poll(0) == []
    loop.close()


def test_cancelled_deadlines_take_no_room_until_their_time() -> None:
    """A realm arms its renewal of next year anew at each event."""
    clock, called = HandClock(), []
    loop = Loop(clock)
    deadlines = [loop.at_wall(clock.wall_s() + 10**7, lambda: called.append(1))]
    tracemalloc.start()
    for _ in range(10_000):
        deadlines.pop().cancel()
        deadlines.append(loop.at_wall(clock.wall_s() + 10**7, lambda: called.append(2)))
    assert tracemalloc.get_traced_memory()[0] < 300 * 2 * HEAP_ROOM
    tracemalloc.stop()
    clock.wall += 10**7
    loop.turn(0)
    assert called == [2]
    loop.close()


def test_a_thousand_deadlines_at_once_leave_room_for_keys() -> None:
    """After a jump of the clock all realms may be due; what is ready is looked at between them."""
    clock, called = HandClock(), []
    loop = Loop(clock)
    ours, theirs = socket.socketpair()
    for number in range(1000):
        loop.at_wall(clock.wall + 10 + number % 3, lambda number=number: called.append(number))
    loop.watch(ours.fileno(), lambda: called.append(ours.recv(1)))
    clock.wall += 3600
    theirs.send(b"k")
    loop.turn(0)
    assert called[0] == b"k"
    assert len(called) == 1 + DUE_A_TURN
    turns = 1
    while len(called) < 1001:
        loop.turn(loop._sleep_ns())
        turns += 1
    assert turns == -(-1000 // DUE_A_TURN)
    ours.close()
    theirs.close()
    loop.close()


def test_work_in_pieces_is_one_piece_a_turn_behind_all_others() -> None:
    seen: list[str] = []
    loop = Loop(HandClock())

    def work() -> Iterator[None]:
        for piece in "abc":
            seen.append(piece)
            yield

    loop.pieces(work())
    assert seen == ["a"]
    for _turn in range(3):
        loop.after(0, lambda: seen.append("due"))
        loop.turn(60_000_000_000)
    assert seen == ["a", "due", "b", "due", "c", "due"]
    assert loop._sleep_ns() > 0
    loop.close()
