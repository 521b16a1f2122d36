"""A peer on the loop: bounded, fair, asked again when there is room."""

import socket
from collections.abc import Iterator

import pytest

from agent import limits
from agent.doors.streams import TURN_BYTES, Peer, SocketStream
from tests.helpers.device_bench import Bench


class Ends:
    """A peer and the other end of its stream."""

    def __init__(self) -> None:
        self.bench = Bench()
        agent, self.other = socket.socketpair()
        self.other.setblocking(False)
        self.received = b""
        self.ends = self.rooms = 0
        self.peer = Peer(self.bench.loop, SocketStream(agent), self._data, self._end)
        self.peer.on_room = self._room

    def _data(self, data: bytes) -> None:
        self.received += data

    def _end(self) -> None:
        self.ends += 1

    def _room(self) -> None:
        self.rooms += 1

    def read(self) -> int:
        """How much the other end gets until nothing more comes."""
        count = 0
        while True:
            self.bench.turn(2)
            try:
                data = self.other.recv(65536)
            except BlockingIOError:
                return count
            if not data:
                return count
            count += len(data)

    def fill(self) -> int:
        """Sends until there is no room, turn after turn; how much that took."""
        sent = idle = 0
        while idle < 10:
            if self.peer.has_room():
                self.peer.send(b"x" * 1000)
                sent, idle = sent + 1000, 0
            else:
                idle += 1
                self.bench.turn(1)
        return sent


@pytest.fixture
def ends() -> Iterator[Ends]:
    found = Ends()
    yield found
    found.peer.cut()
    found.other.close()


def test_one_turn_of_the_loop_takes_so_much_however_fast_the_reader_is(ends: Ends) -> None:
    sent = 0
    while ends.peer.has_room():
        ends.peer.send(b"x" * 1000)
        sent += 1000
    assert TURN_BYTES <= sent <= TURN_BYTES + 1000
    assert ends.rooms == 0, "never from within"
    ends.bench.turn(2)
    assert ends.rooms == 1
    assert ends.peer.has_room()


def test_who_was_refused_is_called_once_when_there_is_room(ends: Ends) -> None:
    sent = ends.fill()
    rooms = ends.rooms
    assert ends.read() == sent
    assert ends.rooms == rooms + 1
    ends.bench.turn(5)
    assert ends.rooms == rooms + 1


def test_who_does_not_read_is_heard_all_the_same(ends: Ends) -> None:
    ends.fill()
    ends.other.send(b"\x03")
    ends.bench.turn(2)
    assert ends.received == b"\x03"


def test_what_is_unsent_can_be_dropped(ends: Ends) -> None:
    ends.peer.send(b"x" * 500_000)
    ends.peer.discard()
    assert ends.peer.has_room()
    ends.peer.send(b"end")
    assert ends.read() < 500_000


def test_what_was_said_at_the_end_is_sent(ends: Ends) -> None:
    sent = ends.fill()
    ends.peer.end()
    ends.peer.discard()
    assert ends.read() == sent
    assert ends.ends == 1


def test_a_flood_to_a_peer_that_does_not_read_is_cut(ends: Ends) -> None:
    ends.fill()
    ends.peer.send(b"x" * limits.SESSION_OUTPUT_BYTES)
    ends.peer.send(b"x" * limits.SESSION_OUTPUT_BYTES)
    assert ends.ends == 1
    ends.peer.send(b"x")
    ends.peer.discard()
    assert not ends.peer.has_room()
