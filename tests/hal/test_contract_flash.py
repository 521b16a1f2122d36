"""The contract of `hal.ports.Flash`, for the file and for the fake."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hal.fakes.flash import FakeFlash
from hal.flash import FileFlash
from hal.ports import Flash, FlashError

Make = Callable[[int, int, int], Flash]


@pytest.fixture(params=["file", "fake"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    made: list[Flash] = []

    def build(block_size: int, block_count: int, program_size: int) -> Flash:
        path = str(tmp_path / f"{len(made)}.bin")
        flash: Flash = (
            FileFlash(path, block_size, block_count, program_size)
            if request.param == "file"
            else FakeFlash(block_size, block_count, program_size)
        )
        made.append(flash)
        return flash

    yield build
    for flash in made:
        flash.close()


def test_a_new_part_is_erased(make: Make) -> None:
    flash = make(256, 4, 1)
    assert (flash.block_size, flash.block_count, flash.program_size) == (256, 4, 1)
    assert flash.read(0, 1024) == b"\xff" * 1024
    assert flash.read(1024, 0) == b""
    assert flash.can_have_bad_blocks is isinstance(flash, FakeFlash)


def test_program_then_erase_one_block(make: Make) -> None:
    flash = make(256, 4, 1)
    flash.program(200, bytes(range(112)))  # over the border of a block
    flash.program(600, b"kept")
    flash.sync()
    assert flash.read(200, 112) == bytes(range(112))
    flash.erase(1)
    assert flash.read(200, 112) == bytes(range(56)) + b"\xff" * 56
    assert flash.read(600, 4) == b"kept"
    flash.program(256, b"again")
    assert flash.read(256, 5) == b"again"


def test_only_erased_bytes_can_be_programmed(make: Make) -> None:
    flash = make(256, 2, 1)
    flash.program(10, b"\xf0")
    for data in (b"\xf0", b"\x00", b"\xff"):
        with pytest.raises(FlashError, match="not erased"):
            flash.program(10, data)
    with pytest.raises(FlashError, match="not erased"):
        flash.program(8, b"\xff\xff\0")
    assert flash.read(8, 4) == b"\xff\xff\xf0\xff"


@pytest.mark.parametrize(("offset", "length"), [(-1, 1), (0, 513), (512, 1), (1 << 40, 1), (0, -1)])
def test_outside_the_part(make: Make, offset: int, length: int) -> None:
    flash = make(256, 2, 1)
    with pytest.raises(FlashError, match="outside"):
        flash.read(offset, length)
    if length > 0:
        with pytest.raises(FlashError, match="outside"):
            flash.program(offset, b"\0" * length)


@pytest.mark.parametrize("block", [-1, 2, 1 << 40])
def test_no_such_block(make: Make, block: int) -> None:
    with pytest.raises(FlashError, match="outside"):
        make(256, 2, 1).erase(block)


@pytest.mark.parametrize(("offset", "length"), [(1, 16), (8, 16), (0, 15), (16, 17)])
def test_unaligned(make: Make, offset: int, length: int) -> None:
    flash = make(256, 2, 16)
    with pytest.raises(FlashError, match="multiples of 16"):
        flash.program(offset, b"\0" * length)
    assert flash.read(0, 512) == b"\xff" * 512


def test_nothing_works_after_close(make: Make) -> None:
    flash = make(256, 2, 1)
    flash.close()
    flash.close()
    for use in (
        lambda: flash.read(0, 1),
        lambda: flash.program(0, b"\0"),
        lambda: flash.erase(0),
        flash.sync,
    ):
        with pytest.raises(FlashError):
            use()


STEPS = st.lists(
    st.one_of(st.tuples(st.integers(0, 31), st.binary(min_size=1, max_size=20)), st.integers(0, 3)),
    max_size=20,
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_it_behaves_like_an_array_with_nor_rules(
    make: Make, steps: list[tuple[int, bytes] | int]
) -> None:
    flash, model = make(8, 4, 1), bytearray(b"\xff" * 32)
    for step in steps:
        if isinstance(step, int):
            flash.erase(step)
            model[step * 8 : step * 8 + 8] = b"\xff" * 8
            continue
        offset, data = step
        end = offset + len(data)
        if end <= 32 and model[offset:end] == b"\xff" * len(data):
            flash.program(offset, data)
            model[offset:end] = data
        else:
            with pytest.raises(FlashError):
                flash.program(offset, data)
        assert flash.read(0, 32) == model
    flash.close()
