"""Sets of CA certificates that realms share: one record, one object, gone with the last of them."""

import pytest

from agent.device.casets import CaSets
from agent.device.realm_records import read_ca
from agent.errors import AgentError
from agent.pieces import at_once
from hal import record_keys
from hal.fakes.flash import FakeFlash, PowerCut
from hal.record_codec import RecordError
from tests.helpers.counted import calls
from tests.helpers.device_bench import Bench, Waiter, certificate
from tests.helpers.loss import rot_image

NAMES = ("a", "b", "c")


def configuration(names: tuple[str, ...]) -> str:
    realms = (
        f"pki realm {name}\n entity r1\n rsa local-key-pair {name}\n"
        f" enrollment-url http://192.0.2.9/scep\n fingerprint sha256 {'5a' * 32}\n"
        for name in names
    )
    return "pki entity r1\n common-name r1.example\n" + "".join(realms)


def enrol(bench: Bench, name: str) -> None:
    waiter = Waiter()
    bench.device.applications.enrol(name, None, waiter, waiter.done)
    bench.turn()
    assert waiter.code is None


def enrolled(names: tuple[str, ...] = NAMES, flash: FakeFlash | None = None) -> Bench:
    bench = Bench(flash=flash)
    for name in names:
        bench.key(name)
    bench.factory = configuration(names)
    bench.reboot()
    at_once(bench.device.configuration.save())
    for name in names:
        enrol(bench, name)
    return bench


def sets(bench: Bench) -> list[str]:
    return bench.store.keys("ca/")


def certificates(bench: Bench, name: str) -> object:
    ca = bench.device.realms.runner(name).engine.stored.ca
    return ca.certificates if ca else None


def test_realms_of_one_ca_hold_one_set_in_store_and_memory() -> None:
    bench = enrolled()
    (key,) = sets(bench)
    for name in NAMES:
        stored = bench.store.get(f"realm/{name}/ca")
        assert isinstance(stored, dict)
        assert stored.keys() == {"v", "set", "fetched_s", "next", "lineage"}
        assert key == record_keys.ca_set_key(stored["set"])
    before = certificates(bench, "a")
    bench.reboot()
    assert certificates(bench, "a") == before
    assert certificates(bench, "a") is certificates(bench, "b") is certificates(bench, "c")
    stored = bench.device.realms.runner("a").engine.stored
    assert stored.local
    assert stored.ca
    assert stored.local.chain[0] is stored.ca.certificates[0].der
    enrol(bench, "b")
    assert sets(bench) == [key]


def test_a_set_goes_with_the_last_realm_that_holds_it() -> None:
    bench = enrolled(("a", "b"))
    bench.reboot()
    first = sets(bench)
    ca = {**certificate("CN=CA", "02"), "is_ca": True, "key_usage": []}
    (answered,) = bench.worker.answers["fetch-ca"]["certificates"]
    bench.worker.answers["fetch-ca"] = {
        **bench.worker.answers["fetch-ca"],
        "certificates": [{**answered, **ca}],
    }
    bench.device.settings.realms["b"].key_pair = "b"
    enrol(bench, "b")
    assert len(sets(bench)) == 2
    assert set(sets(bench)) > set(first)
    del bench.device.settings.realms["a"]
    bench.device.forget_realm("a")
    (other,) = sets(bench)
    assert [other] != first
    bench.reboot()
    assert bench.device.ca("b") is not None
    del bench.device.settings.realms["b"]
    bench.device.forget_realm("b")
    assert sets(bench) == []


def test_nothing_is_left_after_a_wipe_or_a_replaced_configuration() -> None:
    bench = enrolled(("a",))
    bench.device.system.wipe()
    assert sets(bench) == []
    bench = enrolled(("a", "b"))
    other = Bench(configuration(("b",)))
    other.device.settings.realms["b"].key_pair = "b"
    bench.replace(other.device.settings)
    assert len(sets(bench)) == 1
    bench.replace(Bench().device.settings)
    assert sets(bench) == []


@pytest.mark.parametrize("value", [None, {"v": 99}, "text", b"\xff"])
def test_a_set_that_is_lost_costs_each_of_its_realms_a_note(value: object) -> None:
    bench = enrolled(("a", "b"))
    (key,) = sets(bench)
    bench.store.commit({key: value})
    bench.reboot()
    for name in ("a", "b"):
        assert f"STORE_ERR: realm {name}: " in bench.logged()
        assert bench.device.ca(name) is None
        assert bench.device.realms.runner(name).records.ca_was_lost()
        assert bench.device.local(name) is not None, "the certificate is served on"
        assert "cannot be read: ca" in bench.device.status(name).why
    enrol(bench, "a")
    bench.reboot()
    assert bench.device.ca("a") is not None
    assert bench.device.ca("b") is None
    enrol(bench, "b")
    assert certificates(bench, "a") == certificates(bench, "b")


def test_rot_of_the_set_is_told_and_closes_nothing() -> None:
    bench = enrolled(("a",))
    at_once(bench.device.configuration.save())
    data = bytearray(bench.flash.image())
    assert rot_image(data, sets(bench)[0])
    bench.flash = FakeFlash.from_image(bytes(data), bench.flash.block_size)
    bench.reboot()
    assert "damaged and left out" in bench.logged()
    assert bench.device.ca("a") is None
    assert bench.device.realms.runner("a").records.ca_was_lost()


@pytest.mark.parametrize("number", [None, True, "1", 99])
def test_a_reference_that_leads_nowhere_is_unreadable(number: object) -> None:
    bench = enrolled(("a",))
    stored = bench.store.get("realm/a/ca")
    assert isinstance(stored, dict)
    with pytest.raises(RecordError):
        read_ca(bench.store, CaSets(), {**stored, "set": number})
    with pytest.raises(RecordError):
        read_ca(bench.store, CaSets(), "text")


def test_when_flash_fails_nothing_has_changed() -> None:
    bench = enrolled(("a", "b"))
    before = {key: bench.store.get(key) for key in bench.store.keys("")}
    for block in range(bench.flash.block_count):
        bench.flash.spoil(block, "program error")
    del bench.device.settings.realms["a"]
    with pytest.raises(AgentError):
        bench.device.forget_realm("a")
    assert {key: bench.store.get(key) for key in bench.store.keys("")} == before


def test_every_power_cut_leaves_each_realm_with_its_set() -> None:
    bench = enrolled(("a", "b"), FakeFlash(4096, 32))
    image, ends = bench.flash.image(), set()
    for operation in range(200):
        one = Bench(configuration(("a", "b")), FakeFlash.from_image(image, 4096))
        one.flash.cut_after(operation, 3, -1)
        try:
            for name in ("a", "b"):
                del one.device.settings.realms[name]
                one.device.forget_realm(name)
        except PowerCut:
            one.reboot()
            held = [name for name in ("a", "b") if one.store.keys(f"realm/{name}/")]
            assert all(one.device.ca(name) for name in held)
            assert len(sets(one)) == bool(held)
            ends.add(tuple(held))
        else:
            break
    assert {("a", "b"), ("b",)} <= ends


def test_holders_are_counted_once_and_sets_read_once() -> None:
    names = tuple(f"r{n}" for n in range(8))
    bench = enrolled(names)
    bench.reboot()
    assert calls(bench.reboot, CaSets.keep) == 1
    assert calls(lambda: enrol(bench, "r1"), CaSets.count) <= 1
