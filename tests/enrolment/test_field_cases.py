"""Renewals that went wrong in the field, played on the engine in virtual time.

The numbers are those of the cases: a life in days, the day of each event, how many certificates.
Cases that need a whole device are in tests/device: 7 (test_realms.py), 13 (test_identity.py), 15
(test_alarms.py), 17 (test_application.py, test_orphans.py), 21 (test_new_key.py); 14 is a herd
(tests/tools/test_sim.py), and 8, 9, 10, 16 and 22 need consumers.
"""

from itertools import pairwise

import pytest

from agent.enrolment import automatic
from agent.enrolment.states import (
    Chosen,
    Installed,
    Listed,
    State,
    Waiting,
)
from hal.records import LocalRecord
from tests.helpers.engine_life import (
    AUTO,
    DAY_S,
    HOUR_S,
    START_S,
    Life,
    busy,
    grants,
    refuses,
)

AT_ONCE = AUTO._replace(at_once=True)
HALF = AT_ONCE._replace(percent=50)


def born(policy: object = AUTO, days: float = 365, **more: object) -> Life:
    """A realm with its first certificate, of so many days, on day 0."""
    life = Life(policy, first=grants(days), **more)  # type: ignore[arg-type]
    life.begin()
    life.run(0)
    assert life.issued_s == [0]
    return life


# -- 1: the CA cuts the life that it grants --------------------------------------------------------


@pytest.mark.parametrize(("percent", "day", "last_day"), [(50, 199, 374.5), (100, 391, None)])
def test_a_shorter_life_is_a_lesson_and_no_certificate_a_day(
    percent: int, day: float, last_day: float | None
) -> None:
    life = born(AT_ONCE._replace(percent=percent), days=398)
    life.ca = grants(47) if percent == 50 else grants(5)
    life.run((398 - 1) * DAY_S if last_day is None else (last_day - 0.01) * DAY_S)
    assert life.days(life.issued_s[:2]) == [0, day]
    assert len(life.issued_s) == 2 or percent == 100
    assert life.serial == "1"
    lines = [line for line in life.told if "kept out of use" in line]
    assert len(lines) == len(life.issued_s) - 1
    assert not [line for line in life.told if "WILL_EXPIRE" in line or "_ERR" in line]
    life.run(400 * DAY_S)
    assert life.valid
    assert life.days(life.issued_s)[:3] == [0, 199, 374.5] or percent == 100


@pytest.mark.parametrize("yes", [True, False])
def test_who_asks_for_a_renewal_is_asked_whether_the_shorter_one_is_wanted(yes: bool) -> None:
    life = born(HALF, days=398)
    life.run(120 * DAY_S)
    life.ca = grants(47)
    life.tell(life.application(attended=True, by_rule=True))
    (asked,) = life.asked
    assert (asked.ends_s, asked.issued_ends_s) == (START_S + 398 * DAY_S, START_S + 167 * DAY_S)
    life.tell(Chosen(yes))
    assert life.serial == ("2" if yes else "1")
    assert life.engine.state is State.ISSUED
    assert life.ends[-1] == (None if yes else "issued-shorter")
    life.run(370 * DAY_S)
    assert life.valid
    assert yes or life.days(life.issued_s) == [0, 120]


def test_nobody_there_is_no() -> None:
    life = born(HALF, days=398)
    life.ca = grants(47)
    life.tell(life.application(attended=True))
    assert life.engine.state is State.CHOOSING
    life.run(61)
    assert (life.serial, life.engine.state) == ("1", State.ISSUED)


def test_the_lesson_is_heeded_while_one_waits() -> None:
    life = born(AUTO._replace(percent=50), days=365)
    life.run(183 * DAY_S)
    assert life.engine.stored.next is not None
    life.ca = grants(10)
    life.tell(life.application())
    waits = life.engine.stored.next
    assert waits is not None
    assert waits.granted_s == 10 * DAY_S


# -- 2: limits in days and lives in hours ----------------------------------------------------------


def test_a_life_of_an_hour() -> None:
    life = born(AT_ONCE, days=1 / 24)
    life.run(DAY_S)
    assert len(life.issued_s) in (28, 29)
    assert {after - before for before, after in pairwise(life.issued_s)} == {3000}


def test_a_refusal_of_a_quarter_of_an_hour_in_a_life_of_eight() -> None:
    """Tries about each 12 minutes, whatever the jitter: a day is a quarter of the window."""
    for spread in range(20):
        life = born(AT_ONCE, days=1 / 3, password=None)
        life.engine._pace = life.engine._pace._replace(spread=spread)
        life.ca = refuses("ca-badRequest")
        life.run(7 * HOUR_S + 27 * 60)
        assert 2 <= len(life.sent_s) <= 4
        life.ca = grants(1 / 3)
        life.run(7 * HOUR_S + 45 * 60)
        assert life.serial == "2"


def test_a_life_of_three_minutes() -> None:
    life = born(AT_ONCE, days=180 / DAY_S)
    life.run(15 * 60)
    assert life.valid
    assert {after - before for before, after in pairwise(life.issued_s)} == {120}


# -- 3: Retry-After --------------------------------------------------------------------------------


def test_a_wish_of_a_week_does_not_end_a_certificate() -> None:
    life = born(AT_ONCE, days=30)
    life.ca = busy(604_800)
    life.run(29 * DAY_S)
    waits = [after - before for before, after in pairwise(life.tried_s[2:])]
    assert 7 * HOUR_S < max(waits) <= 7.2 * HOUR_S
    life.ca = grants(30)
    life.run(30 * DAY_S - HOUR_S)
    assert life.serial == "2"


# -- 4: revocation ---------------------------------------------------------------------------------


def compromised(life: Life, reason: str = "keyCompromise") -> None:
    life.run(100 * DAY_S)
    life.tell(Listed((("1", reason),)))


def test_a_revoked_certificate_is_replaced_at_once_by_a_new_device_s_request() -> None:
    life = born(AT_ONCE._replace(percent=90))
    compromised(life)
    assert [line for line in life.told if line.startswith("LOCAL_REVOKED")] != []
    assert life.serial == "1"  # served until there is another one
    life.run(100 * DAY_S + 1)
    assert life.serial == "2"
    request = life.sent[-1]
    assert (request.renewal, request.password, request.generation) == (None, "sealed", 2)


def test_without_a_password_one_renewal_and_then_one_a_day() -> None:
    life = born(AT_ONCE._replace(percent=90), password=None)
    life.ca = refuses("ca-renewal-refused")
    compromised(life)
    life.run(102 * DAY_S)
    assert all(request.renewal for request in life.sent[1:])
    assert 1 <= len(life.sent) - 1 <= 4


def test_one_that_waits_and_is_good_takes_over_at_once() -> None:
    life = born(AUTO._replace(percent=20))
    compromised(life)
    assert life.engine.stored.next is not None
    life.run(100 * DAY_S + 1)
    assert (life.serial, len(life.issued_s)) == ("2", 2)


def test_a_hold_is_told_and_waited_for() -> None:
    life = born(AT_ONCE._replace(percent=90))
    compromised(life, automatic.HOLD)
    life.run(100 * DAY_S + 2 * HOUR_S)
    life.tell(Listed())
    assert (life.serial, len(life.issued_s)) == ("1", 1)
    assert [line.split(":")[0] for line in life.told[-2:]] == ["LOCAL_REVOKED", "LOCAL_VALID"]
    told = len(life.told)
    life.tell(Listed())
    assert len(life.told) == told  # once


def test_a_list_that_comes_during_a_job_costs_no_application() -> None:
    life = born(AT_ONCE)
    life.engine.handle(life.application(), life.now)
    assert life.engine.state is State.FETCHING
    assert [type(a).__name__ for a in life.engine.handle(Listed((("1", "superseded"),)), life.now)]
    local = life.engine.stored.local
    assert local is not None
    assert local.revoked == "superseded"


def test_a_list_that_comes_while_the_ca_decides_leaves_the_poll_where_it_is() -> None:
    """Found by the walk of the graph."""
    life = born(AT_ONCE)
    life.ca = lambda _life: Waiting()
    life.tell(life.application())
    poll = life.engine.next_deadline()
    assert poll
    life.tell(Listed((("1", "superseded"),)))
    assert life.engine.next_deadline() == poll


# -- 18: a CA that signs beyond its own end --------------------------------------------------------


def test_the_end_of_the_ca_is_the_end() -> None:
    life = Life(AT_ONCE)
    end_s = START_S + 20 * DAY_S
    ca = life.authority.certificate._replace(not_after_s=end_s)
    life.authority = life.authority._replace(certificate=ca)
    life.ca = lambda held: held.granted(START_S, START_S + 90 * DAY_S, (ca.der,))
    life.begin()
    life.run(0)
    local = life.engine.stored.local
    assert local is not None
    assert (local.end_s, local.renew_s) == (end_s, START_S + 18 * DAY_S)
    life.run(17 * DAY_S)
    assert len(life.issued_s) == 1
    life.ca = grants(90)  # by the next CA, whose certificate is not at its end
    life.run(18 * DAY_S)
    assert life.serial == "2"


# -- 19: a superseded certificate is not renewed each day ------------------------------------------


def test_one_that_waits_silences_the_share_of_the_validity() -> None:
    life = born(AUTO._replace(percent=10))
    for day in (40, 200, 365):
        life.run(day * DAY_S)
        life.reboot()
    life.run(800 * DAY_S)
    wanted = [0, 36.5, 365, 401.5, 730, 766.5]  # a take-over is an hour before the end
    assert life.days(life.issued_s) == pytest.approx(wanted, abs=0.15)


@pytest.mark.parametrize("percent", [10, 50])
def test_what_is_brought_by_hand_begins_a_life_of_its_own(percent: int) -> None:
    """It takes the place of the one that waits, and its own share counts."""
    life = born(AUTO._replace(percent=percent))
    life.run(100 * DAY_S)
    issued = len(life.issued_s)
    begin_s = life.now.wall_s
    brought = life.granted(begin_s, begin_s + 365 * DAY_S)
    life.issued_s.pop()
    record = LocalRecord(brought.certificate, [], "k1", life.generation, begin_s)
    life.tell(Installed(local=record))
    assert (life.serial, life.engine.stored.next) == (brought.certificate.serial, None)
    life.run((100 + 365 * percent / 100) * DAY_S - 1)
    assert len(life.issued_s) == issued
    life.run((100 + 365 * percent / 100) * DAY_S + 1)
    assert len(life.issued_s) == issued + 1


def test_a_half_elapsed_is_one_renewal_and_a_take_over_each() -> None:
    life = born(AUTO._replace(percent=50))
    life.run(800 * DAY_S)
    assert life.days(life.issued_s) == pytest.approx([0, 182.5, 365, 547.5, 730], abs=0.15)
    assert life.valid


# -- 20: a renewal point in the past ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "backdated_days", "apart_h"), [(5, 1, 12), (3, 2, 7.2)], ids=["5 d", "3 d"]
)
def test_backdated_certificates_are_renewed_a_tenth_of_their_life_apart(
    days: int, backdated_days: int, apart_h: float
) -> None:
    life = Life(AT_ONCE._replace(percent=10), first=grants(days, backdated_days=backdated_days))
    life.begin()
    life.run(10 * DAY_S)
    apart = {after - before for before, after in pairwise(life.issued_s)}
    assert apart == {round(apart_h * HOUR_S)}
    assert len(life.issued_s) <= 10 * 24 / apart_h + 1


def test_a_life_that_is_cut_and_backdated_is_a_lesson_too() -> None:
    life = Life(AT_ONCE._replace(percent=10), first=grants(5, backdated_days=1))
    life.begin()
    life.run(10 * DAY_S)
    life.ca = grants(3, backdated_days=2)
    life.run(15 * DAY_S)
    assert life.valid
    assert not [line for line in life.told if "_ERR" in line]
