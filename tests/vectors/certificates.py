"""Certificates that a device must not put into use, signed by the CA that it trusts."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from asn1crypto import x509

from tests.vectors import desk, trees
from tests.vectors.bench import Bench
from tests.vectors.row import Row, parts_of
from tests.vectors.rules import why
from tests.vectors.trees import FAULTS, Place
from tools.lab_ca import algorithms, authority, ber
from tools.lab_ca.authority import DAY_S
from tools.lab_ca.hooks import Hooks

ENROL, PKI = "enrol", "PKIOperation"
SHA256_RSA = bytes.fromhex("300d06092a864886f70d01010b0500")
PSS = bytes.fromhex("300b06092a864886f70d01010a")  # id-RSASSA-PSS
STRICT = {"subject_match": "strict"}


class Raw(NamedTuple):
    """Octets where the lab CA has a certificate."""

    der: bytes

    def dump(self) -> bytes:
        return self.der


def rows(bench: Bench) -> Iterator[Row]:
    yield from _profiles(bench)
    yield from _elements(bench)


def _row(bench: Bench, name: str, outcome: str, says: str, *ders: bytes, **job: Any) -> Row:
    issued = tuple(Raw(der) for der in ders)
    hook = Hooks("", reply=lambda reply: reply._replace(issued=issued))
    body = parts_of(bench.reply(hook))
    return Row(name, ENROL, PKI, outcome, says, why(outcome, name), body, None, job)


# -- elements --------------------------------------------------------------------------------------

ELEMENTS: dict[str, Place] = {
    "certificate": (),
    "version": (0, 0),
    "serial": (0, 1),
    "inner-algorithm": (0, 2),
    "issuer": (0, 3),
    "validity": (0, 4),
    "not-before": (0, 4, 0),
    "not-after": (0, 4, 1),
    "subject": (0, 5),
    "key": (0, 6),
    "key-algorithm": (0, 6, 0),
    "key-bits": (0, 6, 1),
    "extensions-wrapper": (0, 7),
    "extensions": (0, 7, 0),
    "extension": (0, 7, 0, 0),
    "outer-algorithm": (1,),
    "signature": (2,),
}
OUTCOMES = {
    "certificate-absent": "issued-key",
    "certificate-twice": "issued",
    "issuer-empty": "issued-issuer",
    "subject-empty": "issued-subject",
    "extensions-wrapper-absent": "issued-subject",
    "extensions-empty": "issued-subject",
    "extension-absent": "issued",  # basicConstraints, which a device need not have
}


def _elements(bench: Bench) -> Iterator[Row]:
    honest = bench.local().dump()
    for element, place in ELEMENTS.items():
        for fault, (says, _change) in FAULTS.items():
            der = trees.broken(place, fault)(honest)
            if place[:1] == (0,):
                der = _signed_again(bench, der)
            name = f"leaf-{element}-{fault}"
            outcome = OUTCOMES.get(f"{element}-{fault}", "issued-malformed")
            sentence = f"{element.replace('-', ' ')} of the certificate {says}"
            yield _row(bench, name, outcome, sentence, der)


def _signed_again(bench: Bench, der: bytes) -> bytes:
    """The CA's signature over what stands there now."""
    tbs = trees.found(der, (0,))
    signature = algorithms.sign(bench.authority.ca.key, tbs, "sha256")
    return ber.tlv(0x30, tbs + trees.found(der, (1,)) + ber.tlv(3, b"\0" + signature))


# -- profiles --------------------------------------------------------------------------------------


def _extension(oid: str, value: bytes, *, critical: bool) -> x509.Extension:
    return x509.Extension({"extn_id": oid, "critical": critical, "extn_value": value})


def _sans(*names: x509.GeneralName) -> x509.Extension:
    return x509.Extension(
        {"extn_id": "subject_alt_name", "extn_value": x509.GeneralNames(list(names))}
    )


def _dns(name: str) -> x509.GeneralName:
    return x509.GeneralName("dns_name", name)


DEVICE = _dns("dev1.example")
FILL = _extension("1.3.6.1.4.1.99999.3", b"\x04\x82\x42\x68" + bytes(17_000), critical=False)
POLICIES = x509.Extension(
    {
        "extn_id": "certificate_policies",
        "critical": True,
        "extn_value": [{"policy_identifier": "1.2.3"}],
    }
)
TEMPLATES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "leaf-serial-21-octets": (
        "issued-malformed", "the serial number has 21 octets", {"serial": 1 << 160}),
    "leaf-serial-sign-octet": (
        "issued-malformed", "the serial number has 20 octets and one for its sign",
        {"serial": 1 << 159}),
    "leaf-serial-most-negative": (
        "issued-malformed", "the serial number is negative and long", {"serial": -(1 << 158)}),
    "leaf-serial-longest": (
        "issued", "the serial number has the 20 octets that are allowed",
        {"serial": (1 << 159) - 1}),
    "leaf-critical-known": (
        "issued", "a critical extension that RFC 5280 knows: certificatePolicies",
        {"extensions": (_sans(DEVICE), POLICIES)}),
    "leaf-critical-two": (
        "issued-critical", "two critical extensions, the second one unknown",
        {"extensions": (*authority.key_usage(frozenset({"digital_signature"})), _sans(DEVICE),
                        _extension("1.3.6.1.4.1.99999.1", b"\x05\x00", critical=True))}),
    "leaf-unknown-extension": (
        "issued", "an extension that nobody knows, not critical",
        {"extensions": (_sans(DEVICE), _extension(
            "1.3.6.1.4.1.99999.1", b"\x05\x00", critical=False))}),
    "leaf-huge": (
        "issued-malformed", "the certificate has 17 kB", {"extensions": (_sans(DEVICE), FILL)}),
    "leaf-names-none": (
        "issued-subject", "the name that was asked for is missing", {"extensions": ()}),
    "leaf-names-other": (
        "issued-subject", "another name stands instead of the one that was asked for",
        {"extensions": (_sans(_dns("vpn.example")),)}),
    "leaf-names-wildcard": (
        "issued-subject", "a wildcard stands instead of the name",
        {"extensions": (_sans(_dns("*.example")),)}),
    "leaf-names-nul": (
        "issued-subject", "the name goes on behind a NUL",
        {"extensions": (_sans(_dns("dev1.example\0.evil.example")),)}),
    "leaf-names-as-mail": (
        "issued-subject", "the name is an address for mail",
        {"extensions": (_sans(x509.GeneralName("rfc822_name", "dev1@example")),)}),
    "leaf-subject-none": (
        "issued-subject", "the subject is empty", {"subject": x509.Name.build({})}),
    "leaf-subject-nul": (
        "issued-subject", "the common name goes on behind a NUL",
        {"subject": authority.name("dev1\0.evil.example")}),
    "leaf-subject-begin": (
        "issued-subject", "the common name is the beginning of ours",
        {"subject": authority.name("dev")}),
    "leaf-subject-longer": (
        "issued-subject", "the common name begins with ours",
        {"subject": authority.name("dev1.evil.example")}),
    "leaf-ended-now": (
        "issued-dates", "the certificate ends in this second", {"not_after_s": desk.NOW_S}),
    "leaf-ended-1970": (
        "issued-dates", "the certificate ended in 1970",
        {"not_before_s": 0, "not_after_s": 1}),
    "leaf-begins-later": (
        "issued-dates", "the certificate begins in a day and a second",
        {"not_before_s": desk.NOW_S + DAY_S + 1}),
    "leaf-issuer-device": (
        "issued-issuer", "another device of this CA signed the certificate",
        {"issuer": authority.name("another device")}),
    "leaf-other-key": (
        "issued-key", "the certificate is for the liar's key", {"spki": "liar"}),
    "leaf-key-of-the-ca": (
        "issued-key", "the certificate is for the CA's own key", {"spki": "ca"}),
    "leaf-ca-with-path": (
        "issued-ca", "the certificate makes the device a CA", {"ca": True}),
    "leaf-md5-weak-sha1": (
        "issued-weak", "signed with MD5, where the realm allows SHA-1", {"digest": "md5"}),
}  # fmt: skip
JOBS: dict[str, dict[str, Any]] = {"leaf-md5-weak-sha1": {"weak": ["sha1"]}}


def _profiles(bench: Bench) -> Iterator[Row]:
    for name, (outcome, says, changes) in TEMPLATES.items():
        der = bench.local(**_with_keys(name, changes)).dump()
        yield _row(bench, name, outcome, says, der, **JOBS.get(name, {}))
    for name, outcome, says, ders, job in _sets(bench):
        yield _row(bench, name, outcome, says, *ders, **job)


def _with_keys(name: str, changes: dict[str, Any]) -> dict[str, Any]:
    found = dict(changes)
    if "spki" in found:
        found["spki"] = algorithms.spki_of(desk.key(found["spki"]).public_key())
    if name == "leaf-issuer-device":
        found["issuer_key"] = desk.key("liar")
    return found


Sets = Iterator[tuple[str, str, str, tuple[bytes, ...], dict[str, Any]]]


def _sets(bench: Bench) -> Sets:
    """More than one certificate, or none that is as it should be."""
    one, ca = bench.local().dump(), bench.authority.ca.certificate.dump()
    other = bench.local(subject=authority.name("dev1"), serial=77).dump()
    yield "leaf-two", "issued-key", "two different certificates for our key", (one, other), {}
    yield "leaf-second-expired", "issued-key", "an expired certificate for our key comes along", (
        one, bench.local(not_after_s=desk.NOW_S - 1).dump()), {}  # fmt: skip
    yield "leaf-ca-first", "issued", "the CA's certificate comes first", (ca, one), {}
    yield "leaf-among-junk", "issued", "octets that are no certificate come along", (
        b"\x30\x00", one), {}  # fmt: skip
    yield "leaf-only-junk", "issued-malformed", "nothing but octets that are no certificate", (
        b"\x30\x00", b"\x30\x00"), {}  # fmt: skip
    strict = bench.local(extensions=(_sans(DEVICE, _dns("more.example")),)).dump()
    yield "leaf-more-names", "issued-subject", "one name more than was asked for", (strict,), STRICT
    yield "leaf-pss", "issued-weak", "RSASSA-PSS without parameters, which is with SHA-1", (
        _pss(bench, one),), {}  # fmt: skip
    yield "leaf-mixed-algorithms", "issued-malformed", "two signature algorithms that differ", (
        one.replace(SHA256_RSA, SHA256_RSA[:-3] + b"\x0c\x05\x00", 1),), {}  # fmt: skip


def _pss(bench: Bench, der: bytes) -> bytes:
    tbs = trees.found(der, (0,))
    root = ber.parse(tbs)
    assert root.children is not None
    root.children[2] = ber.parse(PSS)
    tbs = ber.encode(root)
    signature = algorithms.sign(bench.authority.ca.key, tbs, "sha256")
    return ber.tlv(0x30, tbs + PSS + ber.tlv(3, b"\0" + signature))
