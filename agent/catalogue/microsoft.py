"""The rows of the catalogue for Microsoft's reasons (HRESULT), which say more than the failInfo
beside them; `agent/scep/refusals.py` leads from the number or its text to a code here."""

from __future__ import annotations

from agent.catalogue.row import OPERATOR, PEER, Row

MICROSOFT: dict[str, Row] = {
    "ndes-challenge": Row(PEER, OPERATOR, "the CA refused: {words}",
        "usually a challenge password that is wrong, used up or older than 60 minutes",
        "get a new one from the NDES administrator and type `password cipher`"),
    "ndes-template": Row(PEER, OPERATOR, "the CA refused: {words}",
        "the certificate template that NDES uses is missing, or not open to its service account",
        "ask the CA's operator to look at the template and at the registry keys of NDES"),
    "ndes-key-size": Row(PEER, OPERATOR, "the CA refused: {words}",
        "the template wants a longer key",
        "make a longer one with `pki rsa local-key-pair create` and name it with"
        " `rsa local-key-pair`"),
    "ndes-subject": Row(PEER, OPERATOR, "the CA refused: {words}",
        "the template or the name constraints of the CA do not allow this subject",
        "check the entity; ask the CA's operator which names are allowed"),
    "ndes-denied": Row(PEER, OPERATOR, "the CA refused: {words}",
        "a rule of the CA, or a missing right of the service account of NDES",
        "ask the CA's operator to look at the CA's failed requests"),
    "ndes-message": Row(PEER, OPERATOR, "NDES could not open the request: {words}",
        "its RA certificates are new and ours old, or it does not know the cipher or the digest",
        "apply again, so that the CA certificates are fetched anew; try"
        " `enrollment-request encryption-algorithm 3des`"),
    "ndes-behind": Row(PEER, OPERATOR, "NDES has no answer of its CA: {words}",
        "the CA behind it is down, or one of its own certificates or CRLs has expired",
        "try again later; ask the CA's operator to look at the event log of NDES"),
}  # fmt: skip
