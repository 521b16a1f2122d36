"""SCEP over HTTP (RFC 8894 4.1): one request, one bounded answer, over a connection of the link.

Fault model. The server, or whoever answers in its place, may send anything: no HTTP, headers or a
body without end, lengths that contradict each other, interim answers without end, a redirect, an
error page with status 200, or nothing for ever. Promised: header and body are capped in bytes, each
wait and the whole exchange in time; redirects are never followed (a POST would become a GET on the
way, so the operator types the new place); nothing but TLS leaves for an https server; and the
outcome is a body or an AgentError. A server that drips a byte at a time would outlast any time-out
of a single read, so an alarm of the kernel ends the exchange. It cannot end a look-up of a name:
the C library goes on waiting, and the agent ends the child at its deadline.

`http.client` does the work; added is what it lacks: a connection from a chosen source, the caps,
and all interim answers (it takes a 103 for the final one).
"""

import base64
import http.client
import io
import re
import signal
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import BinaryIO, NamedTuple
from urllib.parse import quote, urlsplit

from agent import limits
from agent.errors import AgentError, fail
from agent.scep import refusals, tls
from agent.scep.text import clean, excerpt
from hal.ports import Link, LinkError, Source

_CONTENT_TYPE = "application/x-pki-message"
_CHUNK_BYTES = 16 * 1024
_PORTS = {"http": http.client.HTTP_PORT, "https": http.client.HTTPS_PORT}
_DIGITS = re.compile(r"[0-9]{1,20}")
_SECONDS = re.compile(r"[0-9]{1,9}")
_OPERATION = re.compile(r"[?&]operation=.*")  # our own question, repeated in a Location
LINK_CODES = {
    "interface": "source-missing",
    "no-address": "source-missing",
    "source": "source-missing",
    "name": "name-unresolved",
    "refused": "connection-refused",
    "route": "no-route",
    "timeout": "connection-timeout",
    "reset": "connection-reset",
    "other": "network-failed",
}
# After the connection stood: what a server without GetCACaps may do with the question.
SERVER_CODES = frozenset(
    {
        "answer-timeout", "answer-too-slow", "connection-reset", "http-redirect", "http-refused",
        "http-failed", "http-ndes", "http-empty", "http-malformed", "http-too-large",
        *refusals.STATUSES.values(),
    }
)  # fmt: skip


class Server(NamedTuple):
    """Where a realm's CA is: host, port and the request target, to which a query is added."""

    host: str
    port: int
    target: str
    secure: bool = False

    def with_query(self, query: str) -> str:
        return f"{self.target}{'&' if '?' in self.target else '?'}{query}"


def server(url: str) -> Server:
    """The parts of an `enrollment-url`; LocalError `url-invalid`."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise fail("url-invalid", reason=error) from None
    if parts.scheme not in _PORTS or not host or parts.username is not None:
        raise fail("url-invalid", reason="it is not http://HOST[:PORT]/PATH")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise fail("url-invalid", reason="it holds a character that no URL may have")
    query = f"?{parts.query}" if parts.query else ""
    port = port or _PORTS[parts.scheme]
    return Server(host, port, (parts.path or "/") + query, parts.scheme == "https")


class Exchange(NamedTuple):
    """How to reach a server: its place, the link, where connections come from, how long to wait."""

    server: Server
    link: Link
    source: Source
    timeouts: limits.Timeouts = limits.TIMEOUTS
    judge: ssl.SSLContext | None = None  # whom an https server is believed; None: nobody

    def get(self, operation: str, message: str | None, cap: int) -> bytes:
        """A GET of an operation; `message` is escaped here, None leaves it out."""
        query = f"operation={operation}"
        if message is not None:
            query += f"&message={quote(message, safe='')}"
        return self._answer("GET", self.server.with_query(query), None, cap)

    def fetch(self, cap: int) -> bytes:
        """A GET of what stands at the URL itself."""
        return self._answer("GET", self.server.target, None, cap)

    def send(self, message: bytes, post: bool, cap: int) -> bytes:
        """PKIOperation. GET carries plain base64 with +, / and = escaped (RFC 8894 4.1)."""
        if post:
            target = self.server.with_query("operation=PKIOperation")
            return self._answer("POST", target, message, cap)
        return self.get("PKIOperation", base64.b64encode(message).decode(), cap)

    def _answer(self, method: str, target: str, body: bytes | None, cap: int) -> bytes:
        if self.server.secure and self.judge is None:
            raise fail("tls-no-trust")
        connection = _Connection(self)
        headers = {"User-Agent": "scep-agent", "Connection": "close"}
        if body is not None:
            headers["Content-Type"] = _CONTENT_TYPE
        try:
            connection.connect()
            with self._alarm():
                connection.secure()
                connection.request(method, target, body, headers)
                response = connection.getresponse()
                return _accepted(method, len(target), response, _body(response, cap))
        except TimeoutError:
            raise fail("answer-timeout", host=self.server.host) from None
        except ssl.SSLError as error:  # a ValueError as well, and an OSError
            raise tls.failure(error, self.server.host) from None
        except (http.client.RemoteDisconnected, http.client.IncompleteRead):
            raise self._reset("the answer was cut short") from None
        except http.client.InvalidURL as error:
            raise fail("url-invalid", reason=error) from None
        except (http.client.HTTPException, ValueError) as error:
            raise fail("http-malformed", reason=clean(str(error)) or type(error).__name__) from None
        except OSError as error:
            raise self._reset(error.strerror or type(error).__name__) from None
        finally:
            connection.close()

    @contextmanager
    def _alarm(self) -> Iterator[None]:
        """Ends what is inside with `answer-too-slow`. The child's one alarm is borrowed for it."""

        def ring(_number: int, _frame: FrameType | None) -> None:
            host, seconds = self.server.host, self.timeouts.exchange_s
            raise fail("answer-too-slow", host=host, seconds=seconds)

        before = signal.signal(signal.SIGALRM, ring)
        left_s, _interval = signal.setitimer(signal.ITIMER_REAL, self.timeouts.exchange_s)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            signal.setitimer(signal.ITIMER_REAL, left_s)

    def _reset(self, what: str) -> AgentError:
        return fail("connection-reset", host=self.server.host, what=what)


def _body(response: http.client.HTTPResponse, cap: int) -> bytes:
    """The body up to its cap; of an error page just the beginning, which is all that is shown."""
    if response.status >= http.client.MULTIPLE_CHOICES:
        try:
            return response.read(8 * limits.PEER_TEXT_CHARACTERS)
        except (http.client.IncompleteRead, ConnectionError):
            return b""  # the status says what happened, whatever became of the page
    _check_framing(response.headers)
    if response.length is not None and response.length > cap:
        raise fail("http-too-large", cap=cap)
    body = bytearray()
    while chunk := response.read1(_CHUNK_BYTES):
        body += chunk
        if len(body) > cap:
            raise fail("http-too-large", cap=cap)
    if response.length:
        raise http.client.IncompleteRead(b"")
    return bytes(body)


def _check_framing(headers: http.client.HTTPMessage) -> None:
    """Where the body ends must be said once and clearly (RFC 9112 6.3)."""
    lengths = set(headers.get_all("Content-Length", []))
    if len(lengths) > 1 or not all(_DIGITS.fullmatch(length.strip()) for length in lengths):
        raise fail("http-malformed", reason="a Content-Length that makes no sense")
    codings = [coding.strip().lower() for coding in headers.get_all("Transfer-Encoding", [])]
    if codings and (lengths or codings != ["chunked"]):
        raise fail("http-malformed", reason="a Transfer-Encoding that makes no sense")


def _accepted(
    method: str, target_characters: int, response: http.client.HTTPResponse, body: bytes
) -> bytes:
    status = response.status
    if 200 <= status < 300:
        if not body:
            raise fail("http-empty", status=status)
        return body
    if 300 <= status < 400:
        location = _OPERATION.sub("", response.headers.get("Location", "no Location"))
        raise fail("http-redirect", status=status, location=clean(location, cap=256))
    asked = refusals.Asked(method, target_characters)
    refused = refusals.http(asked, status, clean(response.reason, 64), excerpt(body))
    refused.after_s = _retry_after_s(response.headers)
    raise refused


def _retry_after_s(headers: http.client.HTTPMessage) -> int:
    """Retry-After in seconds (RFC 9110 10.2.3); 0 without one, or for a date."""
    text = headers.get("Retry-After", "").strip()
    return int(text) if _SECONDS.fullmatch(text) else 0


class _Response(http.client.HTTPResponse):
    """Reads the head under our caps and past every interim answer, then lets the base go on."""

    def begin(self) -> None:
        stream = self.fp
        self.fp = io.BufferedReader(_Replay(_final_head(stream), stream))
        super().begin()


def _final_head(stream: BinaryIO) -> bytes:
    """Status line and header of the final answer (RFC 9110 15.2: any number of 1xx before it)."""
    for _ in range(limits.HTTP_INTERIM_ANSWERS + 1):
        head = _head(stream)
        version, _, rest = head.partition(b" ")
        if not (version.startswith(b"HTTP/") and rest[:1] == b"1" and rest[1:3].isdigit()):
            return head
    raise http.client.HTTPException("too many interim answers")


def _head(stream: BinaryIO) -> bytes:
    head, fields = bytearray(), 0
    while True:
        line = stream.readline(limits.HTTP_HEADER_BYTES + 1)
        head += line
        fields += 1
        if not head.startswith(b"HTTP/"[: len(head)]):
            raise http.client.HTTPException(f"it begins with {excerpt(bytes(head[:40]))}")
        if len(head) > limits.HTTP_HEADER_BYTES or fields > limits.HTTP_HEADER_FIELDS + 2:
            raise http.client.HTTPException("the header is too large")
        if not line:
            raise http.client.RemoteDisconnected("closed")
        if line in (b"\r\n", b"\n"):
            return bytes(head)


class _Replay(io.RawIOBase):
    """A head that was read already, then the stream that it came from."""

    def __init__(self, head: bytes, stream: io.BufferedReader) -> None:
        self._head, self._stream = head, stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._head:
            return self._stream.readinto1(buffer)
        taken = self._head[: len(buffer)]
        buffer[: len(taken)] = taken
        self._head = self._head[len(taken) :]
        return len(taken)

    def close(self) -> None:
        self._stream.close()
        super().close()


class _Connection(http.client.HTTPConnection):
    """An HTTPConnection whose socket comes from the link, from the realm's source."""

    response_class = _Response

    def __init__(self, exchange: Exchange) -> None:
        self.default_port = _PORTS["https" if exchange.server.secure else "http"]
        super().__init__(exchange.server.host, exchange.server.port)
        self._exchange = exchange

    def connect(self) -> None:
        where, link, source, timeouts, _judge = self._exchange
        try:
            self.sock = link.connect(where.host, where.port, source, timeouts.connect_s)
        except LinkError as error:
            code = LINK_CODES.get(error.kind, "network-failed")
            raise fail(code, host=where.host, what=error) from None
        self.sock.settimeout(timeouts.receive_s)

    def secure(self) -> None:
        """The handshake, where the URL asks for one."""
        if self._exchange.judge is not None:
            self.sock = tls.secure(self.sock, self._exchange.judge, self._exchange.server.host)


def source_of(fields: Mapping[str, object]) -> Source:
    """The source of a job map: {address, interface, bind_device, vrf}."""
    texts = (fields.get(name) for name in ("address", "interface", "vrf"))
    address, interface, vrf = (text if isinstance(text, str) else None for text in texts)
    return Source(address, interface, fields.get("bind_device") is True, vrf)
