"""How often an attempt tries again, and when."""

import pytest

from agent import errors, limits
from agent.enrolment import retries
from agent.enrolment.actions import Policy
from agent.enrolment.retries import Tries

MINUTE_NS = 60_000_000_000


def busy(after_s: int = 0) -> errors.AgentError:
    error = errors.fail("http-busy", status=503, reason="Busy", page="-")
    error.after_s = after_s
    return error


@pytest.mark.parametrize(
    ("attended", "poll_times", "tries"),
    [(True, 5, Tries(0, 2)), (True, 1, Tries(0, 1)), (False, 5, Tries())],
)
def test_an_attempt_begins_with_what_the_realm_allows(
    attended: bool, poll_times: int, tries: Tries
) -> None:
    assert retries.begun(attended, poll_times) == tries


def test_after_a_start_a_realm_that_does_not_apply_by_itself_has_those_of_its_polls() -> None:
    by_hand = Policy(None, 1, 5)
    assert retries.resumed(by_hand) == Tries(5, 0)
    assert retries.resumed(by_hand._replace(percent=80)) == Tries()


def test_a_busy_server_first_uses_up_the_short_pauses() -> None:
    left, deadline_ns = retries.after(busy(), Tries(1, 1), 0, 1) or (None, None)
    assert (left, deadline_ns) == (Tries(1, 0), limits.AGAIN_S * 1_000_000_000)
    assert retries.after(busy(), Tries(1, 0), 0, 1) == (Tries(0, 0), MINUTE_NS)
    assert retries.after(busy(), Tries(0, 0), 0, 1) is None


def test_a_long_wish_to_be_left_alone_is_no_short_pause() -> None:
    asked_s = limits.RETRY_AFTER_S + 1
    assert retries.after(busy(asked_s), Tries(0, 2), 0, 1) is None
    assert retries.after(busy(asked_s), Tries(1, 2), 0, 1) == (Tries(0, 2), MINUTE_NS)


def test_another_error_is_tried_again_only_where_nobody_waits() -> None:
    error = errors.fail("ca-no-ca")
    assert retries.after(error, Tries(0, 2), 0, 3) is None
    assert retries.after(error, Tries(1, 2), 7, 3) == (Tries(0, 2), 7 + 3 * MINUTE_NS)
