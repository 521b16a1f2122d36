"""The way on after a poll without a certificate."""

import pytest

from agent.enrolment.verdicts import ANEW, END, LOOK, RESEND, WAIT, after_lost, after_poll
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
