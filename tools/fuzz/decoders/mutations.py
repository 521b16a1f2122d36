"""What is done to a message: to its elements, to its lines, and to its bytes.

A change of an element mostly sets the lengths around it right, so that it gets past the reader to
whoever looks at its value. Nothing here is random but by the generator that is handed in.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from agent.scep import oids
from agent.scep.der import oid
from tools.fuzz.decoders.elements import CONSTRUCTED, Element, exchanged, found_in, tlv

LARGEST = 256 * 1024  # of anything that the product reads
TAGS = bytes((
    0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0A, 0x0C, 0x10, 0x12, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1A,
    0x1B, 0x1C, 0x1E, 0x1F, 0x20, 0x22, 0x23, 0x24, 0x2C, 0x30, 0x31, 0x33, 0x3E, 0x80, 0x81, 0x82,
    0x84, 0x86, 0x87, 0x9F, 0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xBF, 0x7F, 0xFF,
))  # fmt: skip
LENGTHS = (
    b"\x00", b"\x7f", b"\x80", b"\x81\x00", b"\x81\xff", b"\x82\x00\x05", b"\x82\xff\xff",
    b"\x84\x00\x00\x00\x10", b"\x84\x7f\xff\xff\xff", b"\x84\xff\xff\xff\xff",
    b"\x88\xff\xff\xff\xff\xff\xff\xff\xff", b"\x89" + bytes(9), b"\xff",
)  # fmt: skip
VALUES = (
    b"", b"\0", b"\1", b"\xff", b"\x7f", b"\x80", b"\0\x80", b"\0\xff", b"\xff\xff", bytes(8),
    b"\x7f" + b"\xff" * 3, b"\x80" + bytes(3), b"\x7f" + b"\xff" * 7, b"\x80" + bytes(7),
    b"\x01" + bytes(256), b"\x7f" * 2000, b"\xff" * 300, b"\x08\xff", b"\x07\x80", b"\x07", b"\x2a",
    b"500101000000Z", b"991332000000Z", b"00000101000000Z", b"99991231235959Z",
    b"20300101000000.5Z", b"19700101000000+0100", b"9" * 40 + b"Z", b"\xd8\0\xdc\0", b"a\0b",
    "\u0301\u0316".encode() * 200, b"\x1b[2J\r\n", "\u202e\u2066x".encode(), b"\xff\xfe" * 30,
    b"\x80\x80\x01", b"\xff" * 80 + b"\x01",
)  # fmt: skip
OIDS = tuple(
    oid(value) for value in vars(oids).values() if isinstance(value, str) and "." in value[:3]
) + tuple(oid(value) for table in (oids.DIGESTS, oids.CIPHERS) for value in table.values())
LINES = (
    b"", b"\r\n", b"\n", b"\0", b"SHA-256", b"POSTPKIOperation", b"Content-Length: 0",
    b"Content-Length: 5", b"Content-Length: -1", b"Content-Length: +7", b"Content-Length: 1_0",
    b"Content-Length: 99999999999999999999", b"Content-Length: 5, 5", b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: identity", b"HTTP/1.1 200 OK",
    b"HTTP/1.1 200", b"HTTP/1.1 100 Continue", b"HTTP/1.1 103 Early Hints\r\n",
    b"HTTP/1.1 101 Switching Protocols", b"HTTP/1.1 302 Found", b"HTTP/1.1 500 x", b"HTTP/0.9 200",
    b"HTTP/1.1 \xb2\xb2\xb2 x", b"HTTP/1.1 99999 x", b"HTTP/2 204", b"Location: http://x/\x1b[2J",
    b"Location: //[", b" folded", b"\tfolded", b":", b"no colon", b"Connection: keep-alive", b"0",
    b"ffffffff", b"-5", b"5;x=" + b"y" * 300, b"0x10", b"1_0", b"Content-Encoding: gzip",
    b"Content-Type: text/html; charset=" + b"x" * 99, b"x" * 20000, b"-----BEGIN CERTIFICATE-----",
    b"-----END CERTIFICATE-----", b"-----BEGIN X509 CRL-----", b"=?utf-8?q?x?=: y",
)  # fmt: skip

COPIES = (2, 2, 2, 2, 2, 2, 3, 3, 20, 300, 5000)
NESTINGS = (1, 1, 1, 2, 2, 10, 31, 33, 1200)  # the reader takes 32; Python's own stack, 1000

ByElement = Callable[["Spot"], bytes]
ByByte = Callable[[Random, bytes], bytes]


class Pool(NamedTuple):
    """Messages from which pieces are taken."""

    messages: Sequence[bytes]

    def piece(self, random: Random) -> bytes:
        """An element of another message."""
        data = random.choice(self.messages)
        elements = found_in(data)
        if not elements:
            return data[:200]
        one = random.choice(elements)
        return data[one.start : one.end]


# -- elements --------------------------------------------------------------------------------------


class Spot(NamedTuple):
    """An element of a message that is to be changed, and the generator that says how."""

    random: Random
    data: bytes
    elements: list[Element]
    number: int

    @property
    def tag(self) -> bytes:
        start = self.elements[self.number].start
        return self.data[start : start + 1]

    @property
    def octets(self) -> bytes:
        one = self.elements[self.number]
        return self.data[one.start : one.end]

    @property
    def content(self) -> bytes:
        one = self.elements[self.number]
        return self.data[one.body : one.body_end]


def retagged(spot: Spot) -> bytes:
    return bytes((spot.random.choice(TAGS),)) + spot.octets[1:]


def mislengthened(spot: Spot) -> bytes:
    """A length that is not true, or one that is true in more octets than it needs."""
    near = max(len(spot.content) + spot.random.choice((-2, -1, 0, 1, 2)), 0)
    lengths = (*LENGTHS, b"\x84" + near.to_bytes(4, "big"), bytes((near & 0x7F,)))
    return spot.tag + spot.random.choice(lengths) + spot.content


def revalued(spot: Spot) -> bytes:
    random = spot.random
    return tlv(spot.tag, random.choice(VALUES) if random.random() < 0.8 else random.randbytes(8))


def renamed(spot: Spot) -> bytes:
    return spot.random.choice(OIDS)


def doubled(spot: Spot) -> bytes:
    most = max(LARGEST // 8 // max(len(spot.octets), 1), 2)
    return spot.octets * min(spot.random.choice(COPIES), most)


def dropped(_spot: Spot) -> bytes:
    return b""


def wrapped(spot: Spot) -> bytes:
    """Inside one element more, or inside very many."""
    octets = spot.octets
    for _ in range(spot.random.choice(NESTINGS)):
        octets = tlv(bytes((spot.random.choice(b"\x30\x31\x24\x04\xa0\xa3"),)), octets)
    return octets


def unwrapped(spot: Spot) -> bytes:
    return spot.content


def emptied(spot: Spot) -> bytes:
    return tlv(spot.tag, b"")


def shortened(spot: Spot) -> bytes:
    content = spot.content
    return tlv(spot.tag, content[: spot.random.randrange(len(content) + 1)])


def opened(spot: Spot) -> bytes:
    """Of indefinite length; a string in pieces."""
    random, content, tag = spot.random, spot.content, spot.tag[0]
    if not tag & CONSTRUCTED:
        size = random.choice((1, 7, 100)) if len(content) < 2000 else 100
        parts = [content[at : at + size] for at in range(0, len(content), size)]
        content = b"".join(tlv(random.choice((b"\x04", spot.tag)), part) for part in parts)
    return (
        bytes((tag | CONSTRUCTED, 0x80)) + content + random.choice((b"\0\0", b"\0\0", b"\0", b""))
    )


def swapped(spot: Spot) -> bytes:
    """Another element of the same message in this place."""
    one = spot.random.choice(spot.elements)
    return spot.data[one.start : one.end]


ELEMENTS: tuple[tuple[int, ByElement], ...] = (
    (14, retagged), (12, mislengthened), (20, revalued), (8, renamed), (10, doubled), (10, dropped),
    (5, wrapped), (5, unwrapped), (5, emptied), (7, shortened), (8, opened), (10, swapped),
)  # fmt: skip


# -- bytes and lines -------------------------------------------------------------------------------


def flipped(random: Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 8))):
        changed[random.randrange(len(data))] ^= 1 << random.randrange(8)
    return bytes(changed)


def replaced(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data))
    new = random.choice((random.randbytes(3), bytes(4), b"\xff" * 4, b"\x80", b"\x30\x80"))
    return data[:at] + new + data[at + random.choice((0, len(new))) :]


def cut(random: Random, data: bytes) -> bytes:
    return data[: random.randrange(len(data))]


def lost(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data))
    return data[:at] + data[at + random.randint(1, 20) :]


def repeated(random: Random, data: bytes) -> bytes:
    at, size = random.randrange(len(data)), random.randint(1, 40)
    times = random.choice((1, 1, 1, 10, 1000))
    return data[:at] + data[at : at + size] * times + data[at:]


def appended(random: Random, data: bytes) -> bytes:
    return data + random.choice((b"\0", b"\0\0", b"\n", random.randbytes(5), data))


def relined(random: Random, data: bytes) -> bytes:
    """A line of a text changed, lost, doubled, or put somewhere else."""
    lines = data.split(b"\n", 64)
    at = random.randrange(len(lines))
    new = random.choice(((), (random.choice(LINES),), (lines[at], lines[at]), (b"\r", lines[at])))
    return b"\n".join((*lines[:at], *new, *lines[at + random.choice((0, 1)) :]))


BYTES: tuple[tuple[int, ByByte], ...] = (
    (30, flipped), (20, replaced), (15, cut), (10, lost), (10, repeated), (5, appended),
    (10, relined),
)  # fmt: skip
TEXTS: tuple[tuple[int, ByByte], ...] = ((55, relined), (15, flipped), (15, replaced), (15, cut))


def changed_element(random: Random, data: bytes, pool: Pool) -> bytes:
    """One element of a message changed; a byte where it has none."""
    elements = found_in(data)
    if not elements:
        return changed_bytes(random, data)
    number = random.randrange(len(elements))
    if random.random() < 0.1:
        new = pool.piece(random)
    else:
        (change,) = random.choices([row for _, row in ELEMENTS], [weight for weight, _ in ELEMENTS])
        new = change(Spot(random, data, elements, number))
    if random.random() < 0.1:  # the lengths around it stay as they were
        return data[: elements[number].start] + new + data[elements[number].end :]
    return exchanged(data, elements, number, new)


def changed_bytes(
    random: Random, data: bytes, table: Sequence[tuple[int, ByByte]] = BYTES
) -> bytes:
    (change,) = random.choices([row for _, row in table], [weight for weight, _ in table])
    return change(random, data) if data else random.randbytes(8)


def mutated(random: Random, data: bytes, pool: Pool, text: bool = False) -> bytes:
    """A message after one change or a few."""
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 5))):
        if text:
            data = changed_bytes(random, data, TEXTS)
        elif random.random() < 0.75:
            data = changed_element(random, data, pool)
        else:
            data = changed_bytes(random, data)
    return data[:LARGEST]
