"""Entries as records: the map in one, which go together, and how many bytes they take."""

import pytest

from hal import cbor
from hal.fakes.flash import FakeFlash
from hal.log_format import PART, TRANSACTION, layout_of, record_at
from hal.log_records import (
    entry_bytes,
    group_bytes,
    groups,
    pack_map,
    transaction,
    transaction_bytes,
    unpack_map,
)

ENTRIES: dict[str, bytes | None] = {f"k{number}": bytes(10) for number in range(7)} | {"gone": None}


def test_the_map_of_a_record() -> None:
    entries = {"a": cbor.dumps("text"), "gone": None, "\u00e4" * 30: bytes(300)}
    assert unpack_map(pack_map(entries)) == entries
    size = sum(entry_bytes(key, value) for key, value in entries.items())
    assert len(pack_map(entries)) == 1 + size
    assert unpack_map(pack_map({})) == {}
    for payload in (b"", b"\x01", cbor.dumps({"a": 1}), cbor.dumps({"a": [b""]}), b"\xff"):
        with pytest.raises(cbor.CborError):
            unpack_map(payload)


def test_a_group_is_as_large_as_a_record_may_be() -> None:
    found = list(groups(ENTRIES, 40))
    assert [key for keys in found for key in keys] == sorted(ENTRIES)
    layout = layout_of(FakeFlash(512, 4))
    for keys, following in zip(found, [*found[1:], None], strict=True):
        size = 3 + sum(entry_bytes(key, ENTRIES[key]) for key in keys)
        assert size <= 40
        assert group_bytes(layout, ENTRIES, [*keys, "no such key"]) == layout.record_size(size)
        if following:
            assert size + entry_bytes(following[0], ENTRIES[following[0]]) > 40
    assert list(groups({}, 40)) == []
    assert list(groups({"large": bytes(99)}, 40)) == [["large"]]


def test_the_records_of_a_transaction() -> None:
    layout = layout_of(FakeFlash(512, 4))
    records = transaction(layout, 7, ENTRIES, 40)
    found = [record_at(layout, data, 0) for data in records]
    assert [record.sequence for record in found if record] == [7, 8, 9, 10]
    assert [record.kind for record in found if record] == [PART] * 3 + [TRANSACTION]
    size = sum(map(len, records))
    assert size <= transaction_bytes(layout, ENTRIES, 40) <= size + 2 * len(records)
    empty = record_at(layout, transaction(layout, 1, {}, 40)[0], 0)
    assert empty
    assert (empty.kind, empty.payload) == (TRANSACTION, b"\xa0")
