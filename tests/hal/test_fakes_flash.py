"""The faults of the fake part are those that its head describes."""

import pytest

from hal.fakes.flash import (
    ERASE_ERROR,
    PROGRAM_ERROR,
    READ_ERROR,
    SILENT_ERASE,
    SILENT_PROGRAM,
    FakeFlash,
    PowerCut,
)
from hal.ports import FlashError


def test_a_cut_program_stops_at_a_byte_and_takes_half_of_the_next() -> None:
    for tear in range(6):
        flash = FakeFlash(16, 2)
        flash.cut_after(0, tear)
        with pytest.raises(PowerCut):
            flash.program(4, b"\0\1\2\3")
        expected = b"\0\1\2\3"[:tear] + bytes([b"\0\1\2\3"[tear] | 0xAA] if tear < 4 else [])
        assert flash.image() == b"\xff" * 4 + expected.ljust(28, b"\xff")


def test_a_cut_erase_leaves_the_rest_or_garbage() -> None:
    for tear, rest in ((4, b"\x0f"), (5, b"\x0a"), (99, b"")):
        flash = FakeFlash.from_image(b"\x0f" * 16, 8)
        flash.cut_after(0, tear)
        with pytest.raises(PowerCut):
            flash.erase(1)
        assert flash.image() == b"\x0f" * 8 + b"\xff" * min(tear, 8) + rest * (8 - tear)


def test_nothing_works_without_power() -> None:
    flash = FakeFlash(16, 2)
    flash.cut_after(1)
    flash.program(0, b"a")
    for use in (flash.sync, flash.sync, lambda: flash.read(0, 1), lambda: flash.erase(0)):
        with pytest.raises(PowerCut):
            use()
    assert flash.image()[:1] == b"a"


@pytest.mark.parametrize(
    ("keep", "left"), [(-1, b"ab\xffcd"), (0, b"a\xff\xff\xff\xff"), (1, b"ab\xff\xff\xff"),
                       (2, b"a\xff\xffc\xff"), (4, b"a\xff\xff\xffd"), (6, b"a\xff\xffcd")]
)  # fmt: skip
def test_unsynced_pieces_survive_as_the_mask_says(keep: int, left: bytes) -> None:
    flash = FakeFlash(4, 2)
    flash.program(0, b"a")
    flash.sync()
    flash.program(1, b"b")
    flash.program(3, b"cd")  # two blocks: two pieces
    assert flash.read(0, 5) == b"ab\xffcd"
    flash.pull_the_plug(keep)
    assert flash.image()[:5] == left


def test_a_sync_that_is_cut_did_not_happen() -> None:
    flash = FakeFlash(4, 2)
    flash.program(0, b"a")
    flash.cut_after(0, keep=0)
    with pytest.raises(PowerCut):
        flash.sync()
    assert flash.image() == b"\xff" * 8


def test_bit_rot() -> None:
    flash = FakeFlash.from_image(b"\0" * 8, 4)
    flash.flip(3, 7)
    assert flash.read(0, 8) == b"\0\0\0\x80\0\0\0\0"
    flash.pull_the_plug(0)
    assert flash.image()[3] == 0x80


def test_bad_blocks() -> None:
    flash = FakeFlash.from_image(b"\0" * 8 + b"\xff" * 8, 4)
    for block, fault in enumerate((READ_ERROR, ERASE_ERROR, PROGRAM_ERROR, SILENT_PROGRAM)):
        flash.spoil(block, fault)
    for use in (
        lambda: flash.read(2, 4),
        lambda: flash.erase(1),
        lambda: flash.program(8, b"a"),
    ):
        with pytest.raises(FlashError, match="error in block"):
            use()
    flash.program(12, b"a")
    assert flash.read(12, 1) == b"\xff"
    flash.spoil(1, SILENT_ERASE)
    flash.erase(1)
    assert flash.read(4, 4) == b"\0\0\0\0"


def test_wear_and_operations_are_counted() -> None:
    flash = FakeFlash(4, 2)
    flash.erase(1)
    flash.erase(1)
    flash.program(0, b"a")
    flash.sync()
    assert flash.wear == [0, 2]
    assert flash.operations == 4
