"""Lies of HTTP: floods, drips, silence, lengths."""

import socket
from collections.abc import Callable

import pytest

from tests.helpers.labca_seen import Lab, Seen, prove
from tools.lab_ca import answer as answers
from tools.lab_ca import hostile

MIB = 1 << 20
SOON_S = 0.2  # what comes within it, comes at once


def answered(lab: Lab, limit: int = 8 * MIB) -> bytes:
    """What comes after a good request, up to a limit."""
    return lab.octets(lab.request("operation=PKIOperation", lab.message()), limit)


def pours(head: bytes, inside: bytes) -> Seen:
    """More comes than anybody wants; how much in all, another test counts."""

    def true(lab: Lab) -> bool:
        found = answered(lab)
        return len(found) >= 8 * MIB and found.startswith(head) and inside in found[:MIB]

    return Seen(true)


def soon(line: socket.socket) -> bytes | None:
    """What comes at once: b"" at the end, None when nothing does."""
    line.settimeout(SOON_S)
    try:
        return line.recv(4096)
    except TimeoutError:
        return None


def arrives(test: Callable[[socket.socket], bool]) -> Seen:
    def true(lab: Lab) -> bool:
        with lab.line(lab.request("operation=PKIOperation", lab.message())) as line:
            line.recv(1, socket.MSG_PEEK) if test is not silent else None
            return test(line)

    return Seen(true)


def silent(line: socket.socket) -> bool:
    return soon(line) is None


def drips(line: socket.socket) -> bool:
    return [len(soon(line) or b"") for _ in range(3)] == [1, 1, 1]


def drips_lines(line: socket.socket) -> bool:
    found = [line.recv(4096) for _ in range(3)]
    return found[0].startswith(b"HTTP/1.1 200") and found[1].startswith(b"X-") and bool(found[2])


def sticks(line: socket.socket) -> bool:
    found = b""
    while piece := soon(line):
        found += piece
    return piece is None and found.startswith(b"HTTP/1.1 200")


def lengths(found: bytes) -> list[bytes]:
    head = found.partition(b"\r\n\r\n")[0].split(b"\r\n")
    return [line for line in head if line.startswith((b"Content-Length", b"Transfer-Encoding"))]


def frame(test: Callable[[bytes, list[bytes]], bool]) -> Seen:
    """The body of an answer, and the headers that tell its length."""

    def true(lab: Lab) -> bool:
        found = answered(lab)
        return test(found.partition(b"\r\n\r\n")[2], lengths(found))

    return Seen(true)


OK = b"HTTP/1.1 200 OK\r\n"
TRANSPORT = {
    "http-huge": pours(OK + b"\r\n", bytes(4096)),
    "http-huge-length": pours(OK + b"Content-Length: 419430400\r\n\r\n", bytes(4096)),
    "http-huge-chunk": pours(OK, b"\r\n19000000\r\n"),
    "http-chunk-size": pours(OK, b"\r\n\r\n" + b"0" * 65_536),
    "http-headers": pours(OK, b"X-Flood: y\r\n" * 1000),
    "http-header": pours(OK + b"X-Long: ", b"x" * 65_536),
    "http-interim": pours(b"HTTP/1.1 100 Continue\r\n\r\n" * 100, b"100"),
    "http-drip": arrives(drips),
    "http-drip-header": arrives(drips_lines),
    "http-never": arrives(silent),
    "http-stuck": arrives(sticks),
    "http-closed": Seen(lambda lab: answered(lab) == b""),
    "http-cut": frame(lambda found, said: said == [b"Content-Length: %d" % (len(found) + 100)]),
    "http-length-twice": frame(lambda _, said: said[0] == b"Content-Length: 4" and len(said) == 2),
    "http-length-chunked": frame(
        lambda found, said: said[0] == b"Transfer-Encoding: chunked" and found[:1] == b"\x30"
    ),
    "http-length-short": frame(
        lambda found, said: said == [b"Content-Length: 4"] and len(found) > 4
    ),
    "http-length-words": frame(lambda _, said: said == [b"Content-Length: many"]),
    "http-garbage": Seen(lambda lab: answered(lab)[::-1].startswith(OK)),
    "http-other": Seen(lambda lab: answered(lab).startswith(b"220 mail")),
}


@pytest.mark.parametrize(
    "name", [name for name in TRANSPORT if "400 MiB" in hostile.HOSTILE[name].says]
)
def test_what_pours_comes_to_an_end(name: str) -> None:
    answer = answers.Answer(answers.PKI, 1, 200, answers.PKI_MESSAGE, b"body")
    total = sum(map(len, answers.pieces(hostile.HOSTILE[name].answer(answer))))
    assert 399 * MIB < total < 401 * MIB


@pytest.mark.parametrize("name", TRANSPORT)
def test_a_lie_is_what_it_says(name: str) -> None:
    prove(TRANSPORT[name], hostile.HOSTILE[name])
