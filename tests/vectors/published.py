"""What a CA publishes: capabilities, its certificates, the CA that follows."""

from collections.abc import Callable, Iterator
from typing import Any

from asn1crypto import pem, x509

from tests.helpers.scep_http import ok
from tests.vectors import desk, trees
from tests.vectors.bench import Bench
from tests.vectors.certificates import Raw
from tests.vectors.row import Row, octets_of, parts_of
from tests.vectors.rules import why
from tests.vectors.trees import FAULTS, Place
from tools.lab_ca import algorithms, authority, ber, caset, reply
from tools.lab_ca.algorithms import Identity
from tools.lab_ca.authority import ANY_PURPOSE, CMC_RA, DAY_S
from tools.lab_ca.hostile.caset import CA_SETS

CAPS, SET, NEXT = "GetCACaps", "GetCACert", "GetNextCACert"


def published(
    op: str, asked: str, name: str, outcome: str, says: str, data: bytes, **job: Any
) -> Row:
    """A row with a body."""
    return Row(name, op, asked, outcome, says, why(outcome, name), parts_of(data), None, job)


def _of_many(row: Row, unit: bytes) -> Row:
    """The same with a shorter recipe."""
    return row._replace(body=parts_of(octets_of(row.body or ()), unit))


# -- GetCACaps: a bad list is no list (RFC 8894 3.5.2) ---------------------------------------------

WORDS: dict[str, tuple[str, bytes]] = {
    "caps-downgrade": ("only DES and MD5 are listed", b"DES\nMD5\n"),
    "caps-nothing": ("what is strong was taken out", b"POSTPKIOperation\nSHA-1\nDES3\n"),
    "caps-huge": ("a capability of a million octets", b"A" * 1_000_000),
    "caps-lines": ("250,000 lines", b"AES\n" * 250_000),
    "caps-many": ("a thousand words", b"".join(b"W%d\n" % n for n in range(700))),
    "caps-binary": ("every octet there is", bytes(range(256))),
    "caps-html": ("a page for people", b" \r\n<html>AES\nSCEPStandard\n</html>"),
    "caps-escapes": ("terminal escapes", b"AES\x1b[2J\nSCEP\x07Standard\n\x1b]0;owned\x07\n"),
    "caps-nul": ("NULs between the words", b"AES\0SCEPStandard\0"),
    "caps-utf-16": ("UTF-16", "AES\nSCEPStandard\n".encode("utf-16")),
    "caps-long-word": ("a word of 4000 letters", b"S" * 4000 + b"\nAES\n"),
    "caps-der": ("a certificate", b"\x30\x82\x03\x00" + bytes(768)),
}


def capabilities(_bench: Bench) -> Iterator[Row]:
    for name, (says, body) in WORDS.items():
        yield published("fetch-ca", CAPS, name, "ok", says, body)


# -- GetCACert -------------------------------------------------------------------------------------


def _set(*ders: bytes) -> bytes:
    return reply.degenerate(tuple(Raw(der) for der in ders))


def ca_sets(bench: Bench) -> Iterator[Row]:
    ca = bench.authority.ca.certificate.dump()
    own = {n: h for n, h in CA_SETS.items() if n.startswith("ca-")}
    for name, hook in own.items():
        outcome = SET_OUTCOMES.get(name, "ca-set-malformed")
        yield _of_many(published("fetch-ca", SET, name, outcome, hook.says, bench.ca_set(hook)), ca)
    for name, (outcome, says, make) in SETS.items():
        made = published("fetch-ca", SET, name, outcome, says, make(ca), **RA_JOBS.get(name, {}))
        yield _of_many(made, _pem(ca))
    yield from _elements(
        "fetch-ca", SET, "caset", _set(ca), SET_PLACES, "ca-set-malformed", SET_OTHER
    )


# Nothing is trusted here: the fingerprint decides later, and a stranger in the set gets nothing.
SET_OUTCOMES = dict.fromkeys(
    ("ca-impostor", "ca-appended", "ca-prepended", "ca-device", "ca-device-alone"), "ok"
)
SETS: dict[str, tuple[str, str, Callable[[bytes], bytes]]] = {
    "caset-crowd": ("ca-set-malformed", "17 certificates", lambda ca: _set(*_numbered(ca, 17))),
    "caset-junk": ("ca-set-malformed", "a set of octets that are no certificate",
                   lambda ca: _set(b"\x30\x00", b"\x30\x03\x02\x01\x01")),
    "caset-among-junk": ("ok", "octets that are no certificate beside the CA",
                         lambda ca: _set(b"\x30\x00", ca)),
    "caset-large": ("ca-set-too-large", "certificates of 40 kB together",
                    lambda ca: _set(ca, *_large(3))),
    "caset-nested": ("ca-set-malformed", "a set in a set", lambda ca: _set(_set(ca))),
    "caset-crl-only": ("ca-set-malformed", "no certificate at all", lambda ca: _set()),
    "caset-nesting": ("ca-set-malformed", "SEQUENCEs in one another without end",
                      lambda ca: b"\x30\x80" * 50_000),
    "caset-elements": ("ca-set-malformed", "30,000 elements",
                       lambda ca: ber.tlv(0x30, b"\x05\x00" * 30_000)),
    "caset-cut": ("ca-set-malformed", "the end is missing", lambda ca: ca[:-1]),
    "caset-trailing": ("ca-set-malformed", "octets follow", lambda ca: ca + b"\x05\x00"),
    "caset-key": ("ca-set-malformed", "a public key instead of a certificate",
                  lambda ca: trees.found(ca, (0, 6))),
    "caset-pem-many": ("ca-set-malformed", "100 blocks of PEM", lambda ca: _pem(ca) * 100),
    "caset-pem-huge": ("ca-set-malformed", "a block of PEM without end",
                       lambda ca: b"-----BEGIN CERTIFICATE-----\n" + b"A" * 100_000),
    "caset-pem-key": ("ca-set-malformed", "a block of PEM that holds something else",
                      lambda ca: _pem(b"\x30\x03\x02\x01\x00")),
    "caset-no-ra": ("ra-missing", "no RA, where the realm says that there is one", lambda ca: ca),
    "caset-ra-tls": ("ra-missing", "a customer's certificate for TLS in the RA's place",
                     lambda ca: _set(_customer("1.3.6.1.5.5.7.3.2"), ca)),
    "caset-ra-none": ("ra-purpose", "a customer's certificate without a purpose in the RA's place",
                      lambda ca: _set(_customer(None), ca)),
    "caset-ra-any": ("ra-purpose", "a customer's certificate for any purpose in the RA's place",
                     lambda ca: _set(_customer(ANY_PURPOSE), ca)),
    "caset-ra-unpinned": ("ra-pin-mismatch", "another RA's certificate than the one that is pinned",
                          lambda ca: _set(_customer(CMC_RA), ca)),
    "caset-ra-allowed": ("ok", "a certificate without a purpose where the realm lets it be an RA's",
                         lambda ca: _set(_customer(None), ca)),
    "caset-ra-cmc": ("ok", "an RA with its purpose", lambda ca: _set(_customer(CMC_RA), ca)),
}  # fmt: skip
RA_JOBS: dict[str, dict[str, Any]] = {
    **{name: {"ra": True} for name in SETS if "ra" in name.split("-")},
    "caset-ra-allowed": {"ra": True, "compatibility": ["ra-any-purpose"]},
    "caset-ra-unpinned": {
        "ra": True,
        "ra_fingerprint": {"algorithm": "sha256", "hex": ["5e" * 32]},
    },
}


def _customer(purpose: str | None) -> bytes:
    """What the CA of the desk issued to somebody who has the liar's key."""
    ca = x509.Certificate.load(desk.certificate("ca"))
    template = authority.Template(
        subject=authority.name("customer"), spki=algorithms.spki_of(desk.key("liar").public_key()),
        issuer=ca.subject, issuer_key=desk.key("ca"), not_before_s=desk.NOW_S - DAY_S,
        not_after_s=desk.NOW_S + DAY_S, extensions=authority.purpose(purpose), serial=83,
    )  # fmt: skip
    der: bytes = authority.certify(template).dump()
    return der


def _numbered(_ca: bytes, count: int) -> list[bytes]:
    return [_stranger(f"CA {n}") for n in range(count)]


def _stranger(name: str, *extensions: x509.Extension) -> bytes:
    life = (desk.NOW_S - DAY_S, desk.NOW_S + DAY_S)
    key = desk.key("liar")
    if not extensions:
        der: bytes = authority.self_signed(authority.name(name), key, life).certificate.dump()
        return der
    template = authority.Template(
        subject=authority.name(name), spki=algorithms.spki_of(key.public_key()),
        issuer=authority.name(name), issuer_key=key, not_before_s=life[0], not_after_s=life[1],
        extensions=extensions, ca=True,
    )  # fmt: skip
    large: bytes = authority.certify(template).dump()
    return large


def _large(count: int) -> list[bytes]:
    fill = x509.Extension(
        {"extn_id": "1.3.6.1.4.1.99999.3", "extn_value": ber.tlv(4, bytes(14_000))}
    )
    return [_stranger(f"CA {n}", fill) for n in range(count)]


def _pem(der: bytes) -> bytes:
    text: bytes = pem.armor("CERTIFICATE", der)
    return text


SET_PLACES: dict[str, Place] = {
    "content-info": (),
    "content-type": (0,),
    "content": (1,),
    "signed-data": (1, 0),
    "version": (1, 0, 0),
    "encapsulated-content": (1, 0, 2),
    "certificates": (1, 0, 3),
    "certificate": (1, 0, 3, 0),
    "signer-infos": (1, 0, 4),
}
SET_OTHER: dict[str, str | None] = {
    "content-info-absent": "http-empty",
    "version-empty": "ok",
    "certificate-twice": "ok",
    "signer-infos-empty": None,  # so it is in every set
}


def _elements(
    op: str, asked: str, prefix: str, honest: bytes, places: dict[str, Place], usual: str,
    other: dict[str, str | None],
) -> Iterator[Row]:  # fmt: skip
    for element, place in places.items():
        for fault, (says, _change) in FAULTS.items():
            outcome = other.get(f"{element}-{fault}", usual)
            if outcome is not None:
                name, words = f"{prefix}-{element}-{fault}", element.replace("-", " ")
                data = trees.broken(place, fault)(honest)
                yield published(op, asked, name, outcome, f"{words} of the {prefix} {says}", data)


# -- GetNextCACert ---------------------------------------------------------------------------------


def next_sets(bench: Bench) -> Iterator[Row]:
    lies = {n: h for n, h in CA_SETS.items() if n.startswith("next-")}
    yield published("next-ca", NEXT, "next-honest", "ok", "nothing is wrong", bench.next_set())
    for name, hook in lies.items():
        outcome = NEXT_OUTCOMES[name]
        yield published("next-ca", NEXT, name, outcome, hook.says, bench.next_set(hook))
    for name, (outcome, says, change) in NEXTS.items():
        found = change(caset.of_next(bench.authority))
        yield published("next-ca", NEXT, name, outcome, says, caset.encode(found))
    for name, (outcome, status) in NEXT_PAGES.items():
        http = parts_of(ok(b"not found", status=status))
        why_ = why(outcome, name)
        yield Row(name, "next-ca", NEXT, outcome, f"status {status}", why_, None, http)
    honest, usual = bench.next_set(), "next-ca-malformed"
    yield from _elements("next-ca", NEXT, "next", honest, NEXT_PLACES, usual, NEXT_OTHER)


NEXT_OUTCOMES = {
    "next-stranger": "next-ca-signer",
    "next-impostor": "next-ca-signer",
    "next-itself": "next-ca-signer",
    "next-device": "next-ca-signer",
    "next-below": "next-ca-signer",
    "next-broken": "next-ca-signature",
    "next-none": "next-ca-none",
    "next-device-as-ca": "ok",
}
Found = caset.CaSet


def _ended(found: Found) -> Found:
    old = authority.self_signed(
        authority.name("Old"), desk.key("liar"), (desk.NOW_S - 2 * DAY_S, desk.NOW_S - 1)
    )
    return found._replace(certificates=(old.certificate,))


def _crowd(found: Found) -> Found:
    return found._replace(certificates=tuple(Raw(der) for der in _numbered(b"", 17)))


def _same_name(found: Found) -> Found:
    """Our serial number and issuer, and another key."""
    ca = found.authority.ca.certificate
    template = authority.Template(
        subject=ca.subject, spki=algorithms.spki_of(desk.key("liar").public_key()),
        issuer=ca.subject, issuer_key=desk.key("liar"), not_before_s=desk.NOW_S - DAY_S,
        not_after_s=desk.NOW_S + DAY_S, serial=ca.serial_number, ca=True,
    )  # fmt: skip
    return found._replace(signer=Identity(authority.certify(template), desk.key("liar")))


NEXTS: dict[str, tuple[str, str, Callable[[Found], Found]]] = {
    "next-unsigned": ("next-ca-malformed", "nobody signed it", lambda f: f._replace(signer=None)),
    "next-outside": ("next-ca-malformed", "the certificates are not in what was signed",
                     lambda f: f._replace(outside=True)),
    "next-ended": ("ca-expired", "the next CA has ended", _ended),
    "next-crowd": ("http-too-large", "17 certificates", _crowd),
    "next-same-name": ("next-ca-signature",
                       "signed by another key under the issuer and serial number of the CA",
                       _same_name),
    "next-junk": ("next-ca-none", "what was signed is no certificate",
                  lambda f: f._replace(certificates=(Raw(b"\x30\x00"),))),
    "next-cut": ("next-ca-malformed", "the end is missing",
                 lambda f: f._replace(edit=lambda der: der[:-1])),
    "next-trailing": ("next-ca-malformed", "octets follow",
                      lambda f: f._replace(edit=lambda der: der + b"\x05\x00")),
    "next-html": ("next-ca-malformed", "a page for people",
                  lambda f: f._replace(edit=lambda der: b"<html>no</html>")),
    "next-huge": ("http-too-large", "9 kB", lambda f: f._replace(edit=lambda der: bytes(9000))),
    "next-nesting": ("next-ca-malformed", "SEQUENCEs in one another without end",
                     lambda f: f._replace(edit=lambda der: b"\x30\x80" * 4000)),
}  # fmt: skip
NEXT_PAGES = {
    "next-status-404": ("next-ca-none", "404 Not Found"),
    "next-status-400": ("next-ca-none", "400 Bad Request"),
    "next-status-500": ("next-ca-none", "500 Internal Server Error"),
    "next-status-302": ("http-redirect", "302 Found"),
}
SIGNER = (1, 0, 4, 0)
NEXT_PLACES: dict[str, Place] = {
    **{name: place for name, place in SET_PLACES.items() if name != "certificate"},
    "signed-octets": (1, 0, 2, 1, 0),
    "signer-info": SIGNER,
    "signer-identifier": (*SIGNER, 1),
    "signer-digest": (*SIGNER, 2),
    "signed-attributes": (*SIGNER, 3),
    "signature": (*SIGNER, 5),
}
NEXT_OTHER: dict[str, str | None] = {
    "content-info-absent": "next-ca-none",
    "version-empty": "ok",
    "certificates-absent": "ok",
    "certificates-empty": "ok",
    "signed-octets-empty": "next-ca-signature",
    "signed-attributes-empty": "next-ca-signature",
    "signature-empty": "next-ca-signature",
}
