"""Segments of a log as bytes, put together by hand; two of them are a whole part."""

from collections.abc import Mapping

from hal import cbor
from hal.log_format import TRANSACTION, Layout, Segment, pack_record, pack_segment
from hal.log_records import pack_map

LAYOUT = Layout(512, 1, 1, 2)
BLANK = b"\xff" * LAYOUT.segment_size


def packed(changes: Mapping[str, object]) -> bytes:
    """The payload of a record; None removes a key."""
    return pack_map(
        {key: None if value is None else cbor.dumps(value) for key, value in changes.items()}
    )


def record(sequence: int, changes: Mapping[str, object], kind: bytes = TRANSACTION) -> bytes:
    return pack_record(LAYOUT, kind, sequence, packed(changes))


def segment(
    *records: bytes,
    number: int = 1,
    first: int = 1,
    parts: int = 0,
    place: int = 0,
    layout: Layout = LAYOUT,
) -> bytes:
    data = pack_segment(layout, Segment(number, first, parts, place, before=number - 1)) + b"".join(
        records
    )
    return data.ljust(layout.segment_size, b"\xff")


def flipped(data: bytes, offset: int) -> bytes:
    return data[:offset] + bytes([data[offset] ^ 1]) + data[offset + 1 :]
