"""The times of the next CA and of revocation lists, with their numbers."""

from itertools import pairwise

import pytest

from agent.enrolment import ahead
from agent.enrolment.actions import NEVER, Deadline, Now, Policy, Stored
from agent.enrolment.ahead import Lists, Tries
from agent.errors import AgentError, fail
from hal.records import CaRecord, CertificateRecord, CrlRecord, LocalRecord, NextCaRecord

DAY_S, HOUR_S = 86400, 3600
NOW = Now(1_800_000_000, 5_000_000_000, True)
SECOND_NS = 1_000_000_000
ALONE = Policy(("sha256", "5a"), 1, 5, percent=50)
WANTED, REQUIRED = Lists(True, False), Lists(True, True)
AWAY = fail("connection-refused", host="ca", what="x")


def life(days: float, begin_s: int = NOW.wall_s, serial: str = "2a") -> CertificateRecord:
    return CertificateRecord(b"x", "CN=x", "CN=CA", serial, begin_s, begin_s + round(days * DAY_S))


def held(days: float = 100, serial: str = "2a") -> LocalRecord:
    point_s = NOW.wall_s + round(days * DAY_S) // 2
    return LocalRecord(life(days, serial=serial), [], "k1", 1, NOW.wall_s, renew_s=point_s)


def authority(days: float = 3650) -> CaRecord:
    return CaRecord("5a", "", "", 0, "fingerprint", [life(days)], [], 0)


STORED = Stored(ca=authority(), local=held())


def crl(days: int | None = 10, begin_s: int = NOW.wall_s) -> CrlRecord:
    end_s = None if days is None else begin_s + days * DAY_S
    return CrlRecord(b"list", "CN=CA", begin_s, end_s, 0, "http://ca/crl", begin_s + 60)


def later(days: float) -> Now:
    seconds = int(days * DAY_S)
    return Now(NOW.wall_s + seconds, NOW.monotonic_ns + seconds * SECOND_NS, True)


def test_the_next_ca_is_asked_for_at_the_renewal_point() -> None:
    due = ahead.next_ca(STORED, ALONE, NOW, Tries())
    assert due == Deadline(wall_s=NOW.wall_s + 50 * DAY_S)
    now = later(50)
    assert ahead.next_ca(STORED, ALONE, now, Tries()) == Deadline(now.monotonic_ns)
    assert ahead.next_ca(STORED, ALONE, now, Tries(now.monotonic_ns + 7)) == Deadline(
        now.monotonic_ns + 7
    )


def test_devices_of_one_age_do_not_ask_for_the_next_ca_in_one_second() -> None:
    """As renewals, within a twentieth of the lead of 7 days; daily ones within the day."""
    for now, span_s in ((later(50), 7 * DAY_S // 20), (later(10), DAY_S)):
        waits = {ahead.herd_s(STORED, ALONE, now, spread) for spread in range(100)}
        assert 0 <= min(waits) < max(waits) <= span_s
        assert max(waits) - min(waits) > span_s // 2
    owed = ahead.owing(Tries(), STORED, later(50), 3600)
    due = ahead.next_ca(STORED, ALONE, later(50), owed)
    assert due == Deadline(later(50).monotonic_ns + 3600 * SECOND_NS)
    assert ahead.herd_s(Stored(), ALONE, NOW, 7) == 0


def test_the_certificate_that_waits_is_the_one_that_counts() -> None:
    stored = STORED._replace(next=held(200, serial="2b"))
    due = ahead.next_ca(stored, ALONE, NOW, Tries())
    assert due == Deadline(wall_s=NOW.wall_s + 100 * DAY_S)


def test_once_a_ca_has_less_than_three_lives_left_it_is_asked_daily() -> None:
    stored = STORED._replace(ca=authority(310))
    assert ahead.next_ca(stored, ALONE, NOW, Tries()) == Deadline(wall_s=NOW.wall_s + 10 * DAY_S)
    now, moments = later(10), []
    for _day in range(20):
        assert ahead.next_ca(stored, ALONE, now, Tries()) == Deadline(now.monotonic_ns)
        tries = ahead.answered(ahead.owing(Tries(), stored, now), stored, now, 7)
        due = ahead.next_ca(stored, ALONE, now, tries)
        assert due.monotonic_ns is not None
        moments.append(due.monotonic_ns)
        now = now._replace(
            wall_s=now.wall_s + (due.monotonic_ns - now.monotonic_ns) // SECOND_NS,
            monotonic_ns=due.monotonic_ns,
        )
    pauses = [(b - a) // SECOND_NS for a, b in pairwise(moments)]
    assert all(DAY_S * 3 // 4 <= pause <= DAY_S * 5 // 4 for pause in pauses)
    assert len(set(pauses)) > 10, "no two devices come in step"


@pytest.mark.parametrize(
    ("life_days", "ca_days", "day_s"), [(100, 3650, DAY_S), (2, 2, 2 * DAY_S // 8)]
)
def test_a_day_is_a_quarter_of_a_short_window(life_days: int, ca_days: int, day_s: int) -> None:
    stored = Stored(ca=authority(ca_days), local=held(life_days))
    pause_ns = ahead.answered(Tries(), stored, NOW, 7).paused_ns - NOW.monotonic_ns
    assert day_s * 3 // 4 <= pause_ns // SECOND_NS <= day_s * 5 // 4


MINUTES = 3 * 60 / DAY_S  # a life of three


@pytest.mark.parametrize(
    ("ca_days", "answered_s", "failed_s"),
    [(3650, DAY_S, HOUR_S), (1, DAY_S // 10, HOUR_S), (0.1, DAY_S // 100, DAY_S // 100)],
)
def test_lives_of_minutes_do_not_have_it_asked_each_minute(
    ca_days: float, answered_s: int, failed_s: int
) -> None:
    """A tenth of what the CA has left is soon enough."""
    stored = Stored(ca=authority(ca_days), local=held(MINUTES))
    found = (
        (ahead.answered(Tries(), stored, NOW, 7), answered_s),
        (ahead.not_answered(Tries(), AWAY, stored, NOW, 7), failed_s),
    )
    for tries, least_s in found:
        pause_s = (tries.paused_ns - NOW.monotonic_ns) // SECOND_NS
        assert least_s * 3 // 4 <= pause_s <= least_s * 5 // 4
    unknown = Stored(local=held(MINUTES))
    assert ahead.not_answered(Tries(), AWAY, unknown, NOW, 7) == ahead.failed(
        Tries(), AWAY, unknown, NOW, 7
    )


def test_a_ca_that_has_answered_is_asked_again_at_the_next_certificates_point() -> None:
    tries = ahead.answered(ahead.owing(Tries(), STORED, NOW), STORED, later(50), 7)
    assert ahead.next_ca(STORED, ALONE, later(60), tries) == Deadline(
        wall_s=NOW.wall_s + (3650 - 300) * DAY_S
    )
    renewed = STORED._replace(local=held(serial="2b"))
    due = ahead.next_ca(renewed, ALONE, NOW, tries)
    assert due == Deadline(wall_s=NOW.wall_s + 50 * DAY_S)
    assert ahead.answered(Tries(), Stored(), NOW, 7).paused_ns > NOW.monotonic_ns


def test_what_was_due_stays_due_when_the_certificate_has_been_renewed_meanwhile() -> None:
    """The application goes first, and its certificate has a renewal point of its own."""
    renewed = STORED._replace(local=held(serial="2b"))
    owed = ahead.owing(Tries(), STORED, NOW)
    assert ahead.owing(owed, renewed, NOW) == owed
    assert ahead.next_ca(renewed, ALONE, NOW, owed) == Deadline(NOW.monotonic_ns)
    tries = ahead.answered(owed, renewed, NOW, 7)
    due = ahead.next_ca(renewed, ALONE, NOW, tries)
    assert due == Deadline(wall_s=NOW.wall_s + 50 * DAY_S), "the new one has its own point"
    assert ahead.owing(Tries(), Stored(), NOW).owed


NEXT = NextCaRecord("6b", "", "", life(3650), b"message", 0)


@pytest.mark.parametrize(
    ("stored", "policy"),
    [
        (STORED, ALONE._replace(percent=None)),
        (STORED._replace(local=None), ALONE),
        (STORED._replace(ca=None), ALONE),
        (STORED._replace(ca=authority()._replace(next=NEXT)), ALONE),
    ],
    ids=["by hand", "no certificate", "no CA", "it is known"],
)
def test_who_never_asks_for_a_next_ca(stored: Stored, policy: Policy) -> None:
    assert ahead.next_ca(stored, policy, NOW, Tries()) == NEVER


def listed(
    lists: Lists = WANTED,
    at: Now = NOW,
    held_list: CrlRecord | None = None,
    stored: Stored = STORED,
    policy: Policy = ALONE,
) -> Deadline:
    return ahead.revocation_list(held_list, lists, stored, policy, at, Tries(), 7)


def test_a_list_is_asked_for_in_the_first_half_of_its_last_tenth() -> None:
    moments = {ahead.successor_s(crl(), spread) - NOW.wall_s for spread in range(100)}
    assert 9 * DAY_S <= min(moments) < max(moments) <= 9 * DAY_S + DAY_S // 2
    assert max(moments) - min(moments) > DAY_S // 3
    assert listed(held_list=crl()) == Deadline(wall_s=ahead.successor_s(crl(), 7))
    assert listed(at=later(9.5), held_list=crl()) == Deadline(later(9.5).monotonic_ns)


def test_a_list_without_an_end_lives_for_a_day() -> None:
    due_s = ahead.successor_s(crl(None), 7) - NOW.wall_s - 60
    assert DAY_S * 9 // 10 <= due_s <= DAY_S
    again = ahead.the_same(crl(None), later(1), 7)
    assert again.paused_ns - later(1).monotonic_ns >= DAY_S * 3 // 4 * SECOND_NS


def test_without_a_list_one_is_asked_for_at_once_by_the_certificate_in_use() -> None:
    assert listed() == Deadline(NOW.monotonic_ns)
    assert listed(stored=STORED._replace(local=None)) == NEVER
    assert listed(REQUIRED, stored=Stored()) == Deadline(NOW.monotonic_ns)
    assert listed(stored=Stored(), held_list=crl()) == NEVER
    assert listed(Lists(False, False), held_list=crl()) == NEVER
    assert listed(policy=ALONE._replace(percent=None)) == NEVER


def test_a_list_that_is_not_there_yet_is_looked_for_four_times_in_its_window() -> None:
    pause_ns = ahead.the_same(crl(), later(9), 7).paused_ns - later(9).monotonic_ns
    quarter_s = DAY_S // 4
    assert quarter_s * 3 // 4 <= pause_ns // SECOND_NS <= quarter_s * 5 // 4


def pauses(stored: Stored, now: Now, error: AgentError = AWAY, count: int = 12) -> list[int]:
    tries, found = Tries(), []
    for _ in range(count):
        tries = ahead.failed(tries, error, stored, now, 7)
        found.append((tries.paused_ns - now.monotonic_ns) // SECOND_NS)
    return found


def test_what_fails_is_tried_again_by_the_table_of_applications() -> None:
    found = pauses(STORED, later(60))
    assert 30 <= found[0] <= 90
    assert 6 * 3600 // 2 <= max(found[-1], found[-2]) <= 6 * 3600 * 3 // 2


def test_of_a_list_the_own_life_decides_how_long_a_pause_is() -> None:
    hourly = crl()._replace(next_update_s=NOW.wall_s + 3600)
    assert max(pauses(ahead.life_of(hourly, STORED), later(0.04))) <= 9 * 3 // 2
    assert ahead.life_of(None, STORED) == STORED
