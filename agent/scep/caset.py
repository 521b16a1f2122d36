"""The certificates of a CA: the pinned one, and which of the others it vouches for.

A set comes from the network with nothing but the pin to tell right from wrong, so trust is worked
out from the pin downwards: an authority is a CA certificate that another authority signed, and the
first one is the pin. Each certificate is tried against each authority once; no set, however
knotted, costs more than the square of its capped size. Certificates above the pin are shown, never
trusted.
"""

from collections.abc import Sequence
from typing import NamedTuple

from agent.errors import AgentError, fail
from agent.scep import certificate, crypto, names, oids
from agent.scep.certificate import Certificate

_UNLIMITED = 1 << 16  # more path length than any set has certificates
_RA_MAY_SAY = oids.RA_PURPOSES | {oids.ANY_PURPOSE}
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

    def registration_authorities(self) -> list[Certificate]:
        """Certificates of the set that may be an RA's, that an authority issued, in date."""
        now_s = self.rules.now_s
        candidates = (c for c in self.certificates if may_be_ra(c) and in_date(c, now_s))
        return [c for c in candidates if self.issuer_of(c) is not None]

    def weak_links(self, ra: bool) -> list[str]:
        """A note for each certificate below the pin whose signature only `weak-algorithm` allows.

        The pin's own says nothing: it is trusted by its fingerprint.
        """
        below = [authority.certificate for authority in self.authorities[1:]]
        found = below + (self.registration_authorities() if ra else [])
        return [
            f"the certificate of {names.shown(one.subject)} uses md5, which `weak-algorithm` allows"
            for one in found
            if one.signature.digest == "md5"
        ]

    def issuing(self, ra: bool) -> Certificate:
        """The CA that will issue: the RA's own, else the last one below the pin."""
        if ra:
            authority = self.issuer_of(self.recipient(ra))
            if authority is not None:
                return authority.certificate
        above = {a.issuer.certificate.der for a in self.authorities if a.issuer is not None}
        return next(a.certificate for a in self.authorities if a.certificate.der not in above)

    def recipient(self, ra: bool) -> Certificate:
        """For whom a request is encrypted; PeerError `ra-missing` or
        `ra-unusable` when the realm wants an RA.

        Between several, one that says that it is an RA's comes first, then keyUsage decides, which
        refuses none: real ones carry the wrong bits (RFC 8894 3.5.2). Without `ra` an end-entity
        certificate is never used: any device of this CA could put its own into an unprotected set
        and read the challenge password.
        """
        if not ra:
            return self.issuing(ra)
        candidates = self.registration_authorities()
        if not candidates:
            raise self._no_ra()
        return min(candidates, key=lambda c: (not _says_ra(c), _encryption_rank(c)))

    def _no_ra(self) -> AgentError:
        unusable = next((c for c in self.certificates if may_be_ra(c)), None)
        if unusable is None:
            return fail("ra-missing")
        linked = self.issuer_of(unusable) is not None
        reason = "it is not in date" if linked else "no CA of the set, from the pin down, issued it"
        return fail("ra-unusable", subject=names.shown(unusable.subject), reason=reason)

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


def may_be_ra(candidate: Certificate) -> bool:
    """An end-entity certificate whose extendedKeyUsage, if any, leaves room for an RA.

    One that names only other purposes (TLS, IKE) is a device's (RFC 5280 4.2.1.12, RFC 6402 2.10).
    """
    if candidate.is_ca:
        return False
    return candidate.purposes is None or not candidate.purposes.isdisjoint(_RA_MAY_SAY)


def _says_ra(candidate: Certificate) -> bool:
    return not oids.RA_PURPOSES.isdisjoint(candidate.purposes or ())


def _encryption_rank(candidate: Certificate) -> int:
    if candidate.key_usage is None:
        return 1
    return 0 if "keyEncipherment" in candidate.key_usage else 2


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
