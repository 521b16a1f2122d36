"""The bytes of the log: segment headers and records, packed and unpacked. `docs/FORMAT.md`.

Fault model. Any bit may be rotten, and any write may stop at any byte, so nothing is believed
before its CRC-32 is right. Two fields are for telling a rotten record from a torn one only: the
check of the record's head, and the padding, whose last byte is written last. A record whose own
CRC is right is a record, whatever these two say.
"""

from __future__ import annotations

import binascii
import struct

from hal.named import NamedTuple
from hal.ports import Flash, StoreError

VERSION = 1  # of docs/FORMAT.md
PAYLOAD_BYTES = 64 * 1024  # of one record; a realm's key, certificate and CA set need below 20 kB
# Magic numbers, and kinds of record: a copy, a part of a transaction, its last part or all of it.
SNAPSHOT, PART, TRANSACTION = b"scpS", b"scpP", b"scpT"

SEGMENT_MAGIC = b"SCEPSEG\0"
_SEGMENT = struct.Struct(">8sHHIIHHIIQI")  # up to its CRC
_COPIES = 2  # a flipped bit in the only header of the only segment would lose everything
_HEAD = struct.Struct(">4sQI")  # up to its check
_CRC = struct.Struct(">I")
_PAD = b"\0"
HEAD_BYTES = _HEAD.size + _CRC.size
_HEADER_BYTES = _SEGMENT.size + _CRC.size
HEADER_COPIES_BYTES = _COPIES * _HEADER_BYTES
MAP_HEAD_BYTES = 3  # at most, of the map in a record
NUMBER_BITS = 32  # of a record's number, the lower half of it; the upper half is the segment's
NUMBER_MAX = (1 << NUMBER_BITS) - 1
FEWEST, _MOST = 2, 4  # segments
_ROOMY_BYTES = 2 * PAYLOAD_BYTES  # a segment of this size holds the largest record and more


class Layout(NamedTuple):
    """How a part is divided: segments of `blocks` erase blocks each; what is left is unused."""

    block_size: int
    program_size: int
    blocks: int
    segments: int

    @property
    def segment_size(self) -> int:
        """Bytes of a segment."""
        return self.block_size * self.blocks

    @property
    def records_at(self) -> int:
        """Where the first record of a segment lies, from the segment's start."""
        return self.padded(HEADER_COPIES_BYTES)

    @property
    def record_space(self) -> int:
        """Bytes of a segment that records may fill."""
        return self.segment_size - self.records_at

    @property
    def sure_bytes(self) -> int:
        """Keys and values that fit into a segment for sure, however they are grouped into records.

        Two groups in a row have more than one payload together (`hal/store.py`), hence the number
        of records; one group of the snapshot and one of the transaction may be small.
        """
        records = self.record_space // (PAYLOAD_BYTES // 2 - MAP_HEAD_BYTES) + 2
        frame = HEAD_BYTES + MAP_HEAD_BYTES + _CRC.size + self.program_size  # with its padding
        return max(0, self.record_space - records * frame)

    def padded(self, length: int) -> int:
        """The next multiple of the program size."""
        return -(-length // self.program_size) * self.program_size

    def record_size(self, payload_bytes: int) -> int:
        """Bytes of a record: head, payload, CRC, and at least one byte of padding."""
        return self.padded(HEAD_BYTES + payload_bytes + _CRC.size + 1)


def layout_of(flash: Flash) -> Layout:
    """Divides a part. Two segments give the most room; more survive a bad block.

    So there are more than two only where a block can be bad, and where each still holds the largest
    record twice. Raises StoreError when the part cannot hold a log.
    """
    size = flash.block_size * flash.block_count
    most = _MOST if flash.can_have_bad_blocks else FEWEST
    count = min(max(size // _ROOMY_BYTES, FEWEST), most, flash.block_count)
    layout = Layout(flash.block_size, flash.program_size, flash.block_count // max(count, 1), count)
    if count < FEWEST or flash.block_size < layout.records_at + layout.record_size(1):
        raise StoreError(
            f"{flash.block_count} blocks of {flash.block_size} bytes are too few or too small"
        )
    return layout


def layout_on(flash: Flash, found: Layout) -> Layout:
    """The layout that was found, in the blocks of this part, which may be others than those that it
    was written in. Raises StoreError where the part cannot hold it."""
    size = flash.block_size * flash.block_count
    if found.segments * found.segment_size > size:
        raise StoreError(
            f"written on {found.segments} segments of {found.segment_size} bytes, and the part has"
            f" {size}"
        )
    if found.segment_size % flash.block_size:
        raise StoreError(
            f"written in segments of {found.segment_size} bytes, and the board says that the part"
            f" is erased in blocks of {flash.block_size}"
        )
    blocks = found.segment_size // flash.block_size
    return Layout(flash.block_size, flash.program_size, blocks, found.segments)


class Segment(NamedTuple):
    """A segment header: its number, the number of its first record, its snapshot records; its place
    on the part, in segments; the number of the segment that was copied, 0 when there was none."""

    number: int
    first: int
    parts: int
    place: int = 0
    before: int = 0


def pack_segment(layout: Layout, segment: Segment) -> bytes:
    """The header with its copies, padded."""
    fields = _SEGMENT.pack(
        SEGMENT_MAGIC,
        VERSION,
        layout.program_size,
        layout.block_size,
        layout.blocks,
        layout.segments,
        segment.place,
        segment.number,
        segment.before,
        segment.first,
        segment.parts,
    )
    copy = fields + _CRC.pack(binascii.crc32(fields))
    return (copy * _COPIES).ljust(layout.records_at, _PAD)


def unpack_segment(data: bytes, offset: int) -> tuple[Layout, Segment, bool] | None:
    """The header at an offset of a part, from what is read there: the geometry that it was written
    in, and whether all its copies are good. None: no header is there, or one of another place.

    Raises StoreError for a header that is intact and of another format version.
    """
    copies = [data[at : at + _HEADER_BYTES] for at in range(0, HEADER_COPIES_BYTES, _HEADER_BYTES)]
    good = [fields for fields in copies if _is_header(fields)]
    if not good:
        return None
    _, version, program_size, block_size, blocks, count, place, number, before, first, parts = (
        _SEGMENT.unpack_from(good[0])
    )
    if version != VERSION:
        raise StoreError(f"written in format version {version}, this software knows {VERSION}")
    layout = Layout(block_size, program_size, blocks, count)
    if not (program_size and layout.segment_size and place < count and count >= FEWEST):
        return None
    if offset != place * layout.segment_size:
        return None
    return layout, Segment(number, first, parts, place, before), len(good) == _COPIES


def _is_header(copy: bytes) -> bool:
    fields, crc = copy[: _SEGMENT.size], copy[_SEGMENT.size :]
    return fields.startswith(SEGMENT_MAGIC) and crc == _CRC.pack(binascii.crc32(fields))


class Record(NamedTuple):
    """A record with a good CRC; `start` of its payload and `end` count as the bytes do that it was
    read from, and `end` is where the next one may begin."""

    kind: bytes
    sequence: int
    start: int
    length: int
    end: int

    def payload(self, data: bytes) -> bytes:
        """Its payload, out of the bytes that it was read from."""
        return data[self.start : self.start + self.length]


def pack_record(layout: Layout, kind: bytes, sequence: int, payload: bytes) -> bytes:
    """A whole record with its padding."""
    head = _HEAD.pack(kind, sequence, len(payload))
    check = binascii.crc32(head)
    crc = binascii.crc32(payload, check)
    data = b"".join((head, _CRC.pack(check), payload, _CRC.pack(crc)))
    return data.ljust(layout.record_size(len(payload)), _PAD)


def told(sequence: int) -> str:
    """The number of a record for people: that of its segment, and its own in there."""
    return f"{sequence >> NUMBER_BITS}.{sequence & NUMBER_MAX}"


def record_at(layout: Layout, data: bytes, at: int) -> Record | None:
    """The record that begins at an offset of a segment, when its CRC is right."""
    if at + HEAD_BYTES > len(data):
        return None
    kind, sequence, length = _HEAD.unpack_from(data, at)
    end = at + layout.record_size(length)
    if kind not in (SNAPSHOT, PART, TRANSACTION) or length > PAYLOAD_BYTES or end > len(data):
        return None
    record = Record(kind, sequence, at + HEAD_BYTES, length, end)
    crc = binascii.crc32(record.payload(data), binascii.crc32(data[at : at + _HEAD.size]))
    if _CRC.unpack_from(data, record.start + length) != (crc,):
        return None
    return record


def broken_record_at(layout: Layout, data: bytes, at: int) -> Record | None:
    """The same where only the head can be believed; its payload is not what was written."""
    head, check = data[at : at + _HEAD.size], data[at + _HEAD.size : at + HEAD_BYTES]
    if len(check) < _CRC.size or check != _CRC.pack(binascii.crc32(head)):
        return None
    kind, sequence, length = _HEAD.unpack(head)
    return Record(kind, sequence, at + HEAD_BYTES, length, at + layout.record_size(length))


def written_to_its_end(data: bytes, record: Record) -> bool:
    """Whether the last byte of a record, which is programmed last, is no longer erased."""
    return data[record.end - 1 : record.end] == _PAD
