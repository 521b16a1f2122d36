"""Power cuts in the store: before or after, never anything else; `tests/helpers/powercut.py`."""

import pytest

from hal.fakes.flash import FakeFlash, PowerCut
from hal.ports import StoreError
from hal.store import Store
from tests.helpers.powercut import (
    LARGE,
    MASKS,
    SCRIPT,
    TEARS,
    TWO_SEGMENTS,
    WORK,
    Eager,
    Geometry,
    Rig,
    SmallRecords,
    State,
    closed,
    commit_of,
    merged,
    play,
    travel,
)

GEOMETRIES = [
    TWO_SEGMENTS,
    Geometry(256, 4),
    Geometry(128, 5),
    Geometry(512, 2, 16),
    Geometry(256, 2, raw=False),
]


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


@pytest.mark.slow
@pytest.mark.parametrize("geometry", [Geometry(512, 2), Geometry(128, 8), Geometry(512, 2, 16)])
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


# -- a move in pieces, with commits between them ---------------------------------------------------

PIECES: list[object] = [
    {"a": b"first", "b": b"second value"},
    {"a": b"ANOTHER"},
    *[WORK] * 3,
    {"c": bytes(range(30)), "b": None},
    *[WORK] * 3,
    {"a": b"the third one", "d": 1},
    *[WORK] * 9,
    {"a": b"FOURTH", "c": bytes(range(50, 80))},
    *[WORK] * 9,
    {"e": b"at the end"},
]
OF_PIECES = [
    Geometry(512, 2),
    Geometry(512, 2, 1, False),
    Geometry(256, 4, 16),
    Geometry(256, 4, 1, False),
    Geometry(128, 9),
]


@pytest.mark.slow
@pytest.mark.parametrize("geometry", OF_PIECES, ids=str)
def test_a_move_in_pieces(geometry: Geometry) -> None:
    rig = Rig(geometry, Eager)
    flash = rig.part(rig.blank())
    store = rig.mount(flash)
    travel(store, PIECES)
    moves = store.health.sequence >> 32
    assert moves > 2, "the rig must have something to cut"
    rig.journey(rig.blank(), PIECES, {}, TEARS, MASKS)
    print(f"journey: cases={rig.cases} images={rig.images} moves={moves} geometry={geometry}")
    assert rig.cases > 500


@pytest.mark.slow
def test_two_cuts_in_moves_in_pieces() -> None:
    rig = Rig(Geometry(512, 2, 1, False), Eager)
    rig.journey(rig.blank(), PIECES[:12], {}, tears=(0, 31), masks=(-1, 0), cuts=2)
    print(f"journey: cases={rig.cases} images={rig.images} cuts=2")
    assert rig.images > 30


@pytest.mark.slow
@pytest.mark.parametrize("geometry", OF_PIECES[1:3], ids=str)
def test_a_commit_that_needs_the_end_of_a_move(geometry: Geometry) -> None:
    """Of several records, larger than what is left of the active segment."""
    steps: list[object] = [
        {"a": bytes(range(60)), "b": 1},
        {"a": bytes(range(60, 120))},
        *[WORK] * (geometry.block_count // 2 + 2),  # erased, its header, one copy
        {"c": bytes(range(100, 180)), "d": bytes(range(90)), "b": 2},
        {"e": 1},
    ]
    rig = Rig(geometry, Eager)
    rig.journey(rig.blank(), steps, {}, tears=(0, 31, 90, 4096))
    assert rig.cases > 100


# -- blank parts -----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("raw", [True, False])
def test_a_part_of_zeroes_in_its_first_commits(raw: bool) -> None:
    rig = Rig(Geometry(256, 4, 1, raw))
    image = bytes(len(rig.blank()))
    images = rig.closure({image}, commit_of(SCRIPT[0]), {}, merged({}, SCRIPT[0]))
    assert images
    assert rig.images > 5


# -- what a person asks for ------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("geometry", OF_PIECES, ids=str)
def test_the_removal_of_replaced_values_in_pieces(geometry: Geometry) -> None:
    rig = Rig(geometry, Eager)
    flash = rig.part(rig.blank())
    store, state = rig.mount(flash), State()
    for changes in SCRIPT[:4]:
        store.commit(changes)
        state = merged(state, changes)

    def removed(store: Store) -> None:
        for _ in store.compacting():
            pass

    rig.run(flash.image(), removed, state, state)
    removed(store)
    assert b"first key" not in flash.image()
    assert rig.cases > 100


@pytest.mark.slow
@pytest.mark.parametrize("raw", [True, False])
def test_the_first_commit_on_a_part_that_is_taken_over(raw: bool) -> None:
    """Before: what cannot be mounted, or an empty store that may say that something was there.
    Never what was stored there once."""
    old = Geometry(256, 8, 4, raw)
    flash = FakeFlash(*old)
    store = Store.mount(flash)
    for number in range(30):
        store.commit({"old": number, "filler": bytes(200)})
    image = flash.image()
    rig = Rig(Geometry(512, 3, 1, raw))  # of which no segment is one of those
    for operation in range(100):
        for tear in TEARS:
            for mask in MASKS:
                part = FakeFlash.from_image(image[:1536], 512, raw=raw)
                store = Store.mount(part, take_over=True)
                part.cut_after(operation, tear, mask)
                try:
                    store.commit({"new": 1})
                except PowerCut:
                    try:
                        found = rig.state(part.image(), cut_only=False)
                    except StoreError:
                        continue
                    assert found in ({}, {"new": 1})
                else:
                    assert rig.state(part.image()) == {"new": 1}
                    assert operation > 3
                    return


@pytest.mark.slow
def test_a_commit_of_many_large_records() -> None:
    """Appended, and as a move; on a part of a size that there is."""
    rig = Rig(Geometry(16 * 1024, 64, 1, raw=False))
    flash = rig.part(rig.blank())
    store = rig.mount(flash)
    state: State = {f"k{at}": bytes([at]) * 40_000 for at in range(5)} | {"small": 1}
    rig.run(flash.image(), commit_of(state), {}, state, (0, 70_000), (-1, 0, 2))
    store.commit(state)
    for at in (1, 2):
        after: State = {f"k{number}": bytes([at + 10]) * 41_000 for number in range(4)}
        after = {**state, **after, "small": None}
        rig.run(flash.image(), commit_of(after), state, merged(state, after), (0, 70_000), (-1, 0))
        store.commit(after)
        state = merged(state, after)
    assert store.health.sequence >> 32 == 2
    print(f"powercut: cases={rig.cases} large=1")
