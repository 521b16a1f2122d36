"""The octets of a CertRep as a whole: BER that is cut, endless, deep, or huge (X.690)."""

from tools.lab_ca import ber
from tools.lab_ca.hooks import Hooks, edit

DEPTH = 50_000
ELEMENTS = 80_000
INTEGER_BYTES = 200_000
CLAIMED = bytes.fromhex("3084ffffffff")  # a SEQUENCE of 4 GiB
CONTENT_INFO = bytes.fromhex("06092a864886f70d010702")  # signedData


def _signed_data(*fields: bytes) -> bytes:
    """A ContentInfo of type signedData with these fields."""
    inside = ber.tlv(ber.SEQUENCE, b"".join(fields))
    return ber.tlv(ber.SEQUENCE, CONTENT_INFO + ber.tlv(0xA0, inside))


def _becomes(says: str, data: bytes) -> Hooks:
    return Hooks(says, reply=edit("outer", lambda _der: data))


def _unclosed(der: bytes) -> bytes:
    """All but the two octets that end it."""
    return ber.streamed(der, 1000)[:-2]


def _long_lengths(der: bytes) -> bytes:
    """The outermost length in 8 octets, though fewer would do."""
    node = ber.parse(der)
    content = b"".join(ber.encode(child) for child in node.children or ())
    return bytes((ber.SEQUENCE, 0x88)) + len(content).to_bytes(8, "big") + content


ENCODINGS: dict[str, Hooks] = {
    "cut": Hooks(
        "the CertRep lacks its last octet", reply=edit("outer", lambda der: der[:-1])
    ),
    "cut-half": Hooks(
        "the CertRep ends in its middle", reply=edit("outer", lambda der: der[: len(der) // 2])
    ),
    "trailing": Hooks(
        "octets follow the CertRep", reply=edit("outer", lambda der: der + b"\x05\x00")
    ),
    "doubled": Hooks(
        "the CertRep comes twice, one after the other", reply=edit("outer", lambda der: der + der)
    ),
    "unclosed": Hooks(
        "indefinite lengths, and the last end-of-contents is missing",
        reply=edit("outer", _unclosed),
    ),
    "long-length": Hooks(
        "the outermost length has 8 octets where 2 would do", reply=edit("outer", _long_lengths)
    ),
    "length-claimed": _becomes("a SEQUENCE that claims 4 GiB", CLAIMED + bytes(64)),
    "length-reserved": _becomes("a length of the reserved form FF", b"\x30\xff" + bytes(64)),
    "length-many": _becomes(
        "a length of 126 octets", b"\x30\xfe" + b"\x00" * 125 + b"\x10" + bytes(16)
    ),
    "nesting": _becomes(
        f"{DEPTH} SEQUENCEs of indefinite length inside one another", b"\x30\x80" * DEPTH
    ),
    "nesting-sets": _becomes(
        f"{DEPTH} SETs in one another where the digest algorithms belong",
        _signed_data(b"\x02\x01\x01", b"\x31\x80" * DEPTH + b"\x00\x00" * DEPTH),
    ),
    "nesting-string": _becomes(
        f"{DEPTH} constructed OCTET STRINGs in one another where the content belongs",
        _signed_data(b"\x02\x01\x01", b"\x24\x80" * DEPTH + b"\x00\x00" * DEPTH),
    ),
    "elements": _becomes(
        f"{ELEMENTS} NULLs in a row",
        _signed_data(b"\x02\x01\x01", ber.tlv(ber.SET, b"\x05\x00" * ELEMENTS))
    ),
    "integer-huge": _becomes(
        f"a version of {INTEGER_BYTES} octets", _signed_data(ber.tlv(0x02, b"\x7f" * INTEGER_BYTES))
    ),
    "oid-huge": _becomes(
        f"an object identifier of {INTEGER_BYTES} octets in one arc",
        ber.tlv(ber.SEQUENCE, ber.tlv(0x06, b"\xff" * INTEGER_BYTES + b"\x01")),
    ),
    "tag-high": _becomes(
        "a tag number of 100 octets", b"\x3f" + b"\xff" * 99 + b"\x01\x02\x05\x00"
    ),
    "null-octets": _becomes("a thousand octets 00", bytes(1000)),
    "text": _becomes("a line of text as a CertRep", b"SUCCESS\n"),
    "signed-empty": _becomes("nothing but an empty SignedData", _signed_data()),
}  # fmt: skip
