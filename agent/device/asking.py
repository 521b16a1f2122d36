"""Questions to a person: about a CA before it is trusted, about a certificate of a short life."""

from __future__ import annotations

from agent.appliance import CaQuestion, Fingerprints
from agent.enrolment import pins
from agent.enrolment.actions import Choose
from agent.enrolment.states import CaCertificate
from hal import calendar
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


def about_end(wanted: Choose) -> str:
    """The question about a certificate that ends before the one in use."""
    return (
        f"The new certificate ends {calendar.text(wanted.issued_ends_s)}, before the one in use,"
        f" which ends {calendar.text(wanted.ends_s)}. Take it into use at once?"
    )
