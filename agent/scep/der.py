"""ASN.1 as it is written: DER only, since real CAs refuse anything else (X.690), and the tags.

Tags are the identifier octet as it stands on the wire: class, constructed bit and number in one
byte. The values are ours, so nothing is checked here; `ber` reads.
"""

from __future__ import annotations

from collections.abc import Iterable

from hal import calendar

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
ENUMERATED, UTF8, NUMERIC, PRINTABLE, TELETEX = 0x0A, 0x0C, 0x12, 0x13, 0x14
IA5, UTC_TIME, GENERALIZED_TIME, VISIBLE, GENERAL = 0x16, 0x17, 0x18, 0x1A, 0x1B
UNIVERSAL, BMP = 0x1C, 0x1E
SEQUENCE, SET = 0x30, 0x31
ANY = range(0x100)
CONSTRUCTED, CONTEXT = 0x20, 0x80

ENCODINGS = {
    UTF8: "utf-8", NUMERIC: "ascii", PRINTABLE: "ascii", TELETEX: "latin-1", IA5: "ascii",
    VISIBLE: "ascii", GENERAL: "latin-1", UNIVERSAL: "utf-32-be", BMP: "utf-16-be",
}  # fmt: skip


def context(number: int) -> int:
    """The tag [number] IMPLICIT of a primitive type."""
    return CONTEXT | number


def explicit(number: int) -> int:
    """The tag [number] of anything constructed: EXPLICIT, or IMPLICIT over SEQUENCE and SET."""
    return CONTEXT | CONSTRUCTED | number


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
    return tlv(tag, text.encode(ENCODINGS[tag]))


def time(time_s: int) -> bytes:
    """Unix time as UTCTime up to 2049, as GeneralizedTime after it (RFC 5280 4.1.2.5)."""
    when = calendar.moment(time_s)
    digits = (
        f"{when.year:04}{when.month:02}{when.day:02}{when.hour:02}{when.minute:02}{when.second:02}Z"
    ).encode()
    if 1950 <= when.year < 2050:
        return tlv(UTC_TIME, digits[2:])
    return tlv(GENERALIZED_TIME, digits)
