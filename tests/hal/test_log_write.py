"""Writing to a part: synced, read back, and a transaction's last record last."""

from functools import partial

import pytest

from hal.fakes.flash import PROGRAM_ERROR, SILENT_ERASE, SILENT_PROGRAM, FakeFlash, PowerCut
from hal.log_format import PART, TRANSACTION, entry_bytes, layout_of, record_at
from hal.log_write import Writer, group_bytes, groups, transaction, transaction_bytes
from hal.ports import FlashError

ENTRIES: dict[str, bytes | None] = {f"k{number}": bytes(10) for number in range(7)} | {"gone": None}


def test_what_is_written_is_there_after_a_cut() -> None:
    flash = FakeFlash(256, 4)
    writer = Writer(flash)
    writer.write(250, [b"one", b"more than a block has left"])
    writer.erase([3])
    flash.pull_the_plug(keep=0)
    assert flash.image()[250:279] == b"onemore than a block has left"
    counts = writer.counters
    assert (counts.programs, counts.programmed_bytes, counts.erases, counts.syncs) == (2, 29, 1, 2)


def test_nothing_to_write_costs_nothing() -> None:
    flash = FakeFlash(256, 4)
    writer = Writer(flash)
    writer.write(0, [])
    writer.erase([])
    assert flash.operations == 0


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        (PROGRAM_ERROR, "program error in block 1"),
        (SILENT_PROGRAM, "1 bytes at 256 read back differently"),
        (SILENT_ERASE, "block 1 is not erased after an erase"),
    ],
)
def test_what_did_not_happen_is_noticed(fault: str, complaint: str) -> None:
    flash = FakeFlash(256, 4)
    flash.program(300, b"old")
    flash.spoil(1, fault)
    writer = Writer(flash)
    erase, write = partial(writer.erase, [0, 1]), partial(writer.write, 256, [b"x"])
    with pytest.raises(FlashError, match=complaint):
        (erase if fault == SILENT_ERASE else write)()


def test_an_erased_block_is_known() -> None:
    flash = FakeFlash(256, 4)
    flash.program(511, b"x")
    assert [Writer(flash).is_erased(block) for block in range(3)] == [True, False, True]


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


def test_the_end_of_a_transaction_never_survives_alone() -> None:
    records = [b"part one", b"part two", b"the end"]
    whole = b"".join(records)
    for operation in range(5):
        for mask in range(8):
            flash = FakeFlash(256, 4)
            flash.cut_after(operation, tear=4096, keep=mask)
            with pytest.raises(PowerCut):
                Writer(flash).write_transaction(0, records)
            left = flash.image()[: len(whole)]
            assert left == whole or not left.endswith(records[-1])
