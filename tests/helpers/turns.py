"""Turns of the loop of a device on fakes, each with the steps that it took: calls of functions, the
same on each machine and at each load."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from agent.console.session.session import Session
from agent.doors.streams import Peer, SocketStream
from tests.helpers.counted import calls
from tests.helpers.device_bench import Bench

MOST = 100_000  # turns
MS = 1_000_000


def longest(bench: Bench, over: Callable[[], object], most: int = MOST) -> int:
    """The steps of the longest turn until it is over; AssertionError when it does not end."""
    steps = 0
    for _turn in range(most):
        if over():
            return steps
        steps = max(steps, calls(lambda: bench.loop.turn(0)))
        bench.clock.advance(MS)
    raise AssertionError("it does not end")


class Script:
    """A session whose lines come and go by a socket, which takes all that is sent."""

    def __init__(self, bench: Bench) -> None:
        self.statuses: list[int] = []
        self.text = bytearray()
        self._ours, theirs = socket.socketpair()
        self._ours.setblocking(False)
        peer = self._peer = Peer(bench.loop, SocketStream(theirs), lambda _data: None, lambda: None)
        self.session = Session(
            bench.device, peer.send, bench.loop, level=3, terminal=False, has_room=peer.has_room
        )
        peer.on_room = self.session.resume

    def run(self, *lines: str) -> None:
        for line in lines:
            self.session.run_line(line, self.statuses.append)

    def read(self) -> None:
        """What has come so far."""
        try:
            while data := self._ours.recv(1 << 20):
                self.text += data
        except BlockingIOError:
            pass

    def close(self) -> None:
        self.session.close()
        self._peer.end()
        self._ours.close()


@contextmanager
def script(bench: Bench) -> Iterator[Script]:
    made = Script(bench)
    try:
        yield made
    finally:
        made.close()


def longest_of(bench: Bench, *lines: str) -> int:
    """The steps of the longest turn while a script runs these lines; all must succeed."""
    with script(bench) as typed:
        bench.loop.after(0, lambda: typed.run(*lines))

        def over() -> bool:
            typed.read()
            return len(typed.statuses) == len(lines)

        steps = longest(bench, over)
        assert not any(typed.statuses), typed.text[-500:]
        return steps
