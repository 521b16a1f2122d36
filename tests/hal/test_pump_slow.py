"""The simulated serial line with a rate and with XON/XOFF: never faster, nothing lost."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hal.pump import SerialPump
from tests.hal.test_pump import BURST, SETTLE_NS, Agent, User
from tests.helpers.reactor import SECOND_NS, LiveReactor

BAUD = 38400
XON, XOFF = b"\x11", b"\x13"


class Line:
    """Both ends of a slow line."""

    def __init__(self, folder: Path, reactor: LiveReactor, baud: int, xonxoff: bool) -> None:
        self.pump = SerialPump(str(folder / "serial"), reactor, baud, xonxoff)
        self.agent = Agent(self.pump, reactor)
        self.user = User(folder, reactor)
        reactor.run(SETTLE_NS)

    def close(self) -> None:
        self.user.close()
        self.agent.close()
        self.pump.close()


@pytest.fixture
def reactor() -> Iterator[LiveReactor]:
    found = LiveReactor()
    yield found
    found.close()


@pytest.mark.parametrize("baud", [300, BAUD])
def test_it_is_never_faster_than_its_rate(tmp_path: Path, reactor: LiveReactor, baud: int) -> None:
    line = Line(tmp_path, reactor, baud, xonxoff=False)
    data = BURST[: baud // 10]  # a second
    start_ns = time.monotonic_ns()
    line.agent.send(data)
    line.user.send(data)
    reactor.until(lambda: line.user.received == data and line.agent.received == data)
    assert time.monotonic_ns() - start_ns > 0.95 * SECOND_NS
    line.close()


def test_xoff_holds_it_and_xon_lets_it_go(tmp_path: Path, reactor: LiveReactor) -> None:
    line = Line(tmp_path, reactor, 0, xonxoff=True)
    line.user.send(b"a" + XOFF)
    reactor.until(lambda: line.agent.received == b"a")
    line.agent.send(BURST)
    before = reactor.turns
    reactor.run(SETTLE_NS)
    assert line.user.received == b""
    assert line.agent.unsent, "what waits is bounded"
    assert reactor.turns - before < 20, "waiting must not spin"
    line.user.send(b"b" + XON)
    reactor.until(lambda: line.user.received == BURST)
    assert line.agent.received == b"ab"
    line.user.send(XON + XOFF + XON + b"c")
    reactor.until(lambda: line.agent.received == b"abc")
    line.agent.send(b"on")
    reactor.until(lambda: line.user.received == BURST + b"on")
    line.close()


@pytest.mark.slow
def test_xoff_in_the_middle_of_a_slow_burst(tmp_path: Path, reactor: LiveReactor) -> None:
    line = Line(tmp_path, reactor, BAUD, xonxoff=True)
    line.agent.send(BURST[:8192])
    reactor.until(lambda: len(line.user.received) > 100)
    line.user.send(XOFF)
    reactor.run(SETTLE_NS)
    seen = len(line.user.received)
    reactor.run(SETTLE_NS)
    assert len(line.user.received) == seen
    line.user.send(XON)
    reactor.until(lambda: line.user.received == BURST[:8192])
    line.close()


def test_the_next_user_is_not_held_by_the_xoff_of_the_last(
    tmp_path: Path, reactor: LiveReactor
) -> None:
    line = Line(tmp_path, reactor, BAUD, xonxoff=True)
    line.user.send(XOFF)
    reactor.run(SETTLE_NS)
    line.agent.send(b"nobody sees this")
    line.user.close()
    reactor.run(SETTLE_NS)
    line.user = User(tmp_path, reactor)
    reactor.run(SETTLE_NS)
    line.agent.send(b"fresh")
    reactor.until(lambda: line.user.received == b"fresh")
    line.close()
