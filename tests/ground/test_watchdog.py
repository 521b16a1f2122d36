"""Feeding the watchdog: each second, by a loop that turns and a store that answers."""

import os
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from agent.log import Log
from agent.loop import Loop
from agent.watchdog import FEED_NS, Feeder
from hal.clock import SECOND_NS
from hal.fakes.flash import READ_ERROR, FakeFlash
from hal.fakes.watchdog import FakeWatchdog
from hal.fakes.work import FakeClock
from hal.store import Store
from tests.helpers.board import Agent
from tests.helpers.labca import wait_for


class SlowFlash(FakeFlash):
    """Each read of a block takes its time."""

    clock: FakeClock
    read_ns = 0

    def read(self, offset: int, length: int) -> bytes:
        self.clock.advance(self.read_ns)
        return super().read(offset, length)


class Bench:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.loop = Loop(self.clock)
        self.log = Log(self.clock.wall_s, None)
        self.watchdog = FakeWatchdog(self.clock.outside_ns, 10)
        self.feeder = Feeder(self.watchdog, self.loop, self.log)
        self.flash = SlowFlash(4096, 64)
        self.flash.clock = self.clock

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.advance(SECOND_NS)
            self.loop.turn(0)

    def gaps_ns(self) -> list[int]:
        return [later - earlier for earlier, later in pairwise(self.watchdog.fed_ns)]


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.loop.close()


def test_each_second_for_an_hour(bench: Bench) -> None:
    bench.feeder.begin(Store.mount(bench.flash))
    bench.run(3600)
    assert bench.gaps_ns()[2:] == [FEED_NS] * 3600
    assert not bench.watchdog.has_bitten


def test_a_loop_that_turns_no_more_feeds_nobody(bench: Bench) -> None:
    bench.feeder.begin(Store.mount(bench.flash))
    bench.run(5)
    bench.clock.advance(11 * SECOND_NS)
    assert bench.watchdog.has_bitten


def test_a_store_that_does_not_answer_feeds_nobody(bench: Bench) -> None:
    store = Store.mount(bench.flash)
    bench.feeder.begin(store)
    bench.run(3)
    count = len(bench.watchdog.fed_ns)

    class Silent(Exception):  # noqa: N818 - nothing that anybody catches
        pass

    def silent(_key: str) -> object:
        raise Silent

    store.get = silent  # type: ignore[method-assign]
    with pytest.raises(Silent):
        bench.run(1)
    assert len(bench.watchdog.fed_ns) == count


def test_a_slow_mount_feeds_with_each_answer_of_the_part(bench: Bench) -> None:
    bench.flash.read_ns = SECOND_NS // 2  # half a minute for all
    store = Store.mount(bench.feeder.mounting(bench.flash))
    assert bench.clock.outside_ns() > 30 * SECOND_NS
    assert max(bench.gaps_ns()) <= FEED_NS
    assert not bench.watchdog.has_bitten
    bench.feeder.begin(store)
    count = len(bench.watchdog.fed_ns)
    store.commit({"config": "text"})  # a part that answers is no loop that turns
    assert len(bench.watchdog.fed_ns) == count


def test_a_part_that_answers_nothing_feeds_nobody(bench: Bench) -> None:
    bench.flash.read_ns = SECOND_NS
    for block in range(64):
        bench.flash.spoil(block, READ_ERROR)
    before = len(bench.watchdog.fed_ns)
    try:
        Store.mount(bench.feeder.mounting(bench.flash))
    except Exception:
        pass
    assert len(bench.watchdog.fed_ns) == before
    assert bench.watchdog.has_bitten


def test_only_an_end_on_purpose_stops_it(bench: Bench) -> None:
    bench.feeder.close()
    assert bench.watchdog.armed
    again = FakeWatchdog(bench.clock.outside_ns)
    Feeder(again, bench.loop, bench.log).end()
    assert not again.armed


def test_a_watchdog_that_takes_nothing_is_told_once(bench: Bench) -> None:
    bench.feeder.begin(Store.mount(bench.flash))
    bench.watchdog.refuse = True
    bench.run(60)
    assert bench.log.counts["WATCHDOG_ERR"] == 1
    bench.watchdog.refuse = False
    bench.run(1)
    bench.watchdog.refuse = True
    bench.run(1)
    bench.feeder.end()
    assert bench.log.counts["WATCHDOG_ERR"] == 3


# -- by a real agent -------------------------------------------------------------------------------


def _board(agent: Agent, device: Path) -> list[str]:
    """How an agent is started whose board has a watchdog; a file stands in for it."""
    path = agent.dir.parent / "board.toml"
    path.write_text(f'[watchdog]\ndevice = "{device}"\n')
    return agent.command("run", "--board", str(path), "--state", str(agent.dir))


def _started(agent: Agent, device: Path) -> None:
    with open(agent.dir.parent / "agent.log", "ab") as log:
        agent.adopt(subprocess.Popen(_board(agent, device), stdin=subprocess.DEVNULL, stderr=log))


def test_a_real_agent_feeds_and_stops_it_only_in_order(tmp_path: Path) -> None:
    device = tmp_path / "watchdog"
    device.touch()
    agent = Agent(tmp_path)
    _started(agent, device)
    before = device.stat().st_size
    wait_for(lambda: device.stat().st_size >= before + 2, 60, "it is not fed")
    assert agent.stop() == 0
    assert device.read_bytes().strip(b"\0") == b"V"
    device.write_bytes(b"")
    _started(agent, device)
    agent.kill()
    assert device.read_bytes().strip(b"\0") == b""
    assert "WATCHDOG_ON" in agent.log()


def test_a_watchdog_that_cannot_be_opened_keeps_nobody_from_anything(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    _started(agent, tmp_path / "none")
    assert "No such file or directory: the agent runs without it" in agent.log()
    agent.must("display pki realm")
    assert agent.stop() == 0
    assert os.listdir(tmp_path).count("none") == 0
