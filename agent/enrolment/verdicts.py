"""The meaning of a job's error for the transaction, and the way on after a poll without a result.

RFC 8894 knows one end of a transaction: a CertRep that the CA has signed. Everything else that can
happen to a request (no answer, a page of HTML, a reply signed by a stranger) leaves open whether
the CA has issued. So errors have three ranks. A verdict is signed by the CA, or refuses what it has
issued: the transaction is over. An answer comes from somebody who got the question and has no
certificate for it: nothing was lost by it, and nothing is to be had. Silence is all the rest.

A poll without a result has one of five ways on, in this order. ANEW: the application that waits
behind the older request takes its place. LOOK: the CA may have new certificates, so they are
fetched, once a poll. RESEND: the CA does not know the transaction, so the request is sent again,
byte for byte (a CA that got it after all answers for it, and does not issue twice). END: a verdict.
WAIT: silence; the same poll later.
"""

from __future__ import annotations

from agent.errors import AgentError
from hal.annotations import Final

ANEW: Final = "anew"
LOOK: Final = "look"
RESEND: Final = "resend"
END: Final = "end"
WAIT: Final = "wait"

# CertRep FAILURE, signed by the CA: it has decided.
FAILURES = frozenset(
    (
        "ca-badAlg",
        "ca-badCertId",
        "ca-badMessageCheck",
        "ca-badRequest",
        "ca-badTime",
        "ca-denied",
        "ca-failure",
        "ca-renewal-refused",
        "ndes-behind",
        "ndes-challenge",
        "ndes-denied",
        "ndes-key-size",
        "ndes-message",
        "ndes-subject",
        "ndes-template",
    )
)
# Somebody answers a CertPoll without a certificate: the server does not know the transaction, or
# does not know CertPoll (micromdm and step-ca answer it with HTTP 500).
ANSWERED = FAILURES | {
    "certrep-malformed",
    "http-denied",
    "http-empty",
    "http-failed",
    "http-malformed",
    "http-method",
    "http-ndes",
    "http-not-found",
    "http-query",
    "http-refused",
    "http-too-long",
    "ra-not-asked",
}

# Signs of new certificates at the CA or its RA: it cannot decrypt what is encrypted for the old
# one, or signs with the new one. In the other cases nothing was sent, because the certificates that
# we have cannot be used.
STALE = frozenset(
    (
        "ca-badMessageCheck",
        "ca-cannot-encrypt",
        "ca-pin-missing",
        "certrep-signer",
        "http-failed",
        "http-ndes",
        "http-refused",
        "ndes-message",
        "ra-missing",
        "ra-not-asked",
        "ra-pin-mismatch",
        "ra-purpose",
        "ra-purpose-lost",
        "ra-unusable",
    )
)
FORGOTTEN = "ca-badCertId"  # answers a poll for a transaction that the CA does not know
ENDED = "ca-expired"  # the pinned CA has expired, so the poll was not sent


def is_verdict(error: AgentError) -> bool:
    """Whether the transaction is over: the CA has decided, or its certificate can never be used.

    An error that the CA has not signed (HTTP, a forged reply) ends the attempt at most.
    """
    return error.code in FAILURES or error.code.startswith("issued-")


def after_poll(error: AgentError, looked: bool) -> str:
    """The way on after a poll of a pending request. `looked`: the CA set was fetched for this poll.

    The CA has said PENDING to this transaction. So an HTTP error is no proof that it has forgotten
    it; only its signed badCertId is.
    """
    if error.code in STALE and not looked:
        return LOOK
    if error.code == FORGOTTEN:
        return RESEND
    return END if is_verdict(error) else WAIT


def after_lost(error: AgentError, looked: bool, waits: bool, differs: bool) -> str:
    """The way on after a poll for an answer that was lost.

    It is not known whether the CA ever got the request, so any answer without a certificate counts
    as "not known here". `waits`: another application waits for the end of this one; `differs`: it
    would be made otherwise, so the request is not sent again in its place.
    """
    answered = error.code in ANSWERED
    if waits and (error.code == ENDED or (answered and differs)):
        return ANEW
    if error.code in STALE and not looked:
        return LOOK
    if answered:
        return RESEND
    return END if is_verdict(error) else WAIT
