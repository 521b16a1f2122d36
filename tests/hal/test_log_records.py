"""Entries as records: the map in one, which go together, and how many bytes they take."""

import binascii

import pytest

from hal import cbor
from hal.fakes.flash import FakeFlash
from hal.log_format import PART, TRANSACTION, layout_of, record_at
from hal.log_records import (
    entry_bytes,
    group_bytes,
    groups,
    lengths,
    pack_map,
    places,
    transaction,
    transaction_bytes,
    unpack_map,
    written,
)

ENTRIES: dict[str, bytes | None] = {f"k{number}": bytes(10) for number in range(7)} | {"gone": None}
SIZES = lengths(ENTRIES)


def test_the_map_of_a_record() -> None:
    entries = {"a": cbor.dumps("text"), "gone": None, "\u00e4" * 30: bytes(300)}
    assert unpack_map(pack_map(entries)) == entries
    size = sum(entry_bytes(key, length) for key, length in lengths(entries).items())
    assert len(pack_map(entries)) == 1 + size
    assert unpack_map(pack_map({})) == {}
    for payload in (b"", b"\x01", cbor.dumps({"a": 1}), cbor.dumps({"a": [b""]}), b"\xff"):
        with pytest.raises(cbor.CborError):
            unpack_map(payload)


def test_where_the_values_of_a_map_lie() -> None:
    values = {f"k{number}": bytes([number]) * number * 40 for number in range(9)}
    for entries in ({}, {"a": b"x"}, {**values, "gone": None}, {f"{n}": b"y" for n in range(300)}):
        payload = pack_map(entries)
        found = places(unpack_map(payload), 1000)
        assert found.keys() == entries.keys()
        for key, place in found.items():
            value = entries[key]
            assert (place is None) == (value is None)
            if place and value is not None:
                assert place[1:] == (len(value), binascii.crc32(value))
                assert payload[place.offset - 1000 :][: place.length] == value


def test_where_the_values_of_records_lie_that_were_written() -> None:
    layout = layout_of(FakeFlash(512, 4, 16))
    data = b"".join(transaction(layout, 7, ENTRIES, 40))
    found = written(layout, data, 64)
    assert found.keys() == ENTRIES.keys()
    assert found.pop("gone") is None
    for key, place in found.items():
        assert place
        assert data[place.offset - 64 :][: place.length] == ENTRIES[key]


def test_a_group_is_as_large_as_a_record_may_be() -> None:
    found = list(groups(SIZES.items(), 40))
    assert [key for keys in found for key in keys] == sorted(ENTRIES)
    layout = layout_of(FakeFlash(512, 4))
    for keys, following in zip(found, [*found[1:], None], strict=True):
        size = 3 + sum(entry_bytes(key, SIZES[key]) for key in keys)
        assert size <= 40
        assert group_bytes(layout, SIZES, [*keys, "no such key"]) == layout.record_size(size)
        if following:
            assert size + entry_bytes(following[0], SIZES[following[0]]) > 40
    assert list(groups({}.items(), 40)) == []
    assert list(groups({"large": 99}.items(), 40)) == [["large"]]


def test_the_records_of_a_transaction() -> None:
    layout = layout_of(FakeFlash(512, 4))
    records = transaction(layout, 7, ENTRIES, 40)
    found = [record_at(layout, data, 0) for data in records]
    assert [record.sequence for record in found if record] == [7, 8, 9, 10]
    assert [record.kind for record in found if record] == [PART] * 3 + [TRANSACTION]
    size = sum(map(len, records))
    assert size <= transaction_bytes(layout, SIZES, 40) <= size + 2 * len(records)
    (data,) = transaction(layout, 1, {}, 40)
    empty = record_at(layout, data, 0)
    assert empty
    assert (empty.kind, empty.payload(data)) == (TRANSACTION, b"\xa0")
