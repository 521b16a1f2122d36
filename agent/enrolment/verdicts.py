"""What the error of a job means for the transaction: decided, answered, or only silence."""

from agent.errors import AgentError

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
# Somebody answers a CertPoll, but not with what was asked for: the transaction is not known there,
# or CertPoll is not (micromdm and step-ca say so with HTTP 500).
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

# So may a poll end when the CA or its RA has new certificates since they were fetched: it cannot
# decrypt what is for the old one, or signs with the new one. Or nothing was sent at all, because
# the old ones cannot be used, or no more.
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
FORGOTTEN = "ca-badCertId"  # the answer to a poll for a transaction that the CA does not know
ENDED = "ca-expired"  # nobody can answer for a CA any more: the poll was not even sent


def is_verdict(error: AgentError) -> bool:
    """The CA itself has decided, or has issued what can never be used: the transaction is over.
    What was not signed by it (an HTTP error, a forged reply) ends the attempt, never that."""
    return error.code in FAILURES or error.code.startswith("issued-")
