"""Reading a log: what follows on what, what is torn and what is rotten."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hal import cbor
from hal.fakes.flash import FakeFlash
from hal.log_format import (
    SNAPSHOT,
    TRANSACTION,
    Layout,
    Segment,
    layout_of,
    pack_record,
    pack_segment,
)
from hal.log_scan import scan, survey

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
