"""Content codings (RFC 9110 8.4.1), which nobody here has asked for, and some servers use anyway.

Fault model. A few octets may unpack to gigabytes, end early, or be followed by others. Promised: no
more is unpacked than the cap of what is read, plus one octet; content is whole, or there is none.
"""

from __future__ import annotations

import http.client
import zlib
from collections.abc import Iterable, Iterator

from agent.errors import fail
from agent.scep.text import clean

_ANY_HEADER = 32 + zlib.MAX_WBITS  # of gzip (RFC 1952) or of zlib (RFC 1950)
_HEADER_BYTES = 2  # that tell zlib from what is inside of it
_ZLIB = ("gzip", "x-gzip", "deflate")
_AS_IT_IS = ("", "identity")


def of(headers: http.client.HTTPMessage) -> str:
    """The one coding of a content, or ""; PeerError `http-coding` for others, which it names."""
    listed = ",".join(headers.get_all("Content-Encoding", [])).split(",")
    codings = [coding.strip().lower() for coding in listed]
    named = [coding for coding in codings if coding not in _AS_IT_IS]
    if len(named) > 1 or not set(named) <= set(_ZLIB):
        raise fail("http-coding", coding=clean(", ".join(named), 64))
    return named[0] if named else ""


def decoded(pieces: Iterable[bytes], coding: str, cap: int) -> Iterator[bytes]:
    """The content of pieces, of which at most `cap` octets and one more are unpacked.

    HTTPException for damage, IncompleteRead for content that ends early.
    """
    if not coding:
        yield from pieces
        return
    unpacker: zlib._Decompress | None = None
    packed, left = b"", cap + 1
    for piece in pieces:
        packed += piece
        if unpacker is None and len(packed) < _HEADER_BYTES:
            continue
        unpacker = unpacker or zlib.decompressobj(_window(packed, coding))
        content, packed = _unpacked(unpacker, packed, left, coding), b""
        left -= len(content)
        yield content
        if left <= 0:
            return
    if unpacker is None or not unpacker.eof:
        raise http.client.IncompleteRead(b"")


def _window(packed: bytes, coding: str) -> int:
    """What zlib is told. `deflate` means zlib (RFC 9110 8.4.1.2); many servers have sent what is
    inside of it (RFC 1951)."""
    is_zlib = packed[:1] == b"\x78" and int.from_bytes(packed[:2], "big") % 31 == 0
    return -zlib.MAX_WBITS if coding == "deflate" and not is_zlib else _ANY_HEADER


def _unpacked(unpacker: zlib._Decompress, packed: bytes, most: int, coding: str) -> bytes:
    try:
        piece = unpacker.decompress(packed, most)
    except zlib.error:
        raise http.client.HTTPException(f"its {coding} is damaged") from None
    if unpacker.unused_data:
        raise http.client.HTTPException(f"something stands behind the end of its {coding}")
    return piece
