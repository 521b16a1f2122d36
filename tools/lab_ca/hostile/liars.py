"""Who lies: identities that belong to nobody, and the keys that they share."""

import functools

from asn1crypto import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from tools.lab_ca import algorithms, authority
from tools.lab_ca.algorithms import Identity
from tools.lab_ca.authority import DAY_S, Authority, Template


@functools.cache
def key() -> rsa.RSAPrivateKey:
    """One for a process: keys cost time, and this one is nobody's."""
    return algorithms.new_key()


def impostor(real: x509.Certificate) -> Identity:
    """A CA with the name and the dates of another certificate, but with a key of its own."""
    life = (int(real.not_valid_before.timestamp()), int(real.not_valid_after.timestamp()))
    return authority.self_signed(real.subject, key(), life)


def device(ca: Authority) -> Identity:
    """Another device of the same CA, with a certificate that is all right."""
    return Identity(authority.certify(template(ca)), key())


def below(ca: Authority) -> Identity:
    """A CA that this one has certified, and that somebody has taken over or runs for himself."""
    usage = authority.key_usage(authority.CA_USAGE)
    changed = template(ca)._replace(
        subject=authority.name("Another Issuing CA"), extensions=usage, ca=True
    )
    return Identity(authority.certify(changed), key())


def expired(ca: Authority) -> Identity:
    """A certificate of the same CA that was all right until yesterday."""
    now_s = ca.now_s()
    changed = template(ca)._replace(not_before_s=now_s - 3 * DAY_S, not_after_s=now_s - DAY_S)
    return Identity(authority.certify(changed), key())


def template(ca: Authority) -> Template:
    now_s = ca.now_s()
    usage = frozenset({"digital_signature", "key_encipherment"})
    return Template(
        subject=authority.name("another device"),
        spki=algorithms.spki_of(key().public_key()),
        issuer=ca.ca.certificate.subject,
        issuer_key=ca.ca.key,
        not_before_s=now_s - DAY_S,
        not_after_s=now_s + DAY_S,
        extensions=authority.key_usage(usage),
    )
