"""The way of an application for a further certificate, and the test of its outcome. Pure.

RFC 8894 2.3: the holder of a certificate of this CA signs with it and sends a RenewalReq, if the CA
lists `Renewal`. Everybody else, also after expiry, sends a PKCSReq signed by a certificate of its
own making, with the challenge password. Servers differ, so the realm's `compatibility` decides
first. A clock that is not trusted calls no certificate expired.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.enrolment.actions import Now, Policy, Stored
from agent.enrolment.states import Apply
from agent.errors import fail
from hal.records import CaRecord, CertificateRecord, LocalRecord, RenewalRecord

PKCS_REQ, RENEWAL_REQ = 19, 17
# Keyword of `compatibility` -> messageType that the certificate in use signs; None: it signs none.
_ASKED: dict[str, int | None] = {
    "renew-by-pkcsreq": None,
    "renew-by-signed-pkcsreq": PKCS_REQ,
    "renew-by-renewalreq": RENEWAL_REQ,
}
WITH_PASSWORD = "renew-with-password"  # noqa: S105  # a keyword


def may_sign(event: Apply, local: LocalRecord | None) -> RenewalRecord | None:
    """The certificate that could sign a renewal, before the capabilities of the CA are known."""
    if local is None or not event.renewable:
        return None
    return RenewalRecord(RENEWAL_REQ, local.certificate, local.key, local.generation, False)


def decide(
    candidate: RenewalRecord | None,
    ca: CaRecord,
    caps: Sequence[str],
    compatibility: tuple[str, ...],
    now: Now,
) -> RenewalRecord | None:
    """The way of the request, by the CA set and the capabilities of the CA."""
    if candidate is None or not usable(candidate.certificate, ca, now):
        return None
    message_types = [_ASKED[word] for word in _ASKED if word in compatibility]
    default = RENEWAL_REQ if "renewal" in {cap.casefold() for cap in caps} else None
    message_type = message_types[0] if message_types else default
    if message_type is None:
        return None
    with_password = message_type == PKCS_REQ or WITH_PASSWORD in compatibility
    return candidate._replace(message_type=message_type, with_password=with_password)


def usable(certificate: CertificateRecord, ca: CaRecord, now: Now) -> bool:
    """Whether a certificate is in date, and from a CA of this set or its lineage: others do not
    know it."""
    if now.trusted and not certificate.not_before_s <= now.wall_s < certificate.not_after_s:
        return False
    members = [*ca.certificates, *(link.certificate for link in ca.lineage)]
    return certificate.issuer in {member.subject for member in members}


def differs(event: Apply, stored: Stored, policy: Policy, now: Now) -> bool:
    """Whether the password or the signer of an application differs from those of the request."""
    request, candidate = stored.request, may_sign(event, stored.local)
    if request is None or stored.ca is None:
        return request is None or (event.password, None) != (request.password, request.renewal)
    signer = decide(candidate, stored.ca, request.caps, policy.compatibility, now)
    return (event.password, signer) != (request.password, request.renewal)


def said(renewal: RenewalRecord | None) -> str:
    """The way a request is made, for a log line."""
    if renewal is None:
        return "applying"
    kind = "RenewalReq" if renewal.message_type == RENEWAL_REQ else "PKCSReq"
    return f"renewing by {kind}, signed with certificate {renewal.certificate.serial},"


def check_newer(before: LocalRecord | None, issued: CertificateRecord, *, attended: bool) -> bool:
    """Whether the CA is near its own end: the new certificate ends when the old one does.

    That is accepted once in a row, and whenever a person has asked for it: so a device alone does
    not have a CA issue for ever. AgentError `issued-old`: it is the certificate in use, or one of
    the same CA that begins or ends earlier.
    """
    if before is None:
        return False
    in_use = before.certificate
    if in_use.der == issued.der:  # an old answer played again: whoever sent it, it is no renewal
        raise fail("issued-old", serial=issued.serial)
    if in_use.issuer != issued.issuer:
        return False
    if in_use.serial == issued.serial:
        raise fail("issued-older", reason=f"it has the same serial number {issued.serial}")
    if issued.not_before_s < in_use.not_before_s or issued.not_after_s < in_use.not_after_s:
        raise fail("issued-older", reason="it begins or ends before the one in use")
    same_end = issued.not_after_s == in_use.not_after_s
    if same_end and before.ends_as_before and not attended:
        raise fail("issued-older", reason="it ends no later, for the second time")
    return same_end
