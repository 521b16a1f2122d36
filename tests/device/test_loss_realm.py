"""What a realm has lost, and what would open by it: a CA, a list, a key pair."""

import pytest

from agent.errors import AgentError
from agent.pieces import at_once
from hal.fakes.flash import FakeFlash
from tests.helpers.device_bench import CONFIGURATION, START_S, Bench, Waiter, ready, revocation_list
from tests.helpers.loss import rotten, rotting, spoilt, typed


def unpinned() -> Bench:
    """A device whose realm trusts a CA by a person's word."""
    bench = ready()
    bench.device.settings.realms["abc"].fingerprint = None
    bench.device.changed()
    at_once(bench.device.configuration.save())
    assert bench.enrol(answer=True).code is None
    return bench


def rotten_ca(bench: Bench) -> None:
    rotten(bench, "realm/abc/ca")


def unreadable_ca(bench: Bench) -> None:
    spoilt(bench, realm__abc__ca={"v": 99})


@pytest.mark.parametrize("lose", [rotten_ca, unreadable_ca])
def test_who_is_asked_about_a_ca_hears_that_another_one_was_trusted(lose: object) -> None:
    """Somebody on the path waits for the rot: he would be a first CA otherwise."""
    bench = unpinned()
    assert callable(lose)
    lose(bench)
    waiter = bench.enrol(answer=False)
    (asked,) = waiter.asked
    assert asked.before == ""
    bench.reboot()
    waiter = Waiter(False)
    bench.device.exchange.get_ca("abc", waiter, waiter.done)
    bench.turn()
    assert waiter.asked[0].before == ""
    assert bench.enrol(answer=True).code is None
    assert not bench.device.realms.runner("abc").records.ca_was_lost()


def test_a_first_ca_is_a_first_one() -> None:
    bench = ready()
    bench.device.settings.realms["abc"].fingerprint = None
    bench.device.changed()
    (asked,) = bench.enrol(answer=True).asked
    assert asked.before is None


def test_the_display_names_what_cannot_be_read() -> None:
    bench = ready()
    bench.enrol()
    spoilt(bench, realm__abc__ca={"v": 99}, realm__abc__outcome=5)
    assert bench.device.status("abc").why.endswith(
        "; flash holds of it what cannot be read: ca, outcome"
    )
    assert bench.logged().count("STORE_ERR: realm abc: ") == 2


def test_a_list_that_is_lost_is_told_where_it_would_have_been_used() -> None:
    bench = ready()
    bench.enrol()
    bench.device.settings.realms["abc"].certificate_check = ("crl", "none")
    waiter = Waiter()
    bench.device.revocation.fetch("abc", waiter, waiter.done)
    bench.turn()
    at_once(bench.device.configuration.save())
    assert not any("was lost" in note for note in bench.enrol().notes)
    spoilt(bench, realm__abc__crl={"v": 99})
    assert "STORE_ERR: realm abc: CrlRecord" in bench.logged()
    assert any(
        "by an older one, or not at all; type `pki get-crl realm abc`" in note
        for note in bench.enrol().notes
    )
    waiter = Waiter()
    bench.device.revocation.fetch("abc", waiter, waiter.done)
    bench.turn()
    assert any("nothing says that this one is no older" in note for note in waiter.notes)
    assert not any("was lost" in note for note in bench.enrol().notes)


def test_a_list_that_rot_has_laid_open_again_is_told_until_there_is_a_newer_one() -> None:
    bench = ready()
    bench.enrol()
    bench.device.settings.realms["abc"].certificate_check = ("crl", "none")
    at_once(bench.device.configuration.save())
    newer = {**revocation_list({}), "crl": b"newer list", "this_update_s": START_S + 60}
    for answer in (revocation_list, newer):
        bench.worker.answers["fetch-crl"] = answer
        waiter = Waiter()
        bench.device.revocation.fetch("abc", waiter, waiter.done)
        bench.turn()
    data = bytearray(bench.flash.image())
    data[data.index(b"newer list")] ^= 1
    bench.flash = FakeFlash.from_image(bytes(data), bench.flash.block_size)
    for _start in range(2):
        bench.reboot()
        assert bench.device.revocation.current("abc") == b"list"
        assert any("by an older one" in note for note in bench.enrol().notes)
    bench.worker.answers["fetch-crl"] = newer
    waiter = Waiter()
    bench.device.revocation.fetch("abc", waiter, waiter.done)
    bench.turn()
    assert any("no older" in note for note in waiter.notes)
    bench.reboot()
    assert not any("was lost" in note for note in bench.enrol().notes)
    assert bench.store.keys("lost") == []


def test_with_the_list_alone_nothing_is_sent() -> None:
    bench = ready()
    bench.enrol()
    bench.device.settings.realms["abc"].certificate_check = ("crl",)
    waiter = Waiter()
    bench.device.revocation.fetch("abc", waiter, waiter.done)
    bench.turn()
    at_once(bench.device.configuration.save())
    rotten(bench, "realm/abc/crl")
    with pytest.raises(AgentError, match="there is no revocation list"):
        bench.enrol()


def test_a_key_pair_that_cannot_be_read_is_not_made_anew_in_its_place() -> None:
    bench = Bench()
    bench.key()
    before = {"v": 99, "of": "a later release"}
    spoilt(bench, key__k1__1=before)
    waiter = Waiter()
    with pytest.raises(AgentError, match="cannot be read"):
        bench.device.create_key_pair("k1", 2048, False, waiter.done)
    assert bench.store.get("key/k1/1") == before
    said = typed(bench, 3, "system-view", "pki rsa local-key-pair destroy k1", "y")
    assert "The RSA key pair k1 was destroyed." in said
    bench.key()


def test_a_key_pair_in_the_place_of_a_lost_one_is_another_generation() -> None:
    """The certificate in the store is for the pair that was lost, not for the new one."""
    bench = ready()
    bench.enrol()
    at_once(bench.device.configuration.reset())
    bench.factory = ""
    bench.reboot()
    bench.store.commit({"key/k1/1": None})
    bench.key()
    bench.factory = CONFIGURATION
    bench.reboot()
    assert bench.device.keys.record("k1") is not None
    assert bench.device.applications.event(bench.device.settings.realms["abc"]).renewable is False
    assert "LOCAL_IMPORT_ERR: realm abc: there is no RSA key pair k1" in bench.logged()


def test_a_record_that_rots_while_the_device_runs_is_told_and_closes() -> None:
    """It cannot be read, is no record that never was, and takes along nothing that lies beside."""
    bench = ready()
    at_once(bench.device.configuration.save())
    bench.enrol()
    rotting(bench, "key/k1/1", "realm/abc/ca")
    with pytest.raises(AgentError, match="there is no RSA key pair k1"):
        bench.enrol()
    assert bench.device.key_pair_unreadable("k1")
    lost = "STORE_ERR: damaged and left out: a value that cannot be read any more: it is not as"
    assert bench.logged().count(lost) == 1
    bench.advance(60)
    bench.reboot()
    assert bench.store.health.damaged == ()
    assert bench.device.key_pair_unreadable("k1")
    assert bench.device.status("abc").why.endswith("; flash holds of it what cannot be read: ca")
    assert bench.device.realms.runner("abc").records.ca_was_lost()
    with pytest.raises(AgentError, match="the record of key pair k1 cannot be read"):
        bench.key()
