"""The job `next-ca`: GetNextCACert (RFC 8894 4.7), verified under the stored CA set.

A CA that has not made its successor yet lists the operation all the same (OpenXPKI), or answers 404
(Ultimate CA Manager) or 403 (XiPKI): that is no fault of anybody, and has an error of its own.
"""

from __future__ import annotations

from agent import limits
from agent.errors import AgentError, fail
from agent.scep import ca_query, names, ra, refusals, relations, succession, transport
from agent.scep.certificate import Certificate
from agent.scep.jobmap import Answer, Job, text_or_none
from agent.scep.stored import ca_of
from agent.scep.succession import RollOver
from hal.ports import Link

_NOT_YET = (*refusals.UNKNOWN_OPERATION, "http-denied")


def fetch(job: Job, link: Link) -> Answer:
    """{url, ca_id, source, ca, ra, weak, ...} -> {certificates, message, via, notes}"""
    ca = ca_of(job)
    message = _asked(ca_query.exchange_of(job, link), text_or_none(job, "ca_id"))
    signer = succession.signer(message, ca, ra.issuing(ca, ra.rules_of(job)))
    via = [
        authority.certificate.der
        for authority in signer.above()
        if authority.certificate != ca.named
    ]
    notes: list[str] = []
    members = succession.members(RollOver(ca.named.der, message, tuple(via)), ca.rules, notes)
    _check_dates(members, ca.rules.now_s)
    certificates = relations.described(members, ca.rules._replace(crl=None), ra.typed(job))
    return {"certificates": certificates, "message": message, "via": via, "notes": notes}


def _asked(exchange: transport.Exchange, ca_id: str | None) -> bytes:
    try:
        return exchange.get("GetNextCACert", ca_id, limits.NEXT_CA_BYTES)
    except AgentError as error:
        if error.code not in _NOT_YET:
            raise
        raise fail("next-ca-none", reason=error.what) from None


def _check_dates(members: list[Certificate], now_s: int | None) -> None:
    """It may begin later, but must not have ended."""
    for member in members:
        if now_s is not None and member.is_ca and member.not_after_s <= now_s:
            raise fail("ca-expired", subject=names.shown(member.subject))
