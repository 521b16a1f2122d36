"""GetCert (RFC 8894 3.3.4, 4.5): a certificate that was issued already, asked for by its number.

Fault model. The reply is judged like that to an application, since whoever can make a CA answer
with another certificate would have it installed here: our key, our names, below the pin, in date.
Besides, it must be the one that was named. Many servers have no GetCert, and say so in ways that
mean something else after an application; hence errors of its own.
"""

from __future__ import annotations

from agent.errors import AgentError, fail
from agent.scep import cms_writer, messages, refusals
from agent.scep.enrol import Transaction
from agent.scep.jobmap import Answer, Job, field
from agent.scep.keys import Hands
from hal.ports import Link

_PENDING = "pending"
# Errors of servers that do not know the certificate, or the operation.
_SAID = {
    "ca-badCertId": "getcert-unknown",
    **dict.fromkeys(("ca-badAlg", "ca-badRequest", "ca-failure"), "getcert-refused"),
    **dict.fromkeys(refusals.UNKNOWN_OPERATION, "getcert-refused"),
}


def get(job: Job, hands: Hands, link: Link) -> Answer:
    """The job of `enrol` and {serial: hexadecimal} -> {status: issued, certificate, chain, notes}.
    `renewal` {certificate, key} signs it if there is one."""
    serial = _serial(job)
    transaction = Transaction(job, hands, with_password=False)
    content = cms_writer.issuer_and_serial(transaction.issuer.subject_der, serial)
    try:
        answer = transaction.run(messages.GET_CERT, content, link)
    except AgentError as error:
        if error.code not in _SAID:
            raise
        code, realm = _SAID[error.code], field(job, "realm", str)
        raise fail(code, serial=f"{serial:x}", realm=realm, reason=error.what) from None
    if answer["status"] == _PENDING:  # there is nothing that a CA could have to decide
        raise fail("certrep-status", received=str(messages.PENDING))
    number = field(field(answer, "certificate", dict), "serial", str)
    if number != f"{serial:x}":
        raise fail("getcert-other", got=number, wanted=f"{serial:x}")
    return answer


def _serial(job: Job) -> int:
    try:
        return int(field(job, "serial", str), 16)
    except ValueError:
        raise fail("job-request", field="serial") from None
