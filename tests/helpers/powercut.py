"""Cuts the power in the store, anywhere: before or after, never anything else.

A case is an image, an operation at which the power goes, a tear point, and which unsynced pieces
survive. `closure` goes on from every distinct image that a cut leaves until none is new, so any
number of cuts in a row is covered. `journey` cuts commits and pieces of a move in one life of the
store, and goes on with what was left to do.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import NamedTuple

from hal.fakes.flash import FakeFlash, PowerCut
from hal.log_segments import Segments
from hal.store import Store

State = dict[str, object]
Step = Callable[[Store], None]


class Geometry(NamedTuple):
    block_size: int
    block_count: int
    program_size: int = 1
    raw: bool = True


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
WORK = "work"  # a step of a journey: one piece of what is due


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
        self._states: dict[tuple[bytes, bool], State] = {}  # of images: many cuts leave the same

    def blank(self) -> bytes:
        return self._flash(*self.geometry).image()

    def part(self, image: bytes) -> FakeFlash:
        return self._flash.from_image(image, self.geometry[0], *self.geometry[2:])

    def state(self, image: bytes, cut_only: bool = True) -> State:
        """What a mount sees; it must write nothing, and report nothing unless bits may be lost."""
        name = hashlib.blake2b(image).digest(), cut_only
        if name not in self._states:
            self._states[name] = self._mounted(image, cut_only)
        return self._states[name]

    def _mounted(self, image: bytes, cut_only: bool) -> State:
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

    def journey(
        self,
        image: bytes,
        steps: list[object],
        state: State,
        tears: tuple[int, ...] = FEW_TEARS,
        masks: tuple[int, ...] = FEW_MASKS,
        cuts: int = 1,
    ) -> None:
        """Steps in one life of the store, cut everywhere; the rest of them in the next life, which
        may be cut as well. Steps: changes to be committed, or WORK."""
        states = [state]
        for step in steps:
            states.append(merged(states[-1], step) if isinstance(step, dict) else states[-1])
        seen: set[tuple[bytes, int]] = set()
        waiting = [(image, 0)]
        for _ in range(cuts):
            found = set()
            for start, at in waiting:
                for code, left, done in self._cut_journeys(start, steps[at:], tears, masks):
                    self.cases += 1
                    now = self.state(left)
                    if now not in states[at + done : at + done + 2]:
                        raise CutError(f"{code} of {start.hex()}: {now} in step {at + done}")
                    found.add((left, at + done + (now != states[at + done])))
            waiting = sorted(found - seen)
            seen |= found
            self.images += len(waiting)
            for left, at in waiting:
                flash = self.part(left)
                travel(self.mount(flash), steps[at:])
                if (end := self.state(flash.image())) != states[-1]:
                    raise CutError(f"after a cut in step {at}: {end}")

    def _cut_journeys(
        self, image: bytes, steps: list[object], tears: tuple[int, ...], masks: tuple[int, ...]
    ) -> Iterator[tuple[str, bytes, int]]:
        for operation in count():
            for tear in tears:
                for mask in masks:
                    flash = self.part(image)
                    store, done = self.mount(flash), 0
                    flash.cut_after(operation, tear, mask)
                    try:
                        for done, step in enumerate(steps):  # noqa: B007 - read when it is cut
                            travel(store, [step])
                    except PowerCut:
                        yield f"operation {operation} tear {tear} mask {mask}", flash.image(), done
                        continue
                    return


def travel(store: Store, steps: list[object]) -> None:
    for step in steps:
        if isinstance(step, dict):
            store.commit(step)
        else:
            store.work()


def store_of(kind: type[Segments]) -> type[Store]:
    """A store with other segments than usual, for a test."""
    return type(f"Store of {kind.__name__}", (Store,), {"segments": kind})


def merged(state: State, changes: Mapping[str, object]) -> State:
    return {key: value for key, value in {**state, **changes}.items() if value is not None}


def commit_of(changes: Mapping[str, object]) -> Step:
    return lambda store: store.commit(changes)


TWO_SEGMENTS = Geometry(256, 2)
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


class SmallSegments(Segments):
    """Its commits take several records each."""

    record_bytes = 45


class EagerSegments(Segments):
    """Moves as soon as anything was replaced."""

    record_bytes = 60
    erase_at = move_at = 1


SmallRecords, Eager = store_of(SmallSegments), store_of(EagerSegments)


def closed(rig: Rig, script: list[dict[str, object]]) -> None:
    """Every step from every image that cuts of the step before can leave."""
    images, state = {rig.blank()}, State()
    for changes in script:
        after = merged(state, changes)
        images = rig.closure(images, commit_of(changes), state, after)
        state = after
