"""Certificates through our own reader, compared with `cryptography`, asn1crypto and openssl."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509 as library
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.scep import ber, certificate, der, names
from tests.helpers import scep_lab as lab


def read(party: lab.Party) -> certificate.Certificate:
    return certificate.read(party.der)


def test_fields_as_the_library_has_them() -> None:
    loaded = library.load_der_x509_certificate(lab.sub().der)
    ours = read(lab.sub())
    assert ours.serial == loaded.serial_number
    assert ours.tbs == loaded.tbs_certificate_bytes
    assert ours.issuer_der == loaded.issuer.public_bytes()
    assert ours.subject_der == loaded.subject.public_bytes()
    assert ours.signature_value == loaded.signature
    assert ours.version == 3
    assert (ours.not_before_s, ours.not_after_s) == (
        lab.NOW_S - lab.DAY_S, lab.NOW_S + 364 * lab.DAY_S,
    )  # fmt: skip
    assert ours.spki == lab.public_der("sub")
    assert (ours.is_ca, ours.path_length) == (True, 0)


def test_key_usage_and_what_it_means_when_absent() -> None:
    root, sub = read(lab.root()), read(lab.sub())
    assert root.key_usage == {"keyCertSign", "cRLSign"}
    assert root.usable_for("keyCertSign")
    assert not root.usable_for("keyEncipherment")
    assert sub.key_usage is None
    assert sub.usable_for("keyEncipherment")


def test_purposes_and_what_it_means_when_absent() -> None:
    assert read(lab.root()).purposes is None
    named = ["client_auth", "1.3.6.1.5.5.7.3.28"]
    both = lab.certificate({"common_name": "x"}, "dev", lab.root(), purposes=named)
    assert read(both).purposes == {"1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.28"}
    none = lab.certificate({"common_name": "x"}, "dev", lab.root(), purposes=[])
    assert read(none).purposes == frozenset()


def test_who_issued_whom() -> None:
    root, sub = read(lab.root()), read(lab.sub())
    assert sub.issued_by(root)
    assert root.issued_by(root)
    assert not root.issued_by(sub)
    forged = lab.certificate({"common_name": "x"}, "dev", lab.root(), issuer_key="dev")
    assert read(forged).names_issuer(root)
    assert not read(forged).issued_by(root)


@pytest.mark.parametrize("digest", ["md5", "sha1", "sha256", "sha384", "sha512"])
def test_signature_algorithms(digest: str) -> None:
    made = read(lab.certificate({"common_name": "x"}, "dev", lab.root(), digest=digest))
    assert made.signature.digest.replace("-", "") == digest
    assert made.issued_by(read(lab.root()))


def test_version_1_is_no_ca() -> None:
    made = read(lab.certificate({"common_name": "x"}, "root", None, version="v1"))
    assert (made.version, made.is_ca, made.extensions) == (1, False, {})


def test_the_issuer_of_an_ec_ca(tmp_path: Path) -> None:
    key, cert = tmp_path / "k.pem", tmp_path / "c.der"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", str(key), "-subj", "/CN=EC Root", "-outform", "der", "-out",
         str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    made = certificate.read(cert.read_bytes())
    assert made.is_ca
    assert made.signature.scheme == "ecdsa"
    assert made.issued_by(made)


def changed(path: tuple[int, ...], replacement: bytes) -> bytes:
    """The root certificate with one element replaced; its signature does not matter here."""

    def rebuild(node: ber.Node, rest: tuple[int, ...]) -> bytes:
        if not rest:
            return replacement
        parts = [c.raw for c in node.children]
        parts[rest[0]] = rebuild(node.children[rest[0]], rest[1:])
        return der.tlv(node.tag, *parts)

    return rebuild(ber.read(lab.root().der), path)


@pytest.mark.parametrize(
    ("path", "replacement"),
    [
        ((0, 1), der.null()),  # serial
        ((0, 2), der.sequence(der.oid("1.2.3"))),  # inner algorithm differs from the outer
        ((0, 4, 0), der.tlv(der.UTC_TIME, b"999999999999Z")),
        ((0, 5), der.sequence(der.null())),
        ((0, 6), der.sequence()),
        ((0, 7), der.tlv(der.explicit(3))),
        ((0, 7), der.tlv(der.explicit(3), der.sequence(der.sequence(der.null())))),
        ((2,), der.tlv(der.BIT_STRING, b"\x03A")),
        ((2,), der.null()),
    ],
)
def test_odd_fields_are_one_error(path: tuple[int, ...], replacement: bytes) -> None:
    with pytest.raises(ber.BerError):
        certificate.read(changed(path, replacement))


def test_odd_names_that_libraries_refuse_are_read() -> None:
    latin = der.sequence(
        der.set_of([der.sequence(der.oid("2.5.4.3"), der.tlv(der.TELETEX, b"Zo\xeb"))]),
    )
    assert names.shown(certificate.read(changed((0, 5), latin)).subject) == "CN=Zoë"
    at_sign = der.sequence(
        der.set_of([der.sequence(der.oid("2.5.4.3"), der.tlv(der.PRINTABLE, b"a@b"))])
    )
    assert names.shown(certificate.read(changed((0, 5), at_sign)).subject) == "CN=a@b"


def test_an_extension_twice() -> None:
    extension = der.sequence(der.oid("2.5.29.14"), der.octet_string(der.octet_string(b"k")))
    twice = der.tlv(der.explicit(3), der.sequence(extension, extension))
    with pytest.raises(ber.BerError, match="twice"):
        certificate.read(changed((0, 7), twice))


def test_alternative_names_and_key_identifier() -> None:
    sans: Any = [lab.x509.GeneralName("dns_name", "a.example")]
    made = lab.certificate({"common_name": "x"}, "dev", lab.root(), sans=sans, key_id=b"id")
    assert read(made).alternative_names == (("DNS", "a.example"),)
    assert read(made).key_identifier == b"id"


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.data())
def test_one_flipped_bit_is_a_certificate_or_a_der_error(data: st.DataObject) -> None:
    whole = bytearray(lab.sub().der)
    at = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[at // 8] ^= 1 << at % 8
    try:
        found = certificate.read(bytes(whole))
    except ber.BerError:
        return
    names.shown(found.subject)
    assert not found.issued_by(read(lab.root())) or bytes(whole) == lab.sub().der


@pytest.mark.parametrize(
    "value",
    [
        der.sequence(der.boolean(True), der.integer(0), der.null()),
        der.sequence(der.boolean(True), der.null(), der.integer(0)),  # the path length hidden
        der.sequence(der.integer(0), der.boolean(True)),
    ],
)
def test_basic_constraints_with_more_than_they_have_are_refused(value: bytes) -> None:
    extension = der.sequence(der.oid("2.5.29.19"), der.octet_string(value))
    with pytest.raises(ber.BerError):
        read_with(extension)
    with pytest.raises(ber.BerError):
        read_with(der.sequence(der.oid("1.2.3"), der.octet_string(b""), der.null()))


def test_basic_constraints() -> None:
    value = der.sequence(der.boolean(True), der.integer(0))
    found = read_with(der.sequence(der.oid("2.5.29.19"), der.octet_string(value)))
    assert (found.is_ca, found.path_length) == (True, 0)


def read_with(extension: bytes) -> certificate.Certificate:
    """The root with this one extension."""
    tbs = ber.read(lab.root().der).children[0]
    return certificate.read(
        changed((0, len(tbs.children) - 1), der.tlv(der.explicit(3), der.sequence(extension)))
    )


def test_parameters_of_an_algorithm() -> None:
    known = der.oid("1.2.840.113549.1.1.11")
    for parts in ((), (der.null(),)):
        node = ber.read(der.sequence(known, *parts))
        assert certificate.algorithm_identifier(node) == ("1.2.840.113549.1.1.11", None)
    with pytest.raises(ber.BerError, match="more"):
        certificate.algorithm_identifier(ber.read(der.sequence(known, der.null(), der.null())))
    with pytest.raises(ber.BerError, match="more"):
        certificate.algorithm_identifier(ber.read(der.sequence(known, known, der.null())))
