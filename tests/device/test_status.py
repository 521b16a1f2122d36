"""What the device tells of a realm in each condition: never without a reason and a next step."""

import pytest

from agent.device.status import EXPLAINED, by_itself
from agent.enrolment import automatic
from agent.enrolment.states import State
from agent.settings import AutoEnroll
from tests.helpers.device_bench import ready, refuse

YEAR_S = 365 * 86400


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
