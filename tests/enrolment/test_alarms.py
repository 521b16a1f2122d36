"""Which alarms stand, from when on, and what of them is told."""

import pytest

from agent.enrolment import alarms, automatic
from agent.enrolment.actions import Policy, Stored
from agent.enrolment.alarms import CA, CRL, EXPIRED, GONE, LOCAL, VALID, WILL_EXPIRE, Life
from hal.records import CaRecord, CertificateRecord, CrlRecord, LocalRecord, NextCaRecord

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400
BY_HAND = Policy(None, 1, 5)
ALONE = Policy(None, 1, 5, percent=50)
AT_THE_END = Policy(None, 1, 5, percent=100)
DAYS_90 = 90 * DAY_S


def certificate(begin_s: int, end_s: int, subject: str = "CN=r1") -> CertificateRecord:
    return CertificateRecord(b"der", subject, "CN=CA", "2a", begin_s, end_s)


def local(life_s: int, begin_s: int = 0, renew_s: int | None = None) -> LocalRecord:
    return LocalRecord(certificate(begin_s, begin_s + life_s), [], "k1", 1, begin_s, False, renew_s)


def authority(life_s: int, following: bool = False) -> CaRecord:
    following_ca = NextCaRecord("12", "34", "56", certificate(0, 2 * life_s), b"", 0)
    pinned = certificate(0, life_s, "CN=Lab CA")
    return CaRecord(
        "ab", "cd", "ef", 0, "operator", [pinned], [], 0, following_ca if following else None
    )


def published(life_s: int | None) -> CrlRecord:
    return CrlRecord(b"", "CN=Lab CA", 0, life_s, 0, "scep", 0)


@pytest.mark.parametrize(
    ("life_s", "prewarning_s", "warn_s"),
    [
        (365 * DAY_S, DAYS_90, 275 * DAY_S),  # the days that are configured
        (365 * DAY_S, 7 * DAY_S, 358 * DAY_S),
        (90 * DAY_S, DAYS_90, 60 * DAY_S),  # a third of the life
        (3 * MINUTE_S, DAYS_90, 2 * MINUTE_S),
        (0, DAYS_90, 0),
    ],
)
def test_a_certificate_is_warned_of_by_days_or_a_third_of_its_life(
    life_s: int, prewarning_s: int, warn_s: int
) -> None:
    found = alarms.lives(Stored(local=local(life_s)), None, BY_HAND, prewarning_s)
    assert (found[LOCAL].warn_s, found[LOCAL].end_s) == (warn_s, life_s)
    assert found[LOCAL].what == "local certificate 2a for CN=r1"


@pytest.mark.parametrize(
    ("life_s", "renew_s", "warn_s"),
    [
        # Renewed after the warning by days: it comes all the same.
        (365 * DAY_S, 358 * DAY_S, 275 * DAY_S),
        # Renewed before: nothing has come in a twentieth of the time and two of the longest waits.
        (10 * DAY_S, 5 * DAY_S, 5 * DAY_S + 6 * HOUR_S + 2 * 3 * HOUR_S),
        (3 * MINUTE_S, 2 * MINUTE_S, 2 * MINUTE_S + 3 + 2 * 5),
        # So short that nothing of the time is left: it is told when it has expired.
        (12, 8, 12),
    ],
)
def test_one_that_is_renewed_by_itself_is_warned_of_when_nothing_has_come(
    life_s: int, renew_s: int, warn_s: int
) -> None:
    held = Stored(local=local(life_s, renew_s=renew_s))
    assert alarms.lives(held, None, ALONE, DAYS_90)[LOCAL].warn_s == warn_s
    window_s = life_s - renew_s
    late_s = renew_s + window_s // 20 + 2 * automatic.longest_pause_s(window_s)
    assert warn_s in (275 * DAY_S, min(late_s, life_s))


def test_the_end_of_a_certificate_is_that_of_its_chain() -> None:
    held = Stored(local=local(90 * DAY_S)._replace(ends_s=60 * DAY_S))
    life = alarms.lives(held, None, BY_HAND, DAYS_90)[LOCAL]
    assert (life.warn_s, life.end_s) == (40 * DAY_S, 60 * DAY_S)
    assert life.what == "local certificate 2a for CN=r1, with a CA above it,"


def test_one_that_waits_for_its_turn_takes_the_place_of_the_one_in_use() -> None:
    old, new = local(10 * DAY_S), local(10 * DAY_S, 5 * DAY_S)
    found = alarms.lives(Stored(local=old, next=new), None, BY_HAND, DAYS_90)
    assert found[LOCAL].end_s == 15 * DAY_S
    longer = local(99 * DAY_S)
    assert alarms.lives(Stored(local=longer, next=new), None, BY_HAND, 0)[LOCAL].end_s == 99 * DAY_S
    assert alarms.lives(Stored(), None, BY_HAND, DAYS_90) == {}


@pytest.mark.parametrize(
    ("following", "warn_days"),
    [(True, 3650 - 90), (False, 3650 * 2 / 3)],
)
def test_a_ca_without_a_next_one_is_told_at_two_thirds_of_its_life(
    following: bool, warn_days: float
) -> None:
    held = Stored(ca=authority(3650 * DAY_S, following))
    life = alarms.lives(held, None, ALONE, DAYS_90)[CA]
    assert (life.warn_s, life.end_s) == (int(warn_days * DAY_S), 3650 * DAY_S)
    assert life.what == "CA certificate of CN=Lab CA"


@pytest.mark.parametrize(
    ("policy", "warn_s"),
    [
        (BY_HAND, 16 * HOUR_S),
        # It comes in the first half of the last tenth of the life of the one before.
        (ALONE, 24 * HOUR_S - 72 * MINUTE_S + 2 * 216),
    ],
)
def test_a_list_that_comes_by_itself_is_warned_of_when_it_is_late(
    policy: Policy, warn_s: int
) -> None:
    life = alarms.lives(Stored(), published(DAY_S), policy, DAYS_90)[CRL]
    assert (life.warn_s, life.end_s) == (warn_s, DAY_S)
    assert life.what == "revocation list of CN=Lab CA"


def test_a_list_without_an_end_has_none() -> None:
    assert alarms.lives(Stored(), published(None), BY_HAND, DAYS_90) == {}


LIFE = Life(100, 200)


@pytest.mark.parametrize(
    ("now_s", "level", "next_s"),
    [
        (99, VALID, 100),
        (100, WILL_EXPIRE, 200),
        (199, WILL_EXPIRE, 200),
        (200, EXPIRED, None),
    ],
)
def test_the_three_levels_and_the_next_change(now_s: int, level: str, next_s: int | None) -> None:
    assert alarms.levels({LOCAL: LIFE}, now_s) == {LOCAL: level}
    assert alarms.next_s({LOCAL: LIFE}, now_s) == next_s
    assert (LIFE.since_s(WILL_EXPIRE), LIFE.since_s(EXPIRED)) == (100, 200)


def test_the_next_change_is_the_first_of_all() -> None:
    assert alarms.next_s({LOCAL: LIFE, CA: Life(150, 300)}, 120) == 150
    assert alarms.next_s({}, 0) is None


@pytest.mark.parametrize(
    ("told", "now", "changes"),
    [
        ({}, {LOCAL: VALID}, {}),
        ({}, {LOCAL: WILL_EXPIRE, CA: VALID}, {LOCAL: WILL_EXPIRE}),
        ({LOCAL: WILL_EXPIRE}, {LOCAL: WILL_EXPIRE}, {}),
        ({LOCAL: WILL_EXPIRE}, {LOCAL: EXPIRED}, {LOCAL: EXPIRED}),
        ({LOCAL: EXPIRED}, {LOCAL: VALID}, {LOCAL: VALID}),
        ({LOCAL: EXPIRED, CRL: EXPIRED}, {LOCAL: EXPIRED}, {CRL: GONE}),
        ({}, {}, {}),
    ],
)
def test_a_change_is_told_once(
    told: dict[str, str], now: dict[str, str], changes: dict[str, str]
) -> None:
    assert alarms.changes(told, now) == changes
    after = {name: level for name, level in now.items() if level != VALID}
    assert alarms.changes(after, now) == {}
