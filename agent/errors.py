"""The two families of errors; what they say is one table (`agent/catalogue/table.py`).

Whoever reads an error must know who is at fault, what probably caused it and what to do next.
`PeerError`: the CA, the RA or the network between was wrong. `LocalError`: we were, or what was
configured. Nothing else leaves the protocol core or the device; what a library throws is converted
at the border where it is called.

A code is an interface: it stands in logs, in JSON and in the store. `retry` tells the engine what
to do: `now` (once more in this attempt), `later` (back off), `operator` (a person must change
something). Of a peer, only what the CA has signed or issued is for a person: the rest may be
anybody's, and passes (`tests/house/test_retry_classes.py`). A person who waits is told at once of
both of these; nothing is tried again until they type. `after_s`: how long the peer asked to be left
alone, in seconds (0: it did not say).
"""

from __future__ import annotations

from agent.catalogue.table import CATALOGUE, LATER, LOCAL, NOW, OPERATOR, PEER
from agent.visible import brief

__all__ = (
    "CATALOGUE", "LATER", "LOCAL", "NOW", "OPERATOR", "PEER",
    "AgentError", "LocalError", "PeerError", "fail", "from_map",
)  # fmt: skip


class AgentError(Exception):
    """An error of the product: code, what happened, likely cause, next step, retry class."""

    def __init__(self, code: str, what: str, cause: str, remedy: str, retry: str) -> None:
        super().__init__(what)
        self.code, self.what, self.cause, self.remedy, self.retry = code, what, cause, remedy, retry
        self.after_s = 0

    def of_realm(self, name: str, url: str = "enrollment-url ...") -> AgentError:
        """The same about a realm: its next step becomes what can be typed.

        `url` is the realm's `enrollment-url` without its RA, for a step that pins the RA.
        """
        pinning = " ra fingerprint"
        remedy = self.remedy.replace("realm ...", f"realm {name}")
        remedy = remedy.replace(f"enrollment-url ...{pinning}", url + pinning)
        found = type(self)(self.code, self.what, self.cause, remedy, self.retry)
        found.after_s = self.after_s
        return found

    def as_map(self) -> dict[str, object]:
        """The form in which it crosses the job channel and lies in the store."""
        return {
            "error": self.code,
            "what": self.what,
            "cause": self.cause,
            "remedy": self.remedy,
            "retry": self.retry,
            "after_s": self.after_s,
        }


class PeerError(AgentError):
    """The CA, the RA or the network was wrong."""


class LocalError(AgentError):
    """We, our storage or our configuration were wrong."""


_NAMES = ("subject", "issuer")  # of certificates, which somebody else has chosen


def fail(code: str, **values: object) -> AgentError:
    """The error of a code, its texts filled in: `raise fail("realm-unknown", realm=name)`.

    Names of certificates take less than a row of a terminal, whatever stands in them.
    """
    row = CATALOGUE[code]
    values = {key: brief(str(v)) if key in _NAMES else v for key, v in values.items()}
    family = PeerError if row.family == PEER else LocalError
    what, cause, remedy = (text.format_map(values) for text in (row.what, row.cause, row.remedy))
    return family(code, what, cause, remedy, row.retry)


def from_map(answer: dict[str, object]) -> AgentError:
    """Rebuilds an error from a map that another process wrote; no field of it is trusted."""
    code = answer.get("error")
    if not isinstance(code, str) or code not in CATALOGUE:
        return fail("job-answer")
    texts = []
    for field in ("what", "cause", "remedy"):
        text = answer.get(field)
        texts.append(text[:1024] if isinstance(text, str) else "")
    family = PeerError if CATALOGUE[code].family == PEER else LocalError
    found = family(code, texts[0], texts[1], texts[2], CATALOGUE[code].retry)
    after_s = answer.get("after_s")
    found.after_s = after_s if type(after_s) is int and after_s > 0 else 0
    return found
