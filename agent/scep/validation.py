"""The job `validate`: whether stored certificates would be believed now, and if not, why not.

Trust is worked out by `caset`, as for a reply of the CA; here nothing is refused, each certificate
gets a row.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from agent import limits
from agent.errors import fail
from agent.scep import caset, certificate, names, revocation
from agent.scep.caset import CaSet
from agent.scep.certificate import Certificate
from agent.scep.jobmap import Answer, Job, field, items, one_of, text_or_none
from agent.scep.text import clean, utc
from agent.visible import cut

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
    check: revocation.Check

    def local(self, found: Certificate) -> list[_Row]:
        """The certificate, then its issuers up to the pin."""
        alone = "no CA vouches for it: it has signed itself" if _self_signed(found) else ""
        fault = alone or self._fault(found) or self.check.revoked(found)
        lack = self.check.lacking(found)
        if self.check.required:
            fault = fault or lack
        note = f"revocation was not checked: {lack}" if lack and self.check.named else ""
        rows = [self._row("local", found, fault, note)]
        authority = self.ca.issuer_of(found)
        while authority is not None:
            revoked = self.check.revoked(authority.certificate)
            rows.append(self._row("CA", authority.certificate, revoked, ""))
            authority = authority.issuer
        return rows

    def member(self, found: Certificate) -> _Row:
        """One of the CA set; what stands above the pin is shown, and not needed."""
        part, pinned = "CA" if found.is_ca else "RA", self.ca.authorities[:1]
        if found.der in (one for authority in pinned for one in self.ca.chain(authority)):
            return self._row(part, found, "", "")
        note = "it is not of the pinned CA" if _self_signed(found) else ""
        return self._row(part, found, self._fault(found), note)

    def _fault(self, found: Certificate) -> str:
        """Why no authority vouches for this certificate, or nothing."""
        if self.ca.issuer_of(found) is not None or _self_signed(found):
            return ""
        if not found.signature.digest:
            return f"unknown signature algorithm {found.signature.oid}"
        named = [one for one in self.known if found.names_issuer(one)]
        signers = [one for one in named if found.signed_by(one.spki)]
        issuer = names.shortly(found.issuer)
        if not named:
            return f"the CA certificate {issuer} is missing"
        if not signers:
            return f"wrong signature: it was not made by {issuer}"
        if not any(one.is_ca for one in signers):
            return f"its issuer {issuer} is not a CA"
        if found.signature.digest == "md5" and "md5" not in self.ca.rules.weak:
            return "it is signed with md5"
        return f"its issuer {issuer} does not chain to the pinned CA"

    def _row(self, part: str, found: Certificate, fault: str, note: str) -> _Row:
        status = SELF_SIGNED if _self_signed(found) else VALID
        fault = fault or self._dates(found)
        undated = "" if self.now_s is not None else _NOT_DATED
        reason = fault or "; ".join(filter(None, (note, undated)))
        return _Row(
            part,
            names.shown(found.subject),
            INVALID if fault else status,
            cut(reason, limits.PEER_TEXT_CHARACTERS),
        )

    def _dates(self, found: Certificate) -> str:
        if caset.in_date(found, self.now_s):
            return ""
        if found.not_before_s > (self.now_s or 0):
            return f"not yet valid: it begins at {utc(found.not_before_s)}"
        return f"expired: it ended at {utc(found.not_after_s)}"


def _self_signed(found: Certificate) -> bool:
    return found.issued_by(found)


def run(job: Job) -> Answer:
    """{kind: ca | local, certificate, chain, certificates, pin, weak, revocation, now_s, ...} ->
    {rows: [{certificate, subject, status, reason}]}; `pin` is None when no CA is trusted yet.

    Errors: `ca-pin-missing`, `ca-pin-not-ca`.
    """
    return {"rows": [row._asdict() for row in _KINDS[one_of(job, "kind", _KINDS)](job)]}


def _judge(job: Job, chain: Sequence[bytes]) -> _Judge:
    now_s = field(job, "now_s", int) if field(job, "clock_trusted", bool) else None
    # Dates are judged row by row: an expired CA is a row, not the end of the job.
    rules = caset.Rules(None, frozenset(items(job, "weak", str)))
    ders, pin = [*items(job, "certificates", bytes), *chain], text_or_none(job, "pin")
    ca = CaSet((), (), rules) if pin is None else caset.load(ders, pin, rules)
    check = revocation.check_of(job, ca, now_s)
    return _Judge(ca, caset.readable(ders), now_s, check)


def _local(job: Job) -> list[_Row]:
    try:
        found = certificate.read(field(job, "certificate", bytes))
    except ValueError as error:
        return [_Row("local", "-", INVALID, _unreadable(error))]
    return _judge(job, items(job, "chain", bytes)).local(found)


def _ca(job: Job) -> list[_Row]:
    judge, rows = _judge(job, []), []
    for data in items(job, "certificates", bytes):
        try:
            rows.append(judge.member(certificate.read(data)))
        except ValueError as error:
            rows.append(_Row("CA", "-", INVALID, _unreadable(error)))
    if not rows:
        raise fail("ca-no-ca")
    return rows


def _unreadable(error: ValueError) -> str:
    return clean(f"it cannot be read: {error}")


_KINDS: dict[str, Callable[[Job], list[_Row]]] = {"local": _local, "ca": _ca}
