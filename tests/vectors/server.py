"""Serves the vectors over loopback: the path of a request names the row."""

import base64
import socket
import ssl
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from tests.hostile import Line
from tests.scep_http import ok, read_request
from tests.vectors import desk
from tests.vectors.row import Row, answer_of

WAIT_S = 20
DRIP_S = 0.05  # between two octets; far below any time-out of a single read


class Vectors:
    """`with Vectors(rows) as served:` `served.url(row)` is where the row's job finds it.

    secure: the server's side of TLS, for https.
    """

    def __init__(self, rows: Iterable[Row], secure: ssl.SSLContext | None = None) -> None:
        self._secure = secure
        self._rows = {row.name: row for row in rows}
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._threads = [threading.Thread(target=self._serve)]

    def url(self, row: Row) -> str:
        scheme = "https" if self._secure else "http"
        return f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}/{row.name}"

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
            thread = threading.Thread(target=self._one, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _one(self, plain: socket.socket) -> None:
        with plain:
            plain.settimeout(WAIT_S)
            try:
                secure = self._secure
                line = secure.wrap_socket(plain, server_side=True) if secure else plain
                with line:
                    self._answer(read_request(line), Line(line, self._over))
            except OSError:
                return  # the client had enough, or the test has ended

    def _answer(self, request: bytes, line: Line) -> None:
        target = request.split(b" ", 2)[1].decode()
        path, _, query = target.partition("?")
        row = self._rows[path.lstrip("/")]
        operation = query.partition("operation=")[2].partition("&")[0]
        if operation != row.asked:
            line.send(_honest(operation))
            return
        for part in answer_of(row):
            if isinstance(part, bytes):
                line.send(part)
            elif isinstance(part, dict) and "drip" in part:
                _drip(line, base64.b64decode(part["drip"]))
            else:
                line.until_hung_up()


def _drip(line: Line, octets: bytes) -> None:
    while True:
        for at in range(len(octets)):
            line.pause(DRIP_S)
            line.send(octets[at : at + 1])


def _honest(operation: str) -> bytes:
    """Of the CA's other answers."""
    bodies = {"GetCACaps": b"SCEPStandard\nAES\n", "GetCACert": desk.certificate("ca")}
    return ok(bodies[operation])
