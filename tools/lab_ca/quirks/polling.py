"""PENDING and CertPoll: what servers say while an operator thinks (RFC 8894 3.3.3, 4.4)."""

from tools.lab_ca import request as scep
from tools.lab_ca.answer import HttpError
from tools.lab_ca.hooks import Hooks, refuses
from tools.lab_ca.quirks.request import refused
from tools.lab_ca.reply import FAILURE, PENDING, SUCCESS, Reply
from tools.lab_ca.request import Asked


def _failed(reply: Reply, text: str) -> Reply:
    return reply._replace(
        status=FAILURE, fail_info="badRequest", fail_info_text=text, recipient=None, issued=()
    )


def _says_success(reply: Reply) -> Reply:
    return reply._replace(status=SUCCESS) if reply.status == PENDING else reply


def _says_failure(reply: Reply) -> Reply:
    return _failed(reply, "waiting for approval") if reply.status == PENDING else reply


def _fails_at_the_end(reply: Reply) -> Reply:
    done = reply.asked == scep.CERT_POLL and reply.status == SUCCESS
    return _failed(reply, "the request could not be completed") if done else reply


def _whole_chain(reply: Reply) -> Reply:
    if reply.status != PENDING:
        return reply
    authority = reply.authority
    own = reply.certificates[0].dump()
    others = [item for item in authority.published if item.dump() != own]
    return reply._replace(certificates=(*authority.shelf(), *reply.certificates, *others))


def _is_poll(asked: Asked) -> bool:
    return asked.csr is None


POLLING: dict[str, Hooks] = {
    "waiting-success": Hooks(
        "SUCCESS without a certificate while a request waits for approval (Dogtag)",
        reply=_says_success,
    ),
    "waiting-failure": Hooks(
        "FAILURE while a request waits for approval (Dogtag)", reply=_says_failure
    ),
    "poll-failure": Hooks(
        "PENDING, then FAILURE at the poll though a certificate was issued (OmniTrust ILM)",
        reply=_fails_at_the_end,
    ),
    "pending-chain": Hooks(
        "a PENDING carries every certificate that the server has at hand (jscep)",
        reply=_whole_chain,
    ),
    "poll-500": Hooks(
        "CertPoll is unknown: HTTP 500 (micromdm, step-ca)",
        judge=refuses(_is_poll, HttpError, 500, "not implemented"),
    ),
    "poll-unknown": Hooks(
        "a poll finds its transaction forgotten: badCertId (servers that were restarted)",
        judge=refused(_is_poll, "badCertId", "no such transaction"),
    ),
}
