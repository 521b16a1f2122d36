"""Which certificate of a CA set is the pinned CA (design: Trust). Pure.

A pin names exactly one CA certificate, never an RA's: the one of `fingerprint`, else the one that
was trusted before, else the one that a person is asked about.

A CA that the pinned one has named as its next (RFC 8894 4.7) is a derived pin: it counts as long as
what it is derived from does, so another `fingerprint` ends it. Both hold until the older one ends.
"""

from typing import NamedTuple

from agent import limits
from agent.errors import AgentError, fail
from agent.states import CaCertificate
from agent.visible import brief
from hal.records import CaRecord, LinkRecord, NextCaRecord

Fingerprint = tuple[str, str]  # (md5 | sha1 | sha256, lower-case hexadecimal)


class Choice(NamedTuple):
    """The certificate to pin; `trusted_by` None: a person must compare it first."""

    certificate: CaCertificate
    trusted_by: str | None


def choose(
    fingerprint: Fingerprint | None,
    known: CaRecord | None,
    found: tuple[CaCertificate, ...],
    now_s: int | None = None,
) -> Choice:
    """The pin of a set that arrived. AgentError: no CA in it, or none with that fingerprint.

    now_s None: the clock is not trusted.
    """
    authorities = [c for c in found if c.is_ca]
    if not authorities:
        raise fail("ca-no-ca")
    kept = known if known and _anchored(known, fingerprint) else None
    wanted = _trusted(fingerprint, kept)
    named = [c for name, print_ in wanted for c in authorities if getattr(c, name) == print_]
    in_date = [c for c in named if now_s is None or now_s <= c.certificate.not_after_s]
    for candidate in (*in_date, *named):
        return Choice(candidate, "fingerprint" if fingerprint or not kept else kept.trusted_by)
    if fingerprint:
        raise _mismatch(*fingerprint, authorities)
    return Choice(_lowest(authorities), None)


def _anchored(known: CaRecord, fingerprint: Fingerprint | None) -> bool:
    """Whether what the stored CA was trusted by still counts."""
    return holds(known, fingerprint) if fingerprint else known.trusted_by != "fingerprint"


def _trusted(fingerprint: Fingerprint | None, kept: CaRecord | None) -> list[Fingerprint]:
    """The fingerprints that may become the pin, the best first."""
    own = [fingerprint] if fingerprint else []
    if kept is None:
        return own
    pinned = [("sha256", kept.pin)] if kept.lineage or not fingerprint else []
    following = [("sha256", kept.next.pin)] if kept.next else []
    return [*pinned, *own, *following]


def holds(ca: CaRecord | None, fingerprint: Fingerprint | None) -> bool:
    """Whether the stored CA is the one that `fingerprint` names, or has followed it."""
    if ca is None or fingerprint is None:
        return ca is not None
    algorithm, wanted = fingerprint
    field = {"md5": "pin_md5", "sha1": "pin_sha1", "sha256": "pin"}[algorithm]
    return wanted in [getattr(one, field) for one in (ca, *ca.lineage)]


def following(
    known: CaRecord, found: tuple[CaCertificate, ...], message: bytes, now_s: int
) -> NextCaRecord:
    """The derived pin of a set that the pinned CA has signed; AgentError `next-ca-none`."""
    ours = {c.der for c in known.certificates}
    new = [c for c in found if c.is_ca and c.certificate.der not in ours]
    if not new:
        raise fail("next-ca-none", reason="it names no other CA than those that are known")
    chosen = _lowest(new)
    return NextCaRecord(chosen.sha256, chosen.md5, chosen.sha1, chosen.certificate, message, now_s)


def replaced(asked: CaCertificate, known: CaRecord | None) -> str | None:
    """The SHA-256 of the CA that was trusted until now, when a person is asked about another one.

    Somebody who answers in its place would be asked about like a first CA otherwise.
    """
    return known.pin if known is not None and known.pin != asked.sha256 else None


def record(
    pinned: CaCertificate,
    trusted_by: str,
    found: tuple[CaCertificate, ...],
    caps: tuple[str, ...],
    now_s: int,
    known: CaRecord | None,
) -> CaRecord:
    """The set as the store holds it. `known`: the one before it, whose heir it may be."""
    heir, lineage = _inherited(known, pinned.sha256)
    return CaRecord(
        pin=pinned.sha256,
        pin_md5=pinned.md5,
        pin_sha1=pinned.sha1,
        pin_index=found.index(pinned),
        trusted_by=trusted_by,
        certificates=[c.certificate for c in found],
        caps=list(caps),
        fetched_s=now_s,
        next=heir,
        lineage=lineage,
    )


def refreshed(
    known: CaRecord | None, found: tuple[CaCertificate, ...], caps: tuple[str, ...], now_s: int
) -> CaRecord | None:
    """The stored set as it was fetched once more; None under another pin, or with nothing new.

    What an RA's certificate in it is worth, the jobs find out: it must chain to the pin.
    """
    pinned = next((c for c in found if c.is_ca and known and c.sha256 == known.pin), None)
    if known is None or pinned is None:
        return None
    if {c.certificate for c in found} <= set(known.certificates):  # another order, or less
        return None
    return record(pinned, known.trusted_by, found, caps, now_s, known)


def _inherited(known: CaRecord | None, pin: str) -> tuple[NextCaRecord | None, list[LinkRecord]]:
    """The derived pin and the lineage of a CA that is pinned now."""
    if known and known.pin == pin:
        return known.next, known.lineage
    if known is None or known.next is None or known.next.pin != pin:
        return None, []
    before = known.certificates[known.pin_index]
    link = LinkRecord(known.pin, known.pin_md5, known.pin_sha1, before, known.next.message)
    return None, [*known.lineage, link][-limits.CA_LINEAGE :]


def _lowest(authorities: list[CaCertificate]) -> CaCertificate:
    """The CA of the set that issued no other CA in it: the one that issues to devices."""
    issuers = {
        c.certificate.issuer for c in authorities if c.certificate.issuer != c.certificate.subject
    }
    leaves = [c for c in authorities if c.certificate.subject not in issuers]
    return (leaves or authorities)[0]


def shown(sha256: str, subject: str) -> str:
    """A CA as logs and notes tell of it: its fingerprint, then the name that it gives itself."""
    return f"sha256 {sha256}, {brief(subject)}"


def _mismatch(algorithm: str, wanted: str, authorities: list[CaCertificate]) -> AgentError:
    """All fingerprints, then the names: no name can bring along what looks like a fingerprint."""
    prints = ", ".join(getattr(c, algorithm) for c in authorities)
    got = "; ".join([prints, *(brief(c.certificate.subject) for c in authorities)])
    return fail("ca-pin-mismatch", algorithm=algorithm, wanted=wanted, got=got)
