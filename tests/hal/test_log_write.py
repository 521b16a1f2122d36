"""Writing to a part: synced, read back, and a transaction's last record last."""

from functools import partial

import pytest

from hal.fakes.flash import PROGRAM_ERROR, SILENT_ERASE, SILENT_PROGRAM, FakeFlash, PowerCut
from hal.log_write import Writer
from hal.ports import FlashError


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
