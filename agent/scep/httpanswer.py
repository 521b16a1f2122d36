"""One answer of an HTTP server: its head, and a body whose end is said clearly (RFC 9112).

Fault model. An answer may be no HTTP, a head, chunks or a trailer without end, interim answers
without end, lengths that contradict each other, a body that stops early, or a size of a chunk that
each reader takes for another one. Promised: heads, trailers and the lines of chunks are capped in
bytes and fields, and so is all that is taken from the wire behind the head, whatever frames it; a
body is whole, or there is none. How long it takes is not known here: `transport` ends it.

`http.client` takes the head apart; added are the caps, and all interim answers (it takes a 103 for
the final one). Chunks are read here: it caps neither them nor their extensions and trailers, and
takes `-5` and `1_0` for sizes.
"""

from __future__ import annotations

import http.client
import io
import re
import socket
from collections.abc import Iterator
from typing import BinaryIO

from agent import limits
from agent.errors import AgentError, fail
from agent.scep import httpcoding
from agent.scep.text import clean, excerpt

_PIECE_BYTES = 16 * 1024
_DIGITS = re.compile(r"[0-9]{1,20}")
# Hexadecimal digits, then perhaps an extension, which nobody has to know (RFC 9112 7.1.1).
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?\r?\n")
_FIELD_CHARACTERS = 80  # of a field that an error shows
_PAGE_BYTES = 8 * limits.PEER_TEXT_CHARACTERS


class HttpAnswer(http.client.HTTPResponse):
    """The answer on a connection; `begin` reads the head, `body` the rest.

    Both raise what `http.client` does, of HTTPException too for what is malformed; OSError.
    """

    def __init__(self, connection: socket.socket, method: str) -> None:
        super().__init__(connection, method=method)
        self._wire = _Wire(self.fp)

    def begin(self) -> None:
        self._wire.head = _final_head(self.fp)
        self.fp = io.BufferedReader(self._wire)
        super().begin()
        if self.length is None and not self.chunked:
            lengths = _lengths(self.headers)
            self.length = int(*lengths) if _is_one_number(lengths) else None

    def body(self, cap: int) -> bytes:
        """The body of at most `cap` bytes; PeerError `http-too-large`, `http-malformed`.

        Of an error page just the beginning, which is all that is shown.
        """
        self._wire.left = limits.HTTP_HEADER_BYTES + limits.HTTP_FRAMING * cap
        if self.status >= http.client.MULTIPLE_CHOICES:
            return self._page()
        _check_framing(self.headers)
        if self.length is not None and self.length > cap:
            raise fail("http-too-large", cap=cap)
        content = bytearray()
        for piece in httpcoding.decoded(self._pieces(), httpcoding.of(self.headers), cap):
            content += piece
            if len(content) > cap:
                raise fail("http-too-large", cap=cap)
        return bytes(content)

    def _page(self) -> bytes:
        page = b""
        try:
            coding = httpcoding.of(self.headers)
            for piece in httpcoding.decoded(self._pieces(), coding, _PAGE_BYTES):
                page += piece
                if len(page) >= _PAGE_BYTES:
                    break
        except (http.client.HTTPException, ConnectionError, AgentError):
            pass  # the status says what happened, whatever became of the page
        return page[:_PAGE_BYTES]

    def _pieces(self) -> Iterator[bytes]:
        if self.chunked:
            yield from _chunks(self.fp)
            return
        while piece := self.read1(_PIECE_BYTES):
            yield piece
        if self.length:
            raise http.client.IncompleteRead(b"")


class _Wire(io.RawIOBase):
    """A head that was read already, then so much of the stream that it came from, and no more."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self.head = b""
        self.left = 0
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self.head:
            count = self._stream.readinto1(buffer)
            self.left -= count
            if self.left < 0:
                raise http.client.HTTPException("what frames the body is many times its size")
            return count
        piece = self.head[: len(buffer)]
        buffer[: len(piece)] = piece
        self.head = self.head[len(piece) :]
        return len(piece)

    def close(self) -> None:
        self._stream.close()
        super().close()


def _final_head(stream: BinaryIO) -> bytes:
    """Status line and header of the final answer (RFC 9110 15.2: any number of 1xx before it)."""
    for _ in range(limits.HTTP_INTERIM_ANSWERS + 1):
        head = _head(stream)
        version, _, rest = head.partition(b" ")
        if not (version.startswith(b"HTTP/") and rest[:1] == b"1" and rest[1:3].isdigit()):
            return head
    raise http.client.HTTPException("too many interim answers")


def _head(stream: BinaryIO) -> bytes:
    head = bytearray()
    for line in _lines(stream, "header"):
        head += line
        if not head.startswith(b"HTTP/"[: len(head)]):
            raise http.client.HTTPException(f"it begins with {excerpt(bytes(head[:40]))}")
        if not line:
            raise http.client.RemoteDisconnected("closed")
    return bytes(head)


def _lines(stream: BinaryIO, what: str) -> Iterator[bytes]:
    """Lines up to an empty one, which is the last; one without an end where the stream ends."""
    octets = 0
    for _ in range(limits.HTTP_HEADER_FIELDS + 2):
        line = stream.readline(limits.HTTP_HEADER_BYTES + 1)
        octets += len(line)
        yield line
        if line in (b"", b"\n", b"\r\n"):
            return
        if octets > limits.HTTP_HEADER_BYTES:
            break
    raise http.client.HTTPException(f"the {what} is too large")


def _lengths(headers: http.client.HTTPMessage) -> set[str]:
    """The lengths that an answer names: on several lines, or in a list on one (RFC 9110 8.6)."""
    lines = headers.get_all("Content-Length", [])
    return {length.strip() for line in lines for length in line.split(",")}


def _is_one_number(lengths: set[str]) -> bool:
    return len(lengths) == 1 and all(map(_DIGITS.fullmatch, lengths))


def _check_framing(headers: http.client.HTTPMessage) -> None:
    """The end of the body must be given once and clearly (RFC 9112 6.3)."""
    lengths = _lengths(headers)
    if lengths and not _is_one_number(lengths):
        raise _senseless(headers, "Content-Length")
    codings = [coding.strip().lower() for coding in headers.get_all("Transfer-Encoding", [])]
    if codings and (lengths or codings != ["chunked"]):
        raise _senseless(headers, "Transfer-Encoding")


def _senseless(headers: http.client.HTTPMessage, name: str) -> AgentError:
    shown = clean("; ".join(headers.get_all(name, [])), _FIELD_CHARACTERS)
    beside = " beside a Content-Length" if name != "Content-Length" and _lengths(headers) else ""
    return fail("http-malformed", reason=f"its field makes no sense: {name}: {shown}{beside}")


def _chunks(stream: io.BufferedReader) -> Iterator[bytes]:
    """The data of chunks, in pieces (RFC 9112 7.1). The last chunk makes them whole: some servers
    hang up without the empty line behind it, and the trailer is for nobody here."""
    while rest := _chunk_size(stream):
        while rest:
            piece = stream.read1(min(rest, _PIECE_BYTES))
            if not piece:
                raise http.client.IncompleteRead(b"")
            rest -= len(piece)
            yield piece
        end = stream.read(2)
        if end != b"\r\n":
            if len(end) < 2:
                raise http.client.IncompleteRead(b"")
            raise http.client.HTTPException("a chunk does not end where its size says")
    for _line in _lines(stream, "trailer"):
        continue


def _chunk_size(stream: io.BufferedReader) -> int:
    line = stream.readline(limits.HTTP_HEADER_BYTES)
    match = _CHUNK.fullmatch(line)
    if match:
        return int(match[1], 16)
    if not line.endswith(b"\n") and len(line) < limits.HTTP_HEADER_BYTES:
        raise http.client.IncompleteRead(b"")
    raise http.client.HTTPException(f"the size of a chunk is {excerpt(line[:40])}")
