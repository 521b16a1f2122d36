"""A storage on another device than the one that made it: served, and told of at each start. Field
case 13."""

import pytest

from agent.device.identity import MOVED
from agent.pieces import at_once
from tests.helpers.device_bench import CONFIGURATION, Bench, Waiter

TOLD = "PKI/4/DEVICE_CHANGED: "


def made_here() -> Bench:
    """Enrolled and saved on board a."""
    bench = Bench()
    bench.machine = "a"
    bench.reboot()
    bench.key()
    bench.factory = CONFIGURATION
    bench.reboot()
    at_once(bench.device.configuration.save())
    bench.enrol()
    return bench


def moved(bench: Bench, machine: str = "b") -> Bench:
    """The power goes, and the part is another board's."""
    bench.machine = machine
    bench.reboot()
    return bench


def test_on_its_own_board_there_is_no_alarm() -> None:
    bench = made_here()
    bench.reboot()
    assert TOLD not in bench.logged()
    assert not bench.device.system.moved


def test_on_another_it_serves_on_and_each_start_says_so() -> None:
    bench = moved(made_here())
    for again in (False, True, True):
        assert bench.logged().count(TOLD) == 1
        assert ("standing since 2027-01-15 08:00:00 UTC" in bench.logged()) == again
        assert ("DEVICE_CHANGED" in bench.device.shared.log.counts) != again
        assert bench.device.status("abc").why.endswith(MOVED)
        assert bench.memory.current("abc", "cert.pem") == b"cert"
        bench.reboot()


def test_who_confirms_ends_it_for_this_board() -> None:
    bench = moved(made_here())
    bench.device.system.confirm_device()
    assert not bench.device.system.moved
    bench.reboot()
    assert TOLD not in bench.logged()
    assert TOLD in moved(bench, "c").logged()


def test_it_ends_with_the_last_key_pair_that_came_along() -> None:
    bench = moved(made_here())
    waiter = Waiter()
    bench.device.create_key_pair("k2", 2048, False, waiter.done)
    bench.turn()
    assert bench.device.system.moved
    del bench.device.settings.realms["abc"]
    bench.device.forget_realm("abc")
    bench.device.destroy_key_pair("k1")
    assert not bench.device.system.moved
    at_once(bench.device.configuration.save())
    bench.reboot()
    assert TOLD not in bench.logged()


def test_a_renewal_with_a_new_key_pair_ends_it() -> None:
    bench = moved(made_here())
    waiter = Waiter()
    bench.device.keys.create("k1", 2048, False, waiter.done, "abc")
    bench.turn()
    assert waiter.code is None
    assert bench.device.system.moved
    bench.enrol()
    bench.turn()
    assert not bench.device.system.moved


@pytest.mark.parametrize("machine", ["", "a"])
def test_a_board_that_does_not_know_itself_or_a_blank_one_has_no_alarm(machine: str) -> None:
    bench = Bench(CONFIGURATION)
    bench.key("k1")  # of a board that knows nothing
    bench.machine = machine
    bench.reboot()
    assert TOLD not in bench.logged()
    empty = made_here()
    empty.device.system.wipe()
    assert TOLD not in moved(empty).logged()


def test_a_record_that_is_none_and_a_flash_that_takes_nothing() -> None:
    bench = made_here()
    bench.store.commit({"machine": {"v": 99}})
    assert TOLD not in moved(bench).logged()
    full = made_here()
    for block in range(full.flash.block_count):
        full.flash.spoil(block, "program error")
    full.device.close()
    full.machine = "b"
    full._boot()
    assert TOLD in full.logged()
    assert "STORE_ERR" in full.logged()
