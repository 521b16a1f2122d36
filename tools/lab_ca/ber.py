"""BER in, DER out (X.690): what asn1crypto cannot read is made readable here.

Fault model: the bytes are hostile. Size, depth and number of elements are bounded, every length is
checked against its window, and whatever breaks a rule raises `BerError`; nothing else leaves this
file. Sets are not sorted: a signature covers signed attributes in the order in which they were
sent (RFC 5652 5.4), and strongSwan signs PKCS#10 attributes that are not in DER order.

A constructed string is joined by its universal tag (X.690 8.6.4, 8.7.3, 8.23.6). An implicitly
tagged one cannot be told from an explicit tag without its definition; the one place where peers
send it is encryptedContent (RFC 5652 6.1), and `enveloped_to_der` knows where that is.
"""

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
MAX_ELEMENTS = 20_000

CONSTRUCTED = 0x20
BIT_STRING, OCTET_STRING = 0x03, 0x04
SEQUENCE, SET = 0x30, 0x31
STRINGS = frozenset({BIT_STRING, OCTET_STRING, 0x0C, *range(0x12, 0x1F)})


class BerError(ValueError):
    """The bytes are no BER, or more of it than is allowed."""


class Node:
    """One element: identifier octet, and either primitive content or children."""

    __slots__ = ("children", "content", "tag")

    def __init__(self, tag: int, content: bytes, children: list["Node"] | None) -> None:
        self.tag, self.content, self.children = tag, content, children


def tlv(tag: int, content: bytes) -> bytes:
    """One element in DER."""
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def to_der(data: bytes) -> bytes:
    """The DER of exactly one BER element; `BerError` otherwise."""
    return encode(parse(data))


def enveloped_to_der(data: bytes) -> bytes:
    """The same for a ContentInfo with EnvelopedData: pieces of encryptedContent are joined."""
    root = parse(data)
    content = _encrypted_content(root)
    if content is not None and content.children is not None:
        content.content = b"".join(_pieces(content, OCTET_STRING))
        content.tag, content.children = content.tag & ~CONSTRUCTED, None
    return encode(root)


def constructed_content(enveloped: bytes) -> bytes:
    """EnvelopedData whose encryptedContent is [0] constructed around one OCTET STRING."""
    root = parse(enveloped)
    content = _encrypted_content(root)
    if content is None:
        raise BerError("no encryptedContent")
    content.children = [Node(OCTET_STRING, content.content, None)]
    content.tag |= CONSTRUCTED
    return encode(root)


def streamed(data: bytes, piece: int) -> bytes:
    """The same in the manner of BouncyCastle: indefinite lengths, octet strings in pieces.

    For a ContentInfo of SignedData or EnvelopedData: of their fields only the content is streamed,
    since certificates, attributes and recipients come out of other encoders, in DER.
    """
    root = parse(data)
    return _streamed(root, piece, _encrypted_content(root), 0)


def parse(data: bytes) -> Node:
    """The tree of exactly one element."""
    if len(data) > MAX_BYTES:
        raise BerError("too many bytes")
    node, end = _Reader(data).element(0, len(data), 0)
    if end != len(data):
        raise BerError("bytes after the end")
    return node


def encode(node: Node) -> bytes:
    """The DER of a tree, constructed strings joined."""
    if node.children is None:
        return tlv(node.tag, node.content)
    primitive = node.tag & ~CONSTRUCTED
    if primitive in STRINGS:
        return tlv(primitive, _joined(node, primitive))
    return tlv(node.tag, b"".join(encode(child) for child in node.children))


FIELDS = 3  # ContentInfo, [0], SignedData or EnvelopedData: the depth of the fields


def _streamed(node: Node, piece: int, content: Node | None, depth: int) -> bytes:
    if node is content or node.tag == OCTET_STRING:
        parts = [node.content[at : at + piece] for at in range(0, len(node.content), piece)]
        return _indefinite(node.tag | CONSTRUCTED, b"".join(tlv(OCTET_STRING, p) for p in parts))
    if node.children is None or (depth == FIELDS and node.tag != SEQUENCE):
        return encode(node)
    inside = [_streamed(child, piece, content, depth + 1) for child in node.children]
    return _indefinite(node.tag, b"".join(inside))


def _indefinite(tag: int, content: bytes) -> bytes:
    return bytes((tag, 0x80)) + content + b"\x00\x00"


class _Reader:
    """Reads elements out of one buffer and counts them."""

    def __init__(self, data: bytes) -> None:
        self._data, self._left = data, MAX_ELEMENTS

    def element(self, at: int, end: int, depth: int) -> tuple[Node, int]:
        """The element at an offset inside a window, and the offset after it."""
        self._left -= 1
        if depth > MAX_DEPTH or self._left < 0:
            raise BerError("too deep or too many elements")
        if end - at < 2:
            raise BerError("cut short")
        tag = self._data[at]
        if tag & 0x1F == 0x1F:
            raise BerError("a tag number above 30")
        length, at = self._length(at + 1, end)
        if length is None:
            if not tag & CONSTRUCTED:
                raise BerError("a primitive of indefinite length")
            children, at = self._until_end_of_contents(at, end, depth)
            return Node(tag, b"", children), at
        if length > end - at:
            raise BerError("longer than what holds it")
        stop = at + length
        if tag & CONSTRUCTED:
            return Node(tag, b"", self._window(at, stop, depth)), stop
        return Node(tag, self._data[at:stop], None), stop

    def _length(self, at: int, end: int) -> tuple[int | None, int]:
        first, at = self._data[at], at + 1
        if first < 0x80:
            return first, at
        if first == 0x80:
            return None, at
        size = first & 0x7F
        if size > 8 or size > end - at:
            raise BerError("a length that makes no sense")
        return int.from_bytes(self._data[at : at + size], "big"), at + size

    def _window(self, at: int, stop: int, depth: int) -> list[Node]:
        children = []
        while at < stop:
            child, at = self.element(at, stop, depth + 1)
            children.append(child)
        return children

    def _until_end_of_contents(self, at: int, end: int, depth: int) -> tuple[list[Node], int]:
        children = []
        while self._data[at : min(at + 2, end)] != b"\x00\x00":
            child, at = self.element(at, end, depth + 1)
            children.append(child)
        return children, at + 2


def _pieces(node: Node, primitive: int) -> list[bytes]:
    """The pieces of a constructed string; a piece may again be constructed (X.690 8.7.3)."""
    pieces = []
    for child in node.children or ():
        if child.tag & ~CONSTRUCTED != primitive:
            raise BerError("a piece of another type in a string")
        pieces += [child.content] if child.children is None else _pieces(child, primitive)
    return pieces


def _joined(node: Node, primitive: int) -> bytes:
    if primitive != BIT_STRING:
        # X.690 8.23.6: the pieces of a character string are OCTET STRINGs.
        return b"".join(_pieces(node, OCTET_STRING))
    pieces = _pieces(node, BIT_STRING) or [b"\x00"]
    if any(not piece for piece in pieces) or any(piece[0] for piece in pieces[:-1]):
        raise BerError("unused bits inside a bit string")
    return pieces[-1][:1] + b"".join(piece[1:] for piece in pieces)


def _encrypted_content(root: Node) -> Node | None:
    """ContentInfo, content [0], EnvelopedData, EncryptedContentInfo: its [0], if it is there."""
    tagged = _children(root)[1:2]
    enveloped = _children(tagged[0])[:1] if tagged else []
    infos = [
        node for node in (_children(enveloped[0]) if enveloped else []) if node.tag == SEQUENCE
    ]
    content = _children(infos[0])[2:3] if infos else []
    return content[0] if content and content[0].tag & ~CONSTRUCTED == 0x80 else None


def _children(node: Node) -> list[Node]:
    return node.children or []
