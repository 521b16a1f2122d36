"""The encodings in which others hand DER over, taken off in one place: one list for every reader.

Around DER may lie white space, base64 without marks, PEM (RFC 7468) with any text or byte order
mark before, between and behind its marks, any ends of lines, indentation, and UTF-16; and the
trust settings that OpenSSL puts behind a TRUSTED CERTIFICATE. What DER is for (a certificate, a
PKCS#7, a PKCS#12) is told by itself: labels lie.

Fault model. The bytes come from a file or from a CA: they may be cut, hold thousands of beginnings
and no end, or be no text at all. Reading is linear in the input, makes at most one copy of it for
each encoding, and ends in blocks or a ValueError. An octet behind the end of DER is damage, or a
message to another reader, unless it is white space: an error says how many there are and where.
"""

from __future__ import annotations

import base64
import binascii
import re

from agent import limits, pem
from agent.scep import ber, der
from hal.named import NamedTuple

_TRUSTED = "TRUSTED CERTIFICATE"
_BEGIN, _DASHES = b"-----BEGIN ", b"-----"
# Labels of what holds certificates; "" is that of what is no PEM.
CERTIFICATES = ("CERTIFICATE", "X509 CERTIFICATE", _TRUSTED, "PKCS7", "CMS", "")
_LABEL_CHARACTERS = 32
_WHITE = b" \t\r\n\v\f"
_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_UTF8_MARK = "\ufeff".encode()
_DEEPEST = 3  # text in base64 in UTF-16: each turn takes one encoding off
_INDEFINITE = b"\x80"


class Block(NamedTuple):
    """One object: its label, "" outside PEM; its headers (RFC 1421), which only traditional keys
    have; its base64, or its octets where it has no label."""

    label: str
    headers: bytes
    body: bytes

    @property
    def encrypted(self) -> bool:
        return b"ENCRYPTED" in self.headers

    def data(self) -> bytes:
        """The content of the block; ValueError when it is no base64."""
        if not self.label:
            return self.body
        content = _decoded(b"".join(self.body.split()))
        if content is None:
            raise ValueError("a block of PEM that is no base64")
        if self.encrypted:  # no DER, so nothing about it is white space
            return content
        # X509_CERT_AUX of OpenSSL stands behind the certificate; nothing of it is for this device.
        return _first(content) if self.label == _TRUSTED else _trimmed(content)

    def canonical(self) -> bytes:
        """The same block as a library expects it, whatever it looked like."""
        begin, _, rest = pem.encode(self.label, [self.data()]).partition(b"\n")
        return b"\n".join((begin, self.headers, b"", rest))


def blocks(data: bytes) -> list[Block]:
    """Every object in order, without its encodings; ValueError for a block of PEM without its end,
    for too many, and for octets behind DER."""
    for _ in range(_DEEPEST):
        if _length(data):
            break
        data = _as_text(data)
        if _BEGIN in data:
            return _pem(data)
        decoded = _decoded(b"".join(data.split()))
        if decoded is None:
            break
        data = decoded
    return [Block("", b"", _trimmed(data))]


def single(data: bytes) -> bytes:
    """The one object that this is, as DER; ValueError for another number of them."""
    found = blocks(data)
    if len(found) != 1:
        raise ValueError(f"{len(found)} blocks of PEM instead of one")
    return found[0].data()


def first(data: bytes) -> bytes:
    """The first object, as DER."""
    return blocks(data)[0].data()


# -- text ------------------------------------------------------------------------------------------


def _as_text(data: bytes) -> bytes:
    """UTF-16 as UTF-8, known by its byte order mark or by the zeros of its first characters; other
    bytes as they are, without a mark of UTF-8 and white space before them."""
    if data[:2] == b"\xff\xfe" or (data[1:2] == data[3:4] == b"\0" and data[:1] != b"\0"):
        data = data.decode("utf-16-le", "replace").encode()
    elif data[:2] == b"\xfe\xff" or (data[:1] == data[2:3] == b"\0" and data[1:2] != b"\0"):
        data = data.decode("utf-16-be", "replace").encode()
    return data.removeprefix(_UTF8_MARK).lstrip(_WHITE)


def _decoded(text: bytes) -> bytes | None:
    """Base64 without white space in it, with or without its padding."""
    if not _BASE64.fullmatch(text):
        return None
    try:
        return base64.b64decode(text.rstrip(b"=") + b"=" * (-len(text.rstrip(b"=")) % 4))
    except binascii.Error:
        return None


def _pem(data: bytes) -> list[Block]:
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
    if inside <= name:
        raise ValueError("a block of PEM without a label")
    label = data[name:inside]
    inside += len(_DASHES)
    last = b"-----END " + label + _DASHES
    close = data.find(last, inside)
    if close < 0:
        raise ValueError("a block of PEM without its end")
    headers, body = _parted(data[inside:close])
    return Block(label.decode("latin-1"), headers, body), close + len(last)


def _parted(inside: bytes) -> tuple[bytes, bytes]:
    """Headers, which end with an empty line, and base64. Lines may be indented, and may have blanks
    behind them."""
    if b":" not in inside:
        return b"", inside
    lines = [line.strip() for line in inside.strip().splitlines()]
    end = lines.index(b"") if b"" in lines else len(lines)
    return b"\n".join(lines[:end]), b"\n".join(lines[end:])


# -- DER -------------------------------------------------------------------------------------------


def _length(data: bytes) -> int | None:
    """The length of the SEQUENCE that these bytes begin with, and that nothing but white space
    follows; None for anything else, and where the length is indefinite."""
    if data[:1] != der.SEQUENCE.to_bytes(1, "big"):
        return None
    try:
        end = ber.end(data)
    except ber.BerError:
        return None
    return end if end and not data[end:].strip(_WHITE) else None


def _trimmed(data: bytes) -> bytes:
    """DER without white space around it; BerError for other octets behind it."""
    data = data.lstrip(_WHITE)
    if data[1:2] == _INDEFINITE:  # it ends with zeros (X.690 8.1.5), so never with a blank
        return data.rstrip(_WHITE)
    content = _first(data)
    rest = data[len(content) :]
    if rest.strip(_WHITE):
        raise ber.BerError(ber.behind(rest, len(content)))
    return content


def _first(data: bytes) -> bytes:
    """The element that these bytes begin with; all of them where they begin with none."""
    try:
        return data[: ber.end(data)] if data[:1] == b"\x30" else data
    except ber.BerError:
        return data
