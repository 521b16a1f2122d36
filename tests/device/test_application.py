"""From the configuration to an application, on a device without a console."""

import re
from functools import partial

import pytest

from agent.enrolment.states import Listed
from agent.errors import AgentError
from agent.settings import AutoEnroll
from tests.device.test_automatic import DAY_S, alone, in_use, issue, pass_time, stored
from tests.helpers.device_bench import Bench, Waiter, ready, refuse
from tests.helpers.terminal import Script


def test_the_entity_of_a_realm_is_found_whatever_the_case() -> None:
    device = ready().device
    realm = device.settings.realms["abc"]
    realm.entity = "R1"
    assert "R1" not in device.settings.entities
    entity = device.applications.event(realm).settings["entity"]
    assert isinstance(entity, dict)
    assert entity["common_name"] == "r1.example"


def test_an_entity_that_is_gone_is_named() -> None:
    device = ready().device
    device.settings.entities.clear()
    with pytest.raises(AgentError, match="no entity r1"):
        device.applications.event(device.settings.realms["abc"])


# -- `pki update-certificate` ----------------------------------------------------------------------


def updated(bench: Bench, answer: bool | None = None) -> Waiter:
    waiter = Waiter(answer)
    bench.device.applications.update("abc", waiter, waiter.done)
    bench.turn(30)
    return waiter


def test_a_renewal_by_hand_waits_for_its_turn_as_others_do() -> None:
    bench = alone("auto-enroll 50 regenerate")
    pass_time(bench, 2 * DAY_S)
    assert updated(bench).code is None
    local, waits = in_use(bench), stored(bench).next
    assert waits is not None
    assert (local.generation, waits.generation) == (1, 2)


def test_where_new_ones_take_effect_at_once_it_is_in_use() -> None:
    bench = alone()
    pass_time(bench, 2 * DAY_S)
    first = in_use(bench).certificate.serial
    assert updated(bench).code is None
    assert in_use(bench).certificate.serial != first


def test_there_must_be_one_and_all_that_it_takes() -> None:
    bench = ready()
    waiter = Waiter()
    with pytest.raises(AgentError, match="no local certificate"):
        bench.device.applications.update("abc", waiter, waiter.done)
    held = alone("auto-enroll 50 regenerate")
    held.worker.answers["generate-key"] = refuse("job-died")
    assert updated(held).code == "job-died"
    held.device.settings.realms["abc"].url = None
    with pytest.raises(AgentError, match="not complete"):
        updated(held)


@pytest.mark.parametrize("answer", [True, False, None])
def test_a_shorter_life_is_asked_about(answer: bool | None) -> None:
    """Field case 1: nobody there is No."""
    bench = alone()
    pass_time(bench, 2 * DAY_S)
    first = in_use(bench).certificate.serial
    bench.worker.answers["enrol"] = partial(issue, days=3)
    waiter = Waiter(answer)
    bench.device.applications.update("abc", waiter, waiter.done)
    bench.turn(30)
    if answer is None:
        assert waiter.results == []
        bench.device.detach(1)
        bench.advance(60)
        bench.turn(30)
    assert len(waiter.asked) == 1
    assert "Take it into use at once?" in waiter.asked[0]
    assert (in_use(bench).certificate.serial != first) is bool(answer)


def test_the_key_pair_of_a_revoked_certificate_is_not_used_again() -> None:
    """Field case 4."""
    bench = alone()
    serial = in_use(bench).certificate.serial
    bench.device.realms.runner("abc").hear(Listed(((serial, "keyCompromise"),)))
    bench.turn(40)
    assert in_use(bench).certificate.serial != serial
    assert in_use(bench).generation == 2


# -- settings that change under a request ----------------------------------------------------------


def pending() -> Bench:
    bench = ready()
    bench.worker.answers["enrol"] = {"status": "pending", "notes": []}
    assert bench.enrol().code is None
    return bench


@pytest.mark.parametrize(
    ("view", "line", "warned"),
    [
        ("pki entity r1", "common-name r2.example", True),
        ("pki realm abc", "enrollment-url http://ca.example/scep", True),
        ("pki realm abc", "key-usage ike", True),
        ("pki realm abc", "fingerprint sha256 " + 64 * "1", False),  # is no part of a request
        ("pki realm abc", "auto-enroll 50", False),
        ("pki entity r2", "common-name r2.example", False),
    ],
)
def test_who_changes_what_a_request_was_made_by_is_warned(
    view: str, line: str, warned: bool
) -> None:
    """Field case 11 (c): once, at the line."""
    bench = pending()
    before = bench.device.realms.runner("abc").engine.request
    script = Script(bench.device, reactor=bench.loop)
    text, _status = script.run("system-view", view, line, "return")
    assert ("Warning: The request of realm abc" in text) is warned
    assert "pki abort-request realm abc" in text or not warned
    assert "Warning:" not in script.run("system-view", view, "return")[0]
    assert bench.device.realms.runner("abc").engine.request == before


def test_the_old_request_is_polled_to_its_end_and_nothing_is_mixed() -> None:
    bench = pending()
    bench.device.settings.entities["r1"].common_name = "r2.example"
    bench.device.changed()
    bench.worker.answers["poll"] = bench.worker.issue
    bench.advance(121)
    bench.turn(20)
    polls = [job for job in bench.worker.jobs if job["op"] == "poll"]
    assert [job["entity"]["common_name"] for job in polls] == ["r1.example"]
    assert bench.device.status("abc").in_use == "another subject"


def test_what_is_in_use_beside_the_settings() -> None:
    """Field case 11 (a) and (b)."""
    bench = ready()
    assert bench.device.status("abc").in_use is None
    bench.enrol()
    assert bench.device.status("abc").in_use == "as configured"
    text, _status = Script(bench.device, reactor=bench.loop).run("display pki realm abc")
    assert re.search(r"Certificate In Use +: as configured", text)
    bench.device.settings.entities["r1"].fqdn = "other.example"
    assert bench.device.status("abc").in_use == "another subject"
    bench.device.settings.entities["r1"].common_name = None
    assert bench.device.status("abc").in_use is None
    bench.device.settings.realms["abc"].fingerprint = ("sha256", 64 * "1")
    bench.device.changed()
    assert bench.device.status("abc").in_use == "of another CA"


def test_who_applies_by_hand_reads_that_the_realm_does_not_renew_and_what_to_type() -> None:
    """Field case 17 (a)."""
    bench = ready()
    script = Script(bench.device, reactor=bench.loop)
    script.run("system-view", "pki enroll-certificate realm abc")
    bench.turn(20)
    assert "does not renew by itself: type `auto-enroll` in the view of realm abc" in script.take()
    bench.device.settings.realms["abc"].auto_enroll = AutoEnroll()
    bench.device.changed()
    assert "does not renew" not in bench.device.status("abc").next_step
