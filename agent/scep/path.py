"""The demands of RFC 5280 6.1 on each certificate below the pin: CA, RA and leaf alike.

The pin is the trust anchor, and an anchor's own extensions are not applied (6.1.1 d): the person
who pinned the CA has said that it may sign. Every certificate below it must be signed by a CA that
may sign, with a digest that is not broken, obey the path length and the name constraints of all CAs
above it, and hold no critical extension that nobody here knows. Policies are known and not judged,
as in OpenSSL: no consumer of this device asks for one.

Dates are apart (`in_date`), since a certificate that has ended gets an answer of its own. So is
revocation: a stored list decides it, a missing one does not.
"""

from __future__ import annotations

from agent import limits
from agent.scep import constraints, names, oids
from agent.scep.certificate import Certificate
from agent.scep.constraints import Constraints
from agent.scep.crl import Crl
from agent.scep.text import clean
from hal.named import NamedTuple

WEAK_DIGESTS = ("md5", "sha1")


class Rules(NamedTuple):
    """The rules of a realm: wall time (None: the clock is not trusted), digests that may be weak,
    and the stored revocation list, whose signature nobody has verified yet."""

    now_s: int | None
    weak: frozenset[str]
    crl: Crl | None = None


class Authority(NamedTuple):
    """A CA certificate that the pin vouches for, and its own limits for certificates below it.

    `room`: how many CAs that are not self-issued may stand below; `names`: the constraints of all
    CAs from the one below the pin down to this one.
    """

    certificate: Certificate
    issuer: Authority | None
    room: int
    names: tuple[Constraints, ...] = ()

    def above(self) -> list[Authority]:
        """This one, its issuer, and so on up to the pin."""
        authorities = [self]
        while authorities[-1].issuer is not None:
            authorities.append(authorities[-1].issuer)
        return authorities


def anchor(pinned: Certificate) -> Authority:
    return Authority(pinned, None, limits.CA_SET_CERTIFICATES)


def below(authority: Authority, subject: Certificate) -> Authority:
    """A CA certificate in which `fault` found nothing, as an authority; BerError when its name
    constraints cannot be read or obeyed."""
    own = constraints.read(subject)
    room = authority.room - (0 if is_self_issued(subject) else 1)
    if subject.path_length is not None:
        room = min(room, max(subject.path_length, 0))
    addition = () if own == constraints.NONE else (own,)
    return Authority(subject, authority, room, (*authority.names, *addition))


def stands_alone(authority: Authority) -> bool:
    """Whether a consumer that trusts this CA by itself allows no more than one that trusts the pin.

    A consumer that builds partial chains ends at the first CA that it has. It never sees the limits
    that the CAs above it set.
    """
    issuer, own = authority.issuer, authority.certificate
    if issuer is None:
        return True
    intermediates = [ca.certificate for ca in issuer.above()[:-1]]
    limited = any(ca.path_length is not None for ca in intermediates)
    room_is_own = not limited or own.path_length == authority.room
    return own.usable_for("keyCertSign") and not issuer.names and room_is_own


def fault(subject: Certificate, authority: Authority, rules: Rules) -> str:
    """Why an authority that has signed a certificate does not vouch for it, or ""."""
    signer = authority.certificate
    if authority.issuer is not None and not signer.usable_for("keyCertSign"):
        return f"the keyUsage of its issuer {names.shown(signer.subject)} lacks keyCertSign"
    digest = subject.signature.digest
    if digest in WEAK_DIGESTS and digest not in rules.weak:
        return f"it is signed with {digest}, which only `weak-algorithm {digest}` allows"
    if subject.is_ca and authority.room == 0 and not is_self_issued(subject):
        return f"the path length of {names.shown(signer.subject)} leaves no room for this CA"
    for dotted, extension in subject.extensions.items():
        if extension.critical and dotted not in oids.EXTENSIONS:
            return f"it has the critical extension {dotted}, which RFC 5280 does not know"
    return _names_fault(subject, authority)


def _names_fault(subject: Certificate, authority: Authority) -> str:
    """A self-issued CA is left out (6.1.3 b)."""
    if subject.is_ca and is_self_issued(subject):
        return ""
    try:
        faults = [reason for constraint in authority.names if (reason := constraint.fault(subject))]
        if subject.is_ca:
            constraints.read(subject)
    except ValueError as error:
        return clean(str(error))
    return f"the name constraints of its CA forbid it: {faults[0]}" if faults else ""


def revoked(subject: Certificate, authority: Authority, rules: Rules) -> bool:
    """Whether the stored list of this authority names a certificate. A list out of date counts."""
    crl, signer = rules.crl, authority.certificate
    if crl is None or names.key(crl.issuer) != names.key(subject.issuer):
        return False
    may_sign = authority.issuer is None or signer.usable_for("cRLSign")
    return may_sign and crl.signed_by(signer.spki) and crl.entry_of(subject.serial) is not None


def in_date(candidate: Certificate, now_s: int | None) -> bool:
    return now_s is None or candidate.not_before_s <= now_s < candidate.not_after_s


def is_self_issued(subject: Certificate) -> bool:
    """Subject and issuer are the same name (6.1): a CA certifies another key or date of its own."""
    return names.key(subject.subject) == names.key(subject.issuer)


def is_bare_root(subject: Certificate) -> bool:
    """Whether a certificate is signed by itself and silent on what it is for: one of version 1, or
    without extensions. Nothing but a fingerprint tells it from that of a device."""
    silent = not subject.is_ca and not subject.extensions
    return silent and is_self_issued(subject) and subject.issued_by(subject)


def is_generation(candidate: Certificate, pinned: Certificate) -> bool:
    """Whether a certificate is the pinned CA's own, renewed with the same name and key.

    The pin's key has signed it, so this is as much as the pin says; a CA below another one is
    renewed by that one, whose signature says nothing here.
    """
    same_key = candidate.public_bits == pinned.public_bits
    is_other = candidate.is_ca and candidate.der != pinned.der
    return is_other and same_key and is_self_issued(candidate) and candidate.issued_by(pinned)
