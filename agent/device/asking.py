"""What a person is asked about a CA before it is trusted."""

from __future__ import annotations

from agent.appliance import CaQuestion, Fingerprints
from agent.enrolment import pins
from agent.enrolment.states import CaCertificate
from hal.records import CaRecord


def about(
    candidate: CaCertificate,
    above: tuple[CaCertificate, ...],
    known: CaRecord | None,
    lost: bool,
) -> CaQuestion:
    """The question about a CA and those above it; `known`: the one that is stored; `lost`: there
    was one, and flash has lost it."""
    chain = (Fingerprints(c.sha1, c.sha256, c.certificate.subject) for c in (candidate, *above))
    return CaQuestion(tuple(chain), pins.replaced(candidate, known, lost))
