"""Which certificate of a CA set is the pinned CA (design: Trust). Pure.

A pin names exactly one CA certificate, never that of an RA: the certificate of `fingerprint`, else
the one that was trusted before, else the one that a person is asked about. `vouched.py` decides
about the certificates that are stored beside it.

The pinned CA may name its next one (RFC 8894 4.7). That is a derived pin: it counts as long as the
pin does that it is derived from, so another `fingerprint` ends it. Both hold until the older one
ends. A CA that was renewed under its own name and key, signed by the pinned key, is a derived pin,
too; the pinned certificate stays the pin while it lasts.

Nobody has signed a CA set, so no set takes trust away. A realm that has followed its CA to another
one never goes back to the former because an old set arrives.
"""

from __future__ import annotations

from agent.enrolment.states import CaCertificate
from agent.errors import AgentError, fail
from agent.visible import brief
from hal.named import NamedTuple
from hal.records import CaRecord, NextCaRecord

Fingerprint = tuple[str, str]  # (md5 | sha1 | sha256, lower-case hexadecimal)
Found = tuple[CaCertificate, ...]


class Choice(NamedTuple):
    """The certificate to pin; `trusted_by` None: a person must compare it first."""

    certificate: CaCertificate
    trusted_by: str | None


def choose(
    fingerprint: Fingerprint | None,
    known: CaRecord | None,
    found: Found,
    now_s: int | None = None,
    roots: tuple[Fingerprint, ...] = (),
) -> Choice:
    """The pin of a set that arrived. AgentError: no CA in it, none with that fingerprint, or an
    older one than the realm has followed. `roots`: CAs that may come without the pinned one, as in
    a file. now_s None: the clock is not trusted.
    """
    authorities = [c for c in found if c.is_ca and c.sent]
    if not authorities:
        raise fail("ca-no-ca")
    kept = known if known and _anchored(known, fingerprint) else None
    named = _named(fingerprint, kept, found, roots)
    in_date = [c for c in named if now_s is None or now_s < c.certificate.not_after_s]
    for candidate in (*in_date, *named):
        return Choice(candidate, "fingerprint" if fingerprint or not kept else kept.trusted_by)
    if kept and (before := _before(kept, authorities)):
        raise fail("ca-set-older", pin=kept.pin, older=before.sha256)
    if fingerprint:
        raise _mismatch(*fingerprint, authorities)
    return Choice(lowest(authorities), None)


def _anchored(known: CaRecord, fingerprint: Fingerprint | None) -> bool:
    """Whether what the stored CA was trusted by still counts."""
    return holds(known, fingerprint) if fingerprint else known.trusted_by != "fingerprint"


def _named(
    fingerprint: Fingerprint | None,
    kept: CaRecord | None,
    found: Found,
    roots: tuple[Fingerprint, ...],
) -> list[CaCertificate]:
    """The certificates that may become the pin, the best first."""
    own = [fingerprint] if fingerprint and not (kept and kept.lineage) else []
    if kept is None:
        return _with(own, found)
    here = [c for c in found if c.is_ca and c.sha256 == kept.pin]
    again = sorted((g for c in here for g in generations(c, found)), key=_end_s, reverse=True)
    belongs = bool(again) or bool(_with(roots, found))
    present = [c for c in here if c.sent or belongs]
    following = [("sha256", kept.next.pin)] if kept.next else []
    return [*present, *_with(own, found), *_with(following, found), *again]


def _with(prints: tuple[Fingerprint, ...] | list[Fingerprint], found: Found) -> list[CaCertificate]:
    authorities = [c for c in found if c.is_ca and c.sent]
    return [c for name, print_ in prints for c in authorities if getattr(c, name) == print_]


def generations(pinned: CaCertificate, found: Found) -> list[CaCertificate]:
    """Certificates of the set that are the pinned CA again: its name and key, signed by it."""
    return [found[place] for place in pinned.generations if found[place].sent]


def _end_s(one: CaCertificate) -> int:
    return one.certificate.not_after_s


def _before(kept: CaRecord, authorities: list[CaCertificate]) -> CaCertificate | None:
    """A CA of this set that the realm has followed to the one that it trusts now."""
    older = {link.pin for link in kept.lineage}
    return next((c for c in authorities if c.sha256 in older), None)


def holds(ca: CaRecord | None, fingerprint: Fingerprint | None) -> bool:
    """Whether the stored CA is the one that `fingerprint` names, or has followed it."""
    if ca is None or fingerprint is None:
        return ca is not None
    algorithm, wanted = fingerprint
    field = {"md5": "pin_md5", "sha1": "pin_sha1", "sha256": "pin"}[algorithm]
    return wanted in [getattr(one, field) for one in (ca, *ca.lineage)]


def following(
    known: CaRecord, found: Found, message: bytes, via: list[bytes], now_s: int
) -> NextCaRecord:
    """The derived pin of a set that the pinned CA has signed; AgentError `next-ca-none`."""
    ours = {c.der for c in known.certificates}
    new = [c for c in found if c.is_ca and c.certificate.der not in ours]
    if not new:
        raise fail("next-ca-none", reason="it names no other CA than those that are known")
    chosen = lowest(new)
    prints = chosen.sha256, chosen.md5, chosen.sha1
    return NextCaRecord(*prints, chosen.certificate, message, now_s, via)


def replaced(asked: CaCertificate, known: CaRecord | None, lost: bool = False) -> str | None:
    """The SHA-256 of the CA that was trusted until now, when a person is asked about another one.

    Somebody who answers in its place would be asked about like a first CA otherwise. "": there was
    one, and flash has lost which.
    """
    if known is None and lost:
        return ""
    return known.pin if known is not None and known.pin != asked.sha256 else None


def with_proven_ra(known: CaRecord | None) -> CaRecord | None:
    """The stored set after an RA with its purpose has served; less will not replace it."""
    return known._replace(ra_proven=True) if known else None


def lowest(authorities: list[CaCertificate]) -> CaCertificate:
    """The CA of the set that issued no other CA in it: the one that issues to devices."""
    issuers = {
        c.certificate.issuer for c in authorities if c.certificate.issuer != c.certificate.subject
    }
    leaves = [c for c in authorities if c.certificate.subject not in issuers]
    return (leaves or authorities)[0]


def _mismatch(algorithm: str, wanted: str, authorities: list[CaCertificate]) -> AgentError:
    """All fingerprints, then the names: no name can bring along what looks like a fingerprint."""
    prints = ", ".join(getattr(c, algorithm) for c in authorities)
    got = "; ".join([prints, *(brief(c.certificate.subject) for c in authorities)])
    return fail("ca-pin-mismatch", algorithm=algorithm, wanted=wanted, got=got)
