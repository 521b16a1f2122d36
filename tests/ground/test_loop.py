"""The event loop on real descriptors and a clock whose time is an argument."""

import os
import signal
import socket
import threading

from agent.loop import Loop


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
