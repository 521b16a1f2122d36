"""The HTTP side (RFC 8894 4): one thread for each client, HTTP/1.1, everything bounded.

Any path is a SCEP service, as behind step-ca; the operation stands in the query. Clients escape
the message of a GET in their own ways: percent-escapes are undone, a bare `+` stays a plus (macOS)
and white space inside the base64 is dropped (sscep).
"""

import base64
import binascii
import select
import socket
import socketserver
import threading
import traceback
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from tools.lab_ca import answer as answers
from tools.lab_ca import caset, crl
from tools.lab_ca.answer import Answer, HttpError, Incoming
from tools.lab_ca.authority import Authority
from tools.lab_ca.hold import ClientGoneError, Gate
from tools.lab_ca.hooks import Hooks
from tools.lab_ca.ledger import Log
from tools.lab_ca.operations import Note, Responder
from tools.lab_ca.request import MalformedError

BODY_BYTES = 256 * 1024
# Closing on unread bytes resets the connection, and the client never sees why it was refused.
DRAIN_BYTES = 1024 * 1024
SOCKET_S = 30  # for one read or write, and for an idle connection
CAPABILITIES = "AES DES3 POSTPKIOperation SHA-1 SHA-256 SHA-384 SHA-512 SCEPStandard Renewal"
CRL_PATH = "/ca.crl"

LOG_FIELDS = (
    "operation", "method", "path", "peer", "port", "messageType", "transactionID", "senderNonce",
    "digest", "cipher", "csr_sha256", "signer_sha256", "pkiStatus", "failInfo", "failInfoText",
    "http_status", "held", "error",
)  # fmt: skip


class Service(NamedTuple):
    """All that the handlers share."""

    authority: Authority
    responder: Responder
    gate: Gate
    log: Log
    capabilities: tuple[str, ...]
    hooks: Hooks
    debug: bool


class Exchange(NamedTuple):
    """One HTTP operation: what came in, its line of the log, and how to reach a point of it."""

    service: Service
    incoming: Incoming
    note: Note
    reach: Callable[[str], None]


class Server(ThreadingHTTPServer):
    """Bound to exactly the given address; no name service is asked."""

    daemon_threads = True
    request_queue_size = 32

    def __init__(self, address: tuple[str, int], service: Service) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self.service = service
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()
        super().__init__(address, Handler)

    def count(self, operation: str) -> int:
        """How many requests of an operation there were, with this one."""
        with self._lock:
            self._seen[operation] += 1
            return self._seen[operation]

    def server_bind(self) -> None:
        """HTTPServer would look up the full name of this machine here."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    @property
    def url(self) -> str:
        host = f"[{self.server_name}]" if ":" in self.server_name else self.server_name
        return f"http://{host}:{self.server_port}/scep"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that break off are no news, unless somebody looks for a fault."""
        if self.service.debug:
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "lab-ca", ""
    timeout = SOCKET_S
    disable_nagle_algorithm = True
    error_message_format, error_content_type = "%(message)s\n", answers.TEXT

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        if self.server.service.debug:
            super().log_message(format, *args)

    def _serve(self) -> None:
        hooks = self.server.service.hooks
        incoming = self._incoming()
        note: Note = dict.fromkeys(LOG_FIELDS)
        note |= {"operation": incoming.operation, "method": self.command, "path": incoming.path}
        note["peer"], note["port"] = self.client_address[:2]
        try:
            incoming = hooks.admit(incoming._replace(body=self._body()))
            answer = self._answer(incoming, note)
        except HttpError as error:
            answer = answers.refusal(incoming, error)
            note["error"] = error.text
        except ClientGoneError:
            self.close_connection = True
            return
        self._send(hooks.answer(answer.plus("Date", self.date_time_string())), note)

    def _incoming(self) -> Incoming:
        """The request, as far as it came before its body."""
        path, _, query = self.path.partition("?")
        fields = dict(part.partition("=")[::2] for part in query.split("&"))
        operation = fields.get("operation", "")
        return Incoming(
            operation=operation,
            method=self.command,
            version=self.request_version,
            path=path,
            query=query,
            fields=fields,
            headers={name.lower(): value for name, value in self.headers.items()},
            text=unquote_to_bytes(fields.get("message", "")),
            body=b"",
            seen=self.server.count(operation),
        )

    def _answer(self, incoming: Incoming, note: Note) -> Answer:
        exchange = Exchange(self.server.service, incoming, note, lambda s: self._reach(s, note))
        exchange.service.authority.refresh()
        if incoming.path == CRL_PATH:
            kind, body = answers.CRL, crl.current(exchange.service.authority).dump()
        elif incoming.operation not in OPERATIONS:
            raise HttpError(HTTPStatus.BAD_REQUEST, "no such operation")
        else:
            kind, body = self._operate(exchange)
        return Answer(incoming.operation, incoming.seen, HTTPStatus.OK, kind, body)

    def _operate(self, exchange: Exchange) -> tuple[str, bytes]:
        try:
            return OPERATIONS[exchange.incoming.operation](exchange)
        except (HttpError, ClientGoneError):
            raise
        except Exception as error:
            if self.server.service.debug:
                traceback.print_exc()
            fault = f"a fault in the lab CA: {error!r}"
            raise HttpError(HTTPStatus.INTERNAL_SERVER_ERROR, fault) from error

    def _body(self) -> bytes:
        if self.command != "POST":
            return b""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            self.close_connection = True
            raise HttpError(HTTPStatus.LENGTH_REQUIRED, "Content-Length is needed")
        if len(length) > 9 or int(length) > BODY_BYTES:
            self.close_connection = True
            self.rfile.read(min(int(length[:9]), DRAIN_BYTES))
            raise HttpError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"over {BODY_BYTES} bytes")
        return self.rfile.read(int(length))

    def _reach(self, state: str, note: Note) -> None:
        gate = self.server.service.gate
        if gate.claims(state):
            self.server.service.log.write({**note, "held": state})
            gate.wait(state, note["transactionID"], self._gone)

    def _gone(self) -> bool:
        """Whether the client has closed; bytes of a next request are no farewell."""
        if not select.select([self.connection], [], [], 0)[0]:
            return False
        try:
            return not self.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def _send(self, answer: Answer, note: Note) -> None:
        if answer.framing == answers.CLOSE or answer.version == "HTTP/1.0":
            self.close_connection = True
        if self.close_connection:
            answer = answer.plus("Connection", "close")
        self.server.service.log.write({**note, "http_status": int(answer.status)})
        for piece in answers.pieces(answer):
            if piece:
                self.wfile.write(piece)
            elif self._gone():
                return


def _get_ca_caps(exchange: Exchange) -> tuple[str, bytes]:
    exchange.reach("getcacaps")
    service = exchange.service
    words = service.capabilities
    if service.authority.next_set():
        words = (*words, answers.NEXT)
    return answers.TEXT, "".join(f"{word}\n" for word in service.hooks.words(words)).encode()


def _get_ca_cert(exchange: Exchange) -> tuple[str, bytes]:
    exchange.reach("getcacert")
    found = exchange.service.hooks.ca_set(caset.of_now(exchange.service.authority))
    return found.kind, caset.encode(found)


def _get_next_ca_cert(exchange: Exchange) -> tuple[str, bytes]:
    authority = exchange.service.authority
    if not authority.next_set():
        raise HttpError(HTTPStatus.NOT_FOUND, "no next CA is prepared")
    found = exchange.service.hooks.ca_set(caset.of_next(authority))
    return found.kind, caset.encode(found)


def _pki_operation(exchange: Exchange) -> tuple[str, bytes]:
    try:
        message = _message(exchange.incoming)
        body = exchange.service.responder.answer(message, exchange.note, exchange.reach)
    except MalformedError as error:
        raise HttpError(HTTPStatus.BAD_REQUEST, str(error)) from error
    return answers.PKI_MESSAGE, body


def _message(incoming: Incoming) -> bytes:
    if incoming.method == "POST":
        return incoming.body
    try:
        return base64.b64decode(b"".join(incoming.text.split()), validate=True)
    except binascii.Error as error:
        raise HttpError(HTTPStatus.BAD_REQUEST, "the message is no base64") from error


OPERATIONS: dict[str, Callable[[Exchange], tuple[str, bytes]]] = {
    answers.CAPS: _get_ca_caps,
    answers.CERTIFICATES: _get_ca_cert,
    answers.NEXT: _get_next_ca_cert,
    answers.PKI: _pki_operation,
}
