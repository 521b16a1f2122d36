"""Requests that are refused, given up or of no use any more, played in virtual time: field cases 11
and 12, and what the walk of the graph has found."""

import pytest

from agent.enrolment.states import (
    Abort,
    Configured,
    Due,
    Event,
    JobFailed,
    NotStored,
    State,
    Waiting,
)
from agent.errors import fail
from tests.enrolment.test_field_cases import AT_ONCE, born
from tests.helpers.engine_bench import FULL
from tests.helpers.engine_life import DAY_S, HOUR_S, Life, grants, lasting, refuses

# -- 11: another CA, other names -------------------------------------------------------------------


def test_another_ca_is_applied_to_at_once_as_by_a_new_device() -> None:
    life = born(AT_ONCE)
    life.run(30 * DAY_S)
    life.engine.policy = life.policy = AT_ONCE._replace(fingerprint=("sha256", "sha256 CN=Other"))
    life.authority = lasting("CN=Other")
    life.ca = refuses("ca-badRequest")
    life.tell(Configured())
    life.run(30 * DAY_S + 60)
    assert (life.serial, life.sent[-1].renewal) == ("1", None)  # served until there is another
    life.ca = grants(10)
    life.run(32 * DAY_S)
    assert life.serial == "2"
    local = life.engine.stored.local
    assert local is not None
    assert local.certificate.issuer == "CN=Other"


def test_other_names_are_asked_for_at_the_renewal_point_with_the_challenge() -> None:
    life = born(AT_ONCE)
    life.run(30 * DAY_S)
    life.settings["entity"] = {"common_name": "r2"}
    life.tell(Configured())
    life.run(357.9 * DAY_S)
    assert len(life.sent) == 1
    life.run(358 * DAY_S)
    assert [request.renewal for request in life.sent] == [None, None]
    assert life.serial == "2"


# -- 12: a CA that has lost its memory -------------------------------------------------------------


def test_a_refused_renewal_is_followed_by_one_request_with_the_challenge() -> None:
    life = born(AT_ONCE)

    def forgetful(held: Life) -> object:
        request = held.engine.request
        signed = request is not None and request.renewal is not None
        return refuses("ca-badMessageCheck")(held) if signed else grants(365)(held)

    life.ca = forgetful  # type: ignore[assignment]
    life.run(358 * DAY_S + 10)
    assert [bool(request.renewal) for request in life.sent[1:]] == [True, False]
    assert life.serial == "2"


def test_both_refused_are_one_try_of_both_a_day() -> None:
    life = born(AT_ONCE)
    life.ca = refuses("ca-badRequest")
    life.run(364 * DAY_S)
    ways = [bool(request.renewal) for request in life.sent[1:]]
    assert ways == [True, False] * (len(ways) // 2)
    assert 4 <= len(ways) // 2 <= 12
    assert life.valid


def test_without_a_challenge_it_is_one_a_day() -> None:
    life = born(AT_ONCE, password=None)
    life.ca = refuses("ca-badMessageCheck")
    life.run(359 * DAY_S - 1)
    assert 1 <= len(life.sent) - 1 <= 2


# -- found by the walk of the graph ----------------------------------------------------------------


def given_up(life: Life) -> None:
    """A person gives up what the realm has asked for by itself."""
    life.ca = lambda _life: Waiting()
    life.tell(life.application())
    life.tell(Abort())


@pytest.mark.parametrize("rebooted", [False, True])
def test_what_a_person_gives_up_may_have_been_issued_and_counts(rebooted: bool) -> None:
    life = born(AT_ONCE)
    life.run(358 * DAY_S - 1)
    for _time in range(2):
        given_up(life)
    sent = len(life.sent)
    if rebooted:
        life.reboot()
    life.ca = grants(365)
    life.run(358 * DAY_S + DAY_S // 2 - 60)
    assert len(life.sent) == sent
    life.run(360 * DAY_S)
    assert len(life.sent) == sent + 1


def test_after_that_it_applies_again_but_not_at_once() -> None:
    life = born(AT_ONCE)
    life.run(358 * DAY_S - 1)
    given_up(life)
    sent = len(life.sent)
    life.ca = grants(365)
    life.run(358 * DAY_S + HOUR_S - 2)
    assert len(life.sent) == sent
    life.run(358 * DAY_S + HOUR_S + 2)
    assert len(life.sent) == sent + 1


def test_a_verdict_before_a_request_has_left_takes_nothing_from_the_count() -> None:
    life = born(AT_ONCE)
    given_up(life)
    life.engine.handle(life.application(), life.now)
    assert life.engine.state is State.FETCHING
    life.engine.handle(refuses("ca-badRequest")(life), life.now)
    assert life.engine.stored.outcome is not None
    assert life.engine.stored.outcome.requests == 1


def test_a_verdict_that_flash_does_not_take_leaves_its_request_counted() -> None:
    life = born(AT_ONCE)
    life.ca = lambda _life: Waiting()
    life.tell(life.application())
    life.engine.handle(Due(), life.now)
    life.engine.handle(refuses("ca-badRequest")(life), life.now)
    life.engine.handle(NotStored(FULL), life.now)
    outcome = life.engine.stored.outcome
    assert outcome is not None
    assert outcome.requests == 1


def test_what_a_person_gives_up_is_not_followed_in_a_second() -> None:
    """The second request of a renewal, as that of a new device."""
    life = born(AT_ONCE)
    life.run(358 * DAY_S - 1)
    life.ca = refuses("ca-badRequest")
    life.tell(life.application())
    life.ca = lambda _life: Waiting()
    life.run(358 * DAY_S)
    assert [bool(request.renewal) for request in life.sent[1:]] == [True, False]
    life.tell(Abort())
    life.run(358 * DAY_S + DAY_S // 2 - 60)
    assert len(life.sent) == 3


# -- 12 (b): the device lost its memory ------------------------------------------------------------


def test_a_flash_of_two_months_ago_asks_for_its_old_request_once_and_then_anew() -> None:
    life = born(AT_ONCE)
    life.run(100 * DAY_S)
    life.ca = lambda _life: JobFailed(fail("answer-timeout", host="ca", seconds=30))
    life.tell(life.application())  # its answer is lost, and the record of it is what comes back
    former = life.flash
    assert former.request is not None
    assert former.request.phase == "lost"
    life.ca = grants(365)
    life.run(160 * DAY_S)
    asked: list[str] = []

    def restored(held: Life) -> Event:
        request = held.engine.request
        assert request is not None
        asked.append(request.transaction)
        old = former.request is not None and request.transaction == former.request.transaction
        answer = refuses("ca-badCertId") if old else grants(365)
        return answer(held)

    issued = len(life.issued_s)
    life.ca, life.flash = restored, former
    life.reboot()
    life.run(160 * DAY_S + 2 * DAY_S)
    life.tell(life.application())
    life.run(365 * DAY_S - 1)
    assert (
        1 <= asked.count(former.request.transaction) <= 2
    )  # one question, and the same bytes once
    assert asked[-1] != former.request.transaction
    assert len(life.issued_s) - issued <= 2
    assert life.valid
