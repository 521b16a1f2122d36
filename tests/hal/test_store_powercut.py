"""Power cuts in the store: before or after, never anything else. And the rig finds planted faults.

A case is an image, an operation at which the power goes, a tear point, and which unsynced pieces
survive. `closure` goes on from every distinct image that a cut leaves until none is new, so any
number of cuts in a row is covered.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import NamedTuple

import pytest

from hal.fakes.flash import FakeFlash, PowerCut
from hal.flash import is_blank
from hal.log_format import unpack_segment
from hal.log_scan import scan
from hal.ports import StoreError
from hal.store import Store

State = dict[str, object]
Step = Callable[[Store], None]


class Geometry(NamedTuple):
    block_size: int
    block_count: int
    program_size: int = 1


TWO_SEGMENTS = Geometry(256, 2)
GEOMETRIES = [TWO_SEGMENTS, Geometry(256, 4), Geometry(128, 5), Geometry(512, 2, 16)]
FEW_TEARS, FEW_MASKS = (0, 31, 4096), (-1, 0, 2)  # for cuts in series
TEARS = (
    0,
    2,
    21,
    47,
    90,
    255,
    4096,
)  # in the head, the payload, the CRC, the next block, at the end
MASKS = (-1, 0, 1, 2, 5)  # which unsynced pieces survive
# Each value differs in every byte from its neighbours: a tear of equal halves would look whole.
SCRIPT: list[dict[str, object]] = [
    {"key": b"first key sealed", "state": "sent"},
    {"certificate": bytes(range(40)), "state": "issued"},
    {"key": b"SECOND KEY SEALED", "certificate": bytes(range(100, 140)), "state": None},
    {"floor": 1},
    {"floor": 2, "key": None},
    {"config": {"sysname": "R1", "realms": [{"name": "a"}]}},
    {"certificate": bytes(range(60, 120)), "config": None},
]
LARGE: list[dict[str, object]] = [
    {"a": b"first of all", "b": b"second", "c": b"the third one of three"},
    {"a": b"ANOTHER FIRST", "b": None, "c": bytes(range(20, 50)), "d": b"more than before"},
]


class CutError(AssertionError):
    """The rig found a state that must not be; the text replays it."""


class Rig:
    """Runs steps with cuts on one geometry, with one kind of store on one kind of part."""

    def __init__(
        self,
        geometry: Geometry,
        store: type[Store] = Store,
        flash: type[FakeFlash] = FakeFlash,
    ) -> None:
        self.geometry, self.mount, self._flash = geometry, store.mount, flash
        self.cases = self.images = 0

    def blank(self) -> bytes:
        return self._flash(*self.geometry).image()

    def part(self, image: bytes) -> FakeFlash:
        return self._flash.from_image(image, self.geometry[0], self.geometry[2])

    def state(self, image: bytes, cut_only: bool = True) -> State:
        """What a mount sees; it must write nothing, and report nothing unless bits may be lost."""
        flash = self.part(image)
        store = self.mount(flash)
        if flash.operations:
            raise CutError("a mount wrote")
        if cut_only and store.health.damaged:
            raise CutError(f"false alarm: {store.health.damaged}")
        return {key: store.get(key) for key in store.keys("")}

    def cuts(
        self, image: bytes, step: Step, tears: tuple[int, ...], masks: tuple[int, ...]
    ) -> Iterator[tuple[str, bytes]]:
        """Every image that a cut of the step leaves; the last one is of the step that returned."""
        for operation in count():
            for tear in tears:
                for mask in masks:
                    flash = self.part(image)
                    store = self.mount(flash)
                    flash.cut_after(operation, tear, mask)
                    try:
                        step(store)
                    except PowerCut:
                        yield f"operation {operation} tear {tear} mask {mask}", flash.image()
                        continue
                    flash.pull_the_plug(keep=0)
                    yield "", flash.image()
                    return

    def run(
        self,
        image: bytes,
        step: Step,
        before: State,
        after: State,
        tears: tuple[int, ...] = TEARS,
        masks: tuple[int, ...] = MASKS,
    ) -> tuple[set[bytes], set[bytes]]:
        """The images of the state before and of the state after that cuts of the step leave."""
        found: tuple[set[bytes], set[bytes]] = (set(), set())
        for code, left in self.cuts(image, step, tears, masks):
            self.cases += 1
            state = self.state(left)
            if state not in (before, after) or (not code and state != after):
                raise CutError(f"{code or 'returned'} of {image.hex()}: {state}")
            found[state == after].add(left)
        return found

    def closure(self, images: set[bytes], step: Step, before: State, after: State) -> set[bytes]:
        """Cuts in every image of the state before until none is new; the images of after."""
        waiting, seen, done = list(images), set(images), set()
        while waiting:
            again, finished = self.run(waiting.pop(), step, before, after, FEW_TEARS, FEW_MASKS)
            waiting += again - seen
            self.go_on(again - seen, before)
            self.go_on(finished - done, after)
            seen |= again
            done |= finished
        self.images += len(seen)
        return done

    def go_on(self, images: set[bytes], state: State) -> None:
        """Another commit than the one that was cut: what was cut must not come back with it."""
        for image in images:
            flash = self.part(image)
            self.mount(flash).commit({"other": 1})
            if (found := self.state(flash.image())) != {**state, "other": 1}:
                raise CutError(f"another commit on {image.hex()}: {found}")


def merged(state: State, changes: Mapping[str, object]) -> State:
    return {key: value for key, value in {**state, **changes}.items() if value is not None}


def commit_of(changes: Mapping[str, object]) -> Step:
    return lambda store: store.commit(changes)


def play(rig: Rig) -> None:
    """The whole script, every step cut everywhere once, going on from the uncut image."""
    image, state = rig.blank(), State()
    for changes in SCRIPT:
        after = merged(state, changes)
        rig.run(image, commit_of(changes), state, after)
        flash = rig.part(image)
        rig.mount(flash).commit(changes)
        image, state = flash.image(), after
    rig.run(image, Store.compact, state, state)


@pytest.mark.slow
@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_one_cut_anywhere(geometry: Geometry) -> None:
    rig = Rig(geometry)
    play(rig)
    assert rig.cases > 1000


@pytest.mark.slow
def test_every_byte_of_one_commit_and_one_move() -> None:
    rig = Rig(TWO_SEGMENTS)
    flash = rig.part(rig.blank())
    store = Store.mount(flash)
    state: State = {}
    moves = 0
    for changes in SCRIPT[:4]:
        image, erases = flash.image(), store.counters.erases
        after = merged(state, changes)
        rig.run(image, commit_of(changes), state, after, tears=tuple(range(256)), masks=(-1,))
        store.commit(changes)
        moves += store.counters.erases > erases
        state = after
    assert moves > 0


def closed(rig: Rig, script: list[dict[str, object]]) -> None:
    """Every step from every image that cuts of the step before can leave."""
    images, state = {rig.blank()}, State()
    for changes in script:
        after = merged(state, changes)
        images = rig.closure(images, commit_of(changes), state, after)
        state = after


@pytest.mark.slow
@pytest.mark.parametrize(
    ("geometry", "steps"), [(TWO_SEGMENTS, 3), (Geometry(256, 4, 16), 2)], ids=str
)
def test_any_number_of_cuts(geometry: Geometry, steps: int) -> None:
    """The whole script closes too, in two minutes: 540,000 cases on 6,700 images."""
    rig = Rig(geometry)
    closed(rig, SCRIPT[:steps])
    print(f"closure: cases={rig.cases} images={rig.images} geometry={geometry}")
    assert rig.images > 30


class SmallRecords(Store):
    """Its commits take several records each."""

    record_bytes = 45


@pytest.mark.slow
@pytest.mark.parametrize("geometry", [TWO_SEGMENTS, Geometry(128, 8), Geometry(512, 2, 16)])
def test_one_cut_anywhere_in_commits_of_many_records(geometry: Geometry) -> None:
    rig = Rig(geometry, SmallRecords)
    play(rig)
    assert rig.cases > 1000


@pytest.mark.slow
def test_any_number_of_cuts_in_commits_of_many_records() -> None:
    rig = Rig(Geometry(512, 2), SmallRecords)
    closed(rig, LARGE)
    print(f"closure: cases={rig.cases} images={rig.images} records=small")
    assert rig.images > 30


def test_four_segments() -> None:
    rig = Rig(Geometry(64 * 1024, 8))
    flash = rig.part(rig.blank())
    store = Store.mount(flash)
    state: State = {"a": b"one", "b": 1}
    store.commit(state)
    rig.run(flash.image(), Store.compact, state, state, (0, 71), (-1, 0))
    store.compact()
    assert flash.wear == [1] * 8  # the first commit found its segment erased
    assert rig.state(flash.image()) == state


# -- planted faults: the rig must find each of them ----------------------------------------------


class DeafToSync(FakeFlash):
    """A part that says that all is stored and stores nothing: as without a call of fdatasync."""

    def sync(self) -> None:
        pieces, stored = list(self._pieces), bytes(self._stored)
        super().sync()
        self._pieces, self._stored = pieces, bytearray(stored)


class OverTornTail(Store):
    """Goes on behind a torn record instead of moving away from it."""

    def __init__(self, flash: FakeFlash, take_over: bool = False) -> None:
        super().__init__(flash, take_over)
        if self._needed and not self._end:
            offset = self._needed[0] * self._layout.segment_size
            data = flash.read(offset, self._layout.segment_size)
            self._end = len(data.rstrip(b"\xff"))


class OneSegment(Store):
    """Compacts in place."""

    def _candidates(self) -> list[int]:
        return [0]


class HeaderErasedFirst(Store):
    """Erases from the front, so that a cut leaves bytes that nobody knows."""

    def _erase(self, index: int) -> None:
        for block in range(index * self._layout.blocks, (index + 1) * self._layout.blocks):
            self._flash.erase(block)
        self._sync()


class HeaderErasedWithTheRest(Store):
    """Erases the header last, but under the same sync."""

    def _erase(self, index: int) -> None:
        for block in reversed(
            range(index * self._layout.blocks, (index + 1) * self._layout.blocks)
        ):
            if not (self._fresh and is_blank(self._flash.read(block * 256, 256))):
                self._flash.erase(block)
        self._sync()


class SyncedAtTheEnd(Store):
    """Writes snapshot and transaction under one sync: the second may survive without the first."""

    def _write(self, index: int, at: int, pieces: list[bytes]) -> None:
        if at == 0:
            self._flash.program(index * self._layout.segment_size, b"".join(pieces))
        else:
            super()._write(index, at, pieces)


class PartsUnderOneSync(SmallRecords):
    """The end of a transaction may survive without one of its parts."""

    def _write_transaction(self, index: int, at: int, records: list[bytes]) -> None:
        self._write(index, at, records)


class PartsAreGoneOnWith(SmallRecords):
    """Appends behind parts whose end was cut off: its next commit completes them."""

    def __init__(self, flash: FakeFlash, take_over: bool = False) -> None:
        super().__init__(flash, take_over)
        if self._needed and not self._end:
            size = self._layout.segment_size
            data = flash.read(self._needed[0] * size, size)
            segment, _ = unpack_segment(self._layout, data)
            assert segment
            found = scan(self._layout, data, self._layout.records_at, segment.first)
            if is_blank(data[found.end :]):
                self._end, self._sequence = found.end, found.last()


class NumbersStartAgain(Store):
    """Counts segments from one at every mount."""

    def __init__(self, flash: FakeFlash, take_over: bool = False) -> None:
        super().__init__(flash, take_over)
        self._numbers = {}


@pytest.mark.parametrize(
    "store",
    [
        OverTornTail,
        OneSegment,
        HeaderErasedFirst,
        HeaderErasedWithTheRest,
        SyncedAtTheEnd,
        NumbersStartAgain,
    ],
)
def test_a_planted_fault_of_the_store_is_found(store: type[Store]) -> None:
    with pytest.raises((CutError, StoreError)):
        closed(Rig(Geometry(256, 4), store), SCRIPT[:4])


@pytest.mark.parametrize("store", [PartsUnderOneSync, PartsAreGoneOnWith])
def test_a_planted_fault_in_commits_of_many_records_is_found(store: type[Store]) -> None:
    with pytest.raises((CutError, StoreError)):
        closed(Rig(Geometry(512, 2), store), LARGE)


def test_a_planted_fault_of_the_part_is_found() -> None:
    with pytest.raises(CutError):
        play(Rig(TWO_SEGMENTS, flash=DeafToSync))
