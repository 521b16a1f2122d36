"""The question to a person about a CA, before it is trusted."""

from __future__ import annotations

from agent.appliance import CaQuestion, Fingerprints
from agent.enrolment import pins
from agent.enrolment.states import CaCertificate
from hal.records import CaRecord


def about(
    candidate: CaCertificate,
    above: tuple[CaCertificate, ...],
    stored: CaRecord | None,
    lost: bool,
) -> CaQuestion:
    """The question about a CA and the CAs above it. `stored`: the CA that is trusted until now;
    `lost`: there was one, and flash has lost it."""
    chain = (Fingerprints(c.sha1, c.sha256, c.certificate.subject) for c in (candidate, *above))
    return CaQuestion(tuple(chain), pins.replaced(candidate, stored, lost))
