"""What the device tells of a realm in each condition: never without a reason and a next step."""

import pytest

from agent.console.displays import brief
from agent.console.displays.document import text_lines
from agent.console.language.times import Times
from agent.device.status import EXPLAINED, by_itself, rank_of
from agent.enrolment import automatic
from agent.enrolment.actions import Now
from agent.enrolment.states import State
from agent.errors import fail
from agent.settings import AutoEnroll, Realm
from tests.helpers.appliance_values import IDLE, START_S
from tests.helpers.device_bench import Waiter, ready, refuse

YEAR_S = 365 * 86400
NOW = Now(START_S, 0, True)


def test_every_state_is_explained_and_says_what_is_next() -> None:
    assert set(EXPLAINED) == set(State)
    assert all(why and step for why, step in EXPLAINED.values())


REASONS = ("FIRST", "FOREIGN", "DUE", "EXPIRED", "REVOKED", "TIMELESS", "TAKE_OVER")


@pytest.mark.parametrize("reason", REASONS)
def test_what_a_realm_does_next_by_itself_fits_into_a_row(reason: str) -> None:
    said = f" Next Step             : {by_itself(getattr(automatic, reason))}"
    assert len(said) <= 80


def test_an_incomplete_realm_names_what_is_missing() -> None:
    bench = ready()
    realm = bench.device.settings.realms["abc"]
    realm.url = None
    bench.device.settings.entities["r1"].common_name = None
    status = bench.device.status("abc")
    assert status.why == "the configuration is not complete"
    assert status.next_step == (
        "type `pki realm abc`, `enrollment-url http://...`, `pki entity r1`, `common-name ...`"
    )


def test_automatic_mode_without_a_fingerprint_names_it() -> None:
    """Nobody is there to compare one; a CA that is trusted already needs none."""
    bench = ready()
    realm = bench.device.settings.realms["abc"]
    realm.fingerprint = None
    assert "fingerprint" not in bench.device.status("abc").next_step
    realm.auto_enroll = AutoEnroll()
    status = bench.device.status("abc")
    assert status.why == "the configuration is not complete"
    assert status.next_step == "type `pki realm abc`, `fingerprint sha256 ...`"
    realm.auto_enroll = None
    bench.enrol(answer=True)
    realm.auto_enroll = AutoEnroll()
    assert "complete" not in bench.device.status("abc").why
    realm.url = None
    status = bench.device.status("abc")
    assert "for automatic mode the configuration is not complete" in status.why
    assert "enrollment-url" in status.next_step


def test_issued_tells_until_when_and_what_to_type() -> None:
    bench = ready()
    bench.enrol()
    status = bench.device.status("abc")
    local = bench.device.local("abc")
    assert local is not None
    assert status.next_s == local.not_after_s
    assert "pki enroll-certificate realm abc" in status.next_step
    bench.clock.jump(2 * YEAR_S)
    assert bench.device.status("abc").why == "the certificate has expired"


def test_a_failure_does_not_hide_the_certificate_in_use() -> None:
    bench = ready()
    bench.worker.answers["fetch-ca"] = refuse("ca-no-ca")
    bench.enrol()
    assert "in use" not in bench.device.status("abc").why
    bench.worker = bench.worker.__class__()
    bench.reboot()
    bench.enrol()
    bench.worker.answers["fetch-ca"] = refuse("ca-no-ca")
    bench.enrol()
    status = bench.device.status("abc")
    assert (status.state, status.why[-32:]) == (
        "failed",
        "certificate before it stays in use"[-32:],
    )


def test_a_failure_keeps_its_error_and_its_time_over_a_reboot() -> None:
    bench = ready()
    bench.worker.answers["fetch-ca"] = refuse("ca-no-ca")
    bench.enrol()
    before = bench.device.status("abc")
    assert before.last_error is not None
    assert (before.state, before.last_error.code) == ("failed", "ca-no-ca")
    assert before.last_error_s == bench.device.wall_s()
    bench.reboot()
    after = bench.device.status("abc")
    assert after.last_error is not None
    assert after.last_error.as_map() == before.last_error.as_map()
    assert after._replace(last_error=None) == before._replace(last_error=None)


@pytest.mark.parametrize("attempts", [1, 3])
def test_attempts_are_counted_until_one_succeeds(attempts: int) -> None:
    bench = ready()
    bench.worker.answers["fetch-ca"] = refuse("ca-no-ca")
    for _attempt in range(attempts):
        bench.enrol()
    assert bench.device.status("abc").attempts == attempts
    bench.worker.answers["fetch-ca"] = refuse("job-died")
    assert bench.device.ca("abc") is None


# -- every realm at a glance -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "end_s", "rank"),
    [
        ({}, NOW.wall_s, 0),
        ({"last_error": fail("ca-no-ca", realm="x")}, NOW.wall_s - 1, 0),
        ({"last_error": fail("ca-no-ca", realm="x")}, None, 1),
        ({"last_error": fail("ca-no-ca", realm="x")}, NOW.wall_s + 1, 2),
        ({"renew_s": NOW.wall_s - 1}, NOW.wall_s + 1, 3),
        ({"renew_s": NOW.wall_s + 1, "transaction": "aa"}, NOW.wall_s + 2, 4),
        ({}, None, 5),
        ({}, NOW.wall_s + 1, 6),
    ],
)
def test_how_much_a_realm_needs_somebody(
    changes: dict[str, object], end_s: int | None, rank: int
) -> None:
    realm = Realm("abc")
    realm.url = "http://ca"
    assert rank_of(realm, IDLE._replace(**changes), end_s, NOW) == rank  # type: ignore[arg-type]


def test_a_realm_that_nobody_has_configured_comes_last_and_no_clock_that_is_off_ends_one() -> None:
    assert rank_of(Realm("default"), IDLE, None, NOW) == 7
    assert rank_of(Realm("abc"), IDLE, NOW.wall_s - 1, NOW._replace(trusted=False)) == 6


def test_one_screen_tells_which_three_of_a_hundred_realms_are_in_trouble() -> None:
    bench = ready()
    realms = bench.device.settings.realms
    for number in range(98):
        realm = realms.setdefault(f"site-{number:02}", Realm(f"site-{number:02}"))
        realm.entity, realm.url = "r1", "http://192.0.2.9/scep"
        realm.fingerprint = realms["abc"].fingerprint
        if number in (17, 60, 93):
            bench.key(f"key-{number}")
            realm.key_pair = f"key-{number}"
    bench.device.changed()
    bench.advance(10)
    bench.worker.answers["fetch-ca"] = refuse("ca-no-ca")
    for number in (17, 60, 93):
        waiter = Waiter()
        bench.device.applications.enrol(f"site-{number}", None, waiter, waiter.done)
        bench.turn()
    found: list[object] = []
    bench.device.survey(found.append)
    bench.turn(2)
    assert not found, "the loop turns between two realms"
    bench.turn(200)
    (glances,) = found
    assert isinstance(glances, list)
    lines = list(text_lines(brief.enrollment(glances), Times(bench.device.wall_s())))
    assert lines[0] == " Total Number: 100"
    assert [line.split()[0] for line in lines[2:5]] == ["site-17", "site-60", "site-93"]
    assert all(" failed " in line for line in lines[2:5])
    assert not any(" failed " in line for line in lines[5:])
    assert [line.split()[0] for line in lines[-1:]] == ["default"]
    assert all(len(line) < 80 for line in lines)
