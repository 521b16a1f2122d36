"""Answers that are no HTTP as it should be, or no answer of a CA, whatever was asked for."""

import random
from collections.abc import Iterator
from typing import NamedTuple

from tests.helpers.scep_http import chunked, ok
from tests.vectors.bench import Bench
from tests.vectors.row import HTTP_OK, STAY, Part, Parts, Row, drip, parts_of, repeat
from tests.vectors.rules import why

MIB = 1 << 20
HUGE = 400 * MIB
PIECE = bytes(1024)
CODING = HTTP_OK + b"Transfer-Encoding: "
LENGTH = HTTP_OK + b"Content-Length: "
CHUNKS = CODING + b"chunked\r\n\r\n"
SEED = 5
# Each operation by which a job meets what stands at a URL: (op, what is asked).
ASKED = {"reply": ("enrol", "PKIOperation"), "set": ("fetch-ca", "GetCACert")}
MALFORMED, CUT, LARGE = "http-malformed", "connection-reset", "http-too-large"


class Wire(NamedTuple):
    outcome: str
    says: str
    http: Parts


def _says(outcome: str, says: str, data: bytes) -> Wire:
    return Wire(outcome, says, parts_of(data))


def _page(outcome: str, status: str, body: bytes = b"no", *headers: str) -> Wire:
    return _says(outcome, f"status {status}", ok(body, *headers, status=status))


def _chunk(says: str, size: bytes) -> Wire:
    return _says(MALFORMED, f"a chunk's size {says}", CHUNKS + size + b"\r\nbody\r\n0\r\n\r\n")


def _pours(outcome: str, says: str, head: bytes, unit: bytes = PIECE) -> Wire:
    return Wire(outcome, says, (*parts_of(head), repeat(unit, HUGE // len(unit))))


def _slow(outcome: str, says: str, head: bytes, last: Part) -> Wire:
    return Wire(outcome, says, (*parts_of(head), last))


PAGE = ""  # what the job calls a body that is no answer of a CA
PATIENCE = b"X-Patience: please\r\n"
WIRES: dict[str, Wire] = {
    # -- statuses
    "status-204": _says("http-empty", "status 204, nothing", b"HTTP/1.1 204 No Content\r\n\r\n"),
    "status-206": _page(PAGE, "206 Partial Content"),
    "status-301": _page("http-redirect", "301 Moved", b"", "Location: http://elsewhere.example/"),
    "status-302-https": _page(
        "http-redirect", "302 Found", b"", "Location: https://elsewhere.example/scep"),
    "status-302-nowhere": _page("http-redirect", "302 Found", b""),
    "status-302-file": _page("http-redirect", "302 Found", b"", "Location: file:///etc/shadow"),
    "status-307": _page("http-redirect", "307 Temporary Redirect", b"", "Location: /again"),
    "status-308": _page("http-redirect", "308 Permanent Redirect", b"", "Location: //evil/"),
    "status-400": _page("http-refused", "400 Bad Request"),
    "status-401": _page("http-denied", "401 Unauthorized", b"", "WWW-Authenticate: Basic"),
    "status-403": _page("http-denied", "403 Forbidden"),
    "status-404": _page("http-not-found", "404 Not Found", b"<h1>no such\x1b[2J page</h1>"),
    "status-405": _page("http-method", "405 Method Not Allowed"),
    "status-407": _page("http-proxy", "407 Proxy Authentication Required"),
    "status-500": _page("http-failed", "500 Internal Server Error", b"java.lang.Exception"),
    "status-503": _page("http-busy", "503 Busy"),
    "status-999": _page("http-failed", "999 Whatever"),
    "status-000": _page("http-malformed", "000 Nothing"),
    "status-words": _says(MALFORMED, "a status in words", b"HTTP/1.1 OK fine\r\n\r\nbody"),
    "status-huge": _says(
        MALFORMED, "a status of 20 digits", b"HTTP/1.1 2" + b"0" * 19 + b" OK\r\n\r\nx"),
    "status-escapes": _page("http-failed", "500 \x1b[2J\x1b]0;owned\x07", b"\x1b[31mred"),
    # -- what is no HTTP
    "garbage": _says(MALFORMED, "random octets", random.Random(SEED).randbytes(4096)),
    "mail": _says(MALFORMED, "the greeting of a mail server", b"220 mail.example ESMTP\r\n"),
    "ssh": _says(MALFORMED, "the greeting of an SSH server", b"SSH-2.0-OpenSSH_9.2p1\r\n"),
    "tls-alert": _says(MALFORMED, "an alert of TLS", bytes.fromhex("15030300020228")),
    "bare-body": _says(MALFORMED, "a body without a head", b"\x30\x82\x01\x00" + bytes(256)),
    "http-9": _says(MALFORMED, "HTTP/9.9", b"HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\nno"),
    "http-2": _says(MALFORMED, "the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    # -- ends too early
    "closed": _says(CUT, "the connection ends without an octet", b""),
    "closed-in-status": _says(CUT, "the end comes within the status line", b"HTTP/1.1 2"),
    "closed-in-header": _says(CUT, "the end comes within the header", HTTP_OK + b"Content-Le"),
    "closed-in-body": _says(
        CUT, "the end comes within the body", LENGTH + b"4096\r\n\r\n" + b"x" * 99),
    "closed-in-chunk": _says(CUT, "the end comes within a chunk", chunked([b"x" * 100])[:-20]),
    "closed-before-last-chunk": _says(
        CUT, "the last chunk is missing", CHUNKS + b"4\r\nbody\r\n"),
    # -- lengths
    "length-negative": _says(MALFORMED, "a negative length", LENGTH + b"-1\r\n\r\nx"),
    "length-plus": _says(MALFORMED, "a length with a sign", LENGTH + b"+4\r\n\r\nbody"),
    "length-hex": _says(MALFORMED, "a length in hexadecimal", LENGTH + b"0x4\r\n\r\nbody"),
    "length-words": _says(MALFORMED, "a length in words", LENGTH + b"many\r\n\r\nbody"),
    "length-none": _says(MALFORMED, "a length without a digit", LENGTH + b"\r\n\r\nbody"),
    "length-list": _says(
        MALFORMED, "two lengths in one header that differ", LENGTH + b"4, 5\r\n\r\nbody!"),
    "length-twice": _says(
        MALFORMED, "two lengths", LENGTH + b"4\r\nContent-Length: 5\r\n\r\nbody!"),
    "length-and-chunks": _says(
        MALFORMED, "a length and chunks",
        LENGTH + b"4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"),
    "length-digits": _says(MALFORMED, "a length of 5000 digits",
                           LENGTH + b"" + b"9" * 5000 + b"\r\n\r\nx"),
    "length-zero": _says("http-empty", "a length of 0", LENGTH + b"0\r\n\r\nbody"),
    "length-19-digits": _says(
        LARGE, "a length of 10^19", LENGTH + b"" + b"9" * 19 + b"\r\n\r\nx"),
    # -- chunks
    "chunk-words": _chunk("in words", b"nonsense"),
    "chunk-negative": _chunk("that is negative", b"-4"),
    "chunk-plus": _chunk("with a sign", b"+4"),
    "chunk-prefix": _chunk("with 0x before it", b"0x4"),
    "chunk-underscore": _chunk("with a digit group", b"0_4"),
    "chunk-space": _chunk("behind a space", b" 4"),
    "chunk-none": _chunk("without a digit", b""),
    "chunk-digits": _chunk("of 17 digits", b"0" * 16 + b"4"),
    "chunk-short": _chunk("that is less than its data", b"3"),
    "coding-gzip": _says(MALFORMED, "a coding that nobody asked for",
                         CODING + b"gzip\r\n\r\nbody"),
    "coding-two": _says(MALFORMED, "two codings",
                        CODING + b"gzip, chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"),
    # -- too much
    "huge": _pours(LARGE, "400 MiB without a length", HTTP_OK + b"\r\n"),
    "huge-length": _pours(
        LARGE, "400 MiB with their length", LENGTH + b"%d\r\n\r\n" % HUGE),
    "huge-chunk": _pours(LARGE, "400 MiB in one chunk", CHUNKS + b"%x\r\n" % HUGE),
    "huge-chunks": _pours(
        LARGE, "400 MiB in small chunks", CHUNKS, b"80\r\n" + bytes(128) + b"\r\n"),
    "huge-chunk-size": _pours(MALFORMED, "a chunk's size of 400 MiB of digits", CHUNKS, b"0" * 64),
    "huge-extension": _pours(
        MALFORMED, "a chunk's extension of 400 MiB", CHUNKS + b"4;x=", b"y" * 64),
    "huge-extensions": _pours(
        MALFORMED, "400 MiB of chunks of one octet with extensions", CHUNKS,
        b"1;x=" + b"y" * 60 + b"\r\nx\r\n"),
    "huge-trailer": _pours(
        MALFORMED, "400 MiB of trailers",
        CHUNKS + b"4\r\nbody\r\n0\r\n", b"X-Trailer: y\r\n"),
    "huge-error": _pours("http-busy", "an error page of 400 MiB", b"HTTP/1.1 503 Busy\r\n\r\n"),
    "huge-headers": _pours(MALFORMED, "400 MiB of headers", HTTP_OK, b"X-Flood: y\r\n"),
    "huge-header": _pours(MALFORMED, "a header of 400 MiB", HTTP_OK + b"X-Long: "),
    "huge-folded": _pours(
        MALFORMED, "a folded header of 400 MiB", HTTP_OK + b"X: y\r\n", b" y\r\n"),
    "huge-status": _pours(MALFORMED, "a status line of 400 MiB", b"HTTP/1.1 200 ", b"y" * 64),
    "huge-interim": _pours(
        MALFORMED, "400 MiB of interim answers", b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    # -- too slow
    "never": _slow("answer-timeout", "no octet, for ever", b"", STAY),
    "stuck-in-header": _slow("answer-timeout", "the header never ends", HTTP_OK, STAY),
    "stuck-in-body": _slow(
        "answer-timeout", "the body never ends", LENGTH + b"9\r\n\r\nbody", STAY),
    "drip-status": _slow(
        "answer-too-slow", "the status line in drops", b"HTTP/1.1 200 ", drip(b"x")),
    "drip-header": _slow("answer-too-slow", "headers in drops", HTTP_OK, drip(PATIENCE)),
    "drip-body": _slow("answer-too-slow", "the body in drops",
                       LENGTH + b"100000\r\n\r\n", drip(b"x")),
    "drip-chunks": _slow("answer-too-slow", "chunks in drops", CHUNKS, drip(b"1\r\nx\r\n")),
    "drip-interim": _slow("answer-too-slow", "an interim answer in drops", b"",
                          drip(b"HTTP/1.1 102 Processing\r\n\r\n")),
}  # fmt: skip
# What an answer that HTTP has no fault with is called by who reads it.
PAGES = {"reply": "certrep-malformed", "set": "ca-set-malformed"}
# Tried once is enough of what takes seconds and is met before anybody knows what was asked.
SLOW = ("stuck-in-header", "drip-status", "drip-chunks", "drip-interim")
BODIES = {
    "html": b"<html><title>It works!</title></html>",
    "text": b"hello\n",
    "json": b'{"error":"no"}',
    "random": random.Random(SEED).randbytes(4096),
    "zeros": bytes(1000),
    "one-octet": b"\x30",
    "base64": b"MIIB" * 100,
    "pem-cut": b"-----BEGIN CERTIFICATE-----\nMIIB\n",
}


def rows(_bench: Bench) -> Iterator[Row]:
    for kind, (op, asked) in ASKED.items():
        for name, wire in WIRES.items():
            if kind == "set" and name in SLOW:
                continue
            outcome = wire.outcome or PAGES[kind]
            full = f"http-{kind}-{name}"
            yield Row(full, op, asked, outcome, wire.says, why(outcome, full), None, wire.http)
        for name, body in BODIES.items():
            full = f"http-{kind}-body-{name}"
            says = f"the body is {name.replace('-', ' ')}"
            outcome = PAGES[kind]
            yield Row(full, op, asked, outcome, says, why(outcome, full), parts_of(body))
