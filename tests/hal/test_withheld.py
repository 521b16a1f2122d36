"""The store that stands in for a part which must not be touched, and the erasure of that part."""

import random

import pytest

from hal.fakes.flash import ERASE_ERROR, READ_ERROR, SILENT_ERASE, FakeFlash, PowerCut
from hal.flash import is_blank
from hal.ports import FlashError, StoreError, WithheldError
from hal.store import Store
from hal.withheld import BlankFlash, WithheldStore, erased
from tests.helpers.loss import of_the_next_version

SHAPE = (512, 16)
WHY = "holds something else"


def _random() -> FakeFlash:
    return FakeFlash.from_image(random.Random(13).randbytes(SHAPE[0] * SHAPE[1]), SHAPE[0])


def _zeroes() -> FakeFlash:
    return FakeFlash.from_image(bytes(SHAPE[0] * SHAPE[1] - 1) + b"x", SHAPE[0])


def _filled(block_size: int, block_count: int) -> FakeFlash:
    """A part that has been in use: each segment has had its turn."""
    flash = FakeFlash(block_size, block_count)
    store = Store.mount(flash)
    for number in range(4):
        store.commit({f"key/k{number}": bytes([number]) * 200})
    while flash.read(block_count // 2 * block_size, 1) == b"\xff":
        store.commit({"key/k0": bytes(200)})
    return flash


def _other_geometry() -> FakeFlash:
    """A part of which a half is gone."""
    image = _filled(SHAPE[0], 2 * SHAPE[1]).image()
    return FakeFlash.from_image(image[: len(image) // 2], SHAPE[0])


def _newer() -> FakeFlash:
    """The same part by a release with another version in its headers."""
    image = bytearray(_filled(*SHAPE).image())
    assert of_the_next_version(image) >= 4  # two headers, each twice
    return FakeFlash.from_image(bytes(image), SHAPE[0])


UNUSABLE = {
    "random bytes": _random,
    "zeroes and more": _zeroes,
    "another geometry": _other_geometry,
    "version 2": _newer,
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_such_a_part_is_refused_and_erased_it_is_that_of_a_new_device(kind: str) -> None:
    flash = UNUSABLE[kind]()
    with pytest.raises(StoreError):
        Store.mount(flash)
    assert sorted(erased(flash)) == list(range(flash.block_count))
    assert is_blank(flash.image())
    store = Store.mount(flash)
    store.commit({"config": "text"})
    assert Store.mount(flash).get("config") == "text"


@pytest.mark.parametrize("kind", UNUSABLE)
def test_each_power_cut_leaves_the_same_condition_or_a_blank_part(kind: str) -> None:
    """Never a state of ours, old or made up."""
    cuts = 0
    while True:
        flash = UNUSABLE[kind]()
        flash.cut_after(cuts, tear=cuts % 7, keep=-1 if cuts % 2 else 0)
        try:
            list(erased(flash))
            break
        except PowerCut:
            cuts += 1
        left = FakeFlash.from_image(flash.image(), SHAPE[0])
        try:
            store = Store.mount(left)
        except StoreError:
            assert not is_blank(left.image())
        else:
            assert store.keys() == []
        list(erased(left))
        assert is_blank(left.image())
    assert cuts >= 8


def test_what_cannot_be_read_at_a_start_and_can_at_the_next_is_no_older_state() -> None:
    """The blocks with headers go first, so a cut leaves all of a state, or nothing of it."""
    cuts = seen = 0
    while True:
        flash = _filled(*SHAPE)
        flash.cut_after(cuts)
        try:
            list(erased(flash))
            break
        except PowerCut:
            cuts += 1
        try:
            store = Store.mount(FakeFlash.from_image(flash.image(), SHAPE[0]))
        except StoreError:
            continue
        whole = len(store.keys()) == 4
        assert whole or store.keys() == []
        assert not whole or seen == cuts - 1  # the first blocks alone, while one header is left
        seen = cuts if whole else seen
    assert cuts > 4


def test_an_erased_part_is_not_worn() -> None:
    flash = FakeFlash(*SHAPE)
    list(erased(flash))
    assert flash.wear == [0] * SHAPE[1]


@pytest.mark.parametrize("fault", [ERASE_ERROR, SILENT_ERASE, READ_ERROR])
def test_a_block_that_does_not_become_erased_is_an_error(fault: str) -> None:
    flash = _random()
    flash.spoil(3, fault)
    with pytest.raises(FlashError, match="block 3"):
        list(erased(flash))


def test_the_store_holds_nothing_and_says_why_it_takes_nothing() -> None:
    part = _random()
    before = part.image()
    store = WithheldStore(part, WHY)
    assert store.keys() == []
    assert store.get("config") is None
    assert (store.health.read_only, store.health.reason) == (True, WHY)
    assert store.health.damaged == ()
    assert store.work() is None
    for change in (lambda: store.commit({"config": "text"}), store.compact, store.compacting):
        with pytest.raises(WithheldError, match=WHY):
            change()
    assert (part.image(), part.operations) == (before, 0)


def test_a_part_that_could_hold_no_store_stands_for_none() -> None:
    with pytest.raises(StoreError, match="too few or too small"):
        WithheldStore(FakeFlash(64, 2), WHY)


def test_the_blank_part_reads_as_erased_and_takes_nothing() -> None:
    flash = BlankFlash(*SHAPE)
    assert is_blank(flash.read(512, 100))
    flash.sync()
    with pytest.raises(FlashError):
        flash.program(0, b"x")
    with pytest.raises(FlashError):
        flash.erase(0)
    flash.close()
