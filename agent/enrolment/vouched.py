"""The certificates that are stored beside the pinned CA. Pure.

The store holds the pinned certificate, the certificates that it vouches for, and the CAs above it
that a person vouches for. All others of a set are left out. Nobody has signed the set itself. So it
adds certificates that the pin has signed, and takes none away: those that were stored under the
same pin stay until they end or no more fit.
"""

from __future__ import annotations

from agent import limits
from agent.enrolment.pins import Fingerprint, Found, generations
from agent.enrolment.states import CaCertificate
from agent.visible import brief
from hal.named import NamedTuple
from hal.records import CaRecord, CertificateRecord, LinkRecord, NextCaRecord

NEED_A_ROOT = "openssl, nginx, HAProxy, OpenVPN and strongSwan"  # measured; curl takes any CA


class Arrived(NamedTuple):
    """A set, the capabilities of its CA, its time, and the roots that the realm names."""

    found: Found
    caps: tuple[str, ...]
    now_s: int
    roots: tuple[Fingerprint, ...] = ()


class Pinned(NamedTuple):
    """The certificate that becomes the pin, and by what. anchor: the fingerprint that a person
    typed; shown: the CAs above it that a person confirmed with it."""

    certificate: CaCertificate
    trusted_by: str
    anchor: Fingerprint | None = None
    shown: tuple[CaCertificate, ...] = ()


def record(pinned: Pinned, arrived: Arrived, known: CaRecord | None) -> CaRecord:
    """The set as the store holds it; `known` itself when there is nothing new in it.

    `known`: the one before it, whose heir it may be.
    """
    one = pinned.certificate
    following, lineage = _inherited(known, one, arrived.found)
    heir_of = known if known and _is_heir(known, one, lineage) else None
    again = heir_of is not None and (heir_of.pin == one.sha256 or not lineage[-1].message)
    before = heir_of if again else None  # the same CA with the same key
    certificates = _kept(one, pinned.shown, arrived, before)
    new = CaRecord(
        pin=one.sha256,
        pin_md5=one.md5,
        pin_sha1=one.sha1,
        pin_index=certificates.index(one.certificate),
        trusted_by=pinned.trusted_by,
        certificates=certificates,
        caps=list(arrived.caps),
        fetched_s=arrived.now_s,
        next=following,
        lineage=lineage,
        anchor=_anchor(pinned, known, lineage),
        roots=[c.sha256 for c in pinned.shown] or (before.roots if before else []),
        ras=_ras(certificates, arrived, before),
        ra_proven=heir_of is not None and heir_of.ra_proven,
    )
    if known and new._replace(caps=known.caps, fetched_s=known.fetched_s) == known:
        return known
    return new


def refreshed(known: CaRecord | None, arrived: Arrived) -> CaRecord | None:
    """The stored set after another fetch; None: the pin is another one, or nothing is new."""
    found = arrived.found
    pinned = next((c for c in found if c.is_ca and known and c.sha256 == known.pin), None)
    if known is None or pinned is None or not (pinned.sent or generations(pinned, found)):
        return None
    ca = record(Pinned(pinned, known.trusted_by), arrived, known)
    return None if ca == known else ca


def _kept(
    one: CaCertificate,
    shown: tuple[CaCertificate, ...],
    arrived: Arrived,
    before: CaRecord | None,
) -> list[CertificateRecord]:
    """What came stands first: the CA that issues now before that of yesterday.

    The RAs are those of the set that came last, if it had some. Which one a realm believes follows
    its own rules (`agent/scep/ra.py`); one that was shown once must not stand in the way for good.
    """
    vouched = _vouched(one, shown, arrived)
    came = [c.certificate for c in vouched]
    ras = [c.certificate for c in vouched if not c.is_ca]
    held = before.certificates if before else []
    known_ras = [held[at] for at in before.ras] if before else []
    if ras:
        held = [c for c in held if c not in known_ras or c in ras]
    if before and one.certificate in held and all(c in held for c in came):
        return held
    current = [c for c in held if c.not_after_s > arrived.now_s]
    # If not all of it fits, new certificates give way: nobody has signed the set that they came in.
    fitting: list[CertificateRecord] = []
    size = 0
    for certificate in dict.fromkeys([one.certificate, *current, *came]):
        size += len(certificate.der)
        if size <= limits.CA_SET_DER_BYTES and len(fitting) < limits.CA_SET_CERTIFICATES:
            fitting.append(certificate)
    return [c for c in came if c in fitting] + [c for c in fitting if c not in came]


def _ras(
    certificates: list[CertificateRecord], arrived: Arrived, before: CaRecord | None
) -> list[int]:
    ends = [c.certificate for c in arrived.found if not c.is_ca]
    known = [before.certificates[at] for at in before.ras] if before else []
    return [at for at, c in enumerate(certificates) if c in ends or c in known]


def _vouched(
    one: CaCertificate, shown: tuple[CaCertificate, ...], arrived: Arrived
) -> list[CaCertificate]:
    """The certificates of the set that may be stored, in its order."""
    below = [arrived.found[place] for place in one.below]
    prints = (*arrived.roots, *(("sha256", c.sha256) for c in shown))
    return [
        c for c in arrived.found
        if c.sent and (c == one or c in below or (c.is_ca and is_named(c, prints)))
    ]  # fmt: skip


def is_named(one: CaCertificate, prints: tuple[Fingerprint, ...]) -> bool:
    return any(getattr(one, algorithm) == digits for algorithm, digits in prints)


def above(one: CaCertificate, found: Found) -> tuple[CaCertificate, ...]:
    """The CAs that seem to have signed this one, upwards."""
    return tuple(found[place] for place in one.above)


def _inherited(
    known: CaRecord | None, one: CaCertificate, found: Found
) -> tuple[NextCaRecord | None, list[LinkRecord]]:
    """The derived pin and the lineage of a CA that is pinned now."""
    if known is None or known.pin == one.sha256:
        return (known.next, known.lineage) if known else (None, [])
    message, via = None, []
    if known.next and known.next.pin == one.sha256:
        message, via = known.next.message, known.next.via
    elif any(c.sha256 == known.pin and one in generations(c, found) for c in found):
        message = b""
    if message is None:
        return None, []
    before = known.certificates[known.pin_index]
    link = LinkRecord(known.pin, known.pin_md5, known.pin_sha1, before, message, via)
    following = None if message else known.next
    return following, [*known.lineage, link][-limits.CA_LINEAGE :]


def _is_heir(known: CaRecord, one: CaCertificate, lineage: list[LinkRecord]) -> bool:
    """Whether the pin is that of the stored CA, or has followed it."""
    return known.pin == one.sha256 or any(link.pin == known.pin for link in lineage[-1:])


def _anchor(pinned: Pinned, known: CaRecord | None, lineage: list[LinkRecord]) -> str:
    """The fingerprint that a person vouched for: of the oldest CA of the lineage.

    Where the one that was spoken of has dropped out of it, the oldest one stands in its place: each
    step up to it was verified when it was made.
    """
    oldest = lineage[0] if lineage else None
    if oldest is None:
        return " ".join(pinned.anchor or ("sha256", pinned.certificate.sha256))
    told = known.anchor if known else ""
    prints = [
        f"{algorithm} {digits}"
        for link in lineage
        for algorithm, digits in (
            ("sha256", link.pin), ("sha1", link.pin_sha1), ("md5", link.pin_md5)
        )
    ]  # fmt: skip
    return told if told in prints else f"sha256 {oldest.pin}"


# -- what a person is told -------------------------------------------------------------------------


def notes(pinned: Pinned, arrived: Arrived, ca: CaRecord) -> list[str]:
    """Remarks for a person: certificates that were left out, a root that consumers may miss."""
    kept = {c.der for c in ca.certificates}
    left = [c for c in arrived.found if c.sent and c.certificate.der not in kept]
    told = [_left_out(left)] if left else []
    one = pinned.certificate
    if not one.self_signed and not serves_root(ca):
        told.append(f"the pinned CA is no root, and {missing_root(top(one, arrived.found))}")
    return told


def _left_out(left: list[CaCertificate]) -> str:
    listed = "; ".join(f"sha256 {c.sha256} {brief(c.certificate.subject)}" for c in left[:3])
    more = f"; and {len(left) - 3} more" if len(left) > 3 else ""
    return f"left out of the CA set, since nobody vouches for it: {listed}{more}"


def serves_root(ca: CaRecord) -> bool:
    return any(c.issuer == c.subject for c in ca.certificates)


def top(one: CaCertificate, found: Found) -> Fingerprint | None:
    """The self-signed CA of a set that seems to stand above this one: its SHA-256 and subject."""
    tops = [c for c in above(one, found) if c.self_signed]
    return (tops[0].sha256, tops[0].certificate.subject) if tops else None


def missing_root(seen: Fingerprint | None) -> str:
    """The problem where no root is served, and the next step; `seen` as `top` gives it."""
    shown = f"it shows, unverified, sha256 {seen[0]} {brief(seen[1])}" if seen else "it shows none"
    return (
        f"{NEED_A_ROOT} need the root in ca.pem: compare it with the CA's operator and type"
        f" `root-fingerprint sha256 ...` in the realm view, then have the CA certificates fetched"
        f" again ({shown})"
    )
