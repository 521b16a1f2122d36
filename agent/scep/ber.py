"""ASN.1 as peers send it: a bounded reader for BER, which DER is a part of (X.690).

Fault model. Every byte that is read here comes from a network, most of them before any signature is
known to be good. A sender may nest without end, claim lengths that are not there, count elements by
the million, cut a message anywhere or flip any bit. The promise: reading ends after work that
is linear in the input, holds no more than a small record for each of a capped number of elements,
and gives either a tree or a `BerError`, never another exception. Values are checked when they are
asked for: only there it is known what an implicitly tagged element means.

BER is taken since real CAs send it: indefinite lengths, strings in pieces. `der` writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent import limits
from agent.scep import der
from hal import calendar

_MULTI_BYTE_NUMBER = 0x1F
_LENGTH_OCTETS = 4
_STRINGS = frozenset(
    {der.BIT_STRING, der.OCTET_STRING, der.UTC_TIME, der.GENERALIZED_TIME, *der.ENCODINGS}
)
_TIME = re.compile(rb"(\d{2}|\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(?:\.\d+)?Z")
_OID_OCTETS = 64


class BerError(ValueError):
    """The bytes are not what X.690 or the structure around them allows."""


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

    def expect(self, *tags: int) -> Node:
        if self.tag not in tags:
            raise BerError(f"tag {self.tag:02x} instead of {tags[0]:02x}")
        return self

    def inner(self) -> Node:
        """The one element that an EXPLICIT tag holds."""
        if len(self.children) != 1:
            raise BerError("not one element under its tag")
        return self.children[0]

    def octets(self) -> bytes:
        """The octets of a string, its pieces joined (X.690 8.7.3); the own tag may be any.

        Only the caller knows that an implicitly tagged element is a string, so it asks.
        """
        if not self.tag & der.CONSTRUCTED:
            return self.content
        pieces = (
            piece.expect(der.OCTET_STRING, der.OCTET_STRING | der.CONSTRUCTED)
            for piece in self.children
        )
        return b"".join(piece.octets() for piece in pieces)

    def octet_string(self) -> bytes:
        return self.expect(der.OCTET_STRING, der.OCTET_STRING | der.CONSTRUCTED).octets()

    def integer(self) -> int:
        content = self.content
        if self.tag not in (der.INTEGER, der.ENUMERATED) or not content:
            raise BerError("no integer")
        if content[0] in (0, 0xFF) and len(content) > 1 and content[0] >> 7 == content[1] >> 7:
            raise BerError("an integer with more octets than it needs")  # X.690 8.3.2, BER too
        return int.from_bytes(content, "big", signed=True)

    def boolean(self) -> bool:
        if len(self.expect(der.BOOLEAN).content) != 1:
            raise BerError("no boolean")
        return self.content != b"\0"

    def oid(self) -> str:
        return _dotted(self.expect(der.OID).content)

    def bits(self) -> tuple[int, bytes]:
        """A BIT STRING: how many bits of the last byte are unused, zero here, and the bytes."""
        content = _joined(self.expect(der.BIT_STRING, der.BIT_STRING | der.CONSTRUCTED))
        unused, data = content[0], content[1:]
        if unused:
            data = data[:-1] + bytes((data[-1] >> unused << unused,))
        return unused, data

    def bit_bytes(self) -> bytes:
        """A BIT STRING that holds whole bytes: a key or a signature."""
        unused, data = self.bits()
        if unused:
            raise BerError("bits instead of bytes")
        return data

    def is_text(self) -> bool:
        return self.tag & ~der.CONSTRUCTED in der.ENCODINGS

    def text(self) -> str:
        """A character string of any type; what its type does not allow becomes U+FFFD."""
        encoding = der.ENCODINGS.get(self.tag & ~der.CONSTRUCTED)
        if encoding is None:
            raise BerError("no character string")
        return _joined(self).decode(encoding, "replace")

    def time_s(self) -> int:
        """UTCTime or GeneralizedTime as Unix time; fractions of a second are dropped."""
        match = _TIME.fullmatch(self.expect(der.UTC_TIME, der.GENERALIZED_TIME).content)
        if match is None or len(match[1]) != (2 if self.tag == der.UTC_TIME else 4):
            raise BerError("no time in UTC")
        year, month, day, hour, minute, second = (int(digits or 0) for digits in match.groups())
        if self.tag == der.UTC_TIME:
            year += 2000 if year < 50 else 1900  # RFC 5280 4.1.2.5.1
        begin_s = calendar.day_s(year, month, day)
        if begin_s is None or year == 0 or hour > 23 or minute > 59 or second > 59:
            raise BerError("a time that no calendar has")
        return begin_s + hour * 3600 + minute * 60 + second

    def der(self) -> bytes:
        """The element in DER: definite lengths, universal strings in one piece, order kept."""
        if not self.tag & der.CONSTRUCTED:
            return der.tlv(self.tag, self.content)
        if self.tag & ~der.CONSTRUCTED in _STRINGS:
            return der.tlv(self.tag & ~der.CONSTRUCTED, _joined(self))
        return der.tlv(self.tag, *(child.der() for child in self.children))


class Fields:
    """Walks the children of a der.SEQUENCE or der.SET in order, optional ones included."""

    def __init__(self, node: Node, *tags: int) -> None:
        self._children = node.expect(*(tags or (der.SEQUENCE,))).children
        self._at = 0

    def take(self, *tags: int) -> Node:
        """The next field; without tags any will do."""
        if self._at == len(self._children):
            raise BerError("a field is missing")
        node = self._children[self._at]
        if tags:
            node.expect(*tags)
        self._at += 1
        return node

    def maybe(self, *tags: int) -> Node | None:
        """The next field, if there is one, of these tags or of any."""
        there = self._at < len(self._children)
        return self.take() if there and self._children[self._at].tag in (tags or der.ANY) else None

    def only(self) -> Node:
        """The last field."""
        node = self.take()
        self.end()
        return node

    def end(self) -> None:
        if self._at != len(self._children):
            raise BerError("more fields than there should be")


def read(data: bytes) -> Node:
    """The one element that `data` is; BerError for anything else, bytes after it included."""
    node, end = _Reader(data).element(0, len(data), 0)
    if end != len(data):
        raise BerError(behind(data[end:], end))
    return node


def end(data: bytes) -> int | None:
    """The place where the element that these bytes begin with ends, which is not descended into;
    None for an indefinite length; BerError."""
    return _Reader(data).header(0, len(data))[2]


def behind(rest: bytes, at: int) -> str:
    """What is said about octets that stand behind the end of an element, which is at `at`."""
    kind = "octet" if rest.strip(b"\0") else "NUL"
    return f"{len(rest)} {kind}{'s' if len(rest) > 1 else ''} behind its end at octet {at}"


def content(data: bytes, tag: int) -> bytes:
    """The content octets of the one element that `data` is, not descended into."""
    actual, body, end = _Reader(data).header(0, len(data))
    if actual != tag or end != len(data):
        raise BerError(f"not one element of tag {tag:02x}")
    return data[body:]


def pieces(data: bytes) -> Iterator[bytes]:
    """The elements that follow each other in content octets, not descended into, of definite
    length. For lists that may be longer than `read` takes: work is done as they are asked for."""
    reader, at = _Reader(data), 0
    while at < len(data):
        _tag, _body, end = reader.header(at, len(data))
        if end is None:
            raise BerError("an indefinite length")
        yield data[at:end]
        at = end


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.count = 0

    def element(self, at: int, limit: int, depth: int) -> tuple[Node, int]:
        self.count += 1
        if depth > limits.DER_DEPTH or self.count > limits.DER_ELEMENTS:
            raise BerError("nested too deep or too many elements")
        tag, body, body_end = self.header(at, limit)
        if body_end is not None:
            node = Node(self.data, tag, (at, body, body_end, body_end))
            if tag & der.CONSTRUCTED:
                node.children, _ = self.elements(body, body_end, depth, False)
            return node, body_end
        children, end = self.elements(body, limit, depth, True)
        node = Node(self.data, tag, (at, body, end - 2, end))
        node.children = children
        return node, end

    def header(self, at: int, limit: int) -> tuple[int, int, int | None]:
        """Tag, start of the content and its end; no end for an indefinite length."""
        if at + 2 > limit:
            raise BerError("cut short")
        tag, length = self.data[at], self.data[at + 1]
        at += 2
        if tag & _MULTI_BYTE_NUMBER > limits.DER_TAG_NUMBER or tag in (0, der.CONSTRUCTED):
            raise BerError("a tag that X.509 and CMS do not use")
        if length == 0x80 and tag & der.CONSTRUCTED:
            return tag, at, None
        if length >= 0x80:
            octets = length & 0x7F
            if not 0 < octets <= _LENGTH_OCTETS or at + octets > limit:
                raise BerError("no length")
            length = int.from_bytes(self.data[at : at + octets], "big")
            at += octets
        if at + length > limit:
            raise BerError("longer than what encloses it")
        return tag, at, at + length

    def elements(self, at: int, limit: int, depth: int, open_end: bool) -> tuple[list[Node], int]:
        """Elements up to the limit, or up to the end-of-contents octets (X.690 8.1.5)."""
        nodes: list[Node] = []
        while at < limit:
            if open_end and self.data[at : at + 2] == b"\0\0" and at + 2 <= limit:
                return nodes, at + 2
            node, at = self.element(at, limit, depth + 1)
            nodes.append(node)
        if open_end:
            raise BerError("no end of contents")
        return nodes, at


def _joined(node: Node) -> bytes:
    """The content of a universal string, its pieces joined; they have the same type (8.6.4)."""
    kind = node.tag & ~der.CONSTRUCTED
    if not node.tag & der.CONSTRUCTED:
        return _checked_bits(node.content) if kind == der.BIT_STRING else node.content
    # Pieces of a restricted character string are octet strings by 8.23.3; some writers repeat the
    # type instead.
    pieces = [
        _joined(child.expect(kind, kind | der.CONSTRUCTED, der.OCTET_STRING))
        for child in node.children
    ]
    if kind != der.BIT_STRING:
        return b"".join(pieces)
    if any(piece[0] for piece in pieces[:-1]):  # only the last may leave bits unused (8.6.4)
        raise BerError("no bit string")
    return b"".join([pieces[-1][:1] if pieces else b"\0", *(piece[1:] for piece in pieces)])


def _checked_bits(content: bytes) -> bytes:
    """The content of a BIT STRING in one piece (8.6.2): unused bits are in a byte that is there."""
    if not content or content[0] > 7 or (content[0] and len(content) == 1):
        raise BerError("no bit string")
    return content


def _dotted(content: bytes) -> str:
    if not content or len(content) > _OID_OCTETS or content[-1] & 0x80:
        raise BerError("no object identifier")
    arcs, value, begins = [], 0, True
    for octet in content:
        if begins and octet == 0x80:  # 8.19.2: or one identifier would have many encodings
            raise BerError("no object identifier")
        begins = not octet & 0x80
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, [first, arcs[0] - 40 * first, *arcs[1:]]))
