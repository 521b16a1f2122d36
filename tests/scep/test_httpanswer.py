"""One answer of an HTTP server, from a socket: how chunks may be framed, and how much is read."""

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from agent import limits
from agent.errors import AgentError
from agent.scep.httpanswer import HttpAnswer
from tests.helpers.scep_http import WAIT_S, chunked, ok

CAP = 4096
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
WIRE_BYTES = limits.HTTP_HEADER_BYTES + limits.HTTP_FRAMING * CAP
BUFFERS_BYTES = 64 * 1024  # of the readers, on top of what is counted


class Sender:
    """The other end of a line: sends until it is done or nobody listens; counts the octets."""

    def __init__(self, line: socket.socket, octets: Iterator[bytes]) -> None:
        self.sent = 0
        self._line, self._octets = line, octets
        self.thread = threading.Thread(target=self._send)
        self.thread.start()

    def _send(self) -> None:
        with self._line:
            try:
                for piece in self._octets:
                    self._line.sendall(piece)
                    self.sent += len(piece)
            except OSError:
                return  # the reader had enough


@contextmanager
def sending(octets: Iterator[bytes]) -> Iterator[tuple[socket.socket, Sender]]:
    ours, theirs = socket.socketpair()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    for end in (ours, theirs):
        end.settimeout(WAIT_S)
    sender = Sender(theirs, octets)
    try:
        with ours:
            yield ours, sender
    finally:
        sender.thread.join(WAIT_S)
        assert not sender.thread.is_alive()


def body(line: socket.socket, cap: int = CAP) -> bytes:
    with HttpAnswer(line, "GET") as answer:
        answer.begin()
        return answer.body(cap)


def read(octets: bytes, cap: int = CAP) -> bytes:
    with sending(iter([octets])) as (line, _sender):
        return body(line, cap)


@pytest.mark.parametrize(
    "chunks",
    [
        b"4\r\nbody\r\n0\r\n\r\n",
        b"04\r\nbody\r\n000\r\n\r\n",
        b"2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n",
        b'4;a="b;c";d\r\nbody\r\n0;x\r\n\r\n',  # extensions (RFC 9112 7.1.1)
        b"4 \t;a=b\r\nbody\r\n0\r\n\r\n",  # white space before one is bad, and taken
        b"4\nbody\r\n0\n\n",  # as lines of the head may end
        b"4\r\nbody\r\n0\r\nX-Trailer: y\r\nX: z\r\n\r\n",
        b"4\r\nbody\r\n0\r\n",  # the last chunk is there, so the body is whole
        b"4\r\nbody\r\n0\r\nX-Trailer",
        b"4\r\nbody\r\n0\r\n\r\nand more",
    ],
)
def test_ways_to_frame_chunks(chunks: bytes) -> None:
    assert read(CHUNKS + chunks) == b"body"


@pytest.mark.parametrize(
    "size",
    [b"-4", b"+4", b"0x4", b"0X4", b"0_4", b" 4", b"4 4", b"", b";a", b"four", b"4.0", b"\xb2",
     b"\xd9\xa4", b"4;a\rb", b"0" * 16 + b"4", b"3", b"5"],
)  # fmt: skip
def test_sizes_that_two_readers_could_take_differently(size: bytes) -> None:
    with pytest.raises(http.client.HTTPException, match="chunk"):
        read(CHUNKS + size + b"\r\nbody\r\n0\r\n\r\n")


@pytest.mark.parametrize("cut", range(1, len(chunked([b"body"])) - len(CHUNKS) - 2))
def test_chunks_that_are_cut(cut: int) -> None:
    whole = chunked([b"body"])
    with pytest.raises(http.client.IncompleteRead):
        read(whole[: len(CHUNKS) + cut - 1])


@pytest.mark.parametrize(
    ("head", "unit", "fault"),
    [
        (CHUNKS, b"1;x=" + b"y" * 60 + b"\r\nx\r\n", "frames the body"),
        (CHUNKS, b"0" * 64, "size of a chunk"),
        (CHUNKS + b"4;x=", b"y" * 64, "size of a chunk"),
        (CHUNKS + b"4\r\nbody\r\n0\r\n", b"X-Trailer: y\r\n", "trailer is too large"),
        (CHUNKS + b"4\r\nbody\r\n0\r\nX: ", b"y" * 64, "trailer is too large"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", "header is too large"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", "interim"),
    ],
)
def test_what_never_ends_is_left_early(head: bytes, unit: bytes, fault: str) -> None:
    def endless() -> Iterator[bytes]:
        yield head
        while True:
            yield unit * 64

    with (
        sending(endless()) as (line, sender),
        pytest.raises(http.client.HTTPException, match=fault),
    ):
        body(line)
    assert sender.sent < WIRE_BYTES + BUFFERS_BYTES


def test_the_smallest_chunks_find_room_under_the_cap() -> None:
    whole = CHUNKS + b"1\r\nx\r\n" * CAP + b"0\r\n\r\n"
    assert read(whole) == b"x" * CAP
    with pytest.raises(AgentError) as caught:
        read(CHUNKS + b"1\r\nx\r\n" * (CAP + 1) + b"0\r\n\r\n")
    assert caught.value.code == "http-too-large"


def test_a_small_cap_leaves_room_for_what_is_read_ahead() -> None:
    assert read(ok(b"x") + bytes(10_000), 1) == b"x"


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        (ok(b"no" * 5000, status="404 No"), 8 * limits.PEER_TEXT_CHARACTERS),
        (chunked([b"no"] * 5000).replace(b"200 OK", b"404 No"), 8 * limits.PEER_TEXT_CHARACTERS),
        (chunked([b"no"]).replace(b"200 OK", b"404 No")[:-7], 2),
        (CHUNKS.replace(b"200 OK", b"404 No") + b"zz\r\nno", 0),
        (ok(b"no", status="404 No").replace(b": 2", b": 99"), 2),
    ],
)
def test_of_an_error_page_the_beginning_is_enough(page: bytes, shown: int) -> None:
    assert len(read(page)) == shown
