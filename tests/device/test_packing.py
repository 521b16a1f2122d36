"""Blocks of the configuration, packed: what comes back, how small they are, what is refused."""

import binascii
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.device import packing

REALM = """pki realm site-0042
 ca id ca-2
 entity e1
 source interface GigabitEthernet 0/0/0
 enrollment-url http://ca2.example.com:8080/scep interval 5 times 10
 enrollment-request signature message-digest-method sha-384
 enrollment-request encryption-algorithm aes256
 password cipher %^%#Gk1RrLZ5bT0yV8aQ2nHsXw4JcPu7eDiOf6YgMhKlN9zBxCvW3tE=%^%#
 fingerprint sha256 6f3a1b2c9d8e7f60514233a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8
 auto-enroll 70 regenerate 2048"""


@settings(deadline=None)
@given(st.text(max_size=2000))
def test_what_is_packed_comes_back(text: str) -> None:
    try:
        assert packing.unpack(packing.pack(text)) == text
    except UnicodeEncodeError:
        assert any("\ud800" <= character <= "\udfff" for character in text)


def test_a_usual_block_takes_a_part_of_its_text() -> None:
    assert 440 < len(REALM) < 500
    assert len(packing.pack(REALM)) < 200


def test_the_dictionary_is_part_of_the_format() -> None:
    """Whoever changes it makes all that is saved unreadable."""
    header = packing.pack("")[:6]
    assert binascii.hexlify(header) == b"48e62e156398"


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"x",
        packing.pack(REALM)[:-1],
        packing.pack(REALM) + b"x",
        zlib.compress(b"text"),
        packing.pack("x" * (packing.TEXT_BYTES + 1)),
        zlib.compress(b"x" * 10_000_000),
    ],
)
def test_what_is_no_packed_text_is_refused(packed: bytes) -> None:
    with pytest.raises(ValueError, match="unpacked"):
        packing.unpack(packed)


def test_bytes_that_are_no_text_are_refused() -> None:
    bad = zlib.compressobj(9, zlib.DEFLATED, 12, 5, zlib.Z_DEFAULT_STRATEGY, packing.DICTIONARY)
    with pytest.raises(ValueError, match="utf-8"):
        packing.unpack(bad.compress(b"\xff") + bad.flush())


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_text_or_refused(packed: bytes) -> None:
    try:
        packing.unpack(packed)
    except ValueError:
        pass
