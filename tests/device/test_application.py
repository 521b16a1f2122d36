"""From the configuration to an application, on a device without a console."""

from functools import partial

import pytest

from agent.enrolment.states import Listed
from agent.errors import AgentError
from tests.device.test_automatic import DAY_S, alone, in_use, issue, pass_time, stored
from tests.helpers.device_bench import Bench, Waiter, ready, refuse


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
    bench.device.update("abc", waiter, waiter.done)
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
        bench.device.update("abc", waiter, waiter.done)
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
    bench.device.update("abc", waiter, waiter.done)
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
