"""HTTP of a liar: bodies without end, octets in slow drops, headers that contradict each other.

They are about PKIOperation, so that all that comes before it goes well. A stream that waits yields
empty pieces: at each of them the server looks whether the client has gone.
"""

import time
from collections.abc import Callable, Iterable, Iterator

from tools.lab_ca.answer import CLOSE, PKI, Answer
from tools.lab_ca.hooks import Hooks, on

HUGE_BYTES = 400 * 1024 * 1024
PIECE = bytes(64 * 1024)
DROP_S = 0.05  # far below any time-out of a single read
HEAD_END = b"\r\n\r\n"

Leave = Callable[[bytes], Iterable[bytes]]


def _leaves(says: str, leave: Leave) -> Hooks:
    """The octets of a whole answer leave in another way; the connection ends with it."""
    return Hooks(says, answer=on(PKI, lambda found: found._replace(leave=leave, framing=CLOSE)))


def _poured(head: bytes, piece: bytes = PIECE) -> Leave:
    def leave(_octets: bytes) -> Iterator[bytes]:
        yield head
        for _ in range(HUGE_BYTES // len(piece)):
            yield piece

    return leave


def _waits() -> Iterator[bytes]:
    while True:
        yield b""
        time.sleep(DROP_S)


def _never(_octets: bytes) -> Iterator[bytes]:
    yield from _waits()


def _stuck(octets: bytes) -> Iterator[bytes]:
    yield octets[:-1]
    yield from _waits()


def _drip(octets: bytes) -> Iterator[bytes]:
    for at in range(len(octets)):
        yield octets[at : at + 1]
        yield b""
        time.sleep(DROP_S)


def _drip_header(_octets: bytes) -> Iterator[bytes]:
    yield OK
    while True:
        yield b"X-Patience: please\r\n"
        yield b""
        time.sleep(DROP_S)


def _headed(*lines: str) -> Callable[[Answer], Answer]:
    """More headers, which stand before Content-Length."""

    def change(found: Answer) -> Answer:
        for line in lines:
            found = found.plus(*line.split(": ", 1))
        return found

    return change


def _instead(line: str) -> Callable[[Answer], Answer]:
    """A header instead of the right length."""
    return lambda found: _headed(line)(found._replace(framing=CLOSE))


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKS = OK + b"Transfer-Encoding: chunked" + HEAD_END

TRANSPORT: dict[str, Hooks] = {
    "http-huge": _leaves("a reply of 400 MiB, without a length", _poured(OK + b"\r\n")),
    "http-huge-length": _leaves(
        "a reply of 400 MiB, with its length",
        _poured(OK + b"Content-Length: %d" % HUGE_BYTES + HEAD_END),
    ),
    "http-huge-chunk": _leaves(
        "a reply of 400 MiB in one chunk", _poured(CHUNKS + b"%x\r\n" % HUGE_BYTES)
    ),
    "http-chunk-size": _leaves(
        "a chunk's size has 400 MiB of digits", _poured(CHUNKS, b"0" * 65536)
    ),
    "http-headers": _leaves("400 MiB of headers", _poured(OK, b"X-Flood: y\r\n" * 4096)),
    "http-header": _leaves("a header of 400 MiB", _poured(OK + b"X-Long: ", b"x" * 65536)),
    "http-interim": _leaves(
        "400 MiB of interim replies", _poured(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2048)
    ),
    "http-drip": _leaves("a reply in drops: one octet each 50 ms", _drip),
    "http-drip-header": _leaves("headers for ever, one each 50 ms", _drip_header),
    "http-never": _leaves("no octet, and the connection stays open", _never),
    "http-stuck": _leaves("the last octet never comes", _stuck),
    "http-closed": _leaves("the connection ends without an octet", lambda _octets: ()),
    "http-cut": Hooks(
        "the connection ends in the middle of the body",
        answer=on(PKI, lambda found: found._replace(leave=lambda octets: (octets[:-100],)).plus(
            "Connection", "close")),
    ),
    "http-length-twice": Hooks(
        "two different lengths", answer=on(PKI, _headed("Content-Length: 4"))
    ),
    "http-length-chunked": Hooks(
        "a length, and chunks that are none", answer=on(PKI, _headed("Transfer-Encoding: chunked"))
    ),
    "http-length-short": Hooks(
        "a length of 4, and more than that",
        answer=on(PKI, _instead("Content-Length: 4")),
    ),
    "http-length-words": Hooks(
        "a length in words",
        answer=on(PKI, _instead("Content-Length: many")),
    ),
    "http-garbage": _leaves("octets that are no HTTP", lambda octets: (octets[::-1],)),
    "http-other": _leaves(
        "the greeting of a mail server", lambda _octets: (b"220 mail.example ESMTP ready\r\n",)
    ),
}  # fmt: skip
