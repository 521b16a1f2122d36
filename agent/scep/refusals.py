"""Refusals of servers, in tables: HTTP statuses, and Microsoft's HRESULTs.

NDES sends the HRESULT as a signed attribute beside failInfo, or in a page with a status of 500;
some of its texts come without the number. An HTTP page is signed by nobody: it explains, and
decides nothing (`agent/enrolment/verdicts.py`). Pure.
"""

from __future__ import annotations

import re

from agent.errors import CATALOGUE, AgentError, fail
from hal.named import NamedTuple

# RFC 9110 15.5, 15.6; RFC 6585. Others are `http-refused` (4xx) or `http-failed`.
STATUSES: dict[int, str] = {
    401: "http-denied",
    403: "http-denied",
    404: "http-not-found",
    405: "http-method",
    407: "http-proxy",
    408: "http-busy",
    410: "http-not-found",
    411: "http-method",
    413: "http-too-long",
    414: "http-too-long",
    415: "http-method",
    425: "http-busy",
    429: "http-busy",
    431: "http-too-long",
    501: "http-method",
    502: "http-busy",
    503: "http-busy",
    504: "http-busy",
}
LONG_QUERY = 1024  # only a pkiMessage is so long; IIS takes 2,048 unless it is told to take more
_OF_LONG_QUERIES = (400, 404)  # IIS says 404.15

# Errors for an operation that the software of a server does not know (RFC 8894 names no answer).
UNKNOWN_OPERATION = (
    "http-refused", "http-failed", "http-empty", "http-not-found", "http-method",
)  # fmt: skip


class Reason(NamedTuple):
    """An HRESULT of winerror.h, how its text begins (lower case), and the code of the catalogue."""

    number: int
    text: str
    code: str


REASONS = (
    Reason(0x80070057, "the parameter is incorrect", "ndes-challenge"),
    Reason(0x80070005, "access is denied", "ndes-denied"),
    Reason(0x800706BA, "the rpc server is unavailable", "ndes-behind"),
    Reason(0x80091002, "unknown cryptographic algorithm", "ndes-message"),
    Reason(0x80091007, "the hash value is not correct", "ndes-message"),
    Reason(0x8009100B, "the enveloped-data message does not contain the specified recipient",
           "ndes-message"),
    Reason(0x8009100E, "cannot find the original signer", "ndes-message"),
    Reason(0x80092013, "the revocation function was unable to check revocation", "ndes-behind"),
    Reason(0x80094001, "the request subject name is invalid or too long", "ndes-subject"),
    Reason(0x80094006, "the certificate service has been suspended", "ndes-behind"),
    Reason(0x80094011, "the permissions on this certification authority do not allow",
           "ndes-denied"),
    Reason(0x80094012, "the permissions on the certificate template do not allow", "ndes-template"),
    Reason(0x80094800, "the requested certificate template is not supported", "ndes-template"),
    Reason(0x80094801, "the request contains no certificate template information",
           "ndes-template"),
    Reason(0x80094802, "the request contains conflicting template information", "ndes-template"),
    Reason(0x80094811, "the public key does not meet the minimum size required", "ndes-key-size"),
    Reason(0x800B0101, "a required certificate is not within its validity period", "ndes-behind"),
    Reason(0x800B0114, "the certificate has an invalid name", "ndes-subject"),
)  # fmt: skip
_NUMBERS = re.compile(r"0x8[0-9a-f]{7}(?![0-9a-f])|-21[34][0-9]{7}(?![0-9])")


def reason(text: str) -> Reason | None:
    """The first row whose number (hexadecimal, or decimal with its sign) or text is in there."""
    folded = " ".join(text.casefold().split())
    numbers = {int(match, 0) & 0xFFFFFFFF for match in _NUMBERS.findall(folded)}
    return next((row for row in REASONS if row.number in numbers or row.text in folded), None)


class Asked(NamedTuple):
    """The request that was refused: its method, and the length of its target."""

    method: str
    characters: int


def http(asked: Asked, status: int, phrase: str, page: str) -> AgentError:
    """The error of a status of 400 and above. `phrase` and `page` are fit for a terminal."""
    values = {"status": f"{status} {phrase}".rstrip(), "page": page}
    explanation = reason(page)
    if explanation is not None:
        row = CATALOGUE[explanation.code]
        return fail("http-ndes", cause=row.cause, remedy=row.remedy, **values)
    if asked.method == "GET" and asked.characters > LONG_QUERY and status in _OF_LONG_QUERIES:
        return fail("http-query", size=asked.characters, **values)
    default = "http-refused" if 400 <= status < 500 else "http-failed"
    return fail(STATUSES.get(status, default), method=asked.method, **values)
