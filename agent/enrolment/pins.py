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

from agent.enrolment.actions import Stored
from agent.enrolment.states import CaCertificate
from agent.errors import AgentError, fail
from agent.visible import brief
from hal.named import NamedTuple
from hal.records import CaRecord, LocalRecord, NextCaRecord

Fingerprint = tuple[str, str]  # (md5 | sha1 | sha256, lower-case hexadecimal)
Found = tuple[CaCertificate, ...]


class Choice(NamedTuple):
    """The certificate to pin; `trusted_by` None: a person must compare it first."""

    certificate: CaCertificate
    trusted_by: str | None


def choose(
    fingerprint: Fingerprint | None,
    stored: CaRecord | None,
    certificates: Found,
    now_s: int | None = None,
    roots: tuple[Fingerprint, ...] = (),
) -> Choice:
    """The pin of a set that arrived. AgentError: no CA in it, none with that fingerprint, or an
    older one than the realm has followed. `stored`: the CA of the realm until now; `roots`: CAs
    that may come without the pinned one, as in a file. now_s None: the clock is not trusted.
    """
    authorities = [c for c in certificates if c.is_ca and c.sent]
    if not authorities:
        raise fail("ca-no-ca")
    # The stored CA, unless its anchor counts no more: another `fingerprint` ends what came of it.
    base = stored if stored and _anchored(stored, fingerprint) else None
    candidates = _named(fingerprint, base, certificates, roots)
    current = [c for c in candidates if now_s is None or now_s < c.certificate.not_after_s]
    for candidate in (*current, *candidates):
        return Choice(candidate, "fingerprint" if fingerprint or not base else base.trusted_by)
    if base and (ancestor := _before(base, authorities)):
        raise fail("ca-set-older", pin=base.pin, older=ancestor.sha256)
    if fingerprint:
        raise _mismatch(*fingerprint, authorities)
    return Choice(lowest(authorities), None)


def _anchored(stored: CaRecord, fingerprint: Fingerprint | None) -> bool:
    """Whether the stored CA is still trusted by the anchor that it had."""
    return holds(stored, fingerprint) if fingerprint else stored.trusted_by != "fingerprint"


def _named(
    fingerprint: Fingerprint | None,
    base: CaRecord | None,
    certificates: Found,
    roots: tuple[Fingerprint, ...],
) -> list[CaCertificate]:
    """The certificates that may become the pin, the best first."""
    typed_prints = [fingerprint] if fingerprint and not (base and base.lineage) else []
    if base is None:
        return _with(typed_prints, certificates)
    copies = [c for c in certificates if c.is_ca and c.sha256 == base.pin]
    renewals = sorted(
        (g for c in copies for g in generations(c, certificates)), key=_end_s, reverse=True
    )
    belongs = bool(renewals) or bool(_with(roots, certificates))
    pins = [c for c in copies if c.sent or belongs]
    next_prints = [("sha256", base.next.pin)] if base.next else []
    return [*pins, *_with(typed_prints, certificates), *_with(next_prints, certificates), *renewals]


def _with(
    prints: tuple[Fingerprint, ...] | list[Fingerprint], certificates: Found
) -> list[CaCertificate]:
    authorities = [c for c in certificates if c.is_ca and c.sent]
    return [c for name, print_ in prints for c in authorities if getattr(c, name) == print_]


def generations(pinned: CaCertificate, certificates: Found) -> list[CaCertificate]:
    """Certificates of the set that are the pinned CA again: its name and key, signed by it."""
    return [certificates[index] for index in pinned.generations if certificates[index].sent]


def _end_s(ca: CaCertificate) -> int:
    return ca.certificate.not_after_s


def _before(base: CaRecord, authorities: list[CaCertificate]) -> CaCertificate | None:
    """A CA of this set from which the realm has gone on to the CA that it trusts now."""
    ancestors = {link.pin for link in base.lineage}
    return next((c for c in authorities if c.sha256 in ancestors), None)


def holds(ca: CaRecord | None, fingerprint: Fingerprint | None) -> bool:
    """Whether the stored CA has this fingerprint, or was derived from the CA that has it."""
    if ca is None or fingerprint is None:
        return ca is not None
    algorithm, digits = fingerprint
    field = {"md5": "pin_md5", "sha1": "pin_sha1", "sha256": "pin"}[algorithm]
    return digits in [getattr(member, field) for member in (ca, *ca.lineage)]


def counts(local: LocalRecord, ca: CaRecord | None, fingerprint: Fingerprint | None) -> bool:
    """Whether a certificate is one of the CA that the realm trusts now, as far as is known. Another
    one is served until there is one of that CA, but for the schedule there is none."""
    if ca is None:
        return True
    if not holds(ca, fingerprint):
        return False
    return local.pin in ("", ca.pin, *(link.pin for link in ca.lineage))


def newest(stored: Stored, fingerprint: Fingerprint | None) -> LocalRecord | None:
    """The certificate that waits or, where none does, the one in use, if it counts."""
    return counted(stored.newest, stored.ca, fingerprint)


def counted(
    held: LocalRecord | None, ca: CaRecord | None, fingerprint: Fingerprint | None
) -> LocalRecord | None:
    """A certificate, if there is one and it counts."""
    return held if held and counts(held, ca, fingerprint) else None


def following(
    stored: CaRecord, certificates: Found, message: bytes, via: list[bytes], now_s: int
) -> NextCaRecord:
    """The derived pin of a set that the pinned CA has signed; AgentError `next-ca-none`."""
    stored_ders = {c.der for c in stored.certificates}
    candidates = [c for c in certificates if c.is_ca and c.certificate.der not in stored_ders]
    if not candidates:
        raise fail("next-ca-none", reason="it names no other CA than those that are known")
    next_ca = lowest(candidates)
    prints = next_ca.sha256, next_ca.md5, next_ca.sha1
    return NextCaRecord(*prints, next_ca.certificate, message, now_s, via)


def replaced(candidate: CaCertificate, stored: CaRecord | None, lost: bool = False) -> str | None:
    """The SHA-256 of the CA that was trusted until now, when a person is asked about another one.

    Without it, an attacker who answers in the place of the CA would look like a first CA. "": there
    was one, and flash has lost which.
    """
    if stored is None and lost:
        return ""
    return stored.pin if stored is not None and stored.pin != candidate.sha256 else None


def with_proven_ra(stored: CaRecord | None) -> CaRecord | None:
    """The stored set after an RA with its purpose has served; less will not replace it."""
    return stored._replace(ra_proven=True) if stored else None


def lowest(authorities: list[CaCertificate]) -> CaCertificate:
    """The CA of the set that issued no other CA in it: most likely it issues to devices."""
    issuers = {
        c.certificate.issuer for c in authorities if c.certificate.issuer != c.certificate.subject
    }
    leaves = [c for c in authorities if c.certificate.subject not in issuers]
    return (leaves or authorities)[0]


def _mismatch(algorithm: str, wanted: str, authorities: list[CaCertificate]) -> AgentError:
    """All fingerprints, then the names: no name can bring along a fingerprint of its own."""
    prints = ", ".join(getattr(c, algorithm) for c in authorities)
    offer = "; ".join([prints, *(brief(c.certificate.subject) for c in authorities)])
    return fail("ca-pin-mismatch", algorithm=algorithm, wanted=wanted, got=offer)
