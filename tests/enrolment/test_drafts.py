"""What an attempt leaves in flash: when a request stays, and what an outcome tells."""

import pytest

from agent import limits
from agent.enrolment import drafts
from agent.enrolment.actions import Now, Policy
from agent.errors import fail, from_map
from hal.records import CertificateRecord, RequestRecord

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


TIMEOUT = fail("connection-timeout", host="ca", what="x")
REFUSED = fail("ca-badRequest", what="x", text="")


def test_an_outcome_tells_the_error_and_how_often() -> None:
    first = drafts.failed(drafts.begun(None, NOW, attended=True), TIMEOUT, NOW)
    assert (first.at_s, first.attempts, first.since_s) == (NOW.wall_s, 1, NOW.wall_s)
    assert from_map(first.error or {}).what == TIMEOUT.what
    assert drafts.succeeded(NOW)[:3] == (None, NOW.wall_s, 0)


def test_an_attempt_that_nobody_waits_for_keeps_the_error_before_it_until_it_ends() -> None:
    failed = drafts.failed(None, TIMEOUT, NOW)
    alone = drafts.begun(failed, NOW, attended=False)
    assert (alone.error, alone.attempts) == (failed.error, 2)
    assert drafts.begun(failed, NOW, attended=True).error is None


def test_since_when_is_that_of_the_class_of_an_error() -> None:
    later = NOW._replace(wall_s=NOW.wall_s + 3600)
    first = drafts.failed(None, TIMEOUT, NOW)
    again = drafts.failed(first, fail("http-failed", status=502, reason="x", page="-"), later)
    assert (again.since_s, again.at_s) == (NOW.wall_s, later.wall_s)
    assert drafts.failed(again, REFUSED, later).since_s == later.wall_s


def test_requests_that_may_have_been_a_certificate_are_counted() -> None:
    left = drafts.left(drafts.left(None))
    assert left.requests == 2
    assert drafts.failed(left, TIMEOUT, NOW).requests == 2
    assert drafts.failed(left, REFUSED, NOW).requests == 1
    assert drafts.failed(None, REFUSED, NOW).requests == 0
    assert drafts.succeeded(NOW).requests == 0


def test_a_failure_is_written_when_it_is_another_one_and_not_too_often() -> None:
    timeout, refused = (drafts.failed(None, error, NOW) for error in (TIMEOUT, REFUSED))
    lately, later = NOW.monotonic_ns - 1, NOW._replace(monotonic_ns=drafts.NOTED_AGAIN_NS)
    assert drafts.tells_more(None, timeout, lately, NOW)  # the first one is news
    assert not drafts.tells_more(timeout, timeout, None, NOW)
    assert not drafts.tells_more(timeout, refused, lately, NOW)
    assert drafts.tells_more(timeout, refused, 0, later)
    assert drafts.tells_more(timeout, refused, None, NOW)


def test_a_certificate_says_when_it_is_to_be_renewed() -> None:
    leaf = CertificateRecord(b"", "", "", "", NOW.wall_s, NOW.wall_s + 1_000_000)
    policy = Policy(None, 1, 3)
    assert drafts.renewal_s(leaf, policy) is None
    assert drafts.renewal_s(leaf, policy._replace(percent=50)) == NOW.wall_s + 500_000


def test_texts_of_a_peer_are_cut_to_what_flash_keeps() -> None:
    error = fail("connection-timeout", host="\u00fc" * 9_999, what="x")
    told = drafts.failed(None, error, NOW).error or {}
    sizes = {name: len(str(value).encode()) for name, value in told.items()}
    assert limits.OUTCOME_TEXT_BYTES - 1 <= max(sizes.values()) <= limits.OUTCOME_TEXT_BYTES
    assert any(str(value).endswith(" ...") for value in told.values())
