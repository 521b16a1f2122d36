"""The store as its callers know it, on a part without faults."""

import binascii
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hal import cbor
from hal.fakes.flash import FakeFlash, PowerCut
from hal.flash import FileFlash, is_blank
from hal.log_format import PAYLOAD_BYTES
from hal.ports import StoreError
from hal.store import KEY_BYTES, Store


def remount(flash: FakeFlash) -> Store:
    return Store.mount(FakeFlash.from_image(flash.image(), flash.block_size, flash.program_size))


def contents(store: Store) -> dict[str, object]:
    return {key: store.get(key) for key in store.keys("")}


def test_an_erased_part_is_an_empty_store_and_a_mount_writes_nothing() -> None:
    flash = FakeFlash(256, 4)
    store = Store.mount(flash)
    assert store.keys() == []
    assert store.get("a") is None
    assert flash.operations == 0
    assert store.health == (False, "", (), 0, 416, 0)


def test_commit_sets_and_removes_at_once() -> None:
    flash = FakeFlash(512, 4)
    store = Store.mount(flash)
    store.commit({"realm/a/local": {"der": b"\0\xff", "n": -1}, "realm/b/ca": [True, None, "x"]})
    store.commit({"realm/a/local": None, "config": "text", "nothing": None})
    for again in (store, remount(flash)):
        assert again.keys() == ["config", "realm/b/ca"]
        assert again.keys("realm/") == ["realm/b/ca"]
        assert again.get("realm/b/ca") == [True, None, "x"]
        assert again.get("realm/a/local") is None


def test_values_are_fresh_and_apart_from_what_was_committed() -> None:
    store = Store.mount(FakeFlash(256, 4))
    value: dict[str, object] = {"list": [1]}
    store.commit({"a": value})
    value["list"] = []
    first = store.get("a")
    assert first == {"list": [1]}
    assert isinstance(first, dict)
    first.clear()
    assert store.get("a") == {"list": [1]}


def test_an_ordinary_commit_costs_one_program_and_one_sync() -> None:
    store = Store.mount(FakeFlash(4096, 2))
    store.commit({"a": 1})
    before = (store.counters.programs, store.counters.erases, store.counters.syncs)
    store.commit({"a": 2, "b": bytes(1000)})
    after = (store.counters.programs, store.counters.erases, store.counters.syncs)
    assert after == (before[0] + 1, before[1], before[2] + 1)
    assert store.counters.programmed_bytes > 1000


def test_wear_is_level() -> None:
    flash = FakeFlash(256, 8)
    store = Store.mount(flash)
    for number in range(300):
        store.commit({"n": number, "data": bytes([number % 256]) * 50})
    assert max(flash.wear) - min(flash.wear) <= 1
    assert remount(flash).get("n") == 299


def test_full_changes_nothing_and_a_smaller_state_fits_again() -> None:
    flash = FakeFlash(256, 4)
    store = Store.mount(flash)
    store.commit({"a": b"a" * 150, "b": b"b" * 150})
    image = flash.image()
    with pytest.raises(StoreError, match="full"):
        store.commit({"c": b"c" * 150})
    assert flash.image() == image
    assert not store.health.read_only
    store.commit({"a": b"A" * 150})
    store.commit({"b": None, "c": b"c" * 150})
    assert contents(remount(flash)) == {"a": b"A" * 150, "c": b"c" * 150}


def test_sizes_are_those_of_keys_and_values_now_or_after_a_change() -> None:
    store = Store.mount(FakeFlash(512, 4))
    store.commit({"a": b"x" * 10, "bb": 1})
    assert store.sizes() == {"a": 2 + 12, "bb": 3 + 2}
    after = store.sizes({"a": None, "c": "", "none": None})
    assert after == {"bb": 5, "c": 2 + 2}
    assert store.keys() == ["a", "bb"]
    assert len(after) == 2
    assert (after.get("a"), "a" in store, "c" in store) == (None, True, False)
    assert after.total == sum(after.values())
    assert sum(store.sizes().values()) == store.sizes().total == store.health.used_bytes
    with pytest.raises(StoreError, match="cannot be stored"):
        store.sizes({"a": 1.5})


PARTS = [(512, 4, 1), (4096, 32, 1), (512, 300, 16), (65536, 8, 256), (16384, 16, 4096)]


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    part=st.sampled_from(PARTS),
    values=st.lists(st.tuples(st.integers(0, 99), st.integers(0, 65_000)), max_size=60),
)
def test_what_fits_for_sure_is_never_refused_as_full(
    part: tuple[int, int, int], values: list[tuple[int, int]]
) -> None:
    """In any order and grouping; and little more than that does not fit."""
    store = Store.mount(FakeFlash(*part))
    room = store.room_bytes
    assert room < store.health.capacity_bytes
    for key, size in values:
        changes = {f"key{key}": bytes(size)}
        if sum(store.sizes(changes).values()) <= room:
            store.commit(changes)
        left = room - sum(store.sizes().values())
        if left > 20:  # to the last byte
            store.commit({"rest": None})
            left = room - sum(store.sizes().values())
            store.commit({"rest": bytes(min(left - 12, 65_000))})
            store.commit({"rest": None})
    frame = 28 + part[2]
    assert store.health.capacity_bytes - room <= frame * (4 + store.health.capacity_bytes // 32_000)


@pytest.mark.parametrize(
    "changes",
    [
        {"a": 1.5},
        {"a": (1,)},
        {"a": {1: 2}},
        {"": 1},
        {"k" * KEY_BYTES: 1},
        {"\ud800": 1},
        {"a": "\ud800"},
        {"a": 1 << 64},
        {"a": bytes(PAYLOAD_BYTES)},
    ],
    ids=lambda changes: str(changes)[:20],
)
def test_what_cannot_be_stored_is_refused_and_nothing_written(changes: dict[str, object]) -> None:
    flash = FakeFlash(128 * 1024, 4)
    store = Store.mount(flash)
    with pytest.raises(StoreError):
        store.commit({"good": 1, **changes})
    assert flash.operations == 0
    assert store.keys() == []


def test_the_largest_transaction_and_a_snapshot_of_many_records() -> None:
    flash = FakeFlash(128 * 1024, 4)
    store = Store.mount(flash)
    value = bytes(PAYLOAD_BYTES - len(cbor.dumps({"aa": b""})) - 7)
    store.commit({"aa": value})
    for number in range(30):
        store.commit({f"n{number:02}": bytes([number]) * 1500})
    store.compact()
    again = remount(flash)
    assert again.get("aa") == value
    assert again.get("n29") == bytes([29]) * 1500
    assert len(again.keys("n")) == 30
    health = again.health
    assert 110_000 < health.used_bytes < health.capacity_bytes


def test_a_commit_of_many_records() -> None:
    """Appended where it fits, else moved; and refused only for the room of the store."""
    flash = FakeFlash(128 * 1024, 8)
    store = Store.mount(flash)
    erases = []
    for number in range(1, 6):
        store.commit({f"n{at}": bytes([number]) * 50_000 for at in range(4)} | {"b": number})
        again = remount(flash)
        assert contents(again) == contents(store)
        assert again.get("n3") == bytes([number]) * 50_000
        assert not again.health.damaged
        erases.append(store.counters.erases)
    assert erases == [0, 2, 4, 6, 8]
    image = flash.image()
    with pytest.raises(StoreError, match="full"):
        store.commit({f"n{at}": bytes(50_000) for at in range(6)})
    assert flash.image() == image
    store.commit({f"n{at}": None for at in range(4)})
    store.commit({"b": 6, **{f"m{at}": bytes(60_000) for at in range(2)}})
    assert remount(flash).keys() == ["b", "m0", "m1"]


def test_a_value_of_many_items_comes_back() -> None:
    flash = FakeFlash(64 * 1024, 4)
    Store.mount(flash).commit({f"k{number}": [0] * 9_000 for number in range(5)})
    assert remount(flash).get("k4") == [0] * 9_000


def test_compact_leaves_no_replaced_value_anywhere() -> None:
    flash = FakeFlash(256, 4)
    store = Store.mount(flash)
    store.commit({"secret": b"the replaced secret", "other": 1})
    store.commit({"secret": b"new"})
    assert b"the replaced secret" in flash.image()
    store.compact()
    assert b"the replaced secret" not in flash.image()
    assert contents(remount(flash)) == contents(store) == {"secret": b"new", "other": 1}
    store.commit({"secret": None})
    for _piece in store.compacting():
        assert not store.health.read_only
    assert b"new" not in flash.image()


def test_foreign_content_is_refused_unless_it_may_be_taken_over() -> None:
    image = bytes(range(256)) * 4
    flash = FakeFlash.from_image(image, 256)
    with pytest.raises(StoreError, match="neither our format nor erased"):
        Store.mount(flash)
    store = Store.mount(flash, take_over=True)
    assert store.keys() == []
    assert flash.image() == image
    store.commit({"a": 1})
    assert remount(flash).get("a") == 1


def test_what_a_cut_first_start_leaves_is_no_foreign_content() -> None:
    flash = FakeFlash(256, 4)
    flash.cut_after(0, tear=30)
    with pytest.raises(PowerCut):
        Store.mount(flash).commit({"a": 1})
    assert not is_blank(flash.image())
    flash = FakeFlash.from_image(flash.image(), 256)
    Store.mount(flash).commit({"a": 1})
    assert remount(flash).get("a") == 1


@pytest.mark.parametrize(("block_size", "block_count"), [(256, 1), (64, 64), (256, 0)])
def test_a_part_that_is_too_small_is_refused(block_size: int, block_count: int) -> None:
    with pytest.raises(StoreError, match="too few or too small"):
        Store.mount(FakeFlash(block_size, block_count))


@pytest.mark.parametrize("content", ["foreign", "newer", "zeroes", "random", "own", "geometry"])
@pytest.mark.parametrize("raw", [True, False])
def test_any_part_can_be_taken_over(content: str, raw: bool) -> None:
    """Nothing of what lies there comes back, by whatever a later mount may find."""
    image = CONTENTS[content]()
    flash = FakeFlash.from_image(image, 512, raw=raw)
    store = Store.mount(flash, take_over=True)
    assert (store.keys(), flash.operations) == ([], 0)
    for number in range(60):
        store.commit({"n": number, "filler": bytes(200)})
        again = Store.mount(FakeFlash.from_image(flash.image(), 512, raw=raw))
        assert contents(again) == {"n": number, "filler": bytes(200)}
        assert not again.health.damaged


def of_a_store(part: FakeFlash) -> bytes:
    store = Store.mount(part)
    for number in range(40):
        store.commit({"n": -number, "old": bytes(100)})
    return part.image()


def newer() -> bytes:
    header = bytearray(FakeFlash.from_image(of_a_store(FakeFlash(512, 8)), 512).read(0, 48))
    header[8:10] = b"\0\2"
    return bytes(header[:44] + binascii.crc32(header[:44]).to_bytes(4, "big")).ljust(4096, b"x")


CONTENTS: dict[str, Callable[[], bytes]] = {
    "foreign": lambda: bytes(range(256)) * 16,
    "newer": newer,
    "zeroes": lambda: bytes(4096),
    "random": lambda: random.Random(7).randbytes(4096),
    "own": lambda: of_a_store(FakeFlash(512, 8)),
    "geometry": lambda: of_a_store(FakeFlash(256, 5)).ljust(4096, b"y"),
}


def test_a_changed_board_file_leaves_the_state_readable_and_the_store_working() -> None:
    flash = FakeFlash(256, 16)
    Store.mount(flash).commit({"a": 1})
    for block_size, program_size in ((512, 1), (256, 4), (128, 16)):
        other = FakeFlash.from_image(flash.image() + b"\xff" * 4096, block_size, program_size)
        store = Store.mount(other)
        for number in range(40):
            assert store.get("a") == 1
            store.commit({"n": number, "filler": bytes(300)})
        assert remount(other).get("n") == 39
    with pytest.raises(StoreError, match="the part is erased in blocks of 4096"):
        Store.mount(FakeFlash.from_image(flash.image() * 2, 4096))


def test_a_value_that_we_have_not_made_comes_as_its_bytes() -> None:
    """Nothing decodes it, and nothing ends by it."""
    store = Store.mount(FakeFlash(512, 4))
    store.commit({"a": 1, "b": 2})
    store._segments.commit({"a": b"\xff"})
    assert (store.get("a"), store.get("b")) == (b"\xff", 2)


def test_two_values_at_once_are_one_object_where_they_are_equal() -> None:
    store = Store.mount(FakeFlash(4096, 8))
    store.commit({"a": {"x": [1]}, "b": {"x": [1]}, "c": 1, "d": 2})
    first, second = store.both("a", "b")
    assert first is second
    assert first == {"x": [1]}
    assert store.both("c", "d") == (1, 2)
    assert store.both("a", "none") == ({"x": [1]}, None)
    assert store.both("none", "a") == (None, {"x": [1]})
    assert store.both("none", "nothing") == (None, None)
    assert first is not store.get("a"), "fresh each time"


def test_keys_stay_sorted() -> None:
    store = Store.mount(FakeFlash(4096, 8))
    for number in range(200):
        store.commit({f"k{number * 37 % 101:03}": None if number % 3 == 2 else number})
        assert store.keys() == sorted(store.sizes())
    store.commit({f"m{number}": number for number in range(100)})
    assert store.keys("m9") == ["m9", *(f"m9{number}" for number in range(10))]
    assert store.keys("z") == []


def test_on_a_file(tmp_path: object) -> None:
    path = f"{tmp_path}/flash.bin"
    flash = FileFlash(path, 4096, 4)
    Store.mount(flash).commit({"a": b"kept"})
    flash.close()
    flash = FileFlash(path, 4096, 4)
    assert Store.mount(flash).get("a") == b"kept"
    flash.close()


VALUES = st.one_of(
    st.none(),
    st.integers(-(1 << 64), (1 << 64) - 1),
    st.binary(max_size=60),
    st.text(max_size=10),
    st.lists(st.booleans(), max_size=4),
    st.dictionaries(st.text(max_size=3), st.integers(0, 9), max_size=3),
)
COMMITS = st.dictionaries(st.sampled_from(["a", "b", "cc", "realm/ä/x"]), VALUES, max_size=4)
STEPS = st.lists(st.one_of(COMMITS, st.sampled_from(["compact", "remount"])), max_size=25)


@settings(max_examples=80, deadline=None)
@given(steps=STEPS, program_size=st.sampled_from([1, 4, 16]))
def test_it_behaves_like_a_dictionary(steps: list[object], program_size: int) -> None:
    flash = FakeFlash(512, 4, program_size)
    store, model = Store.mount(flash), dict[str, object]()
    for step in steps:
        if step == "remount":
            store = Store.mount(flash)
        elif step == "compact":
            store.compact()
        elif isinstance(step, dict):
            store.commit(step)
            model = {key: value for key, value in {**model, **step}.items() if value is not None}
        assert contents(store) == model
    assert contents(remount(flash)) == model
    assert not remount(flash).health.damaged


def test_a_part_of_zeroes_that_is_settled_takes_its_first_commit_without_an_erase() -> None:
    flash = FakeFlash.from_image(bytes(64 * 4096), 4096)
    store = Store.mount(flash)
    store.settle()
    erases = store.counters.erases
    store.commit({"a": 1})
    assert store.counters.erases == erases > 0
    assert store.get("a") == 1


def test_what_is_due_is_told_at_a_commit_and_done_in_pieces() -> None:
    store = Store.mount(FakeFlash(4096, 64, raw=False))
    told: list[int] = []
    store.when_due(lambda: told.append(1))
    store.commit({"a": 1})
    assert (told, store.work()) == ([1], None)
    for _piece in store.compacting():
        assert store.get("a") == 1
    with pytest.raises(KeyError):
        store.sizes({"a": None})["a"]
