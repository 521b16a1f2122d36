"""Reading a whole part: what is ours, in which geometry, the state, and what is lost of it."""

import binascii
import random

import pytest

from hal import cbor
from hal.fakes.flash import READ_ERROR, FakeFlash
from hal.log_format import SNAPSHOT, TRANSACTION, Layout, pack_record
from hal.log_mount import Damage, Found, survey
from hal.ports import StoreError
from tests.helpers.logs import BLANK, LAYOUT, flipped, packed, record, segment


def test_an_interrupted_move_is_passed_over() -> None:
    first = segment(record(1, {"a": 1}))
    second = segment(record(2, {"a": 1}, SNAPSHOT), number=2, first=2, parts=1, place=1)
    found = survey(FakeFlash.from_image(first + second, 512))
    assert found.needed == (0,)
    assert found.end > LAYOUT.records_at  # the next move erases it
    assert found.numbers == {0: 1, 1: 2}
    assert not found.damaged
    found = survey(FakeFlash.from_image(first + b"\xff" * 512, 512))
    assert found.end > LAYOUT.records_at


def test_two_rotten_snapshots_leave_what_is_good() -> None:
    first = segment(record(1, {"a": 1, "b": 1}), record(2, {"c": 1}))
    second = segment(
        record(3, {"a": 1, "b": 1, "c": 1}, SNAPSHOT),
        record(4, {"d": 1}),
        number=2,
        first=3,
        parts=1,
        place=1,
    )
    image = flipped(first, LAYOUT.records_at + 24) + flipped(second, LAYOUT.records_at + 24)
    found = survey(FakeFlash.from_image(image, 512))
    assert sorted(found.values) == ["c", "d"]
    assert found.needed == (1, 0)
    assert [damage.what for damage in found.damaged] == [
        "record 0.3 of a snapshot",
        "transaction 0.1",
    ]


def surveyed(*segments: bytes, take_over: bool = False) -> Found:
    return survey(FakeFlash.from_image(b"".join(segments), 512), take_over)


EMPTY = Found(LAYOUT, {}, (), {}, 0, 0, (), fresh=True)
FOREIGN = "neither our format nor erased flash"


@pytest.mark.parametrize("content", [b"\xff", b"\0"])
def test_a_blank_part_is_an_empty_device(content: bytes) -> None:
    assert surveyed(content * 512, content * 512) == EMPTY
    for cut in (1, 300, 512, 700):  # its first erase was cut
        image = (b"\xff" * cut).ljust(1024, content)
        assert surveyed(image) == EMPTY


def test_a_first_start_that_was_cut_is_an_empty_device() -> None:
    header = segment()[: LAYOUT.records_at]
    for cut in range(len(header) // 2 - 1):
        torn = header[:cut] + bytes([header[cut] | 0xAA])
        assert surveyed(torn.ljust(512, b"\xff"), BLANK) == EMPTY


def test_foreign_content_is_refused() -> None:
    other = random.Random(1).randbytes(1024)
    for image in (
        other,
        bytes(range(256)) * 4,
        BLANK[:99] + b"not ours" + BLANK[107:400] + b"x" * 112 + BLANK[:200] + b"x" + BLANK[201:],
        2 * (bytes(300) + b"\xff" * 212),  # 00 before FF: no erase leaves that
    ):
        with pytest.raises(StoreError, match=FOREIGN):
            surveyed(image)
        taken = surveyed(image, take_over=True)
        assert (taken.values, taken.needed, taken.end) == ({}, (), 0)


def test_a_part_of_a_newer_format_is_refused_by_its_version() -> None:
    newer = bytearray(segment()[:48])
    newer[9] = 2
    newer[44:48] = binascii.crc32(newer[:44]).to_bytes(4, "big")
    for image in (bytes(newer).ljust(1024, b"\xff"), segment() + bytes(newer).ljust(512, b"\xff")):
        with pytest.raises(StoreError, match="format version 2, this software knows 1"):
            surveyed(image)
        assert surveyed(image, take_over=True).values == {}


def test_what_is_damaged_so_far_that_nothing_is_found_is_refused() -> None:
    headless = b"\0" * 96 + segment(record(2, {"a": 2}))[96:]
    with pytest.raises(StoreError, match=r"damaged: .*segment 0, with transactions up to 0.2"):
        surveyed(headless, BLANK)
    flash = FakeFlash.from_image(segment(record(1, {"a": 1})) + BLANK, 512)
    flash.spoil(0, READ_ERROR)
    with pytest.raises(StoreError, match=r"damaged: .*block 0 cannot be read"):
        survey(flash)
    assert survey(flash, take_over=True).values == {}


def test_a_taken_over_part_goes_on_behind_all_numbers() -> None:
    old = (7 << 32) + 5
    image = segment(record(old, {"a": 1}), number=7, first=old) + BLANK
    found = surveyed(image, take_over=True)
    assert (found.values, found.foreign, found.sequence) == ({}, (0,), old)


# -- the geometry ----------------------------------------------------------------------------------

FOUR = Layout(512, 4, 4, 4)  # what is found: 8 KiB


def image_of(place: int) -> bytes:
    """One segment of four, the others erased."""
    one = pack_record(FOUR, TRANSACTION, 1, packed({"a": 1}))
    parts = [b"\xff" * FOUR.segment_size] * 4
    parts[place] = segment(one, place=place, layout=FOUR)
    return b"".join(parts)


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize(
    ("block_size", "program_size", "appends", "more"),
    [
        (512, 4, True, 0),
        (1024, 4, True, 0),
        (2048, 4, True, 0),
        (256, 4, True, 0),
        (512, 1, False, 0),
        (512, 16, False, 0),
        (512, 4, True, 8192),
        (1024, 8, False, 4096),
    ],
)
def test_a_part_is_read_as_it_was_written(
    place: int, block_size: int, program_size: int, appends: bool, more: int
) -> None:
    image = image_of(place) + b"\xff" * more
    flash = FakeFlash.from_image(image, block_size, program_size, raw=False)
    found = survey(flash)
    assert list(found.values) == ["a"]
    assert found.layout == Layout(block_size, program_size, 2048 // block_size, 4)
    assert bool(found.end) == appends
    assert not found.damaged


def test_a_header_is_found_beside_a_block_that_cannot_be_read() -> None:
    """The two are among the blocks that are read at once."""
    usual = FakeFlash.from_image(image_of(3) + BLANK, 512, 4, raw=False)
    usual.spoil(11, READ_ERROR)
    assert list(survey(usual).values) == ["a"]


def test_a_geometry_that_the_part_cannot_have_is_refused() -> None:
    for place in range(4):
        image = image_of(place)
        with pytest.raises(StoreError, match="erased in blocks of 4096"):
            survey(FakeFlash.from_image(image, 4096, 4))
    with pytest.raises(StoreError, match="the part has 4096"):
        survey(FakeFlash.from_image(image_of(0)[:4096], 512, 4))


def test_segments_of_two_geometries_are_refused() -> None:
    other = Layout(512, 4, 8, 2)
    one = segment(place=1, layout=other)
    image = image_of(0)[: other.segment_size] + one
    with pytest.raises(StoreError, match="two geometries"):
        survey(FakeFlash.from_image(image, 512, 4))


def test_a_header_in_a_value_is_none() -> None:
    """A stranger may have chosen the bytes of a value, and its place is as it is."""
    planted = segment(layout=FOUR)[:100]
    image = b"x".ljust(512, b"\xff") + b"x" + planted.ljust(511, b"\xff")
    with pytest.raises(StoreError, match=FOREIGN):
        surveyed(image)


def test_an_older_segment_than_the_one_before_gives_nothing() -> None:
    """The one before was erased for the next move: what else is there is older."""
    layout = Layout(512, 1, 1, 3)
    oldest = segment(record(1, {"a": "stale", "b": 1}), number=1, layout=layout)
    newest = segment(
        flipped(record(5, {"a": "new", "b": 2}, SNAPSHOT), 24),
        record(6, {"c": 1}),
        number=3,
        first=5,
        parts=1,
        place=2,
        layout=layout,
    )
    found = survey(FakeFlash.from_image(oldest + BLANK + newest, 512))
    assert list(found.values) == ["c"]
    assert found.needed == (2,)
    assert [damage.lost for damage in found.damaged] == [("a", "b")]
    whole = segment(record(3, {"a": "before", "b": 2}), number=2, first=3, place=1, layout=layout)
    found = survey(FakeFlash.from_image(oldest + whole + newest, 512))
    assert found.values.read("a") == cbor.dumps("before")
    assert [damage.lost for damage in found.damaged] == [()]


def test_a_record_that_is_no_map_is_reported() -> None:
    data = pack_record(LAYOUT, TRANSACTION, 1, cbor.dumps([1]))
    found = surveyed(segment(data, record(2, {"a": 1})), BLANK)
    assert [damage.what for damage in found.damaged] == ["record 0.1: not a map"]
    assert list(found.values) == ["a"]


def test_a_segment_whose_header_is_gone_is_missed_when_it_was_the_newest() -> None:
    headless = b"\0" * 96 + segment(record(2, {"a": 2}), record(3, {"a": 3}))[96:]
    found = surveyed(segment(record(1, {"a": 1})), headless)
    assert found.damaged == (Damage("segment 1, with transactions up to 0.3"),)
    assert (found.sequence, found.end) == (3, 0)
    erased = surveyed(segment(record(4, {"a": 4}), first=4), headless)  # a cut erase left it
    assert erased.damaged == ()
    assert erased.sequence == 4


def test_one_copy_of_a_header_is_enough_and_reported() -> None:
    data = flipped(segment(record(1, {"a": 1})), 50)
    found = surveyed(data, BLANK)
    assert found.damaged == (Damage("a header of segment 0", lost=()),)
    assert list(found.values) == ["a"]


def test_of_a_segment_that_was_never_completed_no_snapshot_is_missed() -> None:
    copy = record(2, {"a": 1}, SNAPSHOT)
    moved = segment(flipped(copy, 22), number=2, first=2, parts=1, place=1)
    found = surveyed(segment(record(1, {"a": 1})), moved)
    assert found.damaged == ()
    assert list(found.values) == ["a"]


@pytest.mark.parametrize(
    ("rotten_at", "keys", "gone"),
    [
        (24, ("a", "b"), ("b",)),  # `a` is written again
        (20, (), None),  # no map any more: nobody can tell
    ],
)
def test_what_was_lost_and_is_written_again_is_not_gone(
    rotten_at: int, keys: tuple[str, ...], gone: tuple[str, ...] | None
) -> None:
    rotten = flipped(record(2, {"a": 2, "b": 2}), rotten_at)
    found = surveyed(segment(record(1, {"a": 1, "b": 1}), rotten, record(3, {"a": 3})), BLANK)
    assert found.damaged == (Damage("transaction 0.2", keys, gone),)


def test_a_block_that_cannot_be_read_is_reported_once() -> None:
    roomy = Layout(512, 1, 2, 2)
    data = segment(record(1, {"a": 1}), layout=roomy)
    flash = FakeFlash.from_image(data + 2 * BLANK, 512)
    flash.spoil(1, READ_ERROR)
    found = survey(flash)
    assert found.damaged == (Damage(f"block 1 cannot be read: {READ_ERROR} in block 1", lost=()),)
    assert list(found.values) == ["a"]
