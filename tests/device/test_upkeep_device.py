"""No turn of the loop of a whole device is long, on a part of which an erase takes 50 ms.

The watchdog is fed each second meanwhile, before the loop turns and behind that.
"""

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import pytest

from agent.device.upkeep import Upkeep
from agent.log import Log
from agent.pieces import at_once
from agent.settings import Realm
from agent.watchdog import FEED_NS, Feeder
from hal.fakes.flash import FakeFlash, PowerCut
from hal.fakes.watchdog import FakeWatchdog
from hal.store import Store
from tests.device.test_upkeep import ERASE_NS, MS, SlowFlash
from tests.helpers.device_bench import CONFIGURATION, Bench, Waiter

BLOCK, SIZE = 16 * 1024, 1024 * 1024
TURN_NS = 20 * MS  # between two turns while somebody types


class SlowBench(Bench):
    """A device whose loop turns each 20 ms, as `agent/resident.py` puts it together."""

    def __init__(self, image: bytes, raw: bool) -> None:
        self.turns_ns: list[int] = []
        flash = SlowFlash.from_image(image, BLOCK, raw=raw)
        assert isinstance(flash, SlowFlash)
        self.slow = flash
        super().__init__(CONFIGURATION, flash)

    def _boot(self) -> None:
        self.slow.clock, self.slow.erased_ns = self.clock, []
        super()._boot()
        Upkeep(self.loop, self.store)
        self.feeder.begin(self.store)

    def _mounted(self) -> tuple[Store, None]:
        self.watchdog = FakeWatchdog(self.clock.outside_ns, 10)
        self.feeder = Feeder(self.watchdog, self.loop, Log(self.clock.wall_s, None))
        return Store.mount(self.feeder.mounting(self.flash)), None

    def turn(self, times: int = 10) -> None:
        for _turn in range(times):
            start_ns = self.clock.outside_ns()
            self.loop.turn(0)
            self.turns_ns.append(self.clock.outside_ns() - start_ns)
            self.clock.advance(TURN_NS)

    def wait(self, over: Callable[[], bool], most: int = 20_000) -> None:
        for _turn in range(most):
            if over():
                return
            self.turn(1)
        raise AssertionError("it does not end")

    def longest_feed_ns(self) -> int:
        return max(later - earlier for earlier, later in pairwise(self.watchdog.fed_ns))


def used() -> Bench:
    """A device with a certificate, and lists that fill a part of a segment."""
    bench = Bench(CONFIGURATION, FakeFlash(BLOCK, SIZE // BLOCK))
    bench.key()
    bench.device.settings.realms["abc"].key_pair = "k1"
    assert bench.enrol().code is None
    at_once(bench.device.configuration.save())
    bench.store.commit({f"realm/r{number}/crl": bytes(4000) for number in range(20)})
    return bench


def zeroes() -> bytes:
    return bytes(SIZE)


def damaged() -> bytes:
    bench = used()
    bench.flash.flip(bench.flash.image().rfind(bytes(4000)), 3)
    return bench.flash.image()


def torn() -> bytes:
    bench = used()
    bench.flash.cut_after(0, 30)
    with pytest.raises(PowerCut):
        bench.store.commit({"realm/abc/crl": bytes(2000)})
    return bench.flash.image()


def whole() -> bytes:
    return used().flash.image()


@pytest.mark.parametrize("raw", [True, False], ids=["raw", "file"])
@pytest.mark.parametrize("image", [zeroes, damaged, torn, whole])
def test_no_turn_is_long_from_the_first_one_to_an_erase(
    image: Callable[[], bytes], raw: bool
) -> None:
    bench = SlowBench(image(), raw)
    booted = len(bench.slow.erased_ns)
    bench.key("k9")
    bench.device.settings.realms["abc"].key_pair = "k9"
    bench.turn(10)
    assert bench.enrol().code is None
    at_once(bench.device.configuration.save())
    for number in range(120):
        change = {f"realm/r{number % 20}/crl": bytes([number]) * 4000}
        bench.loop.after(0, partial(bench.store.commit, change))
        bench.turn(25)
    assert bench.store.health.sequence >> 32 > 1, "it has moved"
    before = len(bench.slow.erased_ns)
    waiter = Waiter()
    bench.device.system.erase(waiter.done)
    bench.wait(lambda: bool(waiter.results))
    assert waiter.results == [None]
    assert bench.store.keys("") == []
    assert len(bench.slow.erased_ns) > before > booted
    assert max(bench.turns_ns) < 2 * ERASE_NS
    assert bench.longest_feed_ns() <= FEED_NS + 2 * ERASE_NS


@pytest.mark.parametrize("raw", [True, False], ids=["raw", "file"])
def test_no_turn_of_a_large_save_is_long_though_the_store_moves(raw: bool) -> None:
    bench = SlowBench(whole(), raw)
    settings = bench.device.settings
    bench.turn(10)
    before = bench.store.health.sequence >> 32
    bench.turns_ns.clear()
    for number in range(6):
        for realm in range(250):
            settings.realms.setdefault(f"r{realm}", Realm(f"r{realm}")).ca_id = f"ca{number}"
        bench.device.changed()
        waiter = Waiter()
        work = bench.device.configuration.save()
        bench.device.in_pieces(work, waiter.done)
        bench.wait(lambda heard=waiter: bool(heard.results))  # type: ignore[misc]
        assert waiter.results == [None]
    assert bench.store.health.sequence >> 32 > before, "it has moved"
    assert not bench.device.configuration.unsaved()
    assert max(bench.turns_ns) < 100 * MS
    assert bench.longest_feed_ns() <= FEED_NS + 2 * ERASE_NS
