"""The job `validate`: whether stored certificates would be believed now, and if not, why not.

Trust is worked out by `caset`, as for a reply of the CA; here nothing is refused, each certificate
gets a row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent import limits
from agent.errors import fail
from agent.scep import ca_query, caset, certificate, crl_check, encodings, names, path, stored
from agent.scep.caset import CaSet
from agent.scep.certificate import Certificate
from agent.scep.jobmap import Answer, Job, field, items, one_of, submap
from agent.scep.text import clean, utc
from agent.visible import cut
from hal.named import NamedTuple

VALID, INVALID, SELF_SIGNED = "Valid", "Invalid", "Self-sign"
_NOT_DATED = "the dates were not judged: the clock is not trusted"


class _Row(NamedTuple):
    """`certificate` tells the part that it plays: local, CA, RA."""

    certificate: str
    subject: str
    status: str
    reason: str


class _Judge(NamedTuple):
    """The CA set under its pin, all that could be an issuer, and the time (None: not trusted)."""

    ca: CaSet
    known: Sequence[Certificate]
    now_s: int | None
    check: crl_check.Check

    def chain(self, subject: Certificate) -> list[bytes]:
        """DER of the issuers upwards: by who signed, never by equal names."""
        authority = self.ca.issuer_of(subject)
        return [] if authority is None else self.ca.chain(authority)

    def local(self, subject: Certificate) -> list[_Row]:
        """The certificate, then its issuers up to the pin."""
        alone = "no CA vouches for it: it has signed itself" if _self_signed(subject) else ""
        fault = alone or self._fault(subject) or self.check.revoked(subject)
        lack = self.check.lacking(subject)
        if self.check.required:
            fault = fault or lack
        note = f"revocation was not checked: {lack}" if lack and self.check.named else ""
        rows = [self._row("local", subject, fault, note)]
        authority = self.ca.issuer_of(subject)
        while authority is not None:
            revoked = self.check.revoked(authority.certificate)
            rows.append(self._row("CA", authority.certificate, revoked, ""))
            authority = authority.issuer
        return rows

    def member(self, subject: Certificate) -> _Row:
        """One of the CA set. Above the pin nobody vouches but the operator."""
        part = "CA" if subject.is_ca else "RA"
        if self.ca.authorities and subject.der == self.ca.named.der:
            return self._row(part, subject, "", "")
        if subject in self.ca.roots:
            return self._row(part, subject, "", "the operator vouches for it")
        note = "nobody vouches for it: it is not of the pinned CA" if _self_signed(subject) else ""
        if self.ca.issuer_of(subject) is not None:
            note = ""
        return self._row(part, subject, self._fault(subject) or self.check.revoked(subject), note)

    def _fault(self, subject: Certificate) -> str:
        """Why no authority vouches for this certificate, or nothing."""
        if self.ca.issuer_of(subject) is not None or _self_signed(subject):
            return ""
        if unknown := self.ca.unverifiable(subject):
            return unknown
        namesakes = [candidate for candidate in self.known if subject.names_issuer(candidate)]
        signers = [candidate for candidate in namesakes if subject.signed_by(candidate.spki)]
        issuer = names.shortly(subject.issuer)
        if not namesakes:
            return f"the CA certificate {issuer} is missing"
        if not signers:
            return f"wrong signature: it was not made by {issuer}"
        if not any(candidate.is_ca for candidate in signers):
            return f"its issuer {issuer} is not a CA"
        if fault := self.ca.fault_of(subject):
            return fault
        return f"its issuer {issuer} does not chain to the pinned CA"

    def _row(self, part: str, subject: Certificate, fault: str, note: str) -> _Row:
        status = SELF_SIGNED if _self_signed(subject) else VALID
        fault = fault or self._dates(subject)
        undated = "" if self.now_s is not None else _NOT_DATED
        reason = fault or "; ".join(filter(None, (note, undated)))
        return _Row(
            part,
            names.shown(subject.subject),
            INVALID if fault else status,
            cut(reason, limits.PEER_TEXT_CHARACTERS),
        )

    def _dates(self, subject: Certificate) -> str:
        if path.in_date(subject, self.now_s):
            return ""
        if subject.not_before_s > (self.now_s or 0):
            return f"not yet valid: it begins at {utc(subject.not_before_s)}"
        return f"expired: it ended at {utc(subject.not_after_s)}"


def _self_signed(subject: Certificate) -> bool:
    return subject.issued_by(subject)


def run(job: Job) -> Answer:
    """{kind: ca | local, certificate, chain, ca, weak, revocation, now_s, ...} -> {rows:
    [{certificate, subject, status, reason}], chain: [der]}; `ca` as `stored.ca_of` takes it, None
    when no CA is trusted yet; `chain` of the local certificate: what the pin vouches for of it.

    Errors: those of `stored.ca_of`.
    """
    rows, chain = _KINDS[one_of(job, "kind", _KINDS)](job)
    return {"rows": [row._asdict() for row in rows], "chain": chain}


def _judge(job: Job, chain: Sequence[bytes]) -> _Judge:
    now_s = ca_query.moment(job)
    # Dates are judged row by row: an expired CA is a row, not the end of the job.
    undated = stored.undated(job)
    if job.get("ca") is None:
        nobody = CaSet((), (), stored.rules_of(undated))
        return _Judge(nobody, caset.readable(chain), now_s, crl_check.UNCHECKED)
    ca = stored.ca_of(_with_chain(undated, chain))
    return _Judge(ca, ca.certificates, now_s, crl_check.check_of(job, ca, now_s))


def _with_chain(job: Job, chain: Sequence[bytes]) -> Job:
    """A CA that came with the certificate may stand between it and the pin."""
    ca = submap(job, "ca")
    return {**job, "ca": {**ca, "certificates": [*items(ca, "certificates", bytes), *chain]}}


def _local(job: Job) -> tuple[list[_Row], list[bytes]]:
    try:
        leaf = certificate.read(encodings.first(field(job, "certificate", bytes)))  # may be a file
    except ValueError as error:
        return [_Row("local", "-", INVALID, _unreadable(error))], []
    judge = _judge(job, items(job, "chain", bytes))
    return judge.local(leaf), judge.chain(leaf)


def _ca(job: Job) -> tuple[list[_Row], list[bytes]]:
    judge, rows = _judge(job, []), []
    known = {one.der: one for one in judge.ca.certificates}
    ders = items(submap(job, "ca"), "certificates", bytes) if job.get("ca") else []
    for data in ders:
        try:
            rows.append(judge.member(known.get(data) or certificate.read(data)))
        except ValueError as error:
            rows.append(_Row("CA", "-", INVALID, _unreadable(error)))
    if not rows:
        raise fail("ca-no-ca")
    return rows, []


def _unreadable(error: ValueError) -> str:
    return clean(f"it cannot be read: {error}")


_KINDS: dict[str, Callable[[Job], tuple[list[_Row], list[bytes]]]] = {"local": _local, "ca": _ca}
