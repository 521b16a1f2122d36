"""Bit rot, bad blocks, worn parts: current, or older and reported; never garbage or a crash."""

import pytest

from hal import cbor
from hal.fakes.flash import (
    ERASE_ERROR,
    FAULTS,
    PROGRAM_ERROR,
    READ_ERROR,
    SILENT_ERASE,
    SILENT_PROGRAM,
    FakeFlash,
)
from hal.log_format import TRANSACTION, layout_of, pack_record
from hal.log_segments import Segments
from hal.ports import StoreError
from hal.store import Store

BLOCK = 512
HISTORY: list[dict[str, object]] = [
    {"ca": b"the CA set, which stays as it is", "key": b"key of generation 1", "count": 1},
    {"certificate": b"certificate of generation 1", "count": 2},
    {"key": b"KEY OF GENERATION 2", "certificate": b"CERTIFICATE OF GENERATION 2", "count": 3},
    {"count": 4},
]
CURRENT = {
    "ca": b"the CA set, which stays as it is",
    "key": b"KEY OF GENERATION 2",
    "certificate": b"CERTIFICATE OF GENERATION 2",
    "count": 4,
}
VALUES = {key: [None, *(step[key] for step in HISTORY if key in step)] for key in CURRENT}


REASONS = {
    PROGRAM_ERROR: "program error in block 1",
    SILENT_PROGRAM: "read back differently",
    ERASE_ERROR: "erase error in block 1",
    SILENT_ERASE: "block 1 is not erased after an erase",
}


def contents(store: Store) -> dict[str, object]:
    return {key: store.get(key) for key in store.keys("")}


def remount(flash: FakeFlash) -> Store:
    return Store.mount(FakeFlash.from_image(flash.image(), flash.block_size, flash.program_size))


def first_life() -> FakeFlash:
    """All commits in one segment, none moved."""
    flash = FakeFlash(BLOCK, 2)
    store = Store.mount(flash)
    for changes in HISTORY:
        store.commit(changes)
    assert flash.wear == [0, 0]
    return flash


def moved() -> FakeFlash:
    """A snapshot, and transactions behind it."""
    flash = FakeFlash(BLOCK, 2)
    store = Store.mount(flash)
    for changes in HISTORY[:2]:
        store.commit(changes)
    store._segments._move({})
    for changes in HISTORY[2:]:
        store.commit(changes)
    assert flash.wear == [0, 1]
    return flash


def flips(flash: FakeFlash, step: int = 1) -> list[tuple[int, FakeFlash]]:
    image = flash.image()
    parts = []
    for position in range(0, len(image) * 8, step):
        part = FakeFlash.from_image(image, flash.block_size)
        part.flip(position // 8, position % 8)
        parts.append((position // 8, part))
    return parts


@pytest.mark.slow
@pytest.mark.parametrize("make", [first_life, moved])
def test_every_single_bit(make: object) -> None:
    flash = first_life() if make is first_life else moved()
    current = older = 0
    for offset, part in flips(flash):
        store = Store.mount(part)
        found = contents(store)
        assert all(found.get(key) in VALUES[key] for key in VALUES), offset
        assert set(found) <= set(CURRENT), offset
        assert part.operations == 0
        if found == CURRENT:
            current += 1
        else:
            older += 1
            assert any(damage.lost != () for damage in store.health.damaged), offset
    print(f"rot: flips={current + older} current={current} older={older}")
    assert current > older > 0


def test_a_snapshot_may_rot_as_long_as_the_segment_before_is_there() -> None:
    flash = moved()
    layout = layout_of(flash)
    start = layout.segment_size
    for offset, part in flips(flash):
        if start <= offset < start + layout.records_at + 100:  # headers and snapshot
            store = Store.mount(part)
            assert contents(store) == CURRENT, offset
            assert all(damage.lost == () for damage in store.health.damaged), offset


def test_the_transaction_that_completed_a_snapshot_may_rot() -> None:
    """Its keys are not in the snapshot: their values of before come from the segment before."""
    flash = FakeFlash(BLOCK, 2)
    store = Store.mount(flash)
    store.commit({"a": b"old", "b": 1})
    store._segments._move({"a": cbor.dumps(b"replaced")})
    store.commit({"b": 2})
    flash.flip(flash.image().index(b"replaced"), 0)
    store = Store.mount(flash)
    assert contents(store) == {"a": b"old", "b": 2}
    assert store.health.damaged == (("transaction 2.2", ("a",), ("a",)),)


@pytest.mark.parametrize("make", [first_life, moved])
def test_the_next_commit_heals(make: object) -> None:
    flash = first_life() if make is first_life else moved()
    healed = 0
    for offset, part in flips(flash, 13):
        store = Store.mount(part)
        if store.health.damaged:
            state = contents(store)
            store.commit({"count": 5})
            again = remount(part)
            assert not again.health.damaged, offset
            assert contents(again) == {**state, "count": 5}, offset
            healed += 1
    assert healed > 50


def test_the_keys_of_a_lost_transaction_are_named() -> None:
    flash = first_life()
    offset = flash.image().index(b"KEY OF GENERATION 2")
    flash.flip(offset, 0)
    store = Store.mount(flash)
    (damage,) = store.health.damaged
    assert damage.what == "transaction 1.3"
    assert damage.keys == ("key", "count", "certificate")
    assert damage.lost == ("key", "certificate"), "there is a later count"
    assert contents(store) == {
        **CURRENT, "key": b"key of generation 1", "certificate": b"certificate of generation 1"
    }  # fmt: skip


def test_what_was_written_since_is_damaged_and_not_lost() -> None:
    flash = first_life()
    flash.flip(flash.image().index(b"certificate of generation 1"), 0)
    store = Store.mount(flash)
    assert contents(store) == CURRENT
    assert store.health.damaged == (("transaction 1.2", ("count", "certificate"), ()),)


def test_a_rotten_newest_record_is_not_taken_for_a_torn_one() -> None:
    clean = first_life().image()
    start = clean.rindex(b"scpT")
    end = len(clean[:BLOCK].rstrip(b"\xff"))
    for offset in range(start, end - 1):
        part = FakeFlash.from_image(clean, BLOCK)
        part.flip(offset, 1)
        store = Store.mount(part)
        found = contents(store)
        assert found == CURRENT or store.health.damaged, offset
    for tear in range(1, end - start - 1):
        torn = clean[: start + tear] + b"\xff" * (len(clean) - start - tear)
        store = Store.mount(FakeFlash.from_image(torn, BLOCK))
        assert not store.health.damaged, tear


def test_a_lost_segment_is_reported() -> None:
    flash = moved()
    image = flash.image()
    layout = layout_of(flash)
    at = layout.segment_size
    gone = image[:at] + b"\x55" * layout.records_at + image[at + layout.records_at :]
    store = Store.mount(FakeFlash.from_image(gone, BLOCK))
    assert store.get("count") == 2
    assert store.health.damaged[0].what == "segment 1, with transactions up to 2.4"
    only = first_life().image()
    with pytest.raises(StoreError, match="damaged: nothing of what was stored can be found"):
        Store.mount(FakeFlash.from_image(b"\x55" * 100 + only[100:], BLOCK))


def test_a_payload_that_is_no_map_is_damage() -> None:
    flash = FakeFlash(BLOCK, 2)
    store = Store.mount(flash)
    store.commit({"a": 1})
    for payload in (b"\x01", b"\xff"):
        log = store._segments
        log.sequence += 1
        record = pack_record(log.layout, TRANSACTION, log.sequence, payload)
        flash.program(log._end, record)
        log._end += len(record)
    store.commit({"b": 2})
    again = remount(flash)
    assert contents(again) == {"a": 1, "b": 2}
    assert len(again.health.damaged) == 2


class SmallSegments(Segments):
    record_bytes = 40


class SmallRecords(Store):
    segments = SmallSegments


def test_rot_in_a_commit_of_many_records_takes_one_record_and_is_told() -> None:
    """In the log, behind a snapshot, as the newest and as one before that."""
    names = [*"abcdef"]
    for moved_before, later in ((False, False), (True, False), (False, True), (True, True)):
        flash = FakeFlash(BLOCK, 2)
        store = SmallRecords.mount(flash)
        store.commit(dict.fromkeys(names, b"old"))
        if moved_before:
            store._segments._move({})
        old = flash.image().rindex(b"scpT")
        store.commit(dict.fromkeys(names, b"new and longer"))
        if later:
            store.commit({"z": 1})
        lost, current, image = 0, 0, flash.image()
        for offset, part in flips(flash, 3):
            is_key = image[offset - 1 : offset] == b"a" and chr(image[offset]) in names
            if offset <= old or is_key:  # a rotten key may look like another one
                continue
            again = SmallRecords.mount(part)
            found = {again.get(name) for name in names}
            assert found <= {b"old", b"new and longer"}, offset
            gone = [damage.lost for damage in again.health.damaged]
            if found == {b"new and longer"}:
                current += 1
            else:
                lost += 1
                stale = {name for name in names if again.get(name) == b"old"}
                assert any(keys is None or stale <= set(keys) for keys in gone), offset
        assert current > 0 < lost


@pytest.mark.parametrize("fault", [PROGRAM_ERROR, SILENT_PROGRAM])
def test_a_program_that_fails_moves_the_state(fault: str) -> None:
    flash = FakeFlash(BLOCK, 2)
    store = Store.mount(flash)
    store.commit({"a": 1})
    flash.spoil(0, fault)
    store.commit({"a": 2})
    assert not store.health.read_only
    assert remount(flash).get("a") == 2
    store.commit({"a": 3})
    assert remount(flash).get("a") == 3


@pytest.mark.parametrize("fault", REASONS)
def test_no_segment_left_means_read_only_and_served(fault: str) -> None:
    flash = FakeFlash(BLOCK, 2)
    store = Store.mount(flash)
    flash.spoil(1, fault)
    store.commit({"certificate": b"in use", "n": 0})
    for number in range(1, 100):
        try:
            store.commit({"n": number, "filler": bytes([number]) * 50})
        except StoreError:
            break
    assert 1 < number < 99
    assert store.health.read_only
    assert REASONS[fault] in store.health.reason
    assert store.get("certificate") == b"in use"
    assert store.get("n") == number - 1
    with pytest.raises(StoreError, match="read-only"):
        store.commit({"n": 0})
    with pytest.raises(StoreError, match="read-only"):
        store.compact()
    assert contents(remount(flash)) == contents(store)


def test_more_segments_survive_more_bad_blocks() -> None:
    flash = FakeFlash(64 * 1024, 8)
    store = Store.mount(flash)
    store.commit({"a": 1})
    flash.spoil(2, ERASE_ERROR)
    flash.spoil(5, PROGRAM_ERROR)
    flash.spoil(0, SILENT_PROGRAM)
    store.commit({"a": 2})
    assert remount(flash).get("a") == 2
    assert not store.health.read_only


def test_a_failed_append_that_fits_nowhere_ends_read_only() -> None:
    flash = FakeFlash(BLOCK, 2)
    store = Store.mount(flash)
    store.commit({"a": bytes(250)})
    flash.spoil(0, PROGRAM_ERROR)
    log = store._segments
    log.layout = log.layout._replace(blocks=1)
    store._values.put({"b": b"\x58\xf0" + bytes(240)})
    with pytest.raises(StoreError, match="read-only"):
        store.commit({"c": 1})


@pytest.mark.parametrize("block", [0, 1])
def test_an_unreadable_block_is_reported(block: int) -> None:
    flash = moved()
    flash.spoil(block, READ_ERROR)
    store = Store.mount(flash)
    found = contents(store)
    assert all(found.get(key) in VALUES[key] for key in VALUES)
    assert store.health.damaged[0].what.startswith(f"block {block} cannot be read")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("block", range(4))
def test_any_bad_block_at_any_time(fault: str, block: int) -> None:
    """Whatever goes bad, a commit that returned holds, and one that raised changed nothing."""
    for bad_from in range(0, 24, 3):
        flash = FakeFlash(256, 4)
        store = Store.mount(flash)
        expected: dict[str, object] = {}
        for number in range(24):
            if number == bad_from:
                flash.spoil(block, fault)
            changes = {"n": number, "data": bytes([number]) * 40}
            try:
                store.commit(changes)
                expected = {**expected, **changes}
            except StoreError:
                assert store.health.read_only
            assert contents(store) == expected
        if fault != READ_ERROR:
            assert contents(remount(flash)) in (expected, {"n": number, **expected})
