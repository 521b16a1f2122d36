"""What an attempt leaves in flash: when a request stays, and what an outcome tells."""

import pytest

from agent import limits
from agent.enrolment import drafts
from agent.enrolment.actions import Now, Policy
from agent.enrolment.states import Granted
from agent.errors import fail, from_map
from hal.records import CaRecord, CertificateRecord, LocalRecord, RequestRecord

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


LEAF = CertificateRecord(b"leaf", "CN=r1", "CN=CA", "2a", NOW.wall_s, NOW.wall_s + 1_000_000)
POLICY = Policy(None, 1, 3)
HALF = POLICY._replace(percent=50)


def test_a_certificate_says_when_it_is_to_be_renewed() -> None:
    local = LocalRecord(LEAF, [], "k1", 1, 0)
    assert drafts.renewal_s(local, POLICY) is None
    assert drafts.renewal_s(local, HALF) == NOW.wall_s + 500_000


def test_what_ends_first_in_the_chain_is_the_end() -> None:
    """Field case 18: no peer accepts a certificate behind the end of its CA."""
    ca, root, other = (
        CertificateRecord(name, "CN=CA", "CN=Root", "01", 0, NOW.wall_s + end_s)
        for name, end_s in ((b"ca", 300_000), (b"root", 200_000), (b"other", 100))
    )
    held = CaRecord("ab", "cd", "ef", 0, "fingerprint", [ca, root, other], [], 0)
    event = Granted(LEAF, (b"ca", b"root"))
    local = drafts.local(event, SENT, held, NOW, HALF)
    assert local.end_s == NOW.wall_s + 200_000
    assert (local.renew_s, local.pin) == (NOW.wall_s + 100_000, "ab")
    alone = drafts.local(event._replace(chain=()), SENT, held, NOW, HALF)
    assert alone.end_s == LEAF.not_after_s
    assert drafts.local(event, SENT, None, NOW, HALF).pin == ""
    assert LocalRecord(LEAF, [], "k1", 1, 0).end_s == LEAF.not_after_s


def test_other_names_are_told_from_those_that_were_asked_for() -> None:
    entity = {"common_name": "r1", "fqdn": None, "ip_addresses": ["192.0.2.1"]}
    first = drafts.names({"entity": entity, "url": "http://a"})
    assert first == drafts.names({"entity": dict(reversed(entity.items())), "url": "http://b"})
    assert first != drafts.names({"entity": {**entity, "fqdn": "r1.example"}})
    assert drafts.names({}) == 0


def test_a_refused_signature_counts_until_the_ca_has_decided_without_it() -> None:
    """Field case 12: no answer to the second request does not lead back to the first."""
    refused = drafts.failed(None, REFUSED, NOW, anew=True)
    assert refused.anew
    assert drafts.failed(refused, TIMEOUT, NOW).anew
    assert not drafts.failed(refused, REFUSED, NOW).anew
    assert not drafts.failed(None, REFUSED, NOW).anew


def test_a_certificate_of_no_use_is_no_failure_and_is_counted() -> None:
    left = drafts.left(drafts.failed(None, TIMEOUT, NOW))
    taught = drafts.taught(left, NOW)
    assert (taught.error, taught.attempts, taught.requests) == (None, 0, 1)


def test_texts_of_a_peer_are_cut_to_what_flash_keeps() -> None:
    error = fail("connection-timeout", host="\u00fc" * 9_999, what="x")
    told = drafts.failed(None, error, NOW).error or {}
    sizes = {name: len(str(value).encode()) for name, value in told.items()}
    assert limits.OUTCOME_TEXT_BYTES - 1 <= max(sizes.values()) <= limits.OUTCOME_TEXT_BYTES
    assert any(str(value).endswith(" ...") for value in told.values())
