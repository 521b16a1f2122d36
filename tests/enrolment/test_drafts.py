"""What an attempt leaves in flash: when a request stays, and what an outcome tells."""

import pytest

from agent.enrolment import drafts
from agent.enrolment.actions import Now
from agent.errors import fail, from_map
from hal.records import RequestRecord

NOW = Now(1_700_000_000, 1_000, trusted=True)
SENT = RequestRecord("sent", "ab" * 16, 1, 1, {"key_pair": "k1"}, None, 3, None)


@pytest.mark.parametrize(
    ("phase", "code", "stays"),
    [
        ("fetching", "connection-timeout", False),  # nothing has left
        ("sent", "connection-timeout", True),
        ("pending", "connection-timeout", True),
        ("sent", "ca-badRequest", False),  # the CA has decided
        ("lost", "connection-timeout", True),
    ],
)
def test_without_a_verdict_a_request_that_has_left_is_kept(
    phase: str, code: str, stays: bool
) -> None:
    error = fail(code, host="ca", what="x", text="")
    kept = drafts.kept(SENT._replace(phase=phase), error)
    assert kept == (SENT._replace(phase="lost") if stays else None)
    assert drafts.kept(None, error) is None


def test_an_outcome_tells_the_error_and_how_often() -> None:
    error = fail("connection-timeout", host="ca", what="x")
    found = drafts.outcome(NOW, 2, error)
    assert (found.at_s, found.attempts) == (NOW.wall_s, 2)
    assert from_map(found.error or {}).what == error.what
    assert drafts.outcome(NOW, 0).error is None
