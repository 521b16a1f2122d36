"""The certificates of a CA: the pinned one, and which of the others it vouches for.

A set comes from the network with nothing but the pin to tell right from wrong, so trust is worked
out from the pin downwards: an authority is a CA certificate that another authority signed, and the
first one is the pin. Each certificate is tried against each authority once; no set, however
knotted, costs more than the square of its capped size. Certificates above the pin are shown, never
trusted.
"""

from collections.abc import Sequence
from typing import NamedTuple

from agent.errors import fail
from agent.scep import certificate, crypto, names
from agent.scep.certificate import Certificate

_UNLIMITED = 1 << 16  # more path length than any set has certificates
FINGERPRINTS = {"md5": "md5", "sha1": "sha1", "sha256": "sha-256"}  # as configured -> digest


class Rules(NamedTuple):
    """By what a realm judges: wall time (None: the clock is not trusted), what may be weak."""

    now_s: int | None
    weak: frozenset[str]


class Fingerprint(NamedTuple):
    """What the realm configures: a key of FINGERPRINTS, and lower-case hexadecimal digits."""

    algorithm: str
    digits: str


class Authority(NamedTuple):
    """A CA certificate that the pin vouches for, its issuer, and how many CAs may stand below."""

    certificate: Certificate
    issuer: "Authority | None"
    room: int


class CaSet(NamedTuple):
    """The readable certificates in the order sent, and the authorities, the pinned one first."""

    certificates: tuple[Certificate, ...]
    authorities: tuple[Authority, ...]
    rules: Rules

    @property
    def pin(self) -> Certificate:
        return self.authorities[0].certificate

    def issuer_of(self, subject: Certificate) -> Authority | None:
        """The authority that signed this certificate, or None."""
        if subject.signature.digest == "md5" and "md5" not in self.rules.weak:
            return None
        return next((a for a in self.authorities if subject.issued_by(a.certificate)), None)

    def weak_links(self, ras: Sequence[Certificate] = ()) -> list[str]:
        """A note for each certificate below the pin, `ras` with them, whose signature only
        `weak-algorithm` allows.

        The pin's own says nothing: it is trusted by its fingerprint.
        """
        below = [authority.certificate for authority in self.authorities[1:]]
        return [
            f"the certificate of {names.shown(one.subject)} uses md5, which `weak-algorithm` allows"
            for one in (*below, *ras)
            if one.signature.digest == "md5"
        ]

    def issuing(self) -> Certificate:
        """The CA that issues where no RA stands in front: the last one below the pin."""
        above = {a.issuer.certificate.der for a in self.authorities if a.issuer is not None}
        return next(a.certificate for a in self.authorities if a.certificate.der not in above)

    def chain(self, issuer: Authority) -> list[bytes]:
        """DER from this issuer upwards, over the pin as far as the set goes."""
        chain = [issuer.certificate]
        while issuer.issuer is not None:
            issuer = issuer.issuer
            chain.append(issuer.certificate)
        for _ in self.certificates:
            last = chain[-1]
            above = (c for c in self.certificates if c.is_ca and c not in chain)
            parent = next((c for c in above if last.issued_by(c)), None)
            if parent is None or last.issued_by(last):
                break
            chain.append(parent)
        return [c.der for c in chain]


def in_date(candidate: Certificate, now_s: int | None) -> bool:
    return now_s is None or candidate.not_before_s <= now_s < candidate.not_after_s


def readable(ders: Sequence[bytes]) -> list[Certificate]:
    """The certificates that can be read, each once, in order; others are left out.

    One odd certificate in a set must not cost the set; whoever needs it will miss it.
    """
    found: dict[bytes, Certificate] = {}
    for data in ders:
        try:
            found[data] = certificate.read(data)
        except ValueError:
            continue
    return list(found.values())


def digits(algorithm: str, found: Certificate) -> str:
    """The fingerprint of a certificate, `algorithm` being a key of FINGERPRINTS."""
    return crypto.digest(FINGERPRINTS[algorithm], found.der).hex()


def load(ders: Sequence[bytes], pin: str, rules: Rules) -> CaSet:
    """The set under its pin (SHA-256 over the whole certificate, hexadecimal).

    Errors: `ca-pin-missing`, `ca-pin-not-ca`, `ca-expired`.
    """
    certificates = readable(ders)
    pinned = next((c for c in certificates if digits("sha256", c) == pin), None)
    if pinned is None:
        raise fail("ca-pin-missing")
    if not pinned.is_ca:
        raise fail("ca-pin-not-ca", subject=names.shown(pinned.subject))
    if rules.now_s is not None and pinned.not_after_s <= rules.now_s:
        raise fail("ca-expired", subject=names.shown(pinned.subject))
    return CaSet(tuple(certificates), _authorities(pinned, certificates, rules), rules)


def check_fingerprint(pinned: Certificate, fingerprint: Fingerprint) -> None:
    """`ca-pin-mismatch` unless the pin is what the operator has typed.

    The pin was written by the agent from what another job told it; a configured fingerprint came
    from the operator, so it is compared with the bytes once more.
    """
    algorithm, wanted = fingerprint
    got = digits(algorithm, pinned)
    if got != wanted:
        raise fail("ca-pin-mismatch", algorithm=algorithm, wanted=wanted, got=got)


def _authorities(
    pinned: Certificate, certificates: Sequence[Certificate], rules: Rules
) -> tuple[Authority, ...]:
    found = [Authority(pinned, None, _room(pinned, _UNLIMITED))]
    waiting = [c for c in certificates if c.is_ca and c is not pinned and in_date(c, rules.now_s)]
    for issuer in found:  # grows while it is walked
        if issuer.room == 0:
            continue
        current = CaSet((), (issuer,), rules)
        below = [c for c in waiting if current.issuer_of(c) is not None]
        found += [Authority(c, issuer, _room(c, issuer.room - 1)) for c in below]
        waiting = [c for c in waiting if c not in below]
    return tuple(found)


def _room(authority: Certificate, allowed: int) -> int:
    """How many CA certificates may follow (RFC 5280 6.1.4: pathLenConstraint)."""
    limit = authority.path_length
    return allowed if limit is None else min(allowed, max(limit, 0))
