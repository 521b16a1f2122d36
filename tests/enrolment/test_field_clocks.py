"""Renewals that went wrong in the field because a clock did, played on the engine in virtual time:
field cases 5 and 6."""

import pytest

from agent import limits
from agent.enrolment.actions import Policy
from agent.enrolment.states import Due, Event, Granted, State
from agent.errors import fail
from tests.enrolment.test_field_cases import AT_ONCE, born
from tests.helpers.engine_life import AUTO, DAY_S, HOUR_S, START_S, Answer, Life, grants

# -- 5: not yet valid ------------------------------------------------------------------------------


@pytest.mark.parametrize(("left_h", "turn_h"), [(72, 20), (5, 5)])
def test_what_begins_in_the_future_of_its_peers_waits_for_that(left_h: int, turn_h: int) -> None:
    life = born(AT_ONCE, days=30)
    life.ca = grants(30, backdated_days=-20 / 24)
    turn_s = 30 * DAY_S - left_h * HOUR_S + turn_h * HOUR_S
    life.engine.policy = life.policy = AT_ONCE._replace(percent=None)
    life.run(30 * DAY_S - left_h * HOUR_S)
    life.engine.policy = life.policy = AT_ONCE
    life.tell(life.application())
    assert (life.serial, life.engine.stored.next is not None) == ("1", True)
    life.run(turn_s - 1)
    assert life.serial == "1"
    life.run(turn_s)
    assert life.serial == "2"
    assert len(life.issued_s) == 2


# -- 5 (b): a clock that is years off --------------------------------------------------------------

WEEKS_S = 1024 * 7 * DAY_S  # what a receiver counts around


def by_its_own_clock(off_s: int, days: float = 398) -> Answer:
    """A CA whose clock stands so far from that of the device, and the child's word about that."""

    def answer(life: Life) -> Event:
        begin_s = life.now.wall_s + off_s
        found = life.granted(begin_s, begin_s + round(days * DAY_S))
        wrong = not begin_s - limits.AHEAD_S <= life.now.wall_s < found.certificate.not_after_s
        return found._replace(doubt=fail("issued-dates", reason="x") if wrong else None)

    return answer


def stepped(life: Life, by_s: int) -> None:
    life.now = life.now._replace(wall_s=life.now.wall_s + by_s)


@pytest.mark.parametrize("policy", [AT_ONCE, AUTO], ids=["at once", "in its turn"])
def test_what_is_right_but_for_its_dates_is_kept_until_the_clock_is_set(policy: Policy) -> None:
    life = born(policy, days=398)
    life.run(100 * DAY_S)
    life.ca = by_its_own_clock(-WEEKS_S)
    stepped(life, WEEKS_S)
    life.run(life.age_s + 6 * HOUR_S)
    assert (life.serial, len(life.issued_s)) == ("1", 2)  # one application, and nothing deleted
    assert life.flash.next is not None
    assert life.flash.next.certificate.serial == "2"
    assert life.engine.error is not None
    assert life.engine.error.code == "issued-dates"
    stepped(life, -WEEKS_S)
    life.run(life.age_s + 1)
    assert (life.serial, life.flash.next, len(life.issued_s)) == ("2", None, 2)
    assert (life.engine.state, life.engine.error) == (State.ISSUED, None)
    life.run(101 * DAY_S)
    assert len(life.issued_s) == 2


def test_it_waits_through_starts_without_a_time() -> None:
    """Which of the two clocks is wrong is not known then either."""
    life = born(AT_ONCE, days=398)
    life.ca = by_its_own_clock(-WEEKS_S)
    stepped(life, WEEKS_S)
    life.run(life.age_s + HOUR_S)
    life.reboot(trusted=False)
    life.tell(Due())
    assert life.serial == "1"
    life.reboot(trusted=True)
    life.run(life.age_s + HOUR_S)
    assert life.serial == "1"
    stepped(life, -WEEKS_S)
    life.run(life.age_s + 1)
    assert life.serial == "2"


def test_a_ca_whose_clock_is_wrong_costs_one_try_a_day_and_no_certificate_in_use() -> None:
    life = born(AT_ONCE, days=30)
    life.ca = by_its_own_clock(-WEEKS_S, days=30)
    life.run(29 * DAY_S)
    assert (life.serial, life.valid) == ("1", True)
    assert 3 <= len(life.issued_s) <= 6  # in two days; a day is 18 hours in a window of three
    life.ca = grants(30)
    life.run(30 * DAY_S - HOUR_S)
    assert life.valid
    assert life.flash.next is None
    assert life.flash.local is not None
    assert life.flash.local.end_s > START_S + 30 * DAY_S


def test_one_that_begins_in_days_comes_into_use_when_it_begins() -> None:
    life = born(AT_ONCE, days=30)
    life.ca = by_its_own_clock(2 * DAY_S, days=30)
    life.tell(life.application())
    life.ca = grants(30)
    assert (life.serial, len(life.issued_s)) == ("1", 2)
    life.run(2 * DAY_S - 1)
    assert life.serial == "1"
    life.run(2 * DAY_S + 1)
    assert (life.serial, len(life.issued_s)) == ("2", 2)


def test_it_takes_no_place_of_a_better_one_and_is_no_old_one() -> None:
    life = born(AUTO._replace(percent=50), days=30)
    life.run(16 * DAY_S)
    waits = life.flash.next
    assert waits is not None
    life.ca = by_its_own_clock(-WEEKS_S)
    life.tell(life.application())
    assert life.flash.next == waits
    held = life.flash.local
    assert held is not None
    life.ca = lambda _life: Granted(held.certificate, (), doubt=fail("issued-dates", reason="x"))
    life.tell(life.application())
    assert life.ends[-1] == "issued-old"
    assert life.flash.next == waits


# -- 6: a board without a battery ------------------------------------------------------------------


def test_at_a_start_without_a_clock_the_one_that_waits_takes_over() -> None:
    life = born(AUTO._replace(percent=50), days=10)
    life.run(9 * DAY_S)
    assert (life.serial, life.engine.stored.next is not None) == ("1", True)
    life.reboot(wall_s=START_S, trusted=False)
    life.tell(Due())
    assert life.serial == "2"


@pytest.mark.parametrize("by", ["a start", "a jump"])
def test_a_start_or_a_jump_that_finds_the_old_one_ended_takes_over_at_once(by: str) -> None:
    """Off, or asleep, over the last hour of the old one: that is all that was left for its turn."""
    life = born(AUTO._replace(percent=50), days=10)
    life.run(9.9 * DAY_S)
    assert (life.serial, life.engine.stored.next is not None) == ("1", True)
    stepped(life, DAY_S)
    if by == "a start":
        life.reboot()
    life.run(life.age_s)
    assert (life.serial, life.valid) == ("2", True)
    assert life.days(life.issued_s)[:2] == [0, 5]
