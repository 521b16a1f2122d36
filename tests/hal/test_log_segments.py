"""The segments of a part: what is done beside commits, in bounded pieces, and when."""

from itertools import pairwise

import pytest

from hal.fakes.flash import ERASE_ERROR, PROGRAM_ERROR, FakeFlash
from hal.log_segments import ERASE_PAUSE_NS, MOVE_PAUSE_NS
from hal.store import Store

KIB = 1024


class Slow(FakeFlash):
    """An erase takes 50 ms of its own clock, a program 1 us a byte."""

    now_ns = 0

    def erase(self, block: int) -> None:
        super().erase(block)
        self.now_ns += 50_000_000

    def program(self, offset: int, data: bytes) -> None:
        super().program(offset, data)
        self.now_ns += 1_000 * len(data)


class Life:
    """A store whose work is done when it is due, and the longest that anything took."""

    def __init__(self, flash: Slow) -> None:
        self.flash, self.store = flash, Store.mount(flash)
        self.due_ns: int | None = 0
        self.longest_ns = 0
        self.idle_erases: list[int] = []  # when a block was erased outside a move

    def until(self, end_ns: int) -> None:
        while self.due_ns is not None and max(self.due_ns, self.flash.now_ns) <= end_ns:
            self.flash.now_ns = start = max(self.due_ns, self.flash.now_ns)
            erases = self.store.counters.erases
            pause = self.store.work()
            self.longest_ns = max(self.longest_ns, self.flash.now_ns - start)
            if pause == ERASE_PAUSE_NS:
                assert self.store.counters.erases == erases + 1
                self.idle_erases.append(start)
            self.due_ns = None if pause is None else self.flash.now_ns + pause
        self.flash.now_ns = max(self.flash.now_ns, end_ns)

    def commit(self, changes: dict[str, object]) -> None:
        start = self.flash.now_ns
        self.store.commit(changes)
        self.longest_ns = max(self.longest_ns, self.flash.now_ns - start)
        if self.due_ns is None:
            self.due_ns = self.flash.now_ns


def contents(store: Store) -> dict[str, object]:
    return {key: store.get(key) for key in store.keys("")}


@pytest.mark.parametrize("raw", [True, False])
def test_no_turn_takes_longer_than_an_erase_and_erases_are_rare(raw: bool) -> None:
    """A part with 50 ms an erase, a state that is half of its room, a commit each two seconds."""
    flash = Slow(16 * KIB, 64, 16, raw=raw)
    life = Life(flash)
    state: dict[str, object] = {}
    size = life.store.room_bytes // 2 // 100
    for number in range(100):
        changes: dict[str, object] = {f"key{number}": bytes([number]) * (size - 20)}
        life.commit(changes)
        state |= changes
        life.until(flash.now_ns + 2_000_000_000)
    life.longest_ns = 0
    for number in range(1500):
        changes = {f"key{number % 100}": bytes([number % 256]) * (size - 20)}
        life.commit(changes)
        state |= changes
        life.until(flash.now_ns + 2_000_000_000)
    pauses = [after - before for before, after in pairwise(life.idle_erases)]
    print(
        f"work: longest_ms={life.longest_ns // 1_000_000} erases={sum(flash.wear)}"
        f" moves={life.store.health.sequence >> 32} beforehand={len(life.idle_erases)}"
        f" pause_s={min(pauses) // 1_000_000_000} raw={raw}"
    )
    assert life.longest_ns < 100_000_000
    assert min(pauses) >= ERASE_PAUSE_NS
    assert life.store.health.sequence >> 32 > 10
    again = Store.mount(FakeFlash.from_image(flash.image(), 16 * KIB, 16, raw))
    assert contents(again) == contents(life.store) == state
    assert not again.health.damaged


def test_a_large_commit_finds_an_erased_segment() -> None:
    flash = Slow(16 * KIB, 64)
    life = Life(flash)
    life.commit({f"key{number}": bytes(1000) for number in range(40)})
    life.until(flash.now_ns + 600_000_000_000)
    before = sum(flash.wear)
    life.commit({f"large{number}": bytes(50_000) for number in range(4)})
    life.commit({"large0": bytes(60_000)})
    assert sum(flash.wear) == before
    assert life.store.health.sequence >> 32 == 2


def test_nothing_is_due_on_an_empty_part_and_in_a_segment_with_room() -> None:
    flash = FakeFlash(4 * KIB, 64, raw=False)
    store = Store.mount(flash)
    assert store.work() is None
    store.commit({"a": 1})
    assert store.work() is None
    assert store.counters.erases == 0


def test_a_store_that_is_nearly_full_does_not_move_on_and_on() -> None:
    flash = FakeFlash(4 * KIB, 16, raw=False)
    store = Store.mount(flash)
    store.commit({"a": bytes(store.room_bytes - 200)})
    moves = 0
    for number in range(50):
        store.commit({"n": number})
        for _ in range(100):
            moves += store.work() is not None
    assert store.health.sequence >> 32 < 12
    assert store.work() is None


def test_a_commit_ends_the_move_that_runs() -> None:
    flash = FakeFlash(4 * KIB, 16, raw=False)
    store = Store.mount(flash)
    store.commit({"stays": b"here"})
    while store._segments._target is None or not store._segments._target.begun:
        store.commit({"n": bytes(700)})
        store.work()
    numbers = store.health.sequence >> 32
    store.commit({"large": bytes(20_000), "stays": None})
    assert store.health.sequence >> 32 == numbers + 1
    assert store.counters.erases == 0
    again = Store.mount(FakeFlash.from_image(flash.image(), 4 * KIB, raw=False))
    assert contents(again) == {"n": bytes(700), "large": bytes(20_000)}


def test_a_move_that_runs_and_has_no_room_for_a_commit_is_given_up() -> None:
    flash = FakeFlash(4 * KIB, 16, raw=False)
    store = Store.mount(flash)
    store.commit({"large": bytes(20_000)})
    while store._segments._target is None or store._segments._target.left(store._values):
        store.commit({"n": bytes(700)})
        store.work()
    for _ in range(3):
        store.work()
    store.commit({"large": bytes([1]) * 25_000})
    again = Store.mount(FakeFlash.from_image(flash.image(), 4 * KIB, raw=False))
    assert contents(again) == {"n": bytes(700), "large": bytes([1]) * 25_000}
    assert not again.health.damaged


def test_behind_a_torn_record_the_move_is_due_at_once() -> None:
    flash = FakeFlash(4 * KIB, 16)
    store = Store.mount(flash)
    store.commit({"a": 1})
    flash.program(store._segments._end, b"scpT")
    store = Store.mount(FakeFlash.from_image(flash.image(), 4 * KIB))
    pauses = set()
    while (pause := store.work()) is not None and store.health.sequence >> 32 == 1:
        pauses.add(pause)
    assert pauses == {MOVE_PAUSE_NS}
    assert store.health.sequence >> 32 == 2
    assert store.get("a") == 1


def test_what_the_mount_found_damaged_waits_for_a_commit() -> None:
    flash = FakeFlash(4 * KIB, 16)
    store = Store.mount(flash)
    store.commit({"a": b"first"})
    store.commit({"b": b"second"})
    flash.flip(flash.image().index(b"first"), 1)
    store = Store.mount(flash)
    assert store.health.damaged
    assert store.work() is None
    assert store.health.sequence >> 32 == 1
    store.commit({"noted": 1})
    assert store.health.sequence >> 32 == 2


@pytest.mark.parametrize("fault", [ERASE_ERROR, PROGRAM_ERROR])
def test_a_segment_that_fails_beforehand_is_given_up_and_nothing_is_lost(fault: str) -> None:
    flash = FakeFlash(16 * KIB, 32)  # four segments
    store = Store.mount(flash)
    store.commit({"a": bytes(40_000)})
    for block in range(8, 16):
        flash.spoil(block, fault)
    for number in range(60):
        store.commit({"n": number, "filler": bytes(9_000)})
        for _ in range(60):
            store.work()
        assert not store.health.read_only
    assert store.health.sequence >> 32 > 4
    assert flash.image()[8 * 16 * KIB : 9 * 16 * KIB] in (b"\xff" * 16 * KIB,)
    again = Store.mount(FakeFlash.from_image(flash.image(), 16 * KIB))
    assert contents(again) == {"a": bytes(40_000), "n": 59, "filler": bytes(9_000)}


def test_an_end_that_fails_is_made_elsewhere_before_anything_else() -> None:
    """It may be there all the same: from then on the active segment must not grow."""
    flash = FakeFlash(4 * KIB, 16, raw=False)
    store = Store.mount(flash)
    store.commit({"a": 1})
    log = store._segments
    while log._target is None or not log._target.begun or log._target.left(store._values):
        store.commit({"n": bytes(700)})
        store.work()
    at = log._target.index * log.layout.segment_size + log._target.end
    flash.spoil(at // flash.block_size, PROGRAM_ERROR)
    pieces = 0
    while not store.health.read_only and pieces < 9:
        store.work()
        pieces += 1
    assert "program error" in store.health.reason
    assert store.work() is None
    assert store.get("a") == 1


@pytest.mark.parametrize("raw", [True, False])
def test_compacting_in_pieces_leaves_nothing_of_before_whatever_is_committed_meanwhile(
    raw: bool,
) -> None:
    for every in (1, 3, 10, 1000):
        flash = Slow(4 * KIB, 64, raw=raw)
        store = Store.mount(flash)
        for number in range(200):
            store.commit({"secret": b"secret %d" % number, "filler": bytes(3000)})
            store.work()
        store.commit({"secret": b"SECRET"})
        store.commit({"secret": None})
        pieces = 0
        start = flash.now_ns
        for pieces, _ in enumerate(store.compacting()):
            assert flash.now_ns - start < 100_000_000
            if pieces % every == 0:
                store.commit({"n": pieces, "filler": bytes([pieces % 256]) * 3000})
            if pieces % 7 == 0:
                store.work()
            start = flash.now_ns
        assert b"secret" not in flash.image()
        assert b"SECRET" not in flash.image()
        again = Store.mount(FakeFlash.from_image(flash.image(), 4 * KIB, raw=raw))
        assert contents(again) == contents(store)
        assert store.get("n") == pieces - pieces % every


@pytest.mark.parametrize("raw", [True, False])
def test_compact_leaves_nothing_behind_and_the_next_segment_erased(raw: bool) -> None:
    flash = FakeFlash(4 * KIB, 64, raw=raw)
    store = Store.mount(flash)
    for number in range(200):
        store.commit({"secret": b"secret %d" % number, "filler": bytes(3000)})
        store.work()
    store.commit({"secret": None})
    store.compact()
    assert b"secret" not in flash.image()
    erases = store.counters.erases
    assert store.work() is None or raw
    assert store.counters.erases == erases


# -- before anybody waits --------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["torn", "damaged"])
def test_a_settled_part_takes_a_commit_without_an_erase(how: str) -> None:
    flash = FakeFlash(4 * KIB, 64)
    store = Store.mount(flash)
    store.commit({"a": b"first"})
    store.commit({"b": b"second"})
    if how == "torn":
        flash.program(store._segments._end, b"scpT")
    else:
        flash.flip(flash.image().index(b"second"), 1)
    store = Store.mount(FakeFlash.from_image(flash.image(), 4 * KIB))
    before = contents(store)
    store.settle()
    erases = store.counters.erases
    assert erases
    store.commit({"c": 3})
    store.settle()
    assert store.counters.erases == erases
    assert contents(store) == {**before, "c": 3}


@pytest.mark.parametrize("blank", [b"\0", b"\xff"])
def test_a_part_on_which_nothing_was_stored_is_erased_where_it_is_not(blank: bytes) -> None:
    flash = FakeFlash.from_image(blank * 256 * KIB, 4 * KIB)
    store = Store.mount(flash)
    store.settle()
    erases = store.counters.erases
    assert erases == (0 if blank == b"\xff" else store._segments.layout.blocks)
    assert store.health.sequence == 0
    store.commit({"a": 1})
    assert store.counters.erases == erases
    again = Store.mount(FakeFlash.from_image(flash.image(), 4 * KIB))
    assert contents(again) == {"a": 1}


def test_a_segment_that_does_not_become_erased_is_left_to_the_first_commit() -> None:
    flash = FakeFlash.from_image(bytes(256 * KIB), 4 * KIB)
    flash.spoil(3, ERASE_ERROR)
    store = Store.mount(flash)
    store.settle()
    assert not store.health.read_only
    store.commit({"a": 1})
    assert contents(Store.mount(FakeFlash.from_image(flash.image(), 4 * KIB))) == {"a": 1}


def test_a_part_that_is_taken_over_is_not_touched_before_the_first_commit() -> None:
    flash = FakeFlash(4 * KIB, 64)
    Store.mount(flash).commit({"a": 1})
    image = flash.image()
    Store.mount(flash, take_over=True).settle()
    assert flash.image() == image


def test_the_less_is_free_the_sooner_the_next_block_is_erased() -> None:
    """A quarter of the room is time enough for all of them."""
    flash = FakeFlash(16 * KIB, 64)  # four segments of 256 KiB
    store = Store.mount(flash)
    store.commit({"n": bytes(45_000)})
    store = Store.mount(FakeFlash.from_image(flash.image(), 16 * KIB))
    assert store.work() == ERASE_PAUSE_NS
    for number in range(4):
        store.commit({"n": bytes([number]) * 45_000})
    assert store.work() == MOVE_PAUSE_NS
    assert store.counters.erases == 2
    while store.work() == MOVE_PAUSE_NS:
        assert store.health.sequence >> 32 == 1, "it is erased, and not made"
    assert store.counters.erases == 16


def test_what_a_commit_would_wait_for_is_made_in_pieces_before_it() -> None:
    store = Store.mount(FakeFlash(4096, 64))
    store.commit({"first": bytes(100)})
    change, pieces = {"large": bytes(20_000)}, 0
    while not pieces:  # until a segment is full
        while store.make_way(change):
            pieces += 1
            assert store.get("first") == bytes(100)
            assert pieces < 1000
        moved, before = store.health.sequence >> 32, store.counters.erases
        store.commit(change)
        assert (store.health.sequence >> 32, store.counters.erases) == (moved, before)
    assert pieces > 3
    assert moved == 2
    assert not store.make_way({"more than there is room for": bytes(60_000)})
    assert store.get("large") == bytes(20_000)
