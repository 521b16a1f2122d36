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
import traceback
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from tools.lab_ca import reply as replies
from tools.lab_ca.authority import Authority
from tools.lab_ca.hold import ClientGoneError, Gate
from tools.lab_ca.ledger import Log
from tools.lab_ca.operations import Note, Responder
from tools.lab_ca.request import MalformedError

BODY_BYTES = 256 * 1024
# Closing on unread bytes resets the connection, and the client never sees why it was refused.
DRAIN_BYTES = 1024 * 1024
SOCKET_S = 30  # for one read or write, and for an idle connection
CAPABILITIES = "AES DES3 POSTPKIOperation SHA-1 SHA-256 SHA-384 SHA-512 SCEPStandard Renewal"
MEANS_POST = frozenset({"POSTPKIOperation", "SCEPStandard"})

TEXT = "text/plain"
CA_CERTIFICATE, CA_SET = "application/x-x509-ca-cert", "application/x-x509-ca-ra-cert"
PKI_MESSAGE = "application/x-pki-message"

LOG_FIELDS = (
    "operation", "method", "path", "peer", "port", "messageType", "transactionID", "senderNonce",
    "digest", "cipher", "csr_sha256", "signer_sha256", "pkiStatus", "failInfo", "failInfoText",
    "http_status", "held", "error",
)  # fmt: skip


class HttpError(Exception):
    """An answer that is no SCEP message: a status and a line of text."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


class Service(NamedTuple):
    """All that the handlers share."""

    authority: Authority
    responder: Responder
    gate: Gate
    log: Log
    capabilities: tuple[str, ...]
    get_only: bool
    debug: bool


class Exchange(NamedTuple):
    """One HTTP operation: its message, its line of the log, and how to reach a point of it."""

    service: Service
    message: bytes
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
        super().__init__(address, Handler)

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
    error_message_format, error_content_type = "%(message)s\n", TEXT

    def do_GET(self) -> None:
        self._serve(lambda raw: base64.b64decode(b"".join(raw.split()), validate=True))

    def do_POST(self) -> None:
        self._serve(lambda _raw: self._body())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        if self.server.service.debug:
            super().log_message(format, *args)

    def _serve(self, read: Callable[[bytes], bytes]) -> None:
        note: Note = dict.fromkeys(LOG_FIELDS)
        try:
            status, kind, body = self._answer(note, read)
        except HttpError as error:
            status, kind, body = error.status, TEXT, error.text.encode() + b"\n"
            note["error"] = error.text
        except ClientGoneError:
            self.close_connection = True
            return
        note["http_status"] = int(status)
        self.server.service.log.write(note)
        self._send(status, kind, body)

    def _answer(self, note: Note, read: Callable[[bytes], bytes]) -> tuple[HTTPStatus, str, bytes]:
        path, _, query = self.path.partition("?")
        fields = dict(part.partition("=")[::2] for part in query.split("&"))
        operation = fields.get("operation", "")
        peer, port = self.client_address[:2]
        note |= {"operation": operation, "method": self.command, "path": path}
        note |= {"peer": peer, "port": port}
        message = b""
        if operation == "PKIOperation" or self.command == "POST":  # a body is always read
            message = self._message(read, unquote_to_bytes(fields.get("message", "")))
        if operation not in OPERATIONS:
            raise HttpError(HTTPStatus.BAD_REQUEST, "no such operation")
        exchange = Exchange(self.server.service, message, note, lambda s: self._reach(s, note))
        try:
            return HTTPStatus.OK, *OPERATIONS[operation](exchange)
        except (HttpError, ClientGoneError):
            raise
        except Exception as error:
            if self.server.service.debug:
                traceback.print_exc()
            fault = f"a fault in the lab CA: {error!r}"
            raise HttpError(HTTPStatus.INTERNAL_SERVER_ERROR, fault) from error

    def _message(self, read: Callable[[bytes], bytes], raw: bytes) -> bytes:
        try:
            message = read(raw)
        except binascii.Error as error:
            raise HttpError(HTTPStatus.BAD_REQUEST, "the message is no base64") from error
        if self.command == "POST" and self.server.service.get_only:
            raise HttpError(HTTPStatus.METHOD_NOT_ALLOWED, "only GET is served here")
        return message

    def _body(self) -> bytes:
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

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


def _get_ca_caps(exchange: Exchange) -> tuple[str, bytes]:
    exchange.reach("getcacaps")
    return TEXT, "".join(f"{word}\n" for word in exchange.service.capabilities).encode()


def _get_ca_cert(exchange: Exchange) -> tuple[str, bytes]:
    exchange.reach("getcacert")
    authority = exchange.service.authority
    if authority.degenerate:
        return CA_SET, replies.degenerate(authority.published)
    return CA_CERTIFICATE, authority.ca.certificate.dump()


def _get_next_ca_cert(exchange: Exchange) -> tuple[str, bytes]:
    raise HttpError(HTTPStatus.NOT_FOUND, f"{exchange.note['operation']} is not here yet")


def _pki_operation(exchange: Exchange) -> tuple[str, bytes]:
    try:
        answer = exchange.service.responder.answer(exchange.message, exchange.note, exchange.reach)
    except MalformedError as error:
        raise HttpError(HTTPStatus.BAD_REQUEST, str(error)) from error
    return PKI_MESSAGE, answer


OPERATIONS: dict[str, Callable[[Exchange], tuple[str, bytes]]] = {
    "GetCACaps": _get_ca_caps,
    "GetCACert": _get_ca_cert,
    "GetNextCACert": _get_next_ca_cert,
    "PKIOperation": _pki_operation,
}
