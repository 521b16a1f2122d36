"""The BER reader: what the writer makes, the same in BER, what is malformed, and mutations."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import limits
from agent.scep import ber, der
from tests.helpers import scep_lab as lab

EXAMPLES = settings(derandomize=True, deadline=None, max_examples=200)

LEAVES = st.one_of(
    st.integers(-(1 << 200), 1 << 200).map(der.integer),
    st.binary(max_size=200).map(der.octet_string),
    st.binary(max_size=40).map(der.bit_string),
    st.text(max_size=40).map(lambda text: der.string(der.UTF8, text)),
    st.booleans().map(der.boolean),
    st.just(der.null()),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5).map(lambda parts: der.sequence(*parts)),
        st.lists(inner, max_size=5).map(der.set_of),
        st.lists(inner, max_size=3).map(lambda parts: der.tlv(der.explicit(1), *parts)),
    ),
    max_leaves=30,
)


def berify(node: ber.Node) -> bytes:
    """The same value with every length indefinite or padded, and every string in two pieces."""
    if node.tag & der.CONSTRUCTED:
        return bytes((node.tag, 0x80)) + b"".join(map(berify, node.children)) + b"\0\0"
    content = node.content
    if node.tag == der.OCTET_STRING:
        half = len(content) // 2
        pieces = padded(4, content[:half]) + padded(4, content[half:])
        return b"\x24\x80" + pieces + b"\0\0"
    return padded(node.tag, content)


def padded(tag: int, content: bytes) -> bytes:
    return bytes((tag, 0x84)) + len(content).to_bytes(4, "big") + content


@pytest.mark.slow
@EXAMPLES
@given(TREES)
def test_what_was_written_reads_back_to_the_byte(data: bytes) -> None:
    node = ber.read(data)
    assert node.raw == data
    assert node.der() == data


@EXAMPLES
@given(TREES)
def test_ber_reads_as_its_der(data: bytes) -> None:
    assert ber.read(berify(ber.read(data))).der() == data


@EXAMPLES
@given(st.binary(max_size=300))
def test_random_bytes_are_a_tree_or_a_der_error(data: bytes) -> None:
    read_all(data)


@EXAMPLES
@given(st.data())
def test_a_flipped_bit_is_a_tree_or_a_der_error(data: st.DataObject) -> None:
    whole = bytearray(lab.root().der)
    at = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[at // 8] ^= 1 << at % 8
    read_all(bytes(whole))


def read_all(data: bytes) -> None:
    """Asks every element for every kind of value."""
    try:
        pending = [ber.read(data)]
    except ber.BerError:
        return
    questions = ("integer", "boolean", "oid", "bits", "bit_bytes", "text", "time_s", "octets",
                 "octet_string", "der")  # fmt: skip
    while pending:
        node = pending.pop()
        pending += node.children
        for question in questions:
            try:
                getattr(node, question)()
            except ber.BerError:
                continue


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\x30\x80",
        b"\x04\x80\0\0",  # a primitive element of indefinite length
        b"\x30\x03\x02\x01",
        b"\x30\x00\x00",
        b"\x00\x00",
        b"\x30\x02\x00\x00",  # end of contents where there is an end already
        b"\x1f\x81\x01\x00",  # a tag number in several bytes
        b"\x04\x85\x00\x00\x00\x00\x00",
        b"\x04\xff",
        b"\x04\x84\x7f\xff\xff\xff",
        b"\x30\x80\x04\x01A\x00",
        b"\x30\x04\x30\x03\x04\x01",
    ],
)
def test_malformed_is_one_error(data: bytes) -> None:
    with pytest.raises(ber.BerError):
        ber.read(data)


def test_depth_has_a_limit() -> None:
    def nested(depth: int) -> bytes:
        return b"\x30\x80" * depth + b"\0\0" * depth

    assert ber.read(nested(limits.DER_DEPTH + 1)).tag == der.SEQUENCE
    with pytest.raises(ber.BerError, match="deep"):
        ber.read(nested(limits.DER_DEPTH + 2))
    with pytest.raises(ber.BerError):
        ber.read(b"\x30\x80" * 500_000)


def test_elements_have_a_limit() -> None:
    most = der.sequence(*[der.null()] * (limits.DER_ELEMENTS - 1))
    assert len(ber.read(most).children) == limits.DER_ELEMENTS - 1
    with pytest.raises(ber.BerError, match="many"):
        ber.read(der.sequence(*[der.null()] * limits.DER_ELEMENTS))


def test_octets_of_an_implicit_tag_in_pieces() -> None:
    pieces = der.octet_string(b"ab") + der.tlv(0x24, der.octet_string(b"c"), der.octet_string(b""))
    assert ber.read(der.tlv(der.explicit(0), pieces)).octets() == b"abc"
    assert ber.read(der.tlv(der.context(0), b"abc")).octets() == b"abc"
    with pytest.raises(ber.BerError):
        ber.read(der.tlv(der.explicit(0), der.integer(1))).octets()


def test_a_bit_string_in_pieces_keeps_the_unused_bits_of_its_last() -> None:
    node = ber.read(der.tlv(0x23, der.tlv(3, b"\0AB"), der.tlv(3, b"\x04\xf0")))
    assert node.bits() == (4, b"AB\xf0")
    assert node.der() == der.tlv(3, b"\x04AB\xf0")


@pytest.mark.parametrize(
    ("tag", "digits", "time_s"),
    [
        (der.UTC_TIME, b"500101000000Z", -631_152_000),
        (der.UTC_TIME, b"4912312359Z", 2_524_607_940),  # BER may leave the seconds out
        (der.GENERALIZED_TIME, b"99991231235959Z", 253_402_300_799),
        (der.GENERALIZED_TIME, b"20300101000000.5Z", 1_893_456_000),
    ],
)
def test_times_at_the_edges(tag: int, digits: bytes, time_s: int) -> None:
    assert ber.read(der.tlv(tag, digits)).time_s() == time_s


@pytest.mark.parametrize(
    "digits", [b"", b"Z", b"991332000000Z", b"99023000000Z", b"20300101000000Z", b"3001010000+0100"]
)
def test_what_is_no_utc_time(digits: bytes) -> None:
    with pytest.raises(ber.BerError):
        ber.read(der.tlv(der.UTC_TIME, digits)).time_s()


def test_texts_of_every_kind() -> None:
    samples = {der.UTF8: "Zoë", der.PRINTABLE: "A b", der.TELETEX: "Zoë", der.BMP: "Zoë",
               der.UNIVERSAL: "Zoë", der.IA5: "a@b"}  # fmt: skip
    for tag, text in samples.items():
        assert ber.read(der.string(tag, text)).text() == text
    assert ber.read(der.tlv(der.UTF8, b"a\xff")).text() == "a�"


def test_fields_miss_and_exceed() -> None:
    node = ber.read(der.sequence(der.integer(1), der.null()))
    fields = ber.Fields(node)
    assert fields.maybe(der.OID) is None
    assert fields.take(der.INTEGER).integer() == 1
    with pytest.raises(ber.BerError, match="tag"):
        fields.take(der.OID)
    with pytest.raises(ber.BerError, match="more"):
        fields.end()
    fields.take()
    fields.end()
    with pytest.raises(ber.BerError, match="missing"):
        fields.take()


def test_a_list_without_descending_into_it() -> None:
    parts = [der.integer(5), der.sequence(der.null()), der.octet_string(bytes(300))]
    whole = der.sequence(*parts)
    assert list(ber.pieces(ber.content(whole, der.SEQUENCE))) == parts
    assert ber.content(whole, der.SEQUENCE) == ber.read(whole).content
    assert list(ber.pieces(b"")) == []
    many = der.sequence(*[der.null()] * (limits.DER_ELEMENTS + 5))
    assert sum(1 for _ in ber.pieces(ber.content(many, der.SEQUENCE))) == limits.DER_ELEMENTS + 5


@pytest.mark.parametrize("data", [b"", b"\x30", b"\x31\x00", b"\x30\x00x", b"\x30\x80\x00\x00"])
def test_what_is_not_one_element_of_that_tag(data: bytes) -> None:
    with pytest.raises(ber.BerError):
        ber.content(data, der.SEQUENCE)


@pytest.mark.parametrize(
    "data", [b"\x05\x00\x05", b"\x30\x80\x00\x00", b"\x04\x05abc", b"\x1f\x01"]
)
def test_what_is_no_list_of_elements(data: bytes) -> None:
    with pytest.raises(ber.BerError):
        list(ber.pieces(data))


@pytest.mark.parametrize(
    ("question", "data"),
    [
        ("oid", b"\x06\x03\x80\x2a\x03"),  # X.690 8.19.2: an arc with a leading zero
        ("oid", b"\x06\x04\x2a\x80\x80\x01"),
        ("oid", b"\x06\x01\x80"),
        ("integer", b"\x02\x02\x00\x01"),  # 8.3.2: more octets than it needs
        ("integer", b"\x02\x02\xff\x80"),
        ("bits", b"\x03\x01\x04"),  # unused bits of no byte
        ("bits", b"\x23\x08\x03\x02\x01\xfe\x03\x02\x00\xff"),  # 8.6.4: not in the last piece
        ("bits", b"\x23\x07\x03\x02\x00\xff\x03\x01\x04"),
        ("bits", b"\x23\x06\x03\x00\x03\x02\x00\xff"),
    ],
)
def test_more_than_one_encoding_of_a_value_is_refused(question: str, data: bytes) -> None:
    node = ber.read(data)
    with pytest.raises(ber.BerError):
        getattr(node, question)()


def test_unused_bits_are_not_believed() -> None:
    assert ber.read(b"\x03\x02\x07\xff").bits() == (7, b"\x80")
    assert ber.read(b"\x02\x02\x00\x80").integer() == 128
    assert ber.read(b"\x02\x01\x00").integer() == 0


def test_an_explicit_tag_holds_one_element() -> None:
    assert ber.read(der.tlv(der.explicit(0), der.null())).inner().tag == der.NULL
    for inside in ((), (der.null(), der.null())):
        with pytest.raises(ber.BerError, match="one element"):
            ber.read(der.tlv(der.explicit(0), *inside)).inner()


@pytest.mark.parametrize("data", [b"\x01\0", b"\x01\2\0\0", b"\2\1\0"])
def test_what_is_no_boolean(data: bytes) -> None:
    with pytest.raises(ber.BerError):
        ber.read(data).boolean()


def test_a_signature_has_whole_bytes() -> None:
    assert ber.read(der.bit_string(b"ab")).bit_bytes() == b"ab"
    bits = ber.read(der.tlv(der.BIT_STRING, b"\x04\xff"))
    assert bits.bits() == (4, b"\xf0")
    with pytest.raises(ber.BerError, match="bits instead of bytes"):
        bits.bit_bytes()


def test_what_is_text_is_told_by_its_tag() -> None:
    for data in (der.string(der.UTF8, "x"), der.tlv(der.UTF8 | der.CONSTRUCTED)):
        assert ber.read(data).is_text()
    assert not ber.read(der.octet_string(b"x")).is_text()


def test_the_only_field_of_a_sequence() -> None:
    one, two = der.sequence(der.null()), der.sequence(der.null(), der.null())
    assert ber.Fields(ber.read(one)).only().raw == der.null()
    for data, complaint in ((two, "more fields"), (der.sequence(), "a field is missing")):
        with pytest.raises(ber.BerError, match=complaint):
            ber.Fields(ber.read(data)).only()
