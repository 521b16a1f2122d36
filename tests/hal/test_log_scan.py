"""Reading a log: what follows on what, what is torn and what is rotten."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hal import cbor
from hal.fakes.flash import READ_ERROR, FakeFlash
from hal.log_format import (
    SNAPSHOT,
    TRANSACTION,
    Layout,
    Segment,
    layout_of,
    pack_record,
    pack_segment,
)
from hal.log_scan import Damage, Found, scan, survey
from hal.ports import StoreError

LAYOUT = Layout(512, 1, 1, 2)


def record(sequence: int, changes: dict[str, object], kind: bytes = TRANSACTION) -> bytes:
    return pack_record(LAYOUT, kind, sequence, cbor.dumps(changes))


def segment(*records: bytes, number: int = 1, first: int = 1, parts: int = 0) -> bytes:
    data = pack_segment(LAYOUT, Segment(number, first, parts)) + b"".join(records)
    return data.ljust(LAYOUT.segment_size, b"\xff")


def flipped(data: bytes, offset: int) -> bytes:
    return data[:offset] + bytes([data[offset] ^ 1]) + data[offset + 1 :]


def sequences(data: bytes, first: int = 1) -> list[int]:
    return [found.sequence for found in scan(LAYOUT, data, LAYOUT.records_at, first).records]


def test_a_clean_log() -> None:
    data = segment(record(1, {"a": 1}), record(2, {"b": 2}))
    found = scan(LAYOUT, data, LAYOUT.records_at, 1)
    assert [item.sequence for item in found.records] == [1, 2]
    assert found.clean
    assert not found.lost
    assert found.end == LAYOUT.records_at + 2 * len(record(1, {"a": 1}))
    assert found.complete()
    assert found.last() == 2


def test_old_records_behind_the_end_are_not_taken() -> None:
    data = segment(record(7, {"a": 1}), record(3, {"old": 1}), first=7)
    assert sequences(data, 7) == [7]
    assert not scan(LAYOUT, data, LAYOUT.records_at, 7).clean


def test_a_payload_that_looks_like_a_record_is_stepped_over() -> None:
    fake = record(3, {"planted": True})
    outer = record(2, {"certificate": fake})
    data = segment(record(1, {"a": 1}), flipped(outer, len(outer) - 3), record(3, {"b": 1}))
    found = scan(LAYOUT, data, LAYOUT.records_at, 1)
    assert [cbor.loads(item.payload, max_bytes=99) for item in found.records] == [
        {"a": 1},
        {"b": 1},
    ]
    assert found.lost == {2: ("certificate",)}


def test_several_lost_in_a_row() -> None:
    one = record(2, {"b": 1})
    data = segment(record(1, {"a": 1}), flipped(one, 2), flipped(one, 7), record(4, {"c": 1}))
    found = scan(LAYOUT, data, LAYOUT.records_at, 1)
    assert [item.sequence for item in found.records] == [1, 4]
    assert set(found.lost) == {2, 3}


def test_a_gap_that_no_records_fit_in_is_not_believed() -> None:
    data = segment(record(1, {"a": 1}), b"\0" * 30, record(9, {"far": 1}))
    assert sequences(data) == [1]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([1, 16]))
def test_any_bytes_can_be_scanned(noise: bytes, program_size: int) -> None:
    flash = FakeFlash(512, 2, program_size)
    layout = layout_of(flash)
    header = pack_segment(layout, Segment(1, 1, 0))
    data = (header + noise).ljust(512, b"\xff")
    found = survey(FakeFlash.from_image(data + b"\xff" * 512, 512, program_size), layout)
    assert found.live == {}
    assert found.end == 0


def test_behind_an_interrupted_move_nothing_is_appended() -> None:
    first = segment(record(1, {"a": 1}))
    second = segment(record(2, {"a": 1}, SNAPSHOT), number=2, first=2, parts=1)
    found = survey(FakeFlash.from_image(first + second, 512), LAYOUT)
    assert found.needed == (0,)
    assert found.end == 0
    assert found.numbers == {0: 1, 1: 2}
    assert not found.damaged
    found = survey(FakeFlash.from_image(first + b"\xff" * 512, 512), LAYOUT)
    assert found.end > LAYOUT.records_at


def test_two_rotten_snapshots_leave_what_is_good() -> None:
    first = segment(record(1, {"a": 1, "b": 1}), record(2, {"c": 1}))
    second = segment(
        record(3, {"a": 1, "b": 1, "c": 1}, SNAPSHOT),
        record(4, {"d": 1}),
        number=2,
        first=3,
        parts=1,
    )
    image = flipped(first, LAYOUT.records_at + 22) + flipped(second, LAYOUT.records_at + 22)
    found = survey(FakeFlash.from_image(image, 512), LAYOUT)
    assert sorted(found.live) == ["c", "d"]
    assert found.needed == (1, 0)
    assert [damage.what for damage in found.damaged] == [
        "record 3 of a snapshot",
        "transaction 1",
    ]


# -- the end of a log: torn or rotten --------------------------------------------------------------

LARGE = Layout(2048, 1, 1, 2)
LONG = pack_record(LARGE, TRANSACTION, 1, cbor.dumps({"a": bytes(1500)}))


def lost(records: bytes, layout: Layout = LARGE) -> dict[int, tuple[str, ...]]:
    data = (pack_segment(layout, Segment(1, 1, 0)) + records).ljust(layout.segment_size, b"\xff")
    return scan(layout, data, layout.records_at, 1).lost


def test_a_record_that_was_whole_once_is_lost_and_names_its_keys() -> None:
    assert lost(flipped(LONG, 700)) == {1: ("a",)}
    assert lost(flipped(LONG, 20)) == {1: ()}  # no map any more
    assert lost(flipped(LONG, 2)) == {1: ()}  # its head is rotten


def test_a_torn_record_is_passed_over_in_silence() -> None:
    for kept in range(len(LONG)):
        assert lost(LONG[:kept]) == {}, kept


def test_a_record_with_an_erased_sector_is_torn() -> None:
    """Sectors of a cache reach the part in any order, the last one too."""
    start = LARGE.records_at
    for sector in (512, 1024):
        torn = LONG[: sector - start] + b"\xff" * 512 + LONG[sector + 512 - start :]
        assert lost(torn) == {}


def test_a_record_begins_where_the_part_is_programmed() -> None:
    """What looks like one elsewhere is the payload of a record whose head is gone."""
    layout = Layout(512, 16, 1, 2)
    planted = pack_record(layout, TRANSACTION, 2, cbor.dumps({"planted": 1}))
    outer = pack_record(layout, TRANSACTION, 1, cbor.dumps({"outer": planted}))
    assert outer.find(planted) % 16
    assert lost(flipped(outer, 2), layout) == {1: ()}


# -- a whole part ----------------------------------------------------------------------------------


def surveyed(*segments: bytes, take_over: bool = False) -> Found:
    flash = FakeFlash.from_image(b"".join(segments), 512)
    return survey(flash, LAYOUT, take_over)


BLANK = b"\xff" * 512


def test_an_erased_part_and_one_that_is_not_ours() -> None:
    assert surveyed(BLANK, BLANK) == Found({}, (), {}, 0, 0, ())
    first_block = BLANK[:99] + b"torn header" + BLANK[110:]
    assert surveyed(first_block, BLANK).live == {}  # a first start that was cut
    roomy = Layout(512, 1, 2, 2)
    foreign = FakeFlash.from_image(BLANK + b"foreign!" * 64 + 2 * BLANK, 512)
    with pytest.raises(StoreError, match="neither our format nor erased flash"):
        survey(foreign, roomy)
    assert survey(foreign, roomy, take_over=True) == Found({}, (), {}, 0, 0, ())


def test_a_record_that_is_no_map_is_reported() -> None:
    data = pack_record(LAYOUT, TRANSACTION, 1, cbor.dumps([1]))
    found = surveyed(segment(data, record(2, {"a": 1})), BLANK)
    assert [damage.what for damage in found.damaged] == ["record 1: not a map"]
    assert list(found.live) == ["a"]


def test_a_segment_whose_header_is_gone_is_missed_when_it_was_the_newest() -> None:
    headless = b"\0" * 80 + segment(record(2, {"a": 2}), record(3, {"a": 3}))[80:]
    found = surveyed(segment(record(1, {"a": 1})), headless)
    assert found.damaged == (Damage("segment 1, with transactions up to 3"),)
    assert (found.sequence, found.end) == (3, 0)
    erased = surveyed(segment(record(4, {"a": 4}), first=4), headless)  # a cut erase left it
    assert erased.damaged == ()
    assert erased.sequence == 4


def test_one_copy_of_a_header_is_enough_and_reported() -> None:
    data = flipped(segment(record(1, {"a": 1})), 50)
    found = surveyed(data, BLANK)
    assert found.damaged == (Damage("a header of segment 0", lost=()),)
    assert list(found.live) == ["a"]


def test_of_a_segment_that_was_never_completed_no_snapshot_is_missed() -> None:
    copy = record(2, {"a": 1}, SNAPSHOT)
    moved = segment(flipped(copy, 22), number=2, first=2, parts=1)
    found = surveyed(segment(record(1, {"a": 1})), moved)
    assert found.damaged == ()
    assert list(found.live) == ["a"]


@pytest.mark.parametrize(
    ("rotten_at", "keys", "gone"),
    [
        (23, ("a", "b"), ("b",)),  # `a` is written again
        (20, (), None),  # no map any more: nobody can tell
    ],
)
def test_what_was_lost_and_is_written_again_is_not_gone(
    rotten_at: int, keys: tuple[str, ...], gone: tuple[str, ...] | None
) -> None:
    rotten = flipped(record(2, {"a": 2, "b": 2}), rotten_at)
    found = surveyed(segment(record(1, {"a": 1, "b": 1}), rotten, record(3, {"a": 3})), BLANK)
    assert found.damaged == (Damage("transaction 2", keys, gone),)


def test_a_block_that_cannot_be_read_is_reported_once() -> None:
    flash = FakeFlash.from_image(segment(record(1, {"a": 1})) + BLANK, 512)
    flash.spoil(0, READ_ERROR)
    found = survey(flash, LAYOUT, take_over=True)
    what = f"block 0 cannot be read: {READ_ERROR} in block 0"
    assert found.damaged == (Damage(what, lost=None),)
    roomy = Layout(512, 1, 2, 2)
    data = (pack_segment(roomy, Segment(1, 1, 0)) + record(1, {"a": 1})).ljust(1024, b"\xff")
    flash = FakeFlash.from_image(data + 2 * BLANK, 512)
    flash.spoil(1, READ_ERROR)
    found = survey(flash, roomy)
    assert found.damaged == (Damage(f"block 1 cannot be read: {READ_ERROR} in block 1", lost=()),)
    assert list(found.live) == ["a"]
