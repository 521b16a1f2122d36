"""The bytes of segment headers and records, compared with the examples of docs/FORMAT.md."""

import binascii
import struct
from pathlib import Path

import pytest

from hal.fakes.flash import FakeFlash
from hal.log_format import (
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
    pack_record,
    pack_segment,
    record_at,
    unpack_segment,
    written_to_its_end,
)
from hal.ports import StoreError

SMALL = Layout(256, 1, 1, 2)
PAGED = Layout(256, 16, 2, 2)
HEADER = "5343455053454700 0001 0010 00000100 00000002 00000003 0000000000000007 00000001 202fccdf"
RECORD = "73637054 0000000000000008 00000004 5d17025e a1616101 ae686f3b 00000000"


def test_the_bytes_of_a_header() -> None:
    data = pack_segment(PAGED, Segment(3, 7, 1))
    assert data[:40] == data[40:80]
    assert len(data) == PAGED.records_at == 80
    fields = struct.pack(">8sHHIIIQI", b"SCEPSEG\0", 1, 16, 256, 2, 3, 7, 1)
    assert data[:40] == fields + struct.pack(">I", binascii.crc32(fields))
    assert data[:40] == bytes.fromhex(HEADER)


def test_the_bytes_of_a_record() -> None:
    data = pack_record(PAGED, TRANSACTION, 8, b"\xa1\x61a\x01")
    head = b"scpT" + (8).to_bytes(8, "big") + (4).to_bytes(4, "big")
    crc = binascii.crc32(head + b"\xa1\x61a\x01").to_bytes(4, "big")
    check = binascii.crc32(head).to_bytes(4, "big")
    assert data == (head + check + b"\xa1\x61a\x01" + crc).ljust(32, b"\0")
    assert data == bytes.fromhex(RECORD)
    assert len(pack_record(SMALL, SNAPSHOT, 1, b"")) == 25
    assert len(pack_record(PAGED, SNAPSHOT, 1, bytes(8))) == 48  # never without padding


def test_the_document_shows_these_bytes() -> None:
    text = (Path(__file__).parents[2] / "docs" / "FORMAT.md").read_text()
    assert {HEADER, RECORD} < {line.strip() for line in text.splitlines()}
    assert f"Format version {VERSION}." in text


@pytest.mark.parametrize("layout", [SMALL, PAGED])
def test_a_header_survives_any_flipped_bit(layout: Layout) -> None:
    data = pack_segment(layout, Segment(3, 7, 1))
    assert unpack_segment(layout, data) == (Segment(3, 7, 1), True)
    for bit in range(80 * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        assert unpack_segment(layout, bytes(flipped)) == (Segment(3, 7, 1), False)
    assert unpack_segment(layout, b"\xff" * 256) == (None, False)
    assert unpack_segment(layout, b"") == (None, False)


def test_a_header_of_another_version_or_geometry_is_refused() -> None:
    fields = struct.pack(">8sHHIIIQI", b"SCEPSEG\0", 2, 1, 256, 1, 3, 7, 1)
    with pytest.raises(StoreError, match="format version 2, this software knows 1"):
        unpack_segment(SMALL, fields + struct.pack(">I", binascii.crc32(fields)))
    with pytest.raises(StoreError, match="2 blocks of 256 bytes in a segment, programmed by 16"):
        unpack_segment(SMALL, pack_segment(PAGED, Segment(1, 1, 0)))


def test_a_record_is_read_only_when_its_crc_is_right() -> None:
    data = b"\xff" * 16 + pack_record(PAGED, SNAPSHOT, 9, b"payload")
    assert record_at(PAGED, data, 16) == Record(SNAPSHOT, 9, b"payload", 48)
    assert record_at(PAGED, data, 0) is None
    assert record_at(PAGED, data[:-1], 16) is None
    assert record_at(PAGED, data, 40) is None
    diagnosis = range(32 * 8, 36 * 8)  # the check of the head, and the padding
    for bit in range(16 * 8, len(data) * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        harmless = bit in diagnosis or bit >= (16 + 20 + 7 + 4) * 8
        assert (record_at(PAGED, bytes(flipped), 16) is not None) == harmless


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
        (Layout(4096, 1, 32, 2), 131072 - 80 - 5 * (20 + 3 + 4 + 1)),
        (PAGED, 512 - 80 - 2 * (20 + 3 + 4 + 16)),
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
