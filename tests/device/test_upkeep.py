"""The work of the store in the loop: what is due is done, and a key is echoed meanwhile."""

from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise

import pytest

from agent.device.upkeep import START_NS, Upkeep
from agent.loop import Loop
from hal.fakes.flash import FakeFlash
from hal.fakes.work import FakeClock
from hal.store import Store

KIB = 1024
MS, SECOND = 1_000_000, 1_000_000_000
ERASE_NS = 50 * MS
KEY_NS = 20 * MS  # between two keys


class SlowFlash(FakeFlash):
    """A part of which an erase takes 50 ms of the clock of the board, a program 1 us a byte."""

    clock: FakeClock
    erased_ns: list[int]

    def erase(self, block: int) -> None:
        super().erase(block)
        self.clock.advance(ERASE_NS)
        self.erased_ns.append(self.clock.outside_ns())

    def program(self, offset: int, data: bytes) -> None:
        super().program(offset, data)
        self.clock.advance(1_000 * len(data))


class Bench:
    """A loop with the upkeep of a store, and somebody whose keys are echoed from it."""

    def __init__(self, raw: bool, block_size: int = 16 * KIB) -> None:
        self.clock = FakeClock()
        self.flash = SlowFlash(block_size, 1024 * KIB // block_size, raw=raw)
        self.flash.clock, self.flash.erased_ns = self.clock, []
        self.store = Store.mount(self.flash)
        self.loop = Loop(self.clock)
        self.turns_ns: list[int] = []
        self.echoes_ns: list[int] = []
        Upkeep(self.loop, self.store)

    def pass_time(self, ns: int) -> None:
        """Keys come at any time; one that comes while the loop is at work waits for its end."""
        end = self.clock.outside_ns() + ns
        while (start := self.clock.outside_ns()) < end:
            self.loop.turn(0)
            took = self.clock.outside_ns() - start
            self.turns_ns.append(took)
            self.echoes_ns.extend(range(took, -1, -KEY_NS))
            self.clock.advance(max(0, min(KEY_NS, end - self.clock.outside_ns())))

    def gaps_ns(self) -> list[int]:
        """Between two erases."""
        return [after - before for before, after in pairwise(self.flash.erased_ns)]


@pytest.fixture(params=[True, False], ids=["raw", "file"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    made = Bench(request.param)
    with closing(made.loop):
        yield made


def test_no_turn_takes_100_ms_and_a_block_is_erased_each_3_s_at_most(bench: Bench) -> None:
    """A store that is half full, a commit each second, for an hour: it moves and moves."""
    store, size = bench.store, bench.store.room_bytes // 2 // 100
    store.commit({f"key{number}": bytes(size - 20) for number in range(100)})
    for number in range(1200):
        store.commit({f"key{number % 100}": bytes([number % 256]) * (size - 20)})
        bench.pass_time(SECOND)
    moves = store.health.sequence >> 32
    turns, echoes = sorted(bench.turns_ns), sorted(bench.echoes_ns)
    at_99 = echoes[len(echoes) * 99 // 100]
    print(
        f"upkeep: turns={len(turns)} longest_ms={turns[-1] // MS} echo_p99_ms={at_99 // MS}"
        f" moves={moves} erases={len(bench.flash.erased_ns)}"
    )
    assert moves > 8
    assert turns[-1] < 100 * MS
    assert at_99 < 60 * MS
    if bench.flash.can_have_bad_blocks:  # else a move waits for the last blocks of its target
        assert min(bench.gaps_ns()) >= 3 * SECOND
    again = Store.mount(FakeFlash.from_image(bench.flash.image(), 16 * KIB, raw=False))
    assert again.keys() == store.keys()


def test_nothing_wakes_the_loop_while_nothing_is_due() -> None:
    bench = Bench(raw=False)
    with closing(bench.loop):
        bench.store.commit({"a": 1})
        bench.pass_time(START_NS + SECOND)
        assert not bench.loop._heaps["outside"]
        operations = bench.flash.operations
        bench.pass_time(60 * SECOND)
        assert bench.flash.operations == operations


def test_the_next_segment_is_erased_before_a_commit_needs_it() -> None:
    bench = Bench(raw=True)
    with closing(bench.loop):
        bench.store.commit({"a": 1})
        bench.pass_time(100 * SECOND)
        assert len(bench.flash.erased_ns) == 16  # of 64 blocks in four segments
        assert min(bench.gaps_ns()) >= 3 * SECOND
        bench.store.commit({f"large{number}": bytes(50_000) for number in range(4)})
        bench.store.commit({f"large{number}": bytes(40_000) for number in range(4)})
        assert len(bench.flash.erased_ns) == 16
        assert bench.store.health.sequence >> 32 == 2
