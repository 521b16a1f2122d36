"""What the code of an error means: the way on after a poll, and who has decided."""

import pytest

from agent import errors
from agent.enrolment.verdicts import (
    ANEW,
    ANSWERED,
    END,
    ENDED,
    FAILURES,
    FORGOTTEN,
    LOOK,
    RESEND,
    STALE,
    WAIT,
    after_lost,
    after_poll,
    is_verdict,
)
from agent.errors import OPERATOR, AgentError, PeerError


def error(code: str) -> AgentError:
    return PeerError(code, "what", "cause", "remedy", OPERATOR)


@pytest.mark.parametrize(
    ("code", "first", "after_a_look"),
    [
        ("ca-badCertId", RESEND, RESEND),  # the signed "I do not know it"
        ("ca-badRequest", END, END),
        ("ca-badMessageCheck", LOOK, END),
        ("certrep-signer", LOOK, WAIT),
        ("http-failed", LOOK, WAIT),  # no proof that a pending request was forgotten
        ("http-not-found", WAIT, WAIT),
        ("connection-refused", WAIT, WAIT),
        ("issued-key", END, END),
    ],
)
def test_a_pending_request(code: str, first: str, after_a_look: str) -> None:
    ways = tuple(after_poll(error(code), looked) for looked in (False, True))
    assert ways == (first, after_a_look)


@pytest.mark.parametrize(
    ("code", "first", "after_a_look"),
    [
        ("ca-badCertId", RESEND, RESEND),
        ("ca-badRequest", RESEND, RESEND),  # it may never have seen the request
        ("http-failed", LOOK, RESEND),
        ("http-not-found", RESEND, RESEND),
        ("certrep-signer", LOOK, WAIT),
        ("connection-refused", WAIT, WAIT),
        ("ca-expired", WAIT, WAIT),
        ("issued-key", END, END),
    ],
)
def test_a_lost_answer(code: str, first: str, after_a_look: str) -> None:
    ways = tuple(after_lost(error(code), looked, False, False) for looked in (False, True))
    assert ways == (first, after_a_look)


@pytest.mark.parametrize(
    ("code", "differs", "way"),
    [
        ("ca-expired", False, ANEW),
        ("http-not-found", True, ANEW),
        ("http-failed", True, ANEW),
        ("http-not-found", False, RESEND),
        ("connection-refused", True, WAIT),
    ],
)
def test_an_application_that_waits_behind_it(code: str, differs: bool, way: str) -> None:
    assert after_lost(error(code), False, True, differs) == way


def test_every_code_is_of_the_catalogue() -> None:
    assert (ANSWERED | STALE | {ENDED, FORGOTTEN}) <= errors.CATALOGUE.keys()


@pytest.mark.parametrize(
    ("code", "decided"),
    [
        *((code, True) for code in sorted(FAILURES)),
        ("issued-key", True),
        *((code, False) for code in sorted((ANSWERED | STALE) - FAILURES)),
        (ENDED, False),
        ("issue", False),
    ],
)
def test_only_the_ca_decides(code: str, decided: bool) -> None:
    """Its signed FAILURE, or a certificate that can never be used."""
    assert is_verdict(AgentError(code, "text", "cause", "remedy", "later")) is decided
