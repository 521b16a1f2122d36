"""SCEP over HTTP (RFC 8894 4.1): one request, one bounded answer, over a connection of the link.

Fault model. The server, or whoever answers in its place, may send anything: no HTTP or too much of
it (`httpanswer`), a redirect, an error page with status 200, or nothing for ever. Promised: each
wait and the whole exchange are capped in time; redirects are never followed (a POST would become a
GET on the way, so the operator types the new place); nothing but TLS leaves for an https server;
and the outcome is a body or an AgentError. A server that drips a byte at a time would outlast any
time-out of a single read, so an alarm of the kernel ends the exchange. It cannot end a look-up of a
name: the C library goes on waiting, and the agent ends the child at its deadline.

`http.client` writes the request; added is what it lacks: a connection from a chosen source.
"""

from __future__ import annotations

import base64
import http.client
import re
import signal
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from urllib.parse import quote, urlsplit

from agent import limits
from agent.errors import AgentError, fail
from agent.scep import refusals, tls
from agent.scep.httpanswer import HttpAnswer
from agent.scep.text import clean, excerpt
from hal.named import NamedTuple
from hal.ports import Link, LinkError, Source

_CONTENT_TYPE = "application/x-pki-message"
_PORTS = {"http": http.client.HTTP_PORT, "https": http.client.HTTPS_PORT}
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
        "http-coding",
        *refusals.STATUSES.values(),
    }
)  # fmt: skip


class Server(NamedTuple):
    """The place of a realm's CA: host, port and the request target, to which a query is added."""

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
    target = (parts.path or "/") + query
    # No URI has a backslash (RFC 3986 2.2); the console takes one as a character of the path.
    return Server(host, port, target.replace("\\", "%5C"), parts.scheme == "https")


class Exchange(NamedTuple):
    """The way to a server: its place, the link, where connections come from, how long to wait."""

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
                with HttpAnswer(connection.sock, method) as answer:
                    answer.begin()
                    return _accepted(method, len(target), answer, answer.body(cap))
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


def _accepted(method: str, target_characters: int, answer: HttpAnswer, body: bytes) -> bytes:
    status = answer.status
    if 200 <= status < 300:
        if not body:
            raise fail("http-empty", status=status)
        return body
    if 300 <= status < 400:
        location = _OPERATION.sub("", answer.headers.get("Location", "no Location"))
        raise fail("http-redirect", status=status, location=clean(location, cap=256))
    asked, (after_s, said) = refusals.Asked(method, target_characters), _retry_after(answer.headers)
    refused = refusals.http(asked, status, clean(answer.reason, 64), excerpt(body) + said)
    refused.after_s = after_s
    raise refused


def _retry_after(headers: http.client.HTTPMessage) -> tuple[int, str]:
    """Retry-After in seconds (RFC 9110 10.2.3), and what is told of it. A date, which compares two
    clocks, and what is no number count as none."""
    text = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(text) and int(text):
        return int(text), f" (Retry-After: {int(text)} s)"
    return 0, f" (Retry-After: {clean(text, 40)} counts as none)" if text else ""


class _Connection(http.client.HTTPConnection):
    """An HTTPConnection whose socket comes from the link, from the realm's source."""

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
