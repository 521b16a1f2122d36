"""What came in over HTTP and what goes out, as records: switches change them on their way.

An `Incoming` is a request whose body was read, an `Answer` a reply before it is encoded. `pieces`
gives the octets of an answer in the order in which they leave.
"""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import NamedTuple

TEXT = "text/plain"
CA_CERTIFICATE, CA_SET = "application/x-x509-ca-cert", "application/x-x509-ca-ra-cert"
NEXT_CA = "application/x-x509-next-ca-cert"
PKI_MESSAGE = "application/x-pki-message"
CRL = "application/pkix-crl"

CAPS, CERTIFICATES, NEXT, PKI = "GetCACaps", "GetCACert", "GetNextCACert", "PKIOperation"
OPERATIONS = (CAPS, CERTIFICATES, NEXT, PKI)

LENGTH, LISTED, CHUNKED, CLOSE = "length", "length-list", "chunked", "close"
CHUNK_BYTES = 1000


class HttpError(Exception):
    """An answer that is no SCEP message: a status and a line of text."""

    def __init__(self, status: int, text: str, kind: str = TEXT) -> None:
        super().__init__(text)
        self.status, self.text, self.kind = status, text, kind


class Incoming(NamedTuple):
    """A request. `text` is the message of a GET without its percent-escapes."""

    operation: str
    method: str
    version: str  # "HTTP/1.1"
    path: str
    query: str
    fields: dict[str, str]  # of the query, still escaped
    headers: dict[str, str]  # by lower-case name
    text: bytes
    body: bytes
    seen: int = 1  # 1 for the first request of its operation


class Answer(NamedTuple):
    """A reply. `leave` says how its octets leave; it may never end."""

    operation: str
    seen: int  # as in `Incoming`
    status: int
    kind: str | None
    body: bytes
    reason: str | None = None  # None: the usual one
    headers: tuple[tuple[str, str], ...] = ()
    version: str = "HTTP/1.1"
    framing: str = LENGTH
    interim: bytes = b""  # whole replies before the reply
    leave: Callable[[bytes], Iterable[bytes]] = lambda octets: (octets,)

    def plus(self, name: str, value: str) -> "Answer":
        return self._replace(headers=(*self.headers, (name, value)))


def refusal(incoming: Incoming, error: HttpError) -> Answer:
    text = error.text.encode() + b"\n"
    return Answer(incoming.operation, incoming.seen, error.status, error.kind, text)


def pieces(answer: Answer) -> Iterable[bytes]:
    """The octets of an answer, as they are to be written."""
    lines = [_status_line(answer)]
    if answer.kind is not None:
        lines.append(f"Content-Type: {answer.kind}")
    lines += [f"{name}: {value}" for name, value in answer.headers]
    lines += _FRAMING[answer.framing](answer)
    head = "".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1")
    body = _chunked(answer.body) if answer.framing == CHUNKED else answer.body
    return answer.leave(answer.interim + head + body)


_FRAMING: dict[str, Callable[[Answer], list[str]]] = {
    LENGTH: lambda answer: [f"Content-Length: {len(answer.body)}"],
    LISTED: lambda answer: [f"Content-Length: {len(answer.body)}, {len(answer.body)}"],
    CHUNKED: lambda _answer: ["Transfer-Encoding: chunked"],
    CLOSE: lambda _answer: [],
}


def _status_line(answer: Answer) -> str:
    reason = HTTPStatus(answer.status).phrase if answer.reason is None else answer.reason
    return f"{answer.version} {answer.status} {reason}"


def _chunked(body: bytes) -> bytes:
    parts = [body[at : at + CHUNK_BYTES] for at in range(0, len(body), CHUNK_BYTES)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in [*parts, b""])
