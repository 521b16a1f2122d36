"""Lies of the octets: cut, nested, of lengths that are not so."""

from collections.abc import Callable

import pytest
from asn1crypto import cms

from tests.helpers.labca_seen import SIGNED_DATA, Seen, asn1parse, prove
from tools.lab_ca import hostile


def body(test: Callable[[bytes], bool]) -> Seen:
    return Seen(lambda lab: test(lab.body()))


def starts(octets: bytes) -> Seen:
    return body(lambda found: found.startswith(octets))


def beyond(octets: bytes) -> int:
    """How many octets more there are than the outermost length says; negative: fewer."""
    size = int.from_bytes(octets[2 : 2 + (octets[1] & 0x7F)], "big")
    return len(octets) - size - 2 - (octets[1] & 0x7F)


def deep(octets: bytes) -> Seen:
    """50000 times, one inside another."""
    return body(lambda found: octets * 50_000 in found)


ENCODINGS = {
    "cut": body(lambda found: beyond(found) == -1),
    "cut-half": body(lambda found: beyond(found) < -100),
    "trailing": body(lambda found: beyond(found) == 2 and found.endswith(b"\x05\x00")),
    "doubled": body(lambda found: found[: len(found) // 2] == found[len(found) // 2 :]),
    "unclosed": body(
        lambda found: (
            found[:2] == b"\x30\x80"
            and b"envelopedData" not in asn1parse(found + b"\x00\x00")
            and unparsable(found)
        )
    ),
    "long-length": body(
        lambda found: found[:2] == b"\x30\x88" and b"signedData" in asn1parse(found)
    ),
    "length-claimed": starts(bytes.fromhex("3084ffffffff")),
    "length-reserved": starts(b"\x30\xff"),
    "length-many": starts(b"\x30\xfe"),
    "nesting": starts(b"\x30\x80" * 50_000),
    "nesting-sets": deep(b"\x31\x80"),
    "nesting-string": deep(b"\x24\x80"),
    "elements": body(lambda found: found.count(b"\x05\x00") >= 80_000),
    "integer-huge": body(lambda found: b"\x7f" * 200_000 in found),
    "oid-huge": body(lambda found: b"\xff" * 200_000 in found),
    "tag-high": starts(b"\x3f" + b"\xff" * 99),
    "null-octets": body(lambda found: found == bytes(1000)),
    "text": body(lambda found: found == b"SUCCESS\n"),
    "signed-empty": body(lambda found: len(found) == 17 and SIGNED_DATA in found),
}


def unparsable(octets: bytes) -> bool:
    try:
        cms.ContentInfo.load(octets, strict=True)
    except ValueError:
        return True
    return False


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_lie_is_what_it_says(name: str) -> None:
    prove(ENCODINGS[name], hostile.HOSTILE[name])
