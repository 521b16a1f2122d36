"""Faults that are planted in the store: the power-cut rig must find each of them."""

import pytest

from hal.fakes.flash import FakeFlash
from hal.flash import is_blank
from hal.log_format import NUMBER_BITS
from hal.log_mount import Found
from hal.log_move import Target
from hal.log_records import Entries
from hal.log_scan import scan
from hal.log_segments import Segments
from hal.log_values import Values
from hal.log_write import Writer
from hal.ports import Flash, StoreError
from tests.helpers.powercut import (
    LARGE,
    SCRIPT,
    TWO_SEGMENTS,
    WORK,
    CutError,
    EagerSegments,
    Geometry,
    Rig,
    SmallSegments,
    closed,
    play,
    store_of,
)


class DeafToSync(FakeFlash):
    """A part that says that all is stored and stores nothing: as without a call of fdatasync."""

    def sync(self) -> None:
        pieces, stored = list(self._pieces), bytes(self._stored)
        super().sync()
        self._pieces, self._stored = pieces, bytearray(stored)


class OverTornTail(Segments):
    """Goes on behind a torn record instead of moving away from it."""

    def __init__(self, flash: Flash, found: Found) -> None:
        super().__init__(flash, found)
        if self._needed and not self._end:
            size = self.layout.segment_size
            data = flash.read(self._needed[0] * size, size)
            self._end = len(data.rstrip(b"\xff"))


class OneSegment(Segments):
    """Moves in place."""

    def _candidates(self) -> list[int]:
        return [0]


class NumbersStartAgain(Segments):
    """Counts segments from one at every mount."""

    def __init__(self, flash: Flash, found: Found) -> None:
        super().__init__(flash, found)
        self._numbers, self.sequence = {}, 0


class UnsyncedWriter(Writer):
    """Programs without a sync, but for the end of a transaction."""

    def write(self, start: int, pieces: list[bytes]) -> None:
        self.flash.program(start, b"".join(pieces))

    def write_transaction(self, start: int, records: list[bytes]) -> None:
        self.flash.program(start, b"".join(records))
        self._sync()


class SyncedAtTheEnd(Segments):
    """The end of a move or of a transaction may survive without what belongs to it."""

    record_bytes = 45

    def __init__(self, flash: Flash, found: Found) -> None:
        super().__init__(flash, found)
        self._writer = UnsyncedWriter(flash)


class UnsyncedErase(Writer):
    """What was erased may come back."""

    def erase(self, blocks: object) -> None:
        for block in blocks:  # type: ignore[attr-defined]
            self.flash.erase(block)


class ErasedWithoutSync(Segments):
    def __init__(self, flash: Flash, found: Found) -> None:
        super().__init__(flash, found)
        self._writer = UnsyncedErase(flash)


class PartsAreGoneOnWith(SmallSegments):
    """Appends behind parts whose end was cut off: its next commit completes them."""

    def __init__(self, flash: Flash, found: Found) -> None:
        super().__init__(flash, found)
        if self._needed and not self._end:
            size, active = self.layout.segment_size, self._needed[0]
            data = flash.read(active * size, size)
            first = (found.numbers[active] << NUMBER_BITS) + 1
            contents = scan(self.layout, data, self.layout.records_at, first)
            if is_blank(data[contents.end :]):
                self._end, self.sequence = contents.end, contents.last()


@pytest.mark.parametrize(
    "segments",
    [OverTornTail, OneSegment, NumbersStartAgain, SyncedAtTheEnd, ErasedWithoutSync],
)
def test_a_fault_of_the_store_is_found(segments: type[Segments]) -> None:
    with pytest.raises((CutError, StoreError)):
        closed(Rig(Geometry(256, 4), store_of(segments)), SCRIPT[:4])


@pytest.mark.parametrize("segments", [SyncedAtTheEnd, PartsAreGoneOnWith])
def test_a_fault_in_commits_of_many_records_is_found(segments: type[Segments]) -> None:
    with pytest.raises((CutError, StoreError)):
        closed(Rig(Geometry(512, 2), store_of(segments)), LARGE)


def test_a_fault_of_the_part_is_found() -> None:
    with pytest.raises((CutError, StoreError)):
        play(Rig(TWO_SEGMENTS, flash=DeafToSync))


# -- in moves in pieces ----------------------------------------------------------------------------


class Forgetful(Target):
    """Its end carries nothing of what was committed since it has begun."""

    def changes(self, live: Values) -> dict[str, bytes | None]:
        return {}


class Hasty(Target):
    """Leaves out its last copy."""

    def begin(self, number: int, before: int, copies: list[list[str]]) -> None:
        super().begin(number, before, copies[:-1])


class Stale(Target):
    """Carries no removals."""

    def changes(self, live: Values) -> dict[str, bytes | None]:
        return {key: value for key, value in super().changes(live).items() if value is not None}


class EndsTwice(Target):
    """Counts before its copies are there: a transaction stands in front of them."""

    def begin(self, number: int, before: int, copies: list[list[str]]) -> None:
        super().begin(number, before, copies)
        self.complete({}, 60)


def planted(kind: type[Target]) -> type[Segments]:
    class Planted(EagerSegments):
        def _new_target(self, index: int) -> Target:
            return kind(self._writer, self.layout, index, self._trusting)

    return Planted


class GoesBack(EagerSegments):
    """Erases the active segment beforehand."""

    def _candidates(self) -> list[int]:
        return list(self._needed) or [0]


class Deaf(EagerSegments):
    """Tells a move that runs nothing of commits."""

    def _append(self, changes: Entries) -> bool:
        target, self._target = self._target, None
        done = super()._append(changes)
        self._target = None if done and target else target
        return done


STEPS: list[object] = [
    {"a": b"first", "b": b"second value", "c": bytes(range(70, 120))},
    {"a": b"ANOTHER"},
    *[WORK] * 4,
    {"a": b"third", "b": None},
    *[WORK] * 8,
    {"d": 1},
]


@pytest.mark.parametrize(
    "segments",
    [*map(planted, (Forgetful, Hasty, Stale, EndsTwice)), GoesBack],
    ids=lambda kind: kind.__name__,
)
def test_a_fault_of_a_move_in_pieces_is_found(segments: type[Segments]) -> None:
    rig = Rig(Geometry(512, 2, 1, False), store_of(segments))
    with pytest.raises((CutError, StoreError)):
        rig.journey(rig.blank(), STEPS, {})


def test_without_a_fault_nothing_is_found() -> None:
    rig = Rig(Geometry(512, 2, 1, False), store_of(EagerSegments))
    rig.journey(rig.blank(), STEPS, {})
    assert rig.cases > 100
