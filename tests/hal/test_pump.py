"""The simulated serial line with real ptys: nothing lost, nothing blocked, nothing spinning."""

import os
import stat
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from hal.ports import SerialError
from hal.pump import SerialPump
from hal.serialport import PyserialPort
from tests.helpers.reactor import SECOND_NS, LiveReactor

BURST = bytes(range(256)) * 256  # 64 KiB with every byte value: a tty that is not raw changes some
SETTLE_NS = SECOND_NS // 5  # four looks of the pump


@pytest.fixture
def reactor() -> Iterator[LiveReactor]:
    found = LiveReactor()
    yield found
    found.close()


class Agent:
    """The agent's end of the line: collects what comes, sends as far as there is room."""

    def __init__(self, pump: SerialPump, reactor: LiveReactor) -> None:
        self.port = PyserialPort(pump.agent_path)
        self._reactor = reactor
        self.received = b""
        self.unsent = b""
        self.send(b"")

    def send(self, data: bytes) -> None:
        self.unsent += data
        self._reactor.watch(self.port.fileno(), self._read, self._write if self.unsent else None)

    def close(self) -> None:
        self._reactor.unwatch(self.port.fileno())
        self.port.close()

    def _read(self) -> None:
        self.received += self.port.read()

    def _write(self) -> None:
        self.unsent = self.unsent[self.port.write(self.unsent) :]
        self.send(b"")


class User:
    """Somebody with a terminal program on DIR/serial, in the same loop."""

    def __init__(self, folder: Path, reactor: LiveReactor) -> None:
        self.port = serial.Serial(str(folder / "serial"), 9600, timeout=0)
        self._reactor = reactor
        self.received = b""
        reactor.watch(self.port.fileno(), self._read)

    def send(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self.port.fileno(), data) :]
            except BlockingIOError:
                self._reactor.run(SECOND_NS // 1000)

    def close(self) -> None:
        self._reactor.unwatch(self.port.fileno())
        self.port.close()

    def stop_reading(self) -> None:
        self._reactor.unwatch(self.port.fileno())

    def read_on(self) -> None:
        self._reactor.watch(self.port.fileno(), self._read)

    def _read(self) -> None:
        self.received += os.read(self.port.fileno(), 4096)


@pytest.fixture
def agent(tmp_path: Path, reactor: LiveReactor) -> Iterator[Agent]:
    pump = SerialPump(str(tmp_path / "serial"), reactor)
    found = Agent(pump, reactor)
    yield found
    found.close()
    pump.close()


def test_bytes_pass_both_ways_unchanged(agent: Agent, tmp_path: Path, reactor: LiveReactor) -> None:
    user = User(tmp_path, reactor)
    controls = b"display\r\n\x03\x04\x11\x13\x1a\x1c\x7f\xff\x00"
    user.send(controls)
    reactor.until(lambda: agent.received == controls)
    agent.send(controls)
    reactor.until(lambda: user.received == controls)
    user.close()


def test_bursts_lose_nothing(agent: Agent, tmp_path: Path, reactor: LiveReactor) -> None:
    user = User(tmp_path, reactor)
    agent.send(BURST)
    user.send(BURST)
    reactor.until(lambda: len(agent.received) >= len(BURST) <= len(user.received))
    assert agent.received == BURST
    assert user.received == BURST
    user.close()


def test_a_user_who_reads_slowly_holds_the_agent_back(
    agent: Agent, tmp_path: Path, reactor: LiveReactor
) -> None:
    user = User(tmp_path, reactor)
    user.stop_reading()
    user.send(b"?")
    reactor.until(lambda: agent.received == b"?")
    agent.send(BURST * 8)
    reactor.run(SETTLE_NS)
    assert agent.unsent, "half a megabyte cannot be under way"
    before = reactor.turns
    reactor.run(SECOND_NS // 4)
    assert reactor.turns - before < 20, "waiting for room must not spin"
    user.read_on()
    reactor.until(lambda: len(user.received) == 8 * len(BURST))
    assert user.received == BURST * 8
    user.close()


def test_the_user_may_close_and_open_again(
    agent: Agent, tmp_path: Path, reactor: LiveReactor
) -> None:
    for text in (b"one", b"two", b"three"):
        user = User(tmp_path, reactor)
        user.send(text)
        reactor.until(lambda wanted=text: agent.received.endswith(wanted))
        agent.send(text)
        reactor.until(lambda wanted=text, at=user: at.received == wanted)
        user.close()
    assert agent.received == b"onetwothree"


def test_a_line_written_and_closed_at_once_arrives(
    agent: Agent, tmp_path: Path, reactor: LiveReactor
) -> None:
    agent.send(b"a log line to nobody")
    (tmp_path / "serial").write_bytes(b"save\r")
    agent.send(b"another log line to nobody")
    reactor.until(lambda: agent.received == b"save\r")


def test_what_is_sent_to_nobody_is_lost(agent: Agent, tmp_path: Path, reactor: LiveReactor) -> None:
    agent.send(BURST * 4)
    reactor.until(lambda: not agent.unsent)  # as a UART, the line takes it and loses it
    reactor.run(SETTLE_NS)
    user = User(tmp_path, reactor)
    reactor.run(SETTLE_NS)
    assert user.received == b""
    agent.send(b"fresh")
    reactor.until(lambda: user.received == b"fresh")
    user.close()


def test_closing_with_output_pending_neither_blocks_nor_spins(
    agent: Agent, tmp_path: Path, reactor: LiveReactor
) -> None:
    user = User(tmp_path, reactor)
    user.stop_reading()
    user.send(b"?")
    reactor.until(lambda: agent.received == b"?")
    agent.send(BURST * 8)
    reactor.run(SETTLE_NS)
    user.close()
    reactor.until(lambda: not agent.unsent)
    reactor.run(SETTLE_NS)
    before, cpu_ns = reactor.turns, time.process_time_ns()
    reactor.run(SECOND_NS // 2)
    assert reactor.turns - before < 40, "one look each 50 ms is all that happens"
    assert time.process_time_ns() - cpu_ns < SECOND_NS // 10
    late = os.open(tmp_path / "serial", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    with pytest.raises(BlockingIOError):
        os.read(late, 1)  # a raw tty without anything old in it
    os.close(late)


def test_with_both_ends_open_nothing_is_polled(
    agent: Agent, tmp_path: Path, reactor: LiveReactor
) -> None:
    user = User(tmp_path, reactor)
    reactor.run(SETTLE_NS)
    before = reactor.turns
    reactor.run(SECOND_NS // 2)
    assert reactor.turns - before <= 3
    user.close()


def test_a_tty_that_a_user_left_cooked_is_raw_for_the_next(
    agent: Agent, tmp_path: Path, reactor: LiveReactor
) -> None:
    user = User(tmp_path, reactor)
    reactor.run(SETTLE_NS)
    settings = termios.tcgetattr(user.port.fileno())
    settings[3] |= termios.ECHO | termios.ICANON
    termios.tcsetattr(user.port.fileno(), termios.TCSANOW, settings)
    user.close()
    reactor.run(SETTLE_NS)
    late = os.open(tmp_path / "serial", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    reactor.run(SETTLE_NS)
    agent.send(b"prompt>")
    reactor.run(SETTLE_NS)
    assert os.read(late, 64) == b"prompt>"
    assert agent.received == b"", "an echo would answer the agent with its own words"
    os.close(late)


def test_the_agent_may_open_its_end_again(tmp_path: Path, reactor: LiveReactor) -> None:
    pump = SerialPump(str(tmp_path / "serial"), reactor)
    for _ in range(2):
        agent = os.open(pump.agent_path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        user = User(tmp_path, reactor)
        os.write(agent, b"hello")
        reactor.until(lambda at=user: at.received == b"hello")
        user.close()
        os.close(agent)
        reactor.run(SETTLE_NS)
    pump.close()


def test_a_closed_pump_hangs_up_both_ends(tmp_path: Path, reactor: LiveReactor) -> None:
    pump = SerialPump(str(tmp_path / "serial"), reactor)
    ports = [PyserialPort(pump.agent_path), PyserialPort(str(tmp_path / "serial"))]
    reactor.run(SETTLE_NS)
    pump.close()
    pump.close()
    for port in ports:
        with pytest.raises(SerialError, match="gone"):
            port.read()
        port.close()


def test_a_stale_link_is_turned_and_taken_away_at_the_end(
    tmp_path: Path, reactor: LiveReactor
) -> None:
    (tmp_path / "serial").symlink_to("/dev/pts/gone")
    (tmp_path / "serial.new").symlink_to("/dev/pts/gone")
    pump = SerialPump(str(tmp_path / "serial"), reactor)
    assert stat.S_ISCHR((tmp_path / "serial").stat().st_mode)
    pump.close()
    assert os.listdir(tmp_path) == []


def test_a_file_in_the_place_of_the_link_is_not_touched(
    tmp_path: Path, reactor: LiveReactor
) -> None:
    (tmp_path / "serial").write_text("mine")
    with pytest.raises(SerialError, match="not a link"):
        SerialPump(str(tmp_path / "serial"), reactor)
    assert (tmp_path / "serial").read_text() == "mine"


def test_a_link_that_another_board_took_over_stays(tmp_path: Path, reactor: LiveReactor) -> None:
    first, second = (SerialPump(str(tmp_path / "serial"), reactor) for _ in range(2))
    first.close()
    assert stat.S_ISCHR((tmp_path / "serial").stat().st_mode)
    second.close()
