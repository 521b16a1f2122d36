"""A raw-socket server with named ways to misbehave: nothing in it helps to speak HTTP properly.

    with Hostile("html") as bad:                     every request is answered so
    with Hostile("cut", ca.url, PKI) as bad:         the others go to the real CA

A behaviour writes to a connection until it has done its worst; it waits in `Line.pause` only, which
ends with the test. `BEHAVIOURS` is the table.
"""

import random
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from tests.helpers.scep_http import chunked, ok, read_request

CERTIFICATES, PKI = b"operation=GetCACert", b"operation=PKIOperation"
HUGE_BYTES = 400 * 1024 * 1024
WAIT_S = 20
DRIP_S = 0.05  # between two bytes; far below any time-out of a single read
PIECE = b"x" * 64 * 1024
LOCATION = "https://elsewhere.example/scep"
HEAD = b"HTTP/1.1 200 OK\r\n"


class Line:
    """One connection of the server: what a behaviour may do with it."""

    def __init__(self, connection: socket.socket, over: threading.Event) -> None:
        self._connection, self._over = connection, over
        self.sent = 0  # bytes that the kernel took

    def send(self, data: bytes) -> None:
        """Raises OSError once the client has hung up."""
        self._connection.sendall(data)
        self.sent += len(data)

    def pause(self, seconds: float) -> None:
        """Raises TimeoutError when the test ends meanwhile."""
        if self._over.wait(seconds):
            raise TimeoutError

    def until_hung_up(self) -> None:
        """Keeps the connection open until the client closes it or the test ends."""
        while True:
            self.pause(DRIP_S)
            self._connection.settimeout(DRIP_S)
            try:
                if not self._connection.recv(4096):
                    return
            except TimeoutError:
                continue


Behaviour = Callable[[Line], None]


def _says(data: bytes) -> Behaviour:
    return lambda line: line.send(data)


def _drips(first: bytes, drop: bytes) -> Behaviour:
    """Something whole, then a byte at a time for ever."""

    def behave(line: Line) -> None:
        line.send(first)
        while True:
            for at in range(len(drop)):
                line.pause(DRIP_S)
                line.send(drop[at : at + 1])

    return behave


def _pours(first: bytes, piece: bytes, total: int) -> Behaviour:
    """As much as the client takes, up to a total of bytes."""

    def behave(line: Line) -> None:
        line.send(first)
        while line.sent < total:
            line.send(piece)

    return behave


def _stays(first: bytes) -> Behaviour:
    def behave(line: Line) -> None:
        if first:
            line.send(first)
        line.until_hung_up()

    return behave


def _garbage(line: Line) -> None:
    line.send(random.Random(1).randbytes(4096))


def _page(status: str, body: bytes, *headers: str) -> Behaviour:
    return _says(ok(body, "Content-Type: text/html", *headers, status=status))


HTML = b"<html><title>It works!</title></html>"
BEHAVIOURS: dict[str, Behaviour] = {
    "html": _page("200 OK", HTML),
    "redirect": _page("302 Found", b"", f"Location: {LOCATION}"),
    "not-found": _page("404 Not Found", b"<h1>no such\x1b[2J page</h1>"),
    "broken": _page("500 Internal Server Error", b"java.lang.NullPointerException"),
    "empty": _says(ok(b"")),
    "silent-end": _says(b""),
    "garbage": _garbage,
    "garbage-body": _says(ok(random.Random(2).randbytes(4096))),
    "other-protocol": _says(b"220 mail.example ESMTP ready\r\n"),
    "huge": _pours(HEAD + b"\r\n", PIECE, HUGE_BYTES),
    "huge-announced": _pours(HEAD + b"Content-Length: %d\r\n\r\n" % HUGE_BYTES, PIECE, HUGE_BYTES),
    "huge-chunk": _pours(
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % HUGE_BYTES, PIECE, HUGE_BYTES
    ),
    "huge-error": _pours(b"HTTP/1.1 503 Busy\r\n\r\n", PIECE, HUGE_BYTES),
    "drip-header": _drips(HEAD, b"X-Patience: please\r\n"),
    "drip-body": _drips(HEAD + b"Content-Length: 100000\r\n\r\n", b"x"),
    "drip-interim": _drips(b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    "never": _stays(b""),
    "stuck-in-body": _stays(HEAD + b"Content-Length: 9\r\n\r\nbody"),
    "cut": _says(HEAD + b"Content-Length: 4096\r\n\r\n" + b"x" * 100),
    "cut-header": _says(HEAD + b"Content-Le"),
    "chunk-nonsense": _says(HEAD + b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\nbody"),
    "chunk-negative": _says(HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nbody\r\n0\r\n\r\n"),
    "chunk-cut": _says(chunked([b"x" * 100])[:-20]),
    "chunk-endless-size": _pours(
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0" * 65536, HUGE_BYTES
    ),
    "length-twice": _says(HEAD + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nbody!"),
    "length-lies": _says(HEAD + b"Content-Length: 4\r\n\r\nbody and something smuggled"),
    "length-nonsense": _says(HEAD + b"Content-Length: many\r\n\r\nbody"),
    "header-flood": _pours(HEAD, b"X-Flood: y\r\n" * 4096, HUGE_BYTES),
    "header-endless": _pours(HEAD + b"X-Endless: ", PIECE, HUGE_BYTES),
    "interim-flood": _pours(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2048, HUGE_BYTES),
}


class Loopback:
    """A free port of loopback; each connection has a thread, and all end with the `with` block."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.place = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._serve, daemon=True)]

    def talk(self, connection: socket.socket) -> None:
        """What is said on one connection; the test may end and the client hang up (OSError)."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(WAIT_S)
            assert not thread.is_alive()

    def _serve(self) -> None:
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._one, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _one(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(WAIT_S)
            try:
                self.talk(connection)
            except OSError:
                return  # the client had enough, or the test has ended


class Hostile(Loopback):
    """A server that misbehaves; `asked` holds the requests, oldest first.

    upstream, target: requests with `target` in them are answered by the behaviour, all others by
    the CA at that URL.
    """

    def __init__(
        self, behaviour: str | Behaviour, upstream: str = "", target: bytes = b"operation="
    ) -> None:
        super().__init__()
        self._behaviour = BEHAVIOURS[behaviour] if isinstance(behaviour, str) else behaviour
        self._upstream, self._target = urlsplit(upstream), target
        self.asked: list[bytes] = []
        self.url = f"http://{self.place}/scep"

    def talk(self, connection: socket.socket) -> None:
        request = read_request(connection)
        self.asked.append(request)
        if self._target in request.partition(b"\r\n")[0]:
            self._behaviour(Line(connection, self._over))
        else:
            connection.sendall(self.from_the_ca(request))

    def from_the_ca(self, request: bytes) -> bytes:
        """What the real CA answers to the same request."""
        place = (self._upstream.hostname or "", self._upstream.port or 80)
        with socket.create_connection(place, WAIT_S) as real:
            real.sendall(request)
            return b"".join(iter(lambda: real.recv(65536), b""))


class Process(NamedTuple):
    """A process below another one, and the most memory that it ever had resident."""

    pid: int
    depth: int  # 1: child
    peak_kib: int


def descendants(pid: int, depth: int = 1) -> Iterator[Process]:
    """The processes below one, as /proc shows them at this moment; older ones first."""
    for child in _children(pid):
        fields = _status(child)
        if fields:
            yield Process(child, depth, int(fields.get("VmHWM", "0 kB").split()[0]))
            yield from descendants(child, depth + 1)


def _children(pid: int) -> list[int]:
    """By the list of each thread: a look at all processes takes long on a machine that is busy."""
    try:
        lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return []  # it has ended meanwhile
    return [int(word) for words in lists for word in words.split()]


def _status(pid: int) -> dict[str, str]:
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            rows = (line.partition(":") for line in file)
            return {key: value.strip() for key, _, value in rows}
    except OSError:
        return {}  # it has ended meanwhile
