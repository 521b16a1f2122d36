"""The RA of a CA, and the recipient of a request (RFC 8894 2.2, 3.5.2).

Fault model. GetCACert is unprotected, and every customer of a CA has a certificate below the pin.
Whoever writes the answer can put his own into it; taken for the RA's, it lets him read the
challenge password. So a chain makes nobody an RA. Two things do: the RA's own fingerprint, which
the operator has typed, or a purpose of an RA, which a CA gives to no customer (cmcRA, RFC 6402
2.10; Microsoft's enrollment agent). A certificate without extendedKeyUsage, or with any purpose,
can be a customer's: only `compatibility ra-any-purpose` admits it, and neither beside an RA with
its purpose nor after one. The purpose of an RA is remembered once a certificate has come through
it: an attacker who only shows the certificate of an RA must not shut out the RA that serves.

keyUsage prefers and never refuses: real RAs carry the wrong bits.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.errors import AgentError, fail
from agent.scep import caset, names, oids, path, text
from agent.scep.caset import CaSet
from agent.scep.certificate import Certificate
from agent.scep.jobmap import Job, field, items, one_of, submap
from hal.named import NamedTuple

ANY_PURPOSE = "ra-any-purpose"
SHOWN = 3  # candidates that a refusal lists
SUBJECT_CHARACTERS = 100  # of each of them
PINS = 2  # RA certificates of one realm: to encrypt to, and to sign with (NDES)


class RaRules(NamedTuple):
    """By what a realm that says `ra` knows its RA.

    pins: fingerprints by `algorithm` (a key of caset.FINGERPRINTS), lower-case hexadecimal; where
    there are some, nothing else counts. any_purpose: `compatibility ra-any-purpose`. proven: an RA
    with its purpose has served this realm.
    """

    algorithm: str = "sha256"
    pins: tuple[str, ...] = ()
    any_purpose: bool = False
    proven: bool = False


def rules_of(job: Job) -> RaRules | None:
    """{ra, ra_fingerprint: {algorithm, hex: [...]}, compatibility, ca: {ra_proven}} of a job; None
    where the realm has no `ra`."""
    if not field(job, "ra", bool):
        return None
    any_purpose = "compatibility" in job and ANY_PURPOSE in items(job, "compatibility", str)
    proven = "ca" in job and submap(job, "ca").get("ra_proven") is True
    return typed(job)._replace(any_purpose=any_purpose, proven=proven)


def typed(job: Job) -> RaRules:
    """The rules that the operator has typed of the RA itself: {ra_fingerprint}."""
    if job.get("ra_fingerprint") is None:
        return RaRules()
    fields = submap(job, "ra_fingerprint")
    algorithm, pins = one_of(fields, "algorithm", caset.FINGERPRINTS), items(fields, "hex", str)
    if not pins:  # it would open what was to be closed
        raise fail("job-request", field="hex")
    return RaRules(algorithm, tuple(pins))


# -- who may be one --------------------------------------------------------------------------------


def candidates(ca: CaSet, rules: RaRules) -> list[Certificate]:
    """The certificates of the set that may be the RA's: end entities in date, below the pin."""
    return _chosen([c for c in _end_entities(ca.certificates) if not _fault(ca, c)], rules)


def kept(ca: CaSet, rules: RaRules) -> list[Certificate]:
    """The end entities of a set that are stored with it: those below the pin that may be an RA's,
    and those that the operator has named."""
    end_entities = _end_entities(ca.certificates)
    pinned = [c for c in end_entities if caset.digits(rules.algorithm, c) in rules.pins]
    return [c for c in end_entities if c in pinned or (_may_say(c) and ca.vouches_for(c))]


def likely(ca: CaSet) -> bool:
    """Whether an RA seems to stand in front of the CA, for a realm that does not say so."""
    return bool(candidates(ca, RaRules(any_purpose=True)))


def recipient(ca: CaSet, rules: RaRules | None) -> Certificate:
    """For whom a request is encrypted.

    Without `ra` that is the CA. An RA of several is chosen by its keyUsage, then by the order in
    which the pins were typed. PeerError `ra-missing`, `ra-unusable`, `ra-purpose`,
    `ra-purpose-lost` or `ra-pin-mismatch`.
    """
    if rules is None:
        return ca.issuing()
    recipients = candidates(ca, rules)
    if not recipients:
        raise _no_recipient(ca, rules)
    return min(recipients, key=_encryption_rank)


def issuing(ca: CaSet, rules: RaRules | None) -> Certificate:
    """The CA that will issue: the RA's own, else the last one below the pin."""
    above = None if rules is None else ca.issuer_of(recipient(ca, rules))
    return ca.issuing() if above is None else above.certificate


def proves(ca: CaSet, rules: RaRules | None) -> bool:
    """Whether a certificate that came proves an RA with its purpose: only it could read what was
    asked for."""
    return rules is not None and _says_ra(recipient(ca, rules))


def _chosen(end_entities: Sequence[Certificate], rules: RaRules) -> list[Certificate]:
    if rules.pins:
        return [
            c for pin in rules.pins for c in end_entities if caset.digits(rules.algorithm, c) == pin
        ]
    ras = [c for c in end_entities if _says_ra(c)]
    if ras or rules.proven or not rules.any_purpose:
        return ras
    return [c for c in end_entities if _says_nothing(c)]


def _end_entities(certificates: Sequence[Certificate]) -> list[Certificate]:
    return [c for c in certificates if not c.is_ca]


def _says_ra(candidate: Certificate) -> bool:
    return not oids.RA_PURPOSES.isdisjoint(candidate.purposes or ())


def _says_nothing(candidate: Certificate) -> bool:
    """No purpose at all, or any (RFC 5280 4.2.1.12). One that names others is a device's."""
    return candidate.purposes is None or oids.ANY_PURPOSE in candidate.purposes


def _may_say(candidate: Certificate) -> bool:
    return _says_ra(candidate) or _says_nothing(candidate)


def _encryption_rank(candidate: Certificate) -> int:
    if candidate.key_usage is None:
        return 1
    return 0 if "keyEncipherment" in candidate.key_usage else 2


def _fault(ca: CaSet, candidate: Certificate) -> str:
    """Why an end entity is none that the pin vouches for now, or nothing."""
    if not path.in_date(candidate, ca.rules.now_s):
        return "it is not in date"
    if ca.issuer_of(candidate) is None:
        fault = ca.fault_of(candidate) or ca.unverifiable(candidate)
        return fault or "no CA of the set, from the pin down, issued it"
    return "" if ca.vouches_for(candidate) else "its CA has revoked it"


# -- why not ---------------------------------------------------------------------------------------


def check(certificates: Sequence[Certificate], rules: RaRules) -> None:
    """Of a set that no pin has judged yet: refuses one in which nothing could be the RA's."""
    end_entities = _end_entities(certificates)
    if not _chosen(end_entities, rules):
        raise _refused(end_entities, rules)


def signer_fault(signer: Certificate, ca: CaSet, rules: RaRules | None) -> str:
    """Why an end entity below the pin signs no reply, or nothing: its SHA-256 first."""
    if rules is not None and signer in candidates(ca, rules):
        return ""
    print_, subject = f"sha256 {_sha256(signer)}", _subject(signer)
    if rules is None and _may_say(signer):
        return f"{print_} may be an RA's, which needs `enrollment-url ... ra`: {subject}"
    if rules is not None and rules.pins:
        return f"{print_} is none that `enrollment-url ... ra fingerprint` names: {subject}"
    if rules is not None and _says_nothing(signer):
        other = "" if rules.any_purpose else f" or `compatibility {ANY_PURPOSE}`"
        typed = f"`enrollment-url ... ra fingerprint {print_}`{other}"
        return f"{print_} names no purpose of an RA, which {typed} allows: {subject}"
    return f"{print_} is neither a CA's nor an RA's by its purposes: {subject}"


def _no_recipient(ca: CaSet, rules: RaRules) -> AgentError:
    end_entities = _end_entities(ca.certificates)
    ras = _chosen(end_entities, rules) if rules.pins else [c for c in end_entities if _may_say(c)]
    usable = [c for c in ras if not _fault(ca, c)]
    if usable or not ras:
        return _refused(usable or end_entities, rules)
    sha256, subject = _sha256(ras[0]), _subject(ras[0])
    return fail("ra-unusable", sha256=sha256, subject=subject, reason=_fault(ca, ras[0]))


def _refused(end_entities: Sequence[Certificate], rules: RaRules) -> AgentError:
    """Of end entities among which none may be the RA's."""
    if rules.pins:
        pins = " ".join(rules.pins)
        offer = _shown(end_entities, rules.algorithm) or "no certificate of an RA"
        return fail("ra-pin-mismatch", algorithm=rules.algorithm, wanted=pins, got=offer)
    silent = sorted((c for c in end_entities if _says_nothing(c)), key=_encryption_rank)
    if not silent:
        others = f"; it holds {_shown(end_entities, 'sha256')}" if end_entities else ""
        return fail("ra-missing", others=others)
    code = "ra-purpose-lost" if rules.any_purpose else "ra-purpose"
    prints = " ".join(map(_sha256, silent[:PINS]))
    return fail(code, prints=prints, shown=_shown(silent, "sha256"))


def _shown(certificates: Sequence[Certificate], algorithm: str) -> str:
    listing = [
        f"{algorithm} {caset.digits(algorithm, c)} of {_subject(c)}" for c in certificates[:SHOWN]
    ]
    return "; ".join(listing)


def _sha256(subject: Certificate) -> str:
    return caset.digits("sha256", subject)


def _subject(certificate: Certificate) -> str:
    return text.clean(names.shown(certificate.subject), SUBJECT_CHARACTERS)
