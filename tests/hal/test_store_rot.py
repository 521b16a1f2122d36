"""Rot and failing blocks behind the mount: what a store that runs reads of them."""

import pytest

from hal.fakes.flash import READ_ERROR, FakeFlash
from hal.store import Store

BLOCK = 512
WRITTEN: list[dict[str, object]] = [
    {"ca": b"the CA set, which stays as it is", "key": b"key of generation 1"},
    {"certificate": b"certificate", "key": b"KEY OF GENERATION 2"},
    {"count": 4},
]
CURRENT = {
    "ca": b"the CA set, which stays as it is",
    "key": b"KEY OF GENERATION 2",
    "certificate": b"certificate",
    "count": 4,
}


def contents(store: Store) -> dict[str, object]:
    return {key: store.get(key) for key in store.keys("")}


def remount(flash: FakeFlash) -> Store:
    return Store.mount(FakeFlash.from_image(flash.image(), flash.block_size, flash.program_size))


def running(flash: FakeFlash) -> tuple[Store, list[tuple[str, tuple[str, ...]]]]:
    """A store that has been mounted, and what it tells of damage since."""
    store, told = Store.mount(flash), list[tuple[str, tuple[str, ...]]]()
    store.when_damaged(lambda what, keys: told.append((what, keys)))
    return store, told


def rest(store: Store) -> None:
    while store.work() is not None:
        pass


@pytest.mark.parametrize("raw", [True, False])
def test_a_value_that_rots_behind_the_mount_is_told_and_takes_no_other_along(raw: bool) -> None:
    """Neither the rest of its record, which a mount would leave out, nor its own key."""
    flash = FakeFlash(BLOCK, 8, raw=raw)
    store = Store.mount(flash)
    for changes in WRITTEN:
        store.commit(changes)
    store, told = running(flash)
    flash.flip(flash.image().index(b"KEY OF GENERATION 2"), 1)
    woken: list[bool] = []
    store.when_due(lambda: woken.append(True))
    assert (told, store.health.damaged) == ([], ())
    left = {**CURRENT, "key": b""}
    for _twice in range(2):
        assert contents(store) == left
    assert told == [("a value that cannot be read any more: it is not as it was written", ("key",))]
    assert store.health.damaged == ((*told[0], ("key",)),)
    assert woken
    rest(store)
    assert store.health.sequence >> 32 == 2, "it has moved by itself"
    again = remount(flash)
    assert contents(again) == contents(store) == left
    assert not again.health.damaged
    store.commit({"key": b"KEY OF GENERATION 3"})
    assert contents(remount(flash)) == {**CURRENT, "key": b"KEY OF GENERATION 3"}


def test_what_a_move_cannot_read_is_left_out_with_its_key_kept() -> None:
    flash = FakeFlash(BLOCK, 8, raw=False)
    store = Store.mount(flash)
    for changes in WRITTEN:
        store.commit(changes)
    store, told = running(flash)
    flash.flip(flash.image().index(b"the CA set"), 1)
    store.compact()
    assert [keys for _, keys in told] == [("ca",)]
    assert contents(remount(flash)) == {**CURRENT, "ca": b""}


def test_a_block_that_fails_behind_the_mount_costs_what_lies_in_it() -> None:
    flash = FakeFlash(BLOCK, 8, raw=False)
    store = Store.mount(flash)
    store.commit({"early": 1})
    store.commit({"filler": bytes(BLOCK)})
    store.commit({"late": 2})
    store, told = running(flash)
    flash.spoil(0, READ_ERROR)
    assert (store.get("early"), store.get("late")) == (b"", 2)
    assert (store.get("filler"), len(told)) == (b"", 2)
    assert told[0] == (f"a value that cannot be read any more: {READ_ERROR} in block 0", ("early",))
    rest(store)
    assert contents(remount(flash)) == {"early": b"", "late": 2, "filler": b""}


def test_a_move_into_what_the_state_was_read_from_loses_nothing() -> None:
    """With two segments, the copies that a rotten snapshot had lie where the next move goes."""
    flash = FakeFlash(BLOCK, 2)
    store = Store.mount(flash)
    store.commit({"a": b"of the snapshot", "b": b"too"})
    store._segments._move({})
    store.commit({"c": b"behind it"})
    flash.flip(flash.image().rindex(b"of the snapshot"), 1)
    store, _told = running(flash)
    whole = {"a": b"of the snapshot", "b": b"too", "c": b"behind it"}
    assert store.health.damaged
    store.commit({"d": 1})
    assert contents(remount(flash)) == contents(store) == {**whole, "d": 1}
