"""Blocks of the configuration as records of their own, kept twice: split, order, repair, loss."""

from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.device import kept, packing, saved
from agent.device.kept import Parts
from agent.pieces import at_once
from agent.settings import Realm
from hal import record_codec, record_keys, records
from hal.fakes.flash import FakeFlash, PowerCut
from hal.records import BlockRecord
from hal.store import Store
from tests.helpers import fleet
from tests.helpers.device_bench import Bench
from tests.helpers.loss import typed

NAMES = st.lists(st.sampled_from([f"realm/r{n}" for n in range(12)]), unique=True)
KEYS = [record_keys.block_key("realm/abc", copy) for copy in records.COPIES]


def stored(store: Store) -> list[str]:
    return list(kept.lines(at_once(kept.found(store)).blocks))


def parted(*lines: str) -> Parts:
    return at_once(saved.parted(lines))


def changes(store: Store, *lines: str) -> tuple[dict[str, object], dict[str, object]]:
    """The two commits of a small save."""
    found = at_once(saved.changes(store, parted(*lines)))
    assert found.first == []
    return found.last, dict(chain.from_iterable(map(dict.items, found.second)))


def save(store: Store, *lines: str) -> None:
    fleet.write(store, lines)


def blank() -> Store:
    return Store.mount(FakeFlash(4096, 64))


# -- the text --------------------------------------------------------------------------------------


def test_blocks_of_entities_and_realms_are_taken_out_of_a_text() -> None:
    lines = ["sysname r1", "pki entity E1", " common-name x", "pki realm abc", " ca id x"]
    parts = parted(*lines, "clock timezone x add 01:00:00", "pki realm other")
    assert parts.front == ["sysname r1"]
    assert parts.behind == ["clock timezone x add 01:00:00"]
    assert list(parts.blocks) == ["entity/e1", "realm/abc", "realm/other"]
    assert parts.blocks["entity/e1"] == lines[1:3]


@pytest.mark.parametrize(
    "header",
    ["pki realm a/b", "pki realm", "pki realm a b", "pki realm é", f"pki realm {'x' * 65}"],
)
def test_a_block_that_none_of_ours_can_be_stays_in_the_text(header: str) -> None:
    parts = parted(header, " ca id x")
    assert parts == ([header, " ca id x"], {}, [], [])


def test_a_block_that_comes_twice_or_is_too_long_stays_in_the_text() -> None:
    parts = parted("pki realm abc", " ca id x", "pki realm ABC", " ca id y")
    assert parts.behind == ["pki realm ABC", " ca id y"]
    long = ["pki realm abc", " x" * packing.TEXT_BYTES]
    assert parted(*long) == ([], {}, long, [])


# -- saving ----------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=50)
@given(st.lists(NAMES, min_size=1, max_size=4))
def test_blocks_come_back_in_their_order(orders: list[list[str]]) -> None:
    store = blank()
    for order in orders:
        lines = [f"pki {name.replace('/', ' ')}" for name in order]
        save(store, "sysname x", *lines)
        assert stored(store) == lines
        framed = chain.from_iterable(("#", line) for line in ("sysname x", *lines))
        assert list(saved.read(store).lines()) == [*framed, "#", "return"]
        assert (saved.read(store).lost, saved.read(store).worn) == ("", [])


def test_one_changed_line_writes_one_block_twice() -> None:
    store = blank()
    blocks = [line for n in range(200) for line in (f"pki realm r{n}", " ca id x", " entity e1")]
    save(store, "sysname x", *blocks)
    assert blocks[301] == " ca id x"
    blocks[301] = " ca id y"
    first, second = changes(store, "sysname x", *blocks)
    assert set(first) == {"config", "config/realm/r100/0"}
    assert set(second) == {"config/realm/r100/1"}
    before = store.counters.programmed_bytes
    save(store, "sysname x", *blocks)
    assert store.counters.programmed_bytes - before < 500
    first, second = changes(store, "sysname x", *blocks)
    assert (set(first), second) == ({"config"}, {})


def test_a_realm_in_the_middle_moves_no_other() -> None:
    store = blank()
    realms = [f"pki realm r{n}" for n in range(20)]
    save(store, *realms)
    realms.insert(7, "pki realm new")
    first, _second = changes(store, *realms)
    assert set(first) == {"config", "config/realm/new/0"}
    save(store, *realms)
    realms.append(realms.pop(3))
    first, _second = changes(store, *realms)
    assert set(first) == {"config", "config/realm/r3/0"}
    save(store, *realms)
    assert stored(store) == realms


def test_a_realm_that_is_gone_takes_both_copies_with_it() -> None:
    store = blank()
    save(store, "pki realm abc", "pki realm other")
    first, second = changes(store, "pki realm other")
    assert {key: first.get(key, 0) for key in KEYS} == dict.fromkeys(KEYS)
    assert second == {}
    store.commit(first)
    assert saved.read(store).lost == ""
    assert store.keys("config/realm/abc") == []


def test_generations_never_come_again() -> None:
    """Rot can lay open the block of a realm that was removed: it is older than the new one."""
    store = blank()
    save(store, "pki realm abc", " ca id first")
    old = store.get(KEYS[0])
    save(store, "pki realm other")
    save(store, "pki realm other", "pki realm abc", " ca id second")
    store.commit({KEYS[0]: old})
    assert " ca id second" in stored(store)
    assert saved.read(store).worn == ["realm abc"]


# -- rot -------------------------------------------------------------------------------------------

UNREADABLE: list[object] = [
    {"v": 99},
    "text",
    record_codec.encode(BlockRecord(9, 1, b"not packed")),
    None,
]


@pytest.mark.parametrize("copy", records.COPIES)
@pytest.mark.parametrize("value", UNREADABLE)
def test_one_copy_of_a_realm_is_enough_and_the_next_save_mends(copy: int, value: object) -> None:
    bench = Bench("pki realm abc\n ca id x\n")
    at_once(bench.device.configuration.save())
    bench.store.commit({KEYS[copy]: value})
    bench.factory = ""
    bench.reboot()
    assert bench.device.settings.realms["abc"].ca_id == "x"
    configuration = bench.device.configuration
    assert (configuration.lost(), configuration.closed()) == ("", "")
    told = "of the saved configuration there is one copy only of realm abc; `save` writes"
    assert configuration.worn().startswith(told)
    assert f"CONFIG_ERR: {told}" in bench.logged()
    assert configuration.unsaved()
    typed(bench, 3, "save", "y")
    assert configuration.worn() == ""
    assert bench.store.get(KEYS[0]) == bench.store.get(KEYS[1])
    bench.reboot()
    assert "CONFIG_ERR" not in bench.logged()


@pytest.mark.parametrize("value", UNREADABLE)
def test_a_realm_that_is_lost_is_told_and_shuts_no_line(value: object) -> None:
    """Whom the serial lines let in is known: that is in other records."""
    bench = Bench("sysname r1\npki realm abc\n ca id x\n")
    at_once(bench.device.configuration.save())
    bench.store.commit(dict.fromkeys(KEYS, value))
    bench.reboot()
    assert "abc" not in bench.device.settings.realms
    assert bench.device.settings.sysname == "r1"
    lost = bench.device.configuration.lost()
    named = "the saved configuration of realm abc cannot be read ("
    assert lost.startswith(named) if value else "a realm of the saved configuration is gone" in lost
    assert f"CONFIG_ERR: {lost}" in bench.logged()
    assert bench.device.configuration.closed() == ""
    assert bench.device.configuration.unsaved()


def test_an_older_block_is_told() -> None:
    bench = Bench("pki realm abc\n ca id old\n")
    at_once(bench.device.configuration.save())
    older = bench.store.get(KEYS[0])
    bench.device.settings.realms["abc"].ca_id = "new"
    at_once(bench.device.configuration.save())
    bench.store.commit(dict.fromkeys(KEYS, older))
    bench.reboot()
    assert bench.device.settings.realms["abc"].ca_id == "old"
    assert "is gone, or an older one" in bench.device.configuration.lost()
    at_once(bench.device.configuration.save())
    assert bench.device.configuration.lost() == ""


def test_what_is_left_of_a_lost_configuration_is_shown_and_saved_anew() -> None:
    """The record of the rest is lost, the realms are not."""
    bench = Bench("sysname r1\npki realm abc\n ca id x\n")
    at_once(bench.device.configuration.save())
    bench.store.commit({"config": {"v": 99}})
    bench.reboot()
    assert bench.device.settings.realms["abc"].ca_id == "x"
    assert bench.device.configuration.closed().startswith("the saved configuration cannot be read")
    typed(bench, 3, "save", "y")
    bench.reboot()
    assert bench.device.configuration.lost() == ""
    assert "abc" in bench.device.settings.realms


def test_every_power_cut_of_a_save_leaves_all_old_or_all_new_blocks() -> None:
    bench = Bench("pki realm a\n ca id old\npki realm b\n ca id old\n", FakeFlash(4096, 16))
    at_once(bench.device.configuration.save())
    image = bench.flash.image()
    found = set()
    for operation in range(1000):
        one = Bench(flash=FakeFlash.from_image(image, 4096))
        realms = one.device.settings.realms
        realms["a"].ca_id = realms["b"].ca_id = "new"
        realms["c"] = Realm("c")
        one.flash.cut_after(operation, 3, -1)
        try:
            at_once(one.device.configuration.save())
        except PowerCut:
            one.reboot()
            realms = one.device.settings.realms
            found.add((*realms, realms["a"].ca_id, realms["b"].ca_id))
            assert one.device.configuration.lost() == ""
        else:
            break
    assert found == {("default", "a", "b", "old", "old"), ("default", "a", "b", "c", "new", "new")}
    assert operation > 2


@pytest.mark.slow
def test_every_single_bit_of_the_flash_leaves_each_realm_or_says_so() -> None:
    bench = Bench("pki realm a\n ca id x\npki realm b\n ca id y\n", FakeFlash(4096, 16))
    at_once(bench.device.configuration.save())
    bench.device.settings.realms["b"].ca_id = "z"
    at_once(bench.device.configuration.save())
    image = bench.flash.image()
    whole = told = 0
    for position in range(0, len(image.rstrip(b"\xff")) * 8, 17):
        flash = FakeFlash.from_image(image, 4096)
        flash.flip(position // 8, position % 8)
        one = Bench(flash=flash)
        realms = one.device.settings.realms
        ids = {name: realm.ca_id for name, realm in realms.items() if name != "default"}
        configuration = one.device.configuration
        if configuration.lost():
            told += 1
        else:
            assert ids == {"a": "x", "b": "z"}, position
            whole += 1
        one.device.close()
    print(f"kept: flips={whole + told} whole={whole} told={told}")
    assert whole > told
