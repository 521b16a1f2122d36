"""Which certificate of a CA set is the pinned CA (design: Trust). Pure.

A pin names exactly one CA certificate, never an RA's: the one of `fingerprint`, else the one that
was trusted before, else the one that a person is asked about.
"""

from typing import NamedTuple

from agent.errors import AgentError, fail
from agent.states import CaCertificate
from hal.records import CaRecord

Fingerprint = tuple[str, str]  # (md5 | sha1 | sha256, lower-case hexadecimal)


class Choice(NamedTuple):
    """The certificate to pin; `trusted_by` None: a person must compare it first."""

    certificate: CaCertificate
    trusted_by: str | None


def choose(
    fingerprint: Fingerprint | None, known: CaRecord | None, found: tuple[CaCertificate, ...]
) -> Choice:
    """The pin of a set that arrived. AgentError: no CA in it, or none with that fingerprint."""
    authorities = [c for c in found if c.is_ca]
    if not authorities:
        raise fail("ca-no-ca")
    if fingerprint:
        return Choice(_named(fingerprint, authorities), "fingerprint")
    if known and known.trusted_by != "fingerprint":
        for candidate in authorities:
            if candidate.sha256 == known.pin:
                return Choice(candidate, known.trusted_by)
    return Choice(_lowest(authorities), None)


def holds(ca: CaRecord | None, fingerprint: Fingerprint | None) -> bool:
    """Whether the stored CA is still the one that `fingerprint` names."""
    if ca is None or fingerprint is None:
        return ca is not None
    algorithm, wanted = fingerprint
    return {"md5": ca.pin_md5, "sha1": ca.pin_sha1, "sha256": ca.pin}[algorithm] == wanted


def record(
    pinned: CaCertificate,
    trusted_by: str,
    found: tuple[CaCertificate, ...],
    caps: tuple[str, ...],
    now_s: int,
) -> CaRecord:
    """The set as the store holds it."""
    return CaRecord(
        pin=pinned.sha256,
        pin_md5=pinned.md5,
        pin_sha1=pinned.sha1,
        pin_index=found.index(pinned),
        trusted_by=trusted_by,
        certificates=[c.certificate for c in found],
        caps=list(caps),
        fetched_s=now_s,
    )


def _named(fingerprint: Fingerprint, authorities: list[CaCertificate]) -> CaCertificate:
    algorithm, wanted = fingerprint
    for candidate in authorities:
        if getattr(candidate, algorithm) == wanted:
            return candidate
    raise _mismatch(algorithm, wanted, authorities)


def _lowest(authorities: list[CaCertificate]) -> CaCertificate:
    """The CA of the set that issued no other CA in it: the one that issues to devices."""
    issuers = {
        c.certificate.issuer for c in authorities if c.certificate.issuer != c.certificate.subject
    }
    leaves = [c for c in authorities if c.certificate.subject not in issuers]
    return (leaves or authorities)[0]


def _mismatch(algorithm: str, wanted: str, authorities: list[CaCertificate]) -> AgentError:
    got = ", ".join(getattr(c, algorithm) for c in authorities)
    return fail("ca-pin-mismatch", algorithm=algorithm, wanted=wanted, got=got)
