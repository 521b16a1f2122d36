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
    """The certificate that becomes the pin, and the ground for it (`trusted_by`). anchor: the
    fingerprint that a person typed; shown: the CAs above it that a person confirmed with it."""

    certificate: CaCertificate
    trusted_by: str
    anchor: Fingerprint | None = None
    shown: tuple[CaCertificate, ...] = ()


def record(pinned: Pinned, arrived: Arrived, stored: CaRecord | None) -> CaRecord:
    """The set as the store will hold it; `stored` itself when nothing is new.

    `stored`: the record until now. A CA inherits from it that is the same, or was derived from it.
    """
    pin = pinned.certificate
    next_ca, lineage = _inherited(stored, pin, arrived.found)
    ancestor = stored if stored and _is_heir(stored, pin, lineage) else None
    same_key = ancestor is not None and (ancestor.pin == pin.sha256 or not lineage[-1].message)
    base = ancestor if same_key else None  # the same CA with the same key
    certificates = _kept(pin, pinned.shown, arrived, base)
    new = CaRecord(
        pin=pin.sha256,
        pin_md5=pin.md5,
        pin_sha1=pin.sha1,
        pin_index=certificates.index(pin.certificate),
        trusted_by=pinned.trusted_by,
        certificates=certificates,
        caps=list(arrived.caps),
        fetched_s=arrived.now_s,
        next=next_ca,
        lineage=lineage,
        anchor=_anchor(pinned, stored, lineage),
        roots=[c.sha256 for c in pinned.shown] or (base.roots if base else []),
        ras=_ras(certificates, arrived, base),
        ra_proven=ancestor is not None and ancestor.ra_proven,
    )
    if stored and new._replace(caps=stored.caps, fetched_s=stored.fetched_s) == stored:
        return stored
    return new


def refreshed(stored: CaRecord | None, arrived: Arrived) -> CaRecord | None:
    """The stored set after another fetch; None: the pin is another one, or nothing is new."""
    certificates = arrived.found
    pin = next((c for c in certificates if c.is_ca and stored and c.sha256 == stored.pin), None)
    if stored is None or pin is None or not (pin.sent or generations(pin, certificates)):
        return None
    ca = record(Pinned(pin, stored.trusted_by), arrived, stored)
    return None if ca == stored else ca


def _kept(
    pin: CaCertificate,
    confirmed: tuple[CaCertificate, ...],
    arrived: Arrived,
    base: CaRecord | None,
) -> list[CertificateRecord]:
    """New certificates stand first: the CA that issues now before that of yesterday.

    `base`: the record of the same CA with the same key, whose certificates stay. The RAs are those
    of the set that came last, if it had some. Which one a realm believes follows its own rules
    (`agent/scep/ra.py`); an RA that was shown once must not stand in the way for good.
    """
    candidates = _vouched(pin, confirmed, arrived)
    arrivals = [c.certificate for c in candidates]
    new_ras = [c.certificate for c in candidates if not c.is_ca]
    stored = base.certificates if base else []
    stored_ras = [stored[at] for at in base.ras] if base else []
    if new_ras:
        stored = [c for c in stored if c not in stored_ras or c in new_ras]
    if base and pin.certificate in stored and all(c in stored for c in arrivals):
        return stored
    current = [c for c in stored if c.not_after_s > arrived.now_s]
    # If not all of it fits, new certificates give way: nobody has signed the set that they came in.
    selection: list[CertificateRecord] = []
    size = 0
    for certificate in dict.fromkeys([pin.certificate, *current, *arrivals]):
        size += len(certificate.der)
        if size <= limits.CA_SET_DER_BYTES and len(selection) < limits.CA_SET_CERTIFICATES:
            selection.append(certificate)
    return [c for c in arrivals if c in selection] + [c for c in selection if c not in arrivals]


def _ras(
    certificates: list[CertificateRecord], arrived: Arrived, base: CaRecord | None
) -> list[int]:
    end_entities = [c.certificate for c in arrived.found if not c.is_ca]
    stored_ras = [base.certificates[index] for index in base.ras] if base else []
    return [index for index, c in enumerate(certificates) if c in end_entities or c in stored_ras]


def _vouched(
    pin: CaCertificate, confirmed: tuple[CaCertificate, ...], arrived: Arrived
) -> list[CaCertificate]:
    """The certificates of the set that may be stored, in its order."""
    subordinates = [arrived.found[index] for index in pin.below]
    prints = (*arrived.roots, *(("sha256", c.sha256) for c in confirmed))
    return [
        c for c in arrived.found
        if c.sent and (c == pin or c in subordinates or (c.is_ca and is_named(c, prints)))
    ]  # fmt: skip


def is_named(ca: CaCertificate, prints: tuple[Fingerprint, ...]) -> bool:
    return any(getattr(ca, algorithm) == digits for algorithm, digits in prints)


def above(certificate: CaCertificate, certificates: Found) -> tuple[CaCertificate, ...]:
    """The CAs that seem to have signed this certificate, upwards."""
    return tuple(certificates[index] for index in certificate.above)


def _inherited(
    stored: CaRecord | None, pin: CaCertificate, certificates: Found
) -> tuple[NextCaRecord | None, list[LinkRecord]]:
    """The derived pin and the lineage of a CA that is pinned now."""
    if stored is None or stored.pin == pin.sha256:
        return (stored.next, stored.lineage) if stored else (None, [])
    message, via = None, []
    if stored.next and stored.next.pin == pin.sha256:
        message, via = stored.next.message, stored.next.via
    elif any(c.sha256 == stored.pin and pin in generations(c, certificates) for c in certificates):
        message = b""
    if message is None:
        return None, []
    predecessor = stored.certificates[stored.pin_index]
    link = LinkRecord(stored.pin, stored.pin_md5, stored.pin_sha1, predecessor, message, via)
    next_ca = None if message else stored.next
    return next_ca, [*stored.lineage, link][-limits.CA_LINEAGE :]


def _is_heir(stored: CaRecord, pin: CaCertificate, lineage: list[LinkRecord]) -> bool:
    """Whether the pin is that of the stored CA, or was derived from it."""
    return stored.pin == pin.sha256 or any(link.pin == stored.pin for link in lineage[-1:])


def _anchor(pinned: Pinned, stored: CaRecord | None, lineage: list[LinkRecord]) -> str:
    """The fingerprint that a person vouched for: of the oldest CA of the lineage.

    The lineage is capped. If the CA of that fingerprint has dropped out of it, the oldest CA takes
    its place: each step of the lineage was verified when it was made.
    """
    oldest = lineage[0] if lineage else None
    if oldest is None:
        return " ".join(pinned.anchor or ("sha256", pinned.certificate.sha256))
    anchor = stored.anchor if stored else ""
    prints = [
        f"{algorithm} {digits}"
        for link in lineage
        for algorithm, digits in (
            ("sha256", link.pin), ("sha1", link.pin_sha1), ("md5", link.pin_md5)
        )
    ]  # fmt: skip
    return anchor if anchor in prints else f"sha256 {oldest.pin}"


# -- remarks for a person --------------------------------------------------------------------------


def notes(pinned: Pinned, arrived: Arrived, ca: CaRecord) -> list[str]:
    """Remarks for a person: certificates that were left out, a root that consumers may miss."""
    stored_ders = {c.der for c in ca.certificates}
    strangers = [c for c in arrived.found if c.sent and c.certificate.der not in stored_ders]
    remarks = [_left_out(strangers)] if strangers else []
    pin = pinned.certificate
    if not pin.self_signed and not serves_root(ca):
        remarks.append(f"the pinned CA is no root, and {missing_root(top(pin, arrived.found))}")
    return remarks


def _left_out(strangers: list[CaCertificate]) -> str:
    listing = "; ".join(f"sha256 {c.sha256} {brief(c.certificate.subject)}" for c in strangers[:3])
    more = f"; and {len(strangers) - 3} more" if len(strangers) > 3 else ""
    return f"left out of the CA set, since nobody vouches for it: {listing}{more}"


def serves_root(ca: CaRecord) -> bool:
    return any(c.issuer == c.subject for c in ca.certificates)


def top(certificate: CaCertificate, certificates: Found) -> Fingerprint | None:
    """The self-signed CA of a set that seems to stand above a certificate: SHA-256 and subject."""
    tops = [c for c in above(certificate, certificates) if c.self_signed]
    return (tops[0].sha256, tops[0].certificate.subject) if tops else None


def missing_root(root: Fingerprint | None) -> str:
    """The problem where no root is served, and the next step; `root` as `top` gives it."""
    remark = f"it shows, unverified, sha256 {root[0]} {brief(root[1])}" if root else "it shows none"
    return (
        f"{NEED_A_ROOT} need the root in ca.pem: compare it with the CA's operator and type"
        f" `root-fingerprint sha256 ...` in the realm view, then have the CA certificates fetched"
        f" again ({remark})"
    )
