"""A loopback HTTP server for the tests of the protocol core, and a link that connects plainly."""

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from hal.ports import Interface, LinkError, Source

Answer = Callable[[bytes], bytes]
WAIT_S = 10


class PlainLink:
    """Connects to loopback; `failure` makes it raise, `sources` records what was asked for."""

    def __init__(self, failure: str | None = None, timeout_s: float | None = None) -> None:
        self.failure, self.timeout_s = failure, timeout_s
        self.sources: list[Source] = []

    def interfaces(self) -> list[Interface]:
        return []

    def connect(self, host: str, port: int, source: Source, timeout_s: int) -> socket.socket:
        self.sources.append(source)
        if self.failure is not None:
            raise LinkError(self.failure, "as the test wants it", host)
        connection = socket.create_connection(("127.0.0.1", port), timeout_s)
        return Hasty(connection, self.timeout_s) if self.timeout_s else connection


class Hasty(socket.socket):
    """A connection that does not wait as long as it is told to, so that tests are short."""

    def __init__(self, inner: socket.socket, timeout_s: float) -> None:
        super().__init__(fileno=inner.detach())
        super().settimeout(timeout_s)

    def settimeout(self, value: float | None) -> None:
        """The test's own time-out stays."""


class Server:
    """Answers each connection with what `answer` makes of the request; keeps the requests."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def url(self, path: str = "/scep") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(WAIT_S)
                request = read_request(connection)
                self.requests.append(request)
                try:
                    connection.sendall(self.answer(request))
                except OSError:
                    continue  # the client had enough

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(WAIT_S)


def read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def serving(answer: Answer | bytes) -> Iterator[Server]:
    """A server for the length of a test; bytes are the same answer each time."""
    server = Server(answer if callable(answer) else lambda _: answer)
    try:
        yield server
    finally:
        server.close()


def ok(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def chunked(pieces: Sequence[bytes], trailer: bytes = b"") -> bytes:
    body = b"".join(b"%x;x=y\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + body + b"0\r\n" + trailer + b"\r\n"
