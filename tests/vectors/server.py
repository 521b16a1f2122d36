"""Serves the vectors over loopback: the path of a request names the row."""

import base64
import socket
import ssl
from collections.abc import Iterable

from tests.helpers.hostile import DRIP_S, Line, Loopback
from tests.helpers.scep_http import ok, read_request
from tests.vectors import desk
from tests.vectors.row import Row, answer_of


class Vectors(Loopback):
    """`with Vectors(rows) as served:` `served.url(row)` is where the row's job finds it.

    secure: the server's side of TLS, for https.
    """

    def __init__(self, rows: Iterable[Row], secure: ssl.SSLContext | None = None) -> None:
        super().__init__()
        self._secure = secure
        self._rows = {row.name: row for row in rows}

    def url(self, row: Row) -> str:
        scheme = "https" if self._secure else "http"
        return f"{scheme}://{self.place}/{row.name}"

    def talk(self, connection: socket.socket) -> None:
        secure = self._secure
        line = secure.wrap_socket(connection, server_side=True) if secure else connection
        with line:
            self._answer(read_request(line), Line(line, self._over))

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
