"""ASN.1 on the wire: a bounded reader for BER and DER, and a writer for DER (X.690).

Fault model. Every byte that is read here comes from a network, most of them before any signature is
known to be good. A sender may nest without end, claim lengths that are not there, count elements by
the million, cut a message anywhere or flip any bit. What is promised: reading ends after work that
is linear in the input, holds no more than a small record for each of a capped number of elements,
and gives either a tree or a `DerError`, never another exception. Values are checked when they are
asked for: only there it is known what an implicitly tagged element means.

The reader takes BER since real CAs send it (indefinite lengths, strings in pieces); the writer
makes DER only, since real CAs refuse anything else. Tags are the identifier octet as it stands on
the wire: class, constructed bit and number in one byte.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from agent import limits

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
ENUMERATED, UTF8, NUMERIC, PRINTABLE, TELETEX = 0x0A, 0x0C, 0x12, 0x13, 0x14
IA5, UTC_TIME, GENERALIZED_TIME, VISIBLE, GENERAL = 0x16, 0x17, 0x18, 0x1A, 0x1B
UNIVERSAL, BMP = 0x1C, 0x1E
SEQUENCE, SET = 0x30, 0x31
ANY = range(0x100)
CONSTRUCTED, CONTEXT = 0x20, 0x80

_MULTI_BYTE_NUMBER = 0x1F
_LENGTH_OCTETS = 4
_ENCODINGS = {
    UTF8: "utf-8", NUMERIC: "ascii", PRINTABLE: "ascii", TELETEX: "latin-1", IA5: "ascii",
    VISIBLE: "ascii", GENERAL: "latin-1", UNIVERSAL: "utf-32-be", BMP: "utf-16-be",
}  # fmt: skip
_STRINGS = frozenset({BIT_STRING, OCTET_STRING, UTC_TIME, GENERALIZED_TIME, *_ENCODINGS})
_TIME = re.compile(rb"(\d{2}|\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(?:\.\d+)?Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OID_OCTETS = 64


class DerError(ValueError):
    """The bytes are not what X.690 or the structure around them allows."""


def context(number: int) -> int:
    """The tag [number] IMPLICIT of a primitive type."""
    return CONTEXT | number


def explicit(number: int) -> int:
    """The tag [number] of anything constructed: EXPLICIT, or IMPLICIT over SEQUENCE and SET."""
    return CONTEXT | CONSTRUCTED | number


# -- reader ----------------------------------------------------------------------------------------


class Node:
    """One element as received: its tag, its children when constructed, and where its bytes lie."""

    __slots__ = ("_body", "_body_end", "_end", "_source", "_start", "children", "tag")

    def __init__(self, source: bytes, tag: int, spans: tuple[int, int, int, int]) -> None:
        self.tag = tag
        self.children: list[Node] = []
        self._source = source
        self._start, self._body, self._body_end, self._end = spans

    @property
    def raw(self) -> bytes:
        """The whole element exactly as it was received."""
        return self._source[self._start : self._end]

    @property
    def content(self) -> bytes:
        """The content octets exactly as they were received."""
        return self._source[self._body : self._body_end]

    def expect(self, *tags: int) -> "Node":
        if self.tag not in tags:
            raise DerError(f"tag {self.tag:02x} instead of {tags[0]:02x}")
        return self

    def inner(self) -> "Node":
        """The one element that an EXPLICIT tag holds."""
        if len(self.children) != 1:
            raise DerError("not one element under its tag")
        return self.children[0]

    def octets(self) -> bytes:
        """The octets of a string, its pieces joined (X.690 8.7.3); the own tag may be any.

        Only the caller knows that an implicitly tagged element is a string, so it asks.
        """
        if not self.tag & CONSTRUCTED:
            return self.content
        pieces = (piece.expect(OCTET_STRING, OCTET_STRING | CONSTRUCTED) for piece in self.children)
        return b"".join(piece.octets() for piece in pieces)

    def octet_string(self) -> bytes:
        return self.expect(OCTET_STRING, OCTET_STRING | CONSTRUCTED).octets()

    def integer(self) -> int:
        content = self.content
        if self.tag not in (INTEGER, ENUMERATED) or not content:
            raise DerError("no integer")
        if content[0] in (0, 0xFF) and len(content) > 1 and content[0] >> 7 == content[1] >> 7:
            raise DerError("an integer with more octets than it needs")  # X.690 8.3.2, BER too
        return int.from_bytes(content, "big", signed=True)

    def boolean(self) -> bool:
        if len(self.expect(BOOLEAN).content) != 1:
            raise DerError("no boolean")
        return self.content != b"\0"

    def oid(self) -> str:
        return _dotted(self.expect(OID).content)

    def bits(self) -> tuple[int, bytes]:
        """A BIT STRING: how many bits of the last byte are unused, zero here, and the bytes."""
        content = _joined(self.expect(BIT_STRING, BIT_STRING | CONSTRUCTED))
        unused, data = content[0], content[1:]
        if unused:
            data = data[:-1] + bytes((data[-1] >> unused << unused,))
        return unused, data

    def bit_bytes(self) -> bytes:
        """A BIT STRING that holds whole bytes: a key or a signature."""
        unused, data = self.bits()
        if unused:
            raise DerError("bits instead of bytes")
        return data

    def is_text(self) -> bool:
        return self.tag & ~CONSTRUCTED in _ENCODINGS

    def text(self) -> str:
        """A character string of any type; what its type does not allow becomes U+FFFD."""
        encoding = _ENCODINGS.get(self.tag & ~CONSTRUCTED)
        if encoding is None:
            raise DerError("no character string")
        return _joined(self).decode(encoding, "replace")

    def time_s(self) -> int:
        """UTCTime or GeneralizedTime as Unix time; fractions of a second are dropped."""
        match = _TIME.fullmatch(self.expect(UTC_TIME, GENERALIZED_TIME).content)
        if match is None or len(match[1]) != (2 if self.tag == UTC_TIME else 4):
            raise DerError("no time in UTC")
        year, month, day, hour, minute, second = (int(digits or 0) for digits in match.groups())
        if self.tag == UTC_TIME:
            year += 2000 if year < 50 else 1900  # RFC 5280 4.1.2.5.1
        try:
            moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError as error:
            raise DerError(str(error)) from None
        return int((moment - _EPOCH).total_seconds())

    def der(self) -> bytes:
        """The element in DER: definite lengths, universal strings in one piece, order kept."""
        if not self.tag & CONSTRUCTED:
            return tlv(self.tag, self.content)
        if self.tag & ~CONSTRUCTED in _STRINGS:
            return tlv(self.tag & ~CONSTRUCTED, _joined(self))
        return tlv(self.tag, *(child.der() for child in self.children))


class Fields:
    """Walks the children of a SEQUENCE or SET in order, optional ones included."""

    def __init__(self, node: Node, *tags: int) -> None:
        self._children = node.expect(*(tags or (SEQUENCE,))).children
        self._at = 0

    def take(self, *tags: int) -> Node:
        """The next field; without tags any will do."""
        if self._at == len(self._children):
            raise DerError("a field is missing")
        node = self._children[self._at]
        if tags:
            node.expect(*tags)
        self._at += 1
        return node

    def maybe(self, *tags: int) -> Node | None:
        """The next field, if there is one, of these tags or of any."""
        there = self._at < len(self._children)
        return self.take() if there and self._children[self._at].tag in (tags or ANY) else None

    def only(self) -> Node:
        """The last field."""
        node = self.take()
        self.end()
        return node

    def end(self) -> None:
        if self._at != len(self._children):
            raise DerError("more fields than there should be")


def read(data: bytes) -> Node:
    """The one element that `data` is; DerError for anything else, bytes after it included."""
    node, end = _Reader(data).element(0, len(data), 0)
    if end != len(data):
        raise DerError("bytes after the end")
    return node


def content(data: bytes, tag: int) -> bytes:
    """The content octets of the one element that `data` is, not descended into."""
    found, body, end = _Reader(data).header(0, len(data))
    if found != tag or end != len(data):
        raise DerError(f"not one element of tag {tag:02x}")
    return data[body:]


def pieces(data: bytes) -> Iterator[bytes]:
    """The elements that follow each other in content octets, not descended into, of definite
    length. For lists that may be longer than `read` takes: work is done as they are asked for."""
    reader, at = _Reader(data), 0
    while at < len(data):
        _tag, _body, end = reader.header(at, len(data))
        if end is None:
            raise DerError("an indefinite length")
        yield data[at:end]
        at = end


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.count = 0

    def element(self, at: int, limit: int, depth: int) -> tuple[Node, int]:
        self.count += 1
        if depth > limits.DER_DEPTH or self.count > limits.DER_ELEMENTS:
            raise DerError("nested too deep or too many elements")
        tag, body, body_end = self.header(at, limit)
        if body_end is not None:
            node = Node(self.data, tag, (at, body, body_end, body_end))
            if tag & CONSTRUCTED:
                node.children, _ = self.elements(body, body_end, depth, False)
            return node, body_end
        children, end = self.elements(body, limit, depth, True)
        node = Node(self.data, tag, (at, body, end - 2, end))
        node.children = children
        return node, end

    def header(self, at: int, limit: int) -> tuple[int, int, int | None]:
        """Tag, start of the content and its end; no end for an indefinite length."""
        if at + 2 > limit:
            raise DerError("cut short")
        tag, length = self.data[at], self.data[at + 1]
        at += 2
        if tag & _MULTI_BYTE_NUMBER > limits.DER_TAG_NUMBER or tag in (0, CONSTRUCTED):
            raise DerError("a tag that X.509 and CMS do not use")
        if length == 0x80 and tag & CONSTRUCTED:
            return tag, at, None
        if length >= 0x80:
            octets = length & 0x7F
            if not 0 < octets <= _LENGTH_OCTETS or at + octets > limit:
                raise DerError("no length")
            length = int.from_bytes(self.data[at : at + octets], "big")
            at += octets
        if at + length > limit:
            raise DerError("longer than what encloses it")
        return tag, at, at + length

    def elements(self, at: int, limit: int, depth: int, open_end: bool) -> tuple[list[Node], int]:
        """Elements up to the limit, or up to the end-of-contents octets (X.690 8.1.5)."""
        found: list[Node] = []
        while at < limit:
            if open_end and self.data[at : at + 2] == b"\0\0" and at + 2 <= limit:
                return found, at + 2
            node, at = self.element(at, limit, depth + 1)
            found.append(node)
        if open_end:
            raise DerError("no end of contents")
        return found, at


def _joined(node: Node) -> bytes:
    """The content of a universal string, its pieces joined; they have the same type (8.6.4)."""
    kind = node.tag & ~CONSTRUCTED
    if not node.tag & CONSTRUCTED:
        return _checked_bits(node.content) if kind == BIT_STRING else node.content
    # Pieces of a restricted character string are octet strings by 8.23.3; some writers repeat the
    # type instead.
    pieces = [
        _joined(child.expect(kind, kind | CONSTRUCTED, OCTET_STRING)) for child in node.children
    ]
    if kind != BIT_STRING:
        return b"".join(pieces)
    if any(piece[0] for piece in pieces[:-1]):  # only the last may leave bits unused (8.6.4)
        raise DerError("no bit string")
    return b"".join([pieces[-1][:1] if pieces else b"\0", *(piece[1:] for piece in pieces)])


def _checked_bits(content: bytes) -> bytes:
    """The content of a BIT STRING in one piece (8.6.2): unused bits are in a byte that is there."""
    if not content or content[0] > 7 or (content[0] and len(content) == 1):
        raise DerError("no bit string")
    return content


def _dotted(content: bytes) -> str:
    if not content or len(content) > _OID_OCTETS or content[-1] & 0x80:
        raise DerError("no object identifier")
    arcs, value, begins = [], 0, True
    for octet in content:
        if begins and octet == 0x80:  # 8.19.2: or one identifier would have many encodings
            raise DerError("no object identifier")
        begins = not octet & 0x80
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, [first, arcs[0] - 40 * first, *arcs[1:]]))


# -- writer ----------------------------------------------------------------------------------------


def tlv(tag: int, *parts: bytes) -> bytes:
    """One element around its parts."""
    content = b"".join(parts)
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def sequence(*parts: bytes) -> bytes:
    return tlv(SEQUENCE, *parts)


def set_of(parts: Iterable[bytes], tag: int = SET) -> bytes:
    """SET OF in the order of DER (X.690 11.6), under another tag when it is implicit."""
    return tlv(tag, *sorted(parts))


def integer(value: int) -> bytes:
    magnitude = value if value >= 0 else ~value  # one byte holds -128 as well as 127
    return tlv(INTEGER, value.to_bytes(magnitude.bit_length() // 8 + 1, "big", signed=True))


def boolean(value: bool) -> bytes:
    return tlv(BOOLEAN, b"\xff" if value else b"\0")


def octet_string(data: bytes) -> bytes:
    return tlv(OCTET_STRING, data)


def bit_string(data: bytes) -> bytes:
    """Whole bytes: a key or a signature."""
    return tlv(BIT_STRING, b"\0", data)


def named_bits(numbers: Iterable[int]) -> bytes:
    """A list of named bits such as keyUsage, without zero bits at its end (X.690 11.2.2)."""
    chosen = set(numbers)
    if not chosen:
        return tlv(BIT_STRING, b"\0")
    size = max(chosen) // 8 + 1
    value = sum(1 << (size * 8 - 1 - number) for number in chosen)
    return tlv(BIT_STRING, bytes((7 - max(chosen) % 8,)), value.to_bytes(size, "big"))


def null() -> bytes:
    return tlv(NULL)


def oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    return tlv(OID, *map(_arc, (40 * first + second, *rest)))


def _arc(value: int) -> bytes:
    octets = [value & 0x7F]
    while value := value >> 7:
        octets.insert(0, 0x80 | value & 0x7F)
    return bytes(octets)


def string(tag: int, text: str) -> bytes:
    return tlv(tag, text.encode(_ENCODINGS[tag]))


def time(time_s: int) -> bytes:
    """Unix time as UTCTime up to 2049, as GeneralizedTime after it (RFC 5280 4.1.2.5)."""
    moment = _EPOCH + timedelta(seconds=time_s)
    digits = (
        f"{moment.year:04}{moment.month:02}{moment.day:02}"
        f"{moment.hour:02}{moment.minute:02}{moment.second:02}Z"
    ).encode()
    if 1950 <= moment.year < 2050:
        return tlv(UTC_TIME, digits[2:])
    return tlv(GENERALIZED_TIME, digits)
