"""The way of an application for a further certificate, and the test of its outcome. Pure.

RFC 8894 2.3: the holder of a certificate of this CA signs with it and sends a RenewalReq, if the CA
lists `Renewal`. Everybody else, also after expiry, sends a PKCSReq signed by a certificate of its
own making, with the challenge password. Servers differ, so the realm's `compatibility` decides
first. A clock that is not trusted calls no certificate expired.

A CA refuses the signature of a certificate that it has revoked or does not know any more, and most
refuse names that are not those of the certificate. A realm that has a challenge does not wait for
its end because of that: it applies as a new device does.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.enrolment import drafts, pins
from agent.enrolment.actions import Now, Policy, Stored
from agent.enrolment.states import Apply
from agent.errors import AgentError, fail
from hal.named import NamedTuple
from hal.records import CaRecord, CertificateRecord, LocalRecord, RenewalRecord, RequestRecord

PKCS_REQ, RENEWAL_REQ = 19, 17
# Keyword of `compatibility` -> messageType that the certificate in use signs; None: it signs none.
_ASKED: dict[str, int | None] = {
    "renew-by-pkcsreq": None,
    "renew-by-signed-pkcsreq": PKCS_REQ,
    "renew-by-renewalreq": RENEWAL_REQ,
}
_KINDS = {PKCS_REQ: "PKCSReq", RENEWAL_REQ: "RenewalReq"}
WITH_PASSWORD = "renew-with-password"  # noqa: S105  # a keyword
WHEN_EXPIRED = "renew-when-expired"
# The CA has refused what may be the signature of the certificate in use (RFC 8894 3.2.1.4.5).
REFUSALS = frozenset(
    ("ca-badRequest", "ca-renewal-refused", "ca-badMessageCheck", "ca-badCertId", "ndes-message")
)


def may_sign(event: Apply, stored: Stored, policy: Policy) -> RenewalRecord | None:
    """The certificate that could sign a renewal, before the capabilities of the CA are known."""
    local, outcome = stored.local, stored.outcome
    if (
        local is None
        or not event.renewable
        or not pins.counts(local, stored.ca, policy.fingerprint)
    ):
        return None
    if outcome and outcome.anew:
        return None
    if event.password is not None and (local.revoked or drafts.is_renamed(event.settings, local)):
        return None
    return signer(local)


def signer(local: LocalRecord) -> RenewalRecord:
    """A certificate that signs for its key pair, as long as nothing else is decided."""
    return RenewalRecord(RENEWAL_REQ, local.certificate, local.key, local.generation, False)


def is_refused(request: RequestRecord | None, error: AgentError, now: Now) -> bool:
    """Whether the next application is to be one of a new device. It needs a challenge, unless the
    certificate that signed has expired: then there was nothing to lose."""
    if request is None or request.renewal is None or error.code not in REFUSALS:
        return False
    return request.password is not None or request.renewal.certificate.not_after_s <= now.wall_s


def decide(
    candidate: RenewalRecord | None,
    ca: CaRecord,
    caps: Sequence[str],
    compatibility: tuple[str, ...],
    now: Now,
) -> RenewalRecord | None:
    """The way of the request, by the CA set and the capabilities of the CA."""
    late = WHEN_EXPIRED in compatibility
    if candidate is None or not usable(candidate.certificate, ca, now, late=late):
        return None
    message_type = _message_type(caps, compatibility)
    if message_type is None:
        return None
    with_password = message_type == PKCS_REQ or WITH_PASSWORD in compatibility
    return candidate._replace(message_type=message_type, with_password=with_password)


def _message_type(caps: Sequence[str], compatibility: tuple[str, ...]) -> int | None:
    """What the certificate in use signs; None: nothing."""
    asked = [_ASKED[word] for word in _ASKED if word in compatibility]
    listed = RENEWAL_REQ if "renewal" in {cap.casefold() for cap in caps} else None
    return asked[0] if asked else listed


def way(
    local: LocalRecord | None,
    ca: CaRecord | None,
    caps: Sequence[str],
    compatibility: tuple[str, ...],
    now: Now,
) -> str:
    """How the certificate in use would be renewed, or one that is still to come; "": by an
    application as that of a new device, with the challenge."""
    if local is not None and ca is not None:
        chosen = decide(signer(local), ca, caps, compatibility, now)
        return said(chosen).rstrip(",") if chosen else ""
    message_type = _message_type(caps, compatibility)
    return "" if message_type is None else f"by {_KINDS[message_type]}, with the old certificate"


def usable(certificate: CertificateRecord, ca: CaRecord, now: Now, *, late: bool = False) -> bool:
    """Whether a certificate is in date, and from a CA of this set or its lineage: others do not
    know it. late: it may have expired."""
    if now.trusted and now.wall_s < certificate.not_before_s:
        return False
    if now.trusted and certificate.not_after_s <= now.wall_s and not late:
        return False
    members = [*ca.certificates, *(link.certificate for link in ca.lineage)]
    return certificate.issuer in {member.subject for member in members}


def differs(event: Apply, stored: Stored, policy: Policy, now: Now) -> bool:
    """Whether the password or the signer of an application differs from those of the request."""
    request, candidate = stored.request, may_sign(event, stored, policy)
    if request is None or stored.ca is None:
        return request is None or (event.password, None) != (request.password, request.renewal)
    signer = decide(candidate, stored.ca, request.caps, policy.compatibility, now)
    return (event.password, signer) != (request.password, request.renewal)


def said(renewal: RenewalRecord | None) -> str:
    """The way a request is made, for a log line."""
    if renewal is None:
        return "applying"
    kind = _KINDS[renewal.message_type]
    return f"renewing by {kind}, signed with certificate {renewal.certificate.serial},"


def check_new(stored: Stored, issued: LocalRecord) -> None:
    """AgentError: the certificate is one that is held already."""
    certificate = issued.certificate
    for held in (each.certificate for each in (stored.local, stored.next) if each):
        if held.der == certificate.der:  # an old answer played again: whoever sent it
            raise fail("issued-old", serial=certificate.serial)
        if (held.issuer, held.serial) == (certificate.issuer, certificate.serial):
            raise fail("issued-older", reason=f"it has the same serial number {held.serial}")


class Compared(NamedTuple):
    """A certificate that was issued beside the one before it. same_end: the CA is near its own end.
    before_s: when the one before it ends, where that is later."""

    same_end: bool = False
    before_s: int | None = None


def compared(
    stored: Stored, before: LocalRecord | None, issued: LocalRecord, *, attended: bool
) -> Compared:
    """Whether a certificate that was issued is newer than `before`, the one that counts.

    The same end is accepted once in a row, and whenever a person has asked for it: so a device
    alone does not have a CA issue for ever. AgentError: it is one that is held already, or one of
    the same CA that begins earlier.
    """
    check_new(stored, issued)
    certificate = issued.certificate
    if before is None or before.revoked or before.certificate.issuer != certificate.issuer:
        return Compared()
    if issued.end_s < before.end_s:
        return Compared(before_s=before.end_s)
    if certificate.not_before_s < before.certificate.not_before_s:
        raise fail("issued-older", reason="it begins before the one in use")
    same_end = issued.end_s == before.end_s
    if same_end and before.ends_as_before and not attended:
        raise fail("issued-older", reason="it ends no later, for the second time")
    return Compared(same_end)
