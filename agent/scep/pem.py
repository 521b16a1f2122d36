"""PEM (RFC 7468) that others wrote: blocks in a text, in any order, with anything around them.

Fault model. The text comes from a file or from a CA: it may be cut, hold thousands of beginnings
and no end, or be no text at all. Reading is linear in the input and ends in blocks or a ValueError.
"""

from __future__ import annotations

import base64

from agent import limits
from hal.named import NamedTuple

_BEGIN, _DASHES = b"-----BEGIN ", b"-----"
_LABEL_CHARACTERS = 32


class Block(NamedTuple):
    """A block: its label, its headers (RFC 1421, of traditional keys), its base64, all of it."""

    label: str
    headers: bytes
    body: bytes
    raw: bytes

    @property
    def encrypted(self) -> bool:
        return b"ENCRYPTED" in self.headers

    def data(self) -> bytes:
        """The content of the block; ValueError when it is no base64."""
        return base64.b64decode(b"".join(self.body.split()), validate=True)


def looks_so(data: bytes) -> bool:
    return _BEGIN in data


def first(data: bytes) -> bytes:
    """DER as it is; of PEM that of its first block."""
    return blocks(data)[0].data() if data[:1] != b"\x30" and looks_so(data) else data


def blocks(data: bytes) -> list[Block]:
    """Every block in order; ValueError for one without its end, and for too many."""
    listing: list[Block] = []
    at = data.find(_BEGIN)
    while at >= 0:
        block, end = _block(data, at)
        listing.append(block)
        if len(listing) > limits.PEM_BLOCKS:
            raise ValueError(f"more than {limits.PEM_BLOCKS} blocks of PEM")
        at = data.find(_BEGIN, end)
    return listing


def _block(data: bytes, start: int) -> tuple[Block, int]:
    name = start + len(_BEGIN)
    inside = data.find(_DASHES, name, name + _LABEL_CHARACTERS + len(_DASHES))
    if inside < 0:
        raise ValueError("a block of PEM without a label")
    label = data[name:inside]
    inside += len(_DASHES)
    last = b"-----END " + label + _DASHES
    close = data.find(last, inside)
    if close < 0:
        raise ValueError("a block of PEM without its end")
    body, headers = data[inside:close], b""
    if b":" in body:
        headers, _, body = body.replace(b"\r\n", b"\n").partition(b"\n\n")
    end = close + len(last)
    return Block(label.decode("latin-1"), headers, body, data[start:end]), end
