"""The certificates of a CA: the pin, those that it vouches for, and those of the operator.

A set comes from the network with nothing but the pin to tell right from wrong, so trust is worked
out from the pin downwards: an authority is a CA certificate that another authority signed under the
rules of RFC 5280 6.1 (`path`), and the first one is the pin. A signature authenticates downwards,
never upwards: for any signature that is known, a key can be made within seconds that fits it
(duplicate-signature key selection), so whatever seems to have issued the pin is nobody. A CA above
the pin is served only where its own fingerprint is one that the operator has vouched for.

Each certificate is tried below each authority once, and a way down that allows no more than one
that is known already is left out; no set, however knotted, costs more than a small multiple of the
square of its capped size.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent import limits
from agent.errors import fail
from agent.scep import certificate, crypto, names, path
from agent.scep.certificate import Certificate
from agent.scep.path import Authority, in_date
from agent.scep.text import clean
from hal.named import NamedTuple

Rules = path.Rules
_UNVERIFIABLE = "which cannot be verified here"
FINGERPRINTS = {"md5": "md5", "sha1": "sha1", "sha256": "sha-256"}  # as configured -> digest


class Fingerprint(NamedTuple):
    """A fingerprint of the realm: a key of FINGERPRINTS, and lower-case hexadecimal digits."""

    algorithm: str
    digits: str


class CaSet(NamedTuple):
    """The readable certificates in the order sent, the authorities, and the CAs above the pin.

    The first authority is the pinned CA, or where that has ended another generation of it.
    `roots`: CA certificates that the operator vouches for by their own fingerprints.
    """

    certificates: tuple[Certificate, ...]
    authorities: tuple[Authority, ...]
    rules: Rules
    pinned: Certificate | None = None
    roots: tuple[Certificate, ...] = ()

    @property
    def pin(self) -> Certificate:
        return self.authorities[0].certificate

    @property
    def named(self) -> Certificate:
        """The certificate that the pin names, which may have ended."""
        return self.pinned or self.pin

    def issuer_of(self, subject: Certificate) -> Authority | None:
        """The authority that vouches for this certificate, or None."""
        signers = self._signers_of(subject)
        return next((a for a in signers if not path.fault(subject, a, self.rules)), None)

    def fault_of(self, subject: Certificate) -> str:
        """Why no authority vouches for a certificate that one of them has signed, or ""."""
        faults = [path.fault(subject, a, self.rules) for a in self._signers_of(subject)]
        return faults[0] if faults and all(faults) else ""

    def unverifiable(self, subject: Certificate) -> str:
        """Why nobody here can tell whether an authority has signed a certificate, or "": an
        algorithm or a key that is unknown, of its signature or of that of its issuer."""
        if not subject.signature.digest:
            return f"its signature is {subject.signature.name}, {_UNVERIFIABLE}"
        for issuer in filter(subject.names_issuer, self.certificates):
            who = names.shortly(issuer.subject)
            if not issuer.signature.digest and issuer != self.pin:
                return (
                    f"the signature of its issuer {who} is {issuer.signature.name}, {_UNVERIFIABLE}"
                )
            if not crypto.can_verify(issuer.spki):
                return f"the key of its issuer {who} is of a kind {_UNVERIFIABLE}"
        return ""

    def vouches_for(self, subject: Certificate) -> bool:
        """Issued by an authority, in date, and not on the list that is stored."""
        issuer = self.issuer_of(subject) if in_date(subject, self.rules.now_s) else None
        return issuer is not None and not path.revoked(subject, issuer, self.rules)

    def _signers_of(self, subject: Certificate) -> list[Authority]:
        return [a for a in self.authorities if subject.issued_by(a.certificate)]

    def weak_links(self, ras: Sequence[Certificate] = ()) -> list[str]:
        """A note for each certificate below the pin, `ras` with them, whose signature only
        `weak-algorithm` allows.

        The pin's own says nothing: it is trusted by its fingerprint.
        """
        below = [authority.certificate for authority in self.authorities[1:]]
        notes = [
            f"`weak-algorithm` allows {subject.signature.digest} in the certificate of"
            f" {names.shown(subject.subject)}"
            for subject in (*below, *ras)
            if subject.signature.digest in path.WEAK_DIGESTS
        ]
        return list(dict.fromkeys(notes))

    def issuing(self) -> Certificate:
        """The CA that issues where no RA stands in front: the last one below the pin.

        It is told by its key. A certificate for the key of a CA that stands above it already
        (OldWithNew of RFC 4210 4.4, another generation) makes that CA no later one. Of several
        certificates for the key that issues, one that the CA has made for itself comes first, and
        then the newest.
        """
        steps = [a for a in self.authorities if not _is_key_again(a)]
        issuers = {a.issuer.certificate.public_bits for a in steps if a.issuer is not None}
        last = next(a.certificate for a in steps if a.certificate.public_bits not in issuers)
        same = [a.certificate for a in self.authorities if _same_ca(a.certificate, last)]
        return max(same, key=lambda c: (c.issued_by(c), c.not_before_s))

    def chain(self, issuer: Authority) -> list[bytes]:
        """DER from this issuer upwards: to the pin, and over it as far as somebody vouches."""
        chain = [authority.certificate for authority in issuer.above()]
        for _ in self.roots:
            above = (root for root in self.roots if root not in chain)
            parent = next((root for root in above if chain[-1].issued_by(root)), None)
            if parent is None or path.is_self_issued(chain[-1]):
                break
            chain.append(parent)
        return [c.der for c in chain]

    def served(self) -> list[bytes]:
        """DER of what consumers may trust: the issuing CA and its chain, then the other CAs below
        the pin, then what else the operator vouches for. An RA is no CA, and not among them; a CA
        that is limited by one above it stands behind that one alone."""
        last = self.issuing()
        first = next(a for a in self.authorities if a.certificate == last)
        independent = [a.certificate.der for a in self.authorities if path.stands_alone(a)]
        allowed = {*independent, *(root.der for root in self.roots)}
        listing = [*self.chain(first), *independent, *(root.der for root in self.roots)]
        return [der for der in dict.fromkeys(listing) if der in allowed]


def _is_key_again(authority: Authority) -> bool:
    keys = [member.certificate.public_bits for member in authority.above()]
    return keys[0] in keys[1:]


def _same_ca(first: Certificate, second: Certificate) -> bool:
    same_name = names.key(first.subject) == names.key(second.subject)
    return same_name and first.public_bits == second.public_bits


def readable(ders: Sequence[bytes]) -> list[Certificate]:
    """The certificates that can be read, each once, in order; others are left out.

    One odd certificate in a set must not cost the set; its absence shows where it is needed.
    """
    return parted(ders)[0]


def parted(ders: Sequence[bytes]) -> tuple[list[Certificate], list[str]]:
    """The same, and for each one that is left out its SHA-256 and the reason."""
    certificates: dict[bytes, Certificate] = {}
    faults: dict[bytes, str] = {}
    for data in ders:
        try:
            certificates[data] = certificate.read(data)
        except ValueError as error:
            faults[data] = f"sha256 {crypto.digest('sha-256', data).hex()}: {clean(str(error))}"
    return list(certificates.values()), list(faults.values())


def anchored(
    certificates: Sequence[Certificate], prints: Sequence[Fingerprint]
) -> list[Certificate]:
    """The certificates, in which a root that says nothing of itself is a CA's where a fingerprint
    names it: of an anchor nothing but its name and key is used (RFC 5280 6.1.1 d)."""
    return [
        c._replace(is_ca=True) if path.is_bare_root(c) and has_one(c, prints) else c
        for c in certificates
    ]


def has_one(subject: Certificate, prints: Sequence[Fingerprint]) -> bool:
    return any(digits(one.algorithm, subject) == one.digits for one in prints)


def left_out(faults: Sequence[str]) -> str:
    """What `parted` leaves out, as the end of a sentence about the set; "": nothing."""
    return f"; left out, since it cannot be read: {'; '.join(faults)}" if faults else ""


def digits(algorithm: str, subject: Certificate) -> str:
    """The fingerprint of a certificate, `algorithm` being a key of FINGERPRINTS."""
    return crypto.digest(FINGERPRINTS[algorithm], subject.der).hex()


def load(ders: Sequence[bytes], pin: str, rules: Rules, roots: Sequence[Fingerprint] = ()) -> CaSet:
    """The set under its pin (SHA-256 over the whole certificate, hexadecimal).

    Errors: `ca-pin-missing`, `ca-pin-not-ca`, `ca-expired`.
    """
    certificates = anchored(readable(ders), [Fingerprint("sha256", pin), *roots])
    pinned = next((c for c in certificates if digits("sha256", c) == pin), None)
    if pinned is None:
        raise fail("ca-pin-missing")
    if not pinned.is_ca:
        raise fail("ca-pin-not-ca", others="", subject=names.shown(pinned.subject))
    return under(pinned, certificates, rules, roots)


def under(
    pinned: Certificate,
    certificates: Sequence[Certificate],
    rules: Rules,
    roots: Sequence[Fingerprint] = (),
) -> CaSet:
    """The set under one CA certificate of it; PeerError `ca-expired`."""
    anchor = _in_force(pinned, certificates, rules)
    authorities = _authorities(anchor, certificates, rules)
    above = _above(certificates, authorities, roots, rules)
    return CaSet(tuple(certificates), authorities, rules, pinned, above)


def _in_force(
    pinned: Certificate, certificates: Sequence[Certificate], rules: Rules
) -> Certificate:
    """The pinned CA; where it has ended, the newest generation of it that is in date."""
    if rules.now_s is None or rules.now_s < pinned.not_after_s:
        return pinned
    others = (c for c in certificates if path.is_generation(c, pinned) and in_date(c, rules.now_s))
    generation = max(others, key=lambda c: c.not_after_s, default=None)
    if generation is None:
        raise fail("ca-expired", subject=names.shown(pinned.subject))
    return generation


def _authorities(
    anchor: Certificate, certificates: Sequence[Certificate], rules: Rules
) -> tuple[Authority, ...]:
    authorities = [path.anchor(anchor)]
    candidates = [c for c in certificates if c.is_ca and in_date(c, rules.now_s)]
    for issuer in authorities:  # grows while it is walked
        chain = [authority.certificate for authority in issuer.above()]
        for candidate in candidates:
            if candidate not in chain and _may_stand(candidate, issuer, rules):
                authority = path.below(issuer, candidate)
                if not any(_allows_more(other, authority) for other in authorities):
                    authorities.append(authority)
        if len(authorities) > limits.CA_PATHS:
            break
    return tuple(authorities)


def _may_stand(candidate: Certificate, issuer: Authority, rules: Rules) -> bool:
    signed = candidate.issued_by(issuer.certificate)
    if not signed or path.fault(candidate, issuer, rules):
        return False
    return not path.revoked(candidate, issuer, rules)


def _allows_more(other: Authority, new: Authority) -> bool:
    """The same CA by a way without a limit that the new way does not have as well."""
    covers = other.certificate == new.certificate and other.room >= new.room
    return covers and all(constraints in new.names for constraints in other.names)


def _above(
    certificates: Sequence[Certificate],
    authorities: Sequence[Authority],
    roots: Sequence[Fingerprint],
    rules: Rules,
) -> tuple[Certificate, ...]:
    """CA certificates with a fingerprint that the operator vouches for. Authorities are left out,
    and certificates that have ended."""
    authority_ders = {authority.certificate.der for authority in authorities}
    others = [c for c in certificates if c.is_ca and c.der not in authority_ders]
    now_s = rules.now_s
    current = [c for c in others if now_s is None or now_s < c.not_after_s]
    return tuple(c for c in current if has_one(c, roots))


def check_fingerprint(pinned: Certificate, fingerprint: Fingerprint) -> None:
    """`ca-pin-mismatch` unless the pin has the fingerprint that the operator typed.

    The agent wrote the pin as another job told it. A configured fingerprint came from the operator,
    so it is compared with the bytes once more.
    """
    algorithm, wanted = fingerprint
    pin = digits(algorithm, pinned)
    if pin != wanted:
        raise fail("ca-pin-mismatch", algorithm=algorithm, wanted=wanted, got=pin)
