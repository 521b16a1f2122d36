"""The DER writer: as asn1crypto has it, and as openssl reads it; what is written reads back."""

import subprocess
from datetime import UTC, datetime, timedelta

from asn1crypto import core, util
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.scep import ber, der

EXAMPLES = settings(derandomize=True, deadline=None, max_examples=200)


@EXAMPLES
@given(st.integers(-(1 << 300), 1 << 300))
def test_integers_as_asn1crypto_has_them(value: int) -> None:
    assert der.integer(value) == core.Integer(value).dump()
    assert ber.read(der.integer(value)).integer() == value


@EXAMPLES
@given(st.integers(0, 2), st.integers(0, 39), st.lists(st.integers(0, 1 << 40), max_size=6))
def test_object_identifiers_as_asn1crypto_has_them(
    first: int, second: int, rest: list[int]
) -> None:
    dotted = ".".join(map(str, (first, second, *rest)))
    assert der.oid(dotted) == core.ObjectIdentifier(dotted).dump()
    assert ber.read(der.oid(dotted)).oid() == dotted


@EXAMPLES
@given(st.sets(st.integers(0, 20)))
def test_named_bits_as_asn1crypto_reads_them(numbers: set[int]) -> None:
    loaded = core.BitString.load(der.named_bits(numbers), strict=True).native
    assert {number for number, bit in enumerate(loaded) if bit} == numbers


@EXAMPLES
@given(st.integers(-600_000_000, 4_000_000_000))
def test_times_as_asn1crypto_has_them(time_s: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=time_s)
    kind = core.UTCTime if moment.year < 2050 else core.GeneralizedTime
    assert der.time(time_s) == kind(moment.replace(tzinfo=util.timezone.utc)).dump()
    assert ber.read(der.time(time_s)).time_s() == time_s


def test_sets_are_sorted() -> None:
    parts = [der.octet_string(b"b"), der.integer(5), der.octet_string(b"a")]
    assert ber.read(der.set_of(parts)).children[0].tag == der.INTEGER
    assert der.set_of(parts) == der.set_of(reversed(parts))


def test_openssl_reads_what_is_written() -> None:
    data = der.sequence(der.oid("1.2.840.113549.1.7.1"), der.integer(1 << 70), der.time(0))
    run = subprocess.run(
        ["openssl", "asn1parse", "-inform", "der"], input=data, capture_output=True, check=True
    )
    text = run.stdout.decode()
    assert "pkcs7-data" in text
    assert "400000000000000000" in text
    assert "700101000000Z" in text
