"""What an attempt leaves in flash: when a request stays, and what an outcome tells."""

import pytest

from agent import limits
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


def test_texts_of_a_peer_are_cut_to_what_flash_keeps() -> None:
    error = fail("connection-timeout", host="\u00fc" * 9_999, what="x")
    told = drafts.outcome(NOW, 1, error).error or {}
    sizes = {name: len(str(value).encode()) for name, value in told.items()}
    assert limits.OUTCOME_TEXT_BYTES - 1 <= max(sizes.values()) <= limits.OUTCOME_TEXT_BYTES
    assert any(str(value).endswith(" ...") for value in told.values())
