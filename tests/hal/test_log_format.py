"""The bytes of segment headers and records, compared with the examples of docs/FORMAT.md."""

import binascii
import struct
from pathlib import Path

import pytest

from hal import cbor
from hal.fakes.flash import FakeFlash
from hal.log_format import (
    HEADER_COPIES_BYTES,
    MAP_HEAD_BYTES,
    PAYLOAD_BYTES,
    SNAPSHOT,
    TRANSACTION,
    VERSION,
    Layout,
    Record,
    Segment,
    broken_record_at,
    layout_of,
    layout_on,
    pack_record,
    pack_segment,
    record_at,
    told,
    unpack_segment,
    written_to_its_end,
)
from hal.log_records import pack_map
from hal.ports import StoreError

SMALL = Layout(256, 1, 1, 2)
PAGED = Layout(256, 16, 2, 2)
FIELDS = ">8sHHIIHHIIQI"
THIRD = Segment(3, 3 << 32 | 1, 1, place=1, before=2)
HEADER = (
    "5343455053454700 0001 0010 00000100 00000002 0002 0001 00000003"
    " 00000002 0000000300000001 00000001 a5efdd62"
)
RECORD = "73637054 0000000300000002 00000005 592d16ac a161614101 44c677e2 000000"


def test_the_bytes_of_a_header() -> None:
    data = pack_segment(PAGED, THIRD)
    assert data[:48] == data[48:96]
    assert len(data) == PAGED.records_at == 96
    fields = struct.pack(FIELDS, b"SCEPSEG\0", 1, 16, 256, 2, 2, 1, 3, 2, 3 << 32 | 1, 1)
    assert data[:48] == fields + struct.pack(">I", binascii.crc32(fields))
    assert data[:48] == bytes.fromhex(HEADER)


def test_the_bytes_of_a_record() -> None:
    payload = pack_map({"a": cbor.dumps(1)})
    assert payload == b"\xa1\x61a\x41\x01"
    data = pack_record(PAGED, TRANSACTION, 3 << 32 | 2, payload)
    head = b"scpT" + (3 << 32 | 2).to_bytes(8, "big") + (5).to_bytes(4, "big")
    crc = binascii.crc32(head + payload).to_bytes(4, "big")
    check = binascii.crc32(head).to_bytes(4, "big")
    assert data == (head + check + payload + crc).ljust(32, b"\0")
    assert data == bytes.fromhex(RECORD)
    assert len(pack_record(SMALL, SNAPSHOT, 1, b"")) == 25
    assert len(pack_record(PAGED, SNAPSHOT, 1, bytes(8))) == 48  # never without padding


def test_the_document_shows_these_bytes() -> None:
    text = (Path(__file__).parents[2] / "docs" / "FORMAT.md").read_text()
    assert HEADER in text
    assert RECORD in text
    assert f"Format version {VERSION}." in text


@pytest.mark.parametrize("layout", [SMALL, PAGED])
def test_a_header_survives_any_flipped_bit(layout: Layout) -> None:
    data, at = pack_segment(layout, THIRD), layout.segment_size
    assert unpack_segment(data, at) == (layout, THIRD, True)
    for bit in range(HEADER_COPIES_BYTES * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        assert unpack_segment(bytes(flipped), at) == (layout, THIRD, False)
    assert unpack_segment(b"\xff" * 256, at) is None
    assert unpack_segment(b"", at) is None


def test_a_header_is_none_where_it_does_not_say_that_it_lies() -> None:
    """So what somebody has planted in a value is none, but by chance at that very place."""
    data = pack_segment(PAGED, THIRD)
    assert unpack_segment(data, PAGED.segment_size) is not None
    for offset in (0, 256, 2 * PAGED.segment_size):
        assert unpack_segment(data, offset) is None


@pytest.mark.parametrize(
    "values",
    [(0, 256, 2, 2, 1), (1, 0, 2, 2, 1), (1, 256, 0, 2, 1), (1, 256, 2, 2, 2), (1, 256, 2, 1, 0)],
)
def test_a_header_that_makes_no_sense_is_none(values: tuple[int, ...]) -> None:
    fields = struct.pack(FIELDS, b"SCEPSEG\0", 1, *values, 3, 2, 7, 1)
    data = fields + struct.pack(">I", binascii.crc32(fields))
    offset = values[1] * values[2] * values[4]
    assert unpack_segment(data, offset) is None


def test_a_header_of_another_version_is_refused() -> None:
    fields = struct.pack(FIELDS, b"SCEPSEG\0", 2, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    with pytest.raises(StoreError, match="format version 2, this software knows 1"):
        unpack_segment(fields + struct.pack(">I", binascii.crc32(fields)), 0)


def test_a_layout_on_other_blocks() -> None:
    found = Layout(4096, 1, 32, 2)  # 256 KiB
    assert layout_on(FakeFlash(65536, 8, 4), found) == Layout(65536, 4, 2, 2)
    assert layout_on(FakeFlash(512, 512), found) == Layout(512, 1, 256, 2)
    with pytest.raises(StoreError, match=r"2 segments of 131072 bytes, .* the part has 131072"):
        layout_on(FakeFlash(4096, 32), found)
    with pytest.raises(StoreError, match=r"of 131072 bytes, .* in blocks of 262144"):
        layout_on(FakeFlash(262144, 4), found)


def test_a_record_is_read_only_when_its_crc_is_right() -> None:
    data = b"\xff" * 16 + pack_record(PAGED, SNAPSHOT, 9, b"payload")
    record = record_at(PAGED, data, 16)
    assert record == Record(SNAPSHOT, 9, 36, 7, 48)
    assert record.payload(data) == b"payload"
    assert record_at(PAGED, data, 0) is None
    assert record_at(PAGED, data[:-1], 16) is None
    assert record_at(PAGED, data, 40) is None
    diagnosis = range(32 * 8, 36 * 8)  # the check of the head, and the padding
    for bit in range(16 * 8, len(data) * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        harmless = bit in diagnosis or bit >= (16 + 20 + 7 + 4) * 8
        assert (record_at(PAGED, bytes(flipped), 16) is not None) == harmless


def test_a_number_for_people() -> None:
    assert told(THIRD.first) == "3.1"


def test_a_broken_record_is_known_by_its_head() -> None:
    data = bytearray(pack_record(SMALL, TRANSACTION, 9, b"payload"))
    data[22] ^= 1
    broken = broken_record_at(SMALL, bytes(data), 0)
    assert broken is not None
    assert broken[:2] == (TRANSACTION, 9)
    assert broken.end == len(data)
    assert written_to_its_end(bytes(data), broken)
    assert not written_to_its_end(bytes(data[:-1]) + b"\xff", broken)
    assert not written_to_its_end(bytes(data[:-1]), broken)
    data[5] ^= 1
    assert broken_record_at(SMALL, bytes(data), 0) is None
    assert broken_record_at(SMALL, b"", 0) is None


def test_a_length_over_the_cap_is_no_record() -> None:
    data = pack_record(SMALL, TRANSACTION, 1, bytes(PAYLOAD_BYTES + 1))
    assert record_at(SMALL, data, 0) is None


@pytest.mark.parametrize(
    ("block_size", "block_count", "program_size", "layout"),
    [
        (256, 2, 1, (256, 1, 1, 2)),
        (256, 5, 16, (256, 16, 2, 2)),
        (4096, 64, 1, (4096, 1, 32, 2)),
        (4096, 96, 1, (4096, 1, 32, 3)),
        (4096, 256, 1, (4096, 1, 64, 4)),
        (65536, 256, 256, (65536, 256, 64, 4)),
        (262144, 3, 1, (262144, 1, 1, 3)),
    ],
)
def test_how_a_part_is_divided(
    block_size: int, block_count: int, program_size: int, layout: tuple[int, ...]
) -> None:
    assert layout_of(FakeFlash(block_size, block_count, program_size)) == layout
    safe = layout_of(FakeFlash(block_size, block_count, program_size, raw=False))
    assert (safe.blocks, safe.segments) == (block_count // 2, 2)


@pytest.mark.parametrize(
    ("block_size", "block_count", "program_size"),
    [(256, 0, 1), (256, 1, 1), (64, 9, 1), (64, 4, 64)],
)
def test_a_part_that_cannot_hold_a_log_is_refused(
    block_size: int, block_count: int, program_size: int
) -> None:
    complaint = f"{block_count} blocks of {block_size} bytes are too few or too small"
    with pytest.raises(StoreError, match=complaint):
        layout_of(FakeFlash(block_size, block_count, program_size))


@pytest.mark.parametrize(
    ("layout", "sure_bytes"),
    [
        (Layout(4096, 1, 32, 2), 131072 - 96 - 5 * (20 + 3 + 4 + 1)),
        (PAGED, 512 - 96 - 2 * (20 + 3 + 4 + 16)),
        (Layout(128, 1, 1, 2), 0),  # frames alone would fill it
    ],
)
def test_how_much_fits_for_sure(layout: Layout, sure_bytes: int) -> None:
    """It fits as one transaction behind as many snapshot records as half a payload each needs."""
    assert layout.sure_bytes == sure_bytes
    half = PAYLOAD_BYTES // 2 - MAP_HEAD_BYTES
    groups = [half] * (sure_bytes // half) + [sure_bytes % half]
    frames = sum(layout.record_size(MAP_HEAD_BYTES + group) for group in groups)
    assert frames <= layout.record_space or not sure_bytes
