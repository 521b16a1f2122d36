"""The BER normaliser of the lab CA (X.690)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.labca_client import element, encrypted, rsa_key, self_signed, to_ber
from tools.lab_ca import ber
from tools.lab_ca.ber import BerError, tlv

PRIMITIVES = st.tuples(
    st.sampled_from([0x01, 0x02, 0x04, 0x05, 0x06, 0x0C, 0x13, 0x17, 0x82]),
    st.binary(max_size=300),
)
TREES = st.recursive(
    PRIMITIVES.map(lambda pair: tlv(*pair)),
    lambda inner: st.builds(
        lambda tag, parts: tlv(tag, b"".join(parts)),
        st.sampled_from([0x30, 0x31, 0xA0, 0xA3]),
        st.lists(inner, max_size=4),
    ),
    max_leaves=20,
)


def long_lengths(der: bytes) -> bytes:
    """The same with every length in eight octets."""
    out, at = b"", 0
    while at < len(der):
        tag, content, at = element(der, at)
        inner = long_lengths(content) if tag & 0x20 else content
        out += bytes((tag, 0x88)) + len(inner).to_bytes(8, "big") + inner
    return out


@settings(max_examples=60, deadline=None)
@given(TREES, st.integers(min_value=1, max_value=120))
def test_every_form_of_ber_becomes_the_same_der(der: bytes, piece: int) -> None:
    assert ber.to_der(der) == der
    assert ber.to_der(to_ber(der, piece)) == der
    assert ber.to_der(long_lengths(der)) == der


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_give_der_or_the_one_error(data: bytes) -> None:
    try:
        der = ber.to_der(data)
    except BerError:
        return
    assert ber.to_der(der) == der


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "cut short"),
        (b"\x30", "cut short"),
        (b"\x30\x03\x02\x01", "longer than"),
        (b"\x30\x81", "makes no sense"),
        (b"\x30\x8f" + b"\1" * 15, "makes no sense"),
        (b"\x04\x80\0\0", "primitive of indefinite"),
        (b"\x30\x80\x05\x00", "cut short"),
        (b"\x1f\x81\x01\x00", "tag number"),
        (b"\x05\x00\x00", "bytes after the end"),
        (b"\x24\x03\x02\x01\x00", "another type"),
        (b"\x2c\x03\x0c\x01A", "another type"),
        (b"\x23\x04\x03\x00\x03\x00", "unused bits"),
        (b"\x23\x08\x03\x02\x01\xfe\x03\x02\x00\xff", "unused bits"),
        (b"\x30\x80" * (ber.MAX_DEPTH + 2), "too deep"),
        (tlv(0x30, b"\x05\x00" * ber.MAX_ELEMENTS), "too many elements"),
        (b"\x04\x84\x00\x04\x00\x00" + bytes(ber.MAX_BYTES), "too many bytes"),
    ],
)
def test_what_is_refused(data: bytes, complaint: str) -> None:
    with pytest.raises(BerError, match=complaint):
        ber.to_der(data)


@pytest.mark.parametrize(
    ("data", "der"),
    [
        (b"\x24\x80\x04\x01A\x24\x80\x04\x01B\x04\x00\0\0\0\0", b"\x04\x02AB"),
        (b"\x2c\x06\x04\x01A\x04\x01B", b"\x0c\x02AB"),
        (b"\x23\x08\x03\x02\x00\xff\x03\x02\x04\xf0", b"\x03\x03\x04\xff\xf0"),
        (b"\x24\x80\0\0", b"\x04\x00"),
        (b"\x23\x00", b"\x03\x01\x00"),
    ],
)
def test_strings_are_joined(data: bytes, der: bytes) -> None:
    assert ber.to_der(data) == der


def test_a_set_keeps_its_order() -> None:
    unsorted = tlv(0x31, b"\x02\x01\x02\x02\x01\x01")
    assert ber.to_der(unsorted) == unsorted


def test_encrypted_content_is_joined_where_it_stands() -> None:
    signer = self_signed(rsa_key(0), "dev1")
    der = encrypted(b"content " * 200, signer)
    assert ber.enveloped_to_der(der) == der
    assert ber.enveloped_to_der(to_ber(der)) == der
    pieces = ber.constructed_content(der)
    assert pieces != der
    assert ber.enveloped_to_der(pieces) == der
    assert ber.to_der(pieces) == pieces, "only a reader of CMS may join an implicit tag"
    streamed = encrypted(b"content " * 2000, signer, "aes128", "-stream", "-indef")
    assert streamed[1] == 0x80
    assert ber.to_der(ber.enveloped_to_der(streamed)) == ber.enveloped_to_der(streamed)


def test_without_encrypted_content_nothing_is_joined() -> None:
    other = tlv(0x30, b"\x05\x00")
    assert ber.enveloped_to_der(other) == other
    with pytest.raises(BerError, match="no encryptedContent"):
        ber.constructed_content(other)
