"""A segment on its way to be the active one, piece by piece."""

import pytest

from hal.fakes.flash import ERASE_ERROR, FakeFlash
from hal.log_format import layout_of
from hal.log_mount import survey
from hal.log_move import Target
from hal.log_values import Values
from hal.log_write import Writer
from hal.ports import FlashError

LIVE: dict[str, bytes] = {"a": b"\x01", "b": b"\x02", "c": b"\x03"}
COPIES = [["a"], ["b", "c"]]


def target(flash: FakeFlash, trusting: bool = True) -> Target:
    return Target(Writer(flash), layout_of(flash), 0, trusting)


def held(flash: FakeFlash) -> Values:
    """The state of a segment before."""
    values = Values(flash)
    values.put(LIVE)
    return values


def contents(values: Values) -> dict[str, bytes | None]:
    return {key: values.read(key) for key in values}


def pieces(made: Target, live: Values) -> int:
    made.begin(5, 4, COPIES)
    count = 0
    while made.copy(live):
        count += 1
    return count


def test_a_state_is_copied_and_counts_from_its_end_on() -> None:
    flash = FakeFlash(256, 4)
    made = target(flash)
    made.erase_all()
    assert pieces(made, held(flash)) == 2
    assert survey(flash).needed == ()
    made.complete({}, 99)
    found = survey(flash)
    assert contents(found.values) == contents(made.values) == LIVE
    assert (found.needed, found.numbers) == ((0,), {0: 5})
    assert (found.end, found.sequence) == (made.end, made.sequence) == (made.end, (5 << 32) + 3)


def test_the_end_carries_what_has_changed_since_the_begin() -> None:
    flash = FakeFlash(256, 4)
    live = held(flash)
    made = target(flash)
    made.begin(5, 4, COPIES)
    made.copy(live)
    live.put({"a": b"\x0a", "new": b"\x0b", "c": None})
    made.changed.update(("a", "new", "c"))
    assert made.left(live) > 25
    while made.copy(live):
        pass
    assert made.left(live) == 0
    assert made.changes(live) == {"a": b"\x0a", "new": b"\x0b", "c": None}
    made.complete(made.changes(live), 99)
    assert contents(survey(flash).values) == contents(made.values) == contents(live)
    assert not survey(flash).damaged


def test_a_piece_erases_one_block_and_the_header_goes_last() -> None:
    flash = FakeFlash.from_image(bytes(8 * 256), 256)
    made = target(flash)
    order = []
    while not made.is_erased:
        before = list(flash.wear)
        assert made.erase()
        order += [block for block in range(8) if flash.wear[block] > before[block]]
    assert order == [1, 2, 3, 0]
    assert not made.erase()


@pytest.mark.parametrize(("trusting", "erased"), [(True, [0, 2]), (False, [0, 1, 2, 3])])
def test_what_is_erased_is_erased_again_only_where_it_may_be_less(
    trusting: bool, erased: list[int]
) -> None:
    for at_once in (True, False):
        flash = FakeFlash(256, 8)
        flash.program(0, b"x")
        flash.program(700, b"x")
        made = target(flash, trusting)
        if at_once:
            made.erase_all()
        while not made.is_erased:
            made.erase()
        assert [block for block in range(8) if flash.wear[block]] == erased


def test_a_piece_looks_at_a_bounded_part_of_what_is_erased() -> None:
    flash = FakeFlash(128 * 1024, 16)
    made = target(flash)
    assert not made.erase()
    assert not made.is_erased
    assert not made.erase()
    assert made.is_erased


def test_a_block_that_cannot_be_erased_is_still_to_be_erased() -> None:
    flash = FakeFlash.from_image(bytes(8 * 256), 256)
    flash.spoil(1, ERASE_ERROR)
    made = target(flash)
    with pytest.raises(FlashError):
        made.erase()
    assert not made.is_erased
