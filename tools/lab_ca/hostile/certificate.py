"""Certificates that a device must not put into use, in a CertRep that is all right otherwise."""

from collections.abc import Callable

from asn1crypto import x509

from tools.lab_ca import algorithms, authority
from tools.lab_ca.authority import DAY_S, Template
from tools.lab_ca.hooks import Hooks
from tools.lab_ca.hostile import liars
from tools.lab_ca.reply import Certificates, Reply

SERIAL_OCTETS = 100  # RFC 5280 4.1.2.2 allows 20
MANY = 40

Change = Callable[[Reply], Reply]


def _shifted(template: Template, by_s: int) -> Template:
    return template._replace(
        not_before_s=template.not_before_s + by_s, not_after_s=template.not_after_s + by_s
    )


def _expired(template: Template) -> Template:
    life_s = template.not_after_s - template.not_before_s
    return _shifted(template, -life_s - DAY_S)


def _extension(oid: str, value: bytes, *, critical: bool) -> Callable[[Template], Template]:
    made = x509.Extension({"extn_id": oid, "critical": critical, "extn_value": value})
    return lambda template: template._replace(extensions=(*template.extensions, made))


def _names(template: Template) -> Template:
    """Those that were asked for stay."""
    names = [x509.GeneralName("dns_name", "vpn.example")]
    kept = []
    for extension in template.extensions:
        if extension["extn_id"].native == "subject_alt_name":
            names += list(extension["extn_value"].parsed)
        else:
            kept.append(extension)
    made = x509.Extension({"extn_id": "subject_alt_name", "extn_value": x509.GeneralNames(names)})
    return template._replace(extensions=(*kept, made))


def _backwards(template: Template) -> Template:
    return template._replace(not_before_s=template.not_after_s, not_after_s=template.not_before_s)


def _issued(change: Callable[[Reply], Certificates]) -> Change:
    """For `reply`: other certificates inside the envelope of a SUCCESS."""
    return lambda reply: reply._replace(issued=change(reply)) if reply.issued else reply


def _crowd(reply: Reply) -> Certificates:
    return (*(liars.device(reply.authority).certificate,) * MANY, *reply.issued)


CERTIFICATES: dict[str, Hooks] = {
    "key": Hooks(
        "the certificate is for another key than the requested one",
        certificate=lambda template: template._replace(
            spki=algorithms.spki_of(liars.key().public_key())
        ),
    ),
    "subject": Hooks(
        "the certificate is for another subject",
        certificate=lambda template: template._replace(subject=authority.name("somebody else")),
    ),
    "issuer": Hooks(
        "the certificate is from another CA",
        certificate=lambda template: template._replace(
            issuer=authority.name("Some Other CA"), issuer_key=liars.key()
        ),
    ),
    "issuer-name": Hooks(
        "the certificate names the CA as its issuer, but another key signed it",
        certificate=lambda template: template._replace(issuer_key=liars.key()),
    ),
    "ca-flag": Hooks(
        "the certificate makes the device a CA",
        certificate=lambda template: template._replace(ca=True),
    ),
    "expired": Hooks("the certificate ended yesterday", certificate=_expired),
    "not-yet": Hooks(
        "the certificate begins in a week",
        certificate=lambda template: _shifted(template, 7 * DAY_S),
    ),
    "dates-backwards": Hooks("the certificate ends before it begins", certificate=_backwards),
    "leaf-signature": Hooks(
        "the certificate's own signature is broken",
        certificate=lambda template: template._replace(broken_signature=True),
    ),
    "leaf-md5": Hooks(
        "the certificate is signed with MD5",
        certificate=lambda template: template._replace(digest="md5"),
    ),
    "leaf-sha1": Hooks(
        "the certificate is signed with SHA-1",
        certificate=lambda template: template._replace(digest="sha1"),
    ),
    "leaf-v1": Hooks(
        "the certificate is of version 1, without extensions",
        certificate=lambda template: template._replace(version="v1"),
    ),
    "serial-huge": Hooks(
        f"the certificate's serial number has {SERIAL_OCTETS} octets",
        certificate=lambda template: template._replace(serial=1 << 8 * SERIAL_OCTETS - 2),
    ),
    "serial-negative": Hooks(
        "the certificate's serial number is negative",
        certificate=lambda template: template._replace(serial=-1),
    ),
    "serial-zero": Hooks(
        "the certificate's serial number is 0",
        certificate=lambda template: template._replace(serial=0),
    ),
    "unknown-critical": Hooks(
        "the certificate has a critical extension that nobody knows",
        certificate=_extension("1.3.6.1.4.1.99999.1", b"\x05\x00", critical=True),
    ),
    "usage-twice": Hooks(
        "the certificate has two keyUsage extensions",
        certificate=lambda template: template._replace(
            extensions=(
                *template.extensions,
                *authority.key_usage(frozenset({"digital_signature"})),
                *authority.key_usage(frozenset({"key_cert_sign"})),
            )
        ),
    ),
    "names": Hooks("the certificate has one name more than was asked for", certificate=_names),
    "old": Hooks(
        "the first certificate that this CA ever issued comes as the new one",
        reply=_issued(lambda reply: tuple(reply.authority.shelf()[:1])),
    ),
    "other-device": Hooks(
        "the certificate of another device comes as the new one",
        reply=_issued(lambda reply: (liars.device(reply.authority).certificate,)),
    ),
    "ca-as-leaf": Hooks(
        "the CA's own certificate comes as the new one",
        reply=_issued(lambda reply: (reply.authority.ca.certificate,)),
    ),
    "self-signed": Hooks(
        "the signer's certificate comes back as the new one",
        reply=_issued(lambda reply: (reply.recipient,) if reply.recipient else ()),
    ),
    "leaf-none": Hooks(
        "there is no certificate inside the envelope",
        reply=lambda reply: reply._replace(issued=()),
    ),
    "leaf-twice": Hooks(
        "the same certificate comes twice",
        reply=_issued(lambda reply: (*reply.issued, *reply.issued)),
    ),
    "leaf-many": Hooks(
        f"{MANY} certificates of other devices come along",
        reply=_issued(_crowd),
    ),
}  # fmt: skip
