"""Reading the log of a segment: what follows on what, what is torn and what is rotten."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hal.fakes.flash import FakeFlash
from hal.log_format import (
    PART,
    SNAPSHOT,
    TRANSACTION,
    Layout,
    Segment,
    layout_of,
    pack_record,
    pack_segment,
)
from hal.log_mount import survey
from hal.log_scan import keys_of, scan
from tests.helpers.logs import LAYOUT, flipped, packed, record, segment


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
    assert [item.payload(found.data) for item in found.records] == [
        packed({"a": 1}),
        packed({"b": 1}),
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
    found = survey(FakeFlash.from_image(data + b"\xff" * 512, 512, program_size))
    assert found.values == {}
    assert found.end == 0


# -- the end of a log: torn or rotten --------------------------------------------------------------

LARGE = Layout(2048, 1, 1, 2)
LONG = pack_record(LARGE, TRANSACTION, 1, packed({"a": bytes(1500)}))


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
    planted = pack_record(layout, TRANSACTION, 2, packed({"planted": 1}))
    outer = pack_record(layout, TRANSACTION, 1, packed({"outer": planted}))
    assert outer.find(planted) % 16
    assert lost(flipped(outer, 2), layout) == {1: ()}


# -- transactions of several records ---------------------------------------------------------------


def of_parts(*records: bytes) -> tuple[list[int], set[int], bool]:
    """The numbers of the records that count and of those that are lost; whether one may append."""
    found = scan(LAYOUT, segment(*records), LAYOUT.records_at, 1)
    return [item.sequence for item in found.counting()], set(found.lost), found.clean


ONE = record(1, {"a": 1})
PARTS = record(2, {"b": 2}, PART), record(3, {"c": 3}, PART)
END = record(4, {"d": 4})


def test_parts_count_when_their_end_is_there() -> None:
    assert of_parts(ONE, *PARTS, END) == ([1, 2, 3, 4], set(), True)
    assert of_parts(ONE, *PARTS) == ([1], set(), False)
    assert of_parts(ONE, *PARTS, END[:-3]) == ([1], set(), False)
    assert of_parts(ONE, *PARTS, END[:22]) == ([1], set(), False)


def test_parts_that_a_cache_has_lost_are_torn() -> None:
    gone = b"\xff" * len(PARTS[0])
    assert of_parts(ONE, gone, PARTS[1]) == ([1], set(), False)


def test_rot_takes_one_part_and_no_more() -> None:
    rotten = flipped(PARTS[0], 24)
    assert of_parts(ONE, rotten, PARTS[1], END) == ([1, 3, 4], {2}, True)
    assert of_parts(ONE, *PARTS, flipped(END, 24)) == ([1, 2, 3], {4}, False)
    assert of_parts(ONE, rotten, PARTS[1], flipped(END, 24)) == ([1, 3], {2, 4}, False)
    assert of_parts(ONE, *PARTS, flipped(END, 24), record(5, {"e": 5})) == (
        [1, 2, 3, 5],
        {4},
        True,
    )


def test_a_snapshot_is_whole_when_all_up_to_its_end_is_there() -> None:
    def whole(*records: bytes) -> bool:
        return scan(LAYOUT, segment(*records), LAYOUT.records_at, 1).whole()

    copies = record(1, {"a": 1}, SNAPSHOT), record(2, {"b": 1}, SNAPSHOT)
    end = record(3, {"c": 1}, PART), record(4, {"d": 1})
    assert whole(*copies, *end)
    assert whole(*copies, *end, flipped(record(5, {}), 21), record(6, {}))
    assert not whole(copies[0], flipped(copies[1], 24), *end)
    assert not whole(*copies, flipped(end[0], 24), end[1])
    assert not whole(*copies, end[0], flipped(end[1], 24), record(5, {"e": 1}))


def test_the_keys_of_a_payload() -> None:
    assert keys_of(packed({"a": 1, "b": None})) == ("a", "b")
    assert keys_of(b"\x01") == keys_of(b"") == ()
