"""Subjects and alternative names: built, read, compared, shown."""

import time

import pytest
from asn1crypto import core, x509
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.scep import ber, der, names, oids

ENTITY = {
    "common_name": "router-1", "country": "DE", "state": "Hessen", "locality": "Zoë's",
    "organization": "Lab", "organization_unit": ["one", "two"], "serial_number": "X-1",
    "fqdn": "r1.example", "email": "a@b.example", "ip_addresses": ["192.0.2.1", "2001:db8::1"],
}  # fmt: skip


def read(data: bytes) -> names.Name:
    return names.read(ber.read(data))


def test_a_subject_as_asn1crypto_reads_it() -> None:
    native = x509.Name.load(names.subject(ENTITY), strict=True).native
    assert list(native.items()) == [
        ("country_name", "DE"),
        ("state_or_province_name", "Hessen"),
        ("locality_name", "Zoë's"),
        ("organization_name", "Lab"),
        ("organizational_unit_name", ["one", "two"]),
        ("common_name", "router-1"),
        ("serial_number", "X-1"),
    ]


def test_alternative_names_as_asn1crypto_reads_them() -> None:
    made = names.alternative_names(ENTITY)
    assert made is not None
    assert x509.GeneralNames.load(made, strict=True).native == [
        "192.0.2.1", "2001:db8::1", "r1.example", "a@b.example",
    ]  # fmt: skip


def test_nothing_configured_is_nothing_asked_for() -> None:
    assert names.subject({}) == der.sequence()
    assert names.subject({"common_name": None, "organization_unit": []}) == der.sequence()
    assert names.alternative_names({"ip_addresses": [], "fqdn": None}) is None


def test_printable_where_the_characters_allow() -> None:
    assert names.directory_string("aZ09 '()+,-./:=?")[0] == der.PRINTABLE
    for text in ("under_score", "a@b", "Zoë", "50%"):
        assert names.directory_string(text)[0] == der.UTF8
        assert not names.is_printable_string(text)


def attribute(kind: str, value: bytes) -> bytes:
    return der.sequence(der.set_of([der.sequence(der.oid(kind), value)]))


COMMON_NAME = "2.5.4.3"


@pytest.mark.parametrize(
    "other",
    [
        der.string(der.UTF8, "Router  ONE"),
        der.string(der.PRINTABLE, " router one "),
        der.string(der.BMP, "ROUTER ONE"),
        der.string(der.TELETEX, "router one"),
    ],
)
def test_names_are_equal_by_what_they_say(other: bytes) -> None:
    ours = read(attribute(COMMON_NAME, der.string(der.UTF8, "router one")))
    assert names.key(read(attribute(COMMON_NAME, other))) == names.key(ours)
    assert names.key(read(attribute("2.5.4.10", other))) != names.key(ours)


def test_order_and_number_of_names_count() -> None:
    one, two = {"organization_unit": ["a", "b"]}, {"organization_unit": ["b", "a"]}
    assert names.key(read(names.subject(one))) != names.key(read(names.subject(two)))
    assert names.key(read(names.subject(one))) != names.key(read(names.subject({})))


def test_long_names_that_differ_at_their_end_differ() -> None:
    long = "a" * 240
    one, two = (names.alternative_names({"fqdn": long + end}) for end in ("1", "2"))
    assert one is not None
    assert two is not None
    folded = [names.folded_names(names.general_names(ber.read(made))) for made in (one, two)]
    assert folded[0] != folded[1]


def test_shown_for_people() -> None:
    assert names.shown(read(names.subject(ENTITY))) == (
        "C=DE, ST=Hessen, L=Zoë's, O=Lab, OU=one, OU=two, CN=router-1, serialNumber=X-1"
    )
    hostile = attribute(COMMON_NAME, der.string(der.UTF8, "a\x1b[2J\u202eb\r\nc" + "x" * 999))
    shown = names.shown(read(hostile))
    assert shown.startswith(r"CN=a\x1b[2J\u202eb\x0d\x0ac")
    assert shown.isprintable()
    assert len(shown) < 250


def test_odd_attributes_are_shown_and_kept_apart() -> None:
    assert names.shown(read(attribute("1.2.3.4", der.integer(5)))) == "1.2.3.4=#020105"


def test_other_general_names_do_not_disturb() -> None:
    made = der.sequence(
        der.tlv(der.explicit(0), der.oid("1.2.3"), der.tlv(der.explicit(0), der.null())),
        der.tlv(der.explicit(4), names.subject({"common_name": "x"})),
        der.tlv(der.context(7), b"\1\2\3"),
        der.tlv(der.context(6), b"http://x"),
    )
    found = names.general_names(ber.read(made))
    kinds = [name.kind for name in found]
    assert kinds == ["othername", "DirName", "othername", "URI"]
    assert "DirName:CN=x" in names.shown_names(found)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.text(min_size=1, max_size=64))
def test_any_text_survives_the_way_through_a_certificate(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    (relative,) = read(names.subject({"common_name": text}))
    assert relative[0] == (COMMON_NAME, text)
    assert core.load(names.directory_string(text)).native == text


def test_the_table_of_attributes_has_no_double() -> None:
    assert len(set(oids.NAME_ATTRIBUTES.values())) == len(oids.NAME_ATTRIBUTES)


def test_a_name_of_accents_costs_no_time() -> None:
    """The normal form of Unicode sorts them, each past all others."""
    accents = "\u0301" * 60_000 + "\u0316" * 60_000
    begun_s = time.process_time()
    key = names.key(read(attribute(COMMON_NAME, der.string(der.UTF8, accents))))
    assert time.process_time() - begun_s < 1
    assert key == (frozenset({(COMMON_NAME, accents)}),)
