"""Certificates through our own reader, compared with `cryptography`, asn1crypto and openssl."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509 as library
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.scep import ber, certificate, cms_writer, der, names, oids
from tests.helpers import scep_files as files
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


RSA, EC = ("rsa:2048",), ("ec", "-pkeyopt", "ec_paramgen_curve:P-384")
PSS = ("-sigopt", "rsa_padding_mode:pss")
SALT, MASK = ("-sigopt", "rsa_pss_saltlen:11"), ("-sigopt", "rsa_mgf1_md:sha1")
ONLY_PSS = ("rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048")
ALGORITHMS: dict[str, tuple[tuple[str, ...], tuple[str, ...], str]] = {
    "RSA, SHA-224": (RSA, ("-sha224",), "sha224WithRSAEncryption"),
    "RSA, SHA-512/256": (RSA, ("-sha512-256",), "sha512256WithRSAEncryption"),
    "RSA, SHA3-256": (RSA, ("-sha3-256",), "sha3256WithRSAEncryption"),
    "RSA, SHA3-512": (RSA, ("-sha3-512",), "sha3512WithRSAEncryption"),
    "PSS, SHA-256": (RSA, ("-sha256", *PSS), "rsassaPss with sha256"),
    "PSS, SHA-512, a short salt": (RSA, ("-sha512", *PSS, *SALT), "rsassaPss with sha512"),
    "PSS, SHA-384, mask by SHA-1": (RSA, ("-sha384", *PSS, *MASK), "rsassaPss with sha384"),
    "PSS, SHA-1, all by default": (RSA, ("-sha1", *PSS, "-sigopt", "rsa_pss_saltlen:20"),
                                   "rsassaPss with sha1"),
    "PSS, a key for PSS alone": (ONLY_PSS, ("-sha256",), "rsassaPss with sha256"),
    "ECDSA, SHA-224": (EC, ("-sha224",), "ecdsa-with-sha224"),
    "ECDSA, SHA-512": (EC, ("-sha512",), "ecdsa-with-sha512"),
    "ECDSA, SHA3-384": (EC, ("-sha3-384",), "ecdsa-with-sha3384"),
    "Ed25519": (("ed25519",), (), "ED25519"),
}  # fmt: skip


def self_signed(key: tuple[str, ...], words: tuple[str, ...]) -> bytes:
    made = ("req", "-x509", "-newkey", *key, "-nodes", "-keyout", "/dev/null", *words)
    return files.openssl(*made, "-subj", "/CN=Root", "-outform", "der")


@pytest.mark.parametrize("name", ALGORITHMS)
def test_signatures_of_openssl(name: str) -> None:
    key, words, told = ALGORITHMS[name]
    made = certificate.read(self_signed(key, words))
    assert made.signature.name == told
    assert made.issued_by(made)
    value = made.signature_value
    changed_value = value[:-1] + bytes((value[-1] ^ 1,))
    assert not made._replace(signature_value=changed_value).issued_by(made)
    assert not made._replace(tbs=made.tbs + b"x").issued_by(made)


@pytest.mark.parametrize(("kind", "told"), [("ed448", "ED448"), ("dsa", "dsa_with_SHA256")])
def test_an_algorithm_that_is_not_verified_has_a_name(kind: str, told: str) -> None:
    signature = certificate.algorithm(
        ber.read(der.sequence(der.oid({v: k for k, v in oids.UNVERIFIED.items()}[told])))
    )
    assert (signature.name, signature.digest) == (told, "")
    assert not signature.holds(lab.public_der("root"), b"", b"")


@pytest.mark.parametrize(
    "parameters",
    [
        der.tlv(der.explicit(0), cms_writer.algorithm("2.16.840.1.101.3.4.2.11")),  # SHAKE128
        der.tlv(der.explicit(3), der.integer(2)),  # RFC 4055 3.1: one is all that there is
        der.tlv(der.explicit(1), der.sequence(der.oid("1.2.3"))),
    ],
)
def test_pss_that_nobody_here_knows(parameters: bytes) -> None:
    node = ber.read(der.sequence(der.oid(oids.RSA_PSS), der.sequence(parameters)))
    signature = certificate.algorithm(node)
    assert (signature.digest, signature.name) == ("", "RSASSA-PSS with an unknown digest")


@pytest.mark.parametrize("salt", [-1, 1 << 70, 400])
def test_a_salt_that_no_key_has_is_a_wrong_signature(salt: int) -> None:
    made = certificate.read(self_signed(RSA, ("-sha256", *PSS)))
    odd = made.signature._replace(pss=("sha-256", salt))
    assert not made._replace(signature=odd).issued_by(made)


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
