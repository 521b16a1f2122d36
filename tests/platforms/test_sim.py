"""The simulated board: everything in one folder, its clock, its serial line."""

import json
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from hal.ports import FlashError, SerialError
from platforms import sim
from platforms.board import Board
from platforms.linux import Platform
from tests.helpers.reactor import LiveReactor


@pytest.fixture
def reactor() -> Iterator[LiveReactor]:
    found = LiveReactor()
    yield found
    found.close()


@pytest.fixture
def board(tmp_path: Path, reactor: LiveReactor) -> Iterator[Platform]:
    found = sim.open_board(Board(), str(tmp_path), reactor)
    yield found
    found.close()


def test_a_simulated_board_is_called_the_same_on_every_host(board: Platform) -> None:
    assert board.host_name == ""


def test_everything_is_in_the_folder(board: Platform, tmp_path: Path) -> None:
    board.files.write("main_local.cer", b"certificate")
    board.device_key(make=True)
    found = sorted(path.name for path in tmp_path.iterdir())
    assert found == ["device.key", "flash.bin", "memory", "serial", "storage"]
    assert stat.S_IMODE((tmp_path / "device.key").stat().st_mode) == 0o600
    assert (tmp_path / "storage" / "main_local.cer").read_bytes() == b"certificate"
    assert board.board.console.socket == str(tmp_path / "console.sock")
    assert board.flash.block_size * board.flash.block_count == 1024 * 1024


def test_a_second_agent_is_refused_and_the_first_keeps_its_line(
    board: Platform, tmp_path: Path, reactor: LiveReactor
) -> None:
    line = os.readlink(tmp_path / "serial")
    with pytest.raises(FlashError):
        sim.open_board(Board(), str(tmp_path), reactor)
    assert os.readlink(tmp_path / "serial") == line


def test_a_file_in_the_place_of_the_line_is_not_touched(
    tmp_path: Path, reactor: LiveReactor
) -> None:
    (tmp_path / "serial").write_text("mine")
    with pytest.raises(SerialError, match="not a link"):
        sim.open_board(Board(), str(tmp_path), reactor)
    assert (tmp_path / "serial").read_text() == "mine"
    (tmp_path / "serial").unlink()
    sim.open_board(Board(), str(tmp_path), reactor).close()  # nothing stayed locked


def test_the_clock_file_is_read_while_running(board: Platform, tmp_path: Path) -> None:
    assert int(time.time()) <= board.clock.wall_s() <= time.time() + 1
    (tmp_path / "clock").write_text(json.dumps({"offset_s": 86400, "rate": 1}))
    time.sleep(0.06)
    assert int(time.time()) <= board.clock.wall_s() - 86400 <= time.time() + 1
    assert not board.clock.synchronised()


def test_the_line_that_the_agent_opens_is_the_one_of_the_user(
    board: Platform, tmp_path: Path, reactor: LiveReactor
) -> None:
    (line,) = board.serials
    agent, received = line.open(), []
    with serial.Serial(str(tmp_path / "serial"), 9600, timeout=0) as user:
        reactor.watch(agent.fileno(), lambda: received.append(agent.read()))
        user.write(b"display version\r")
        reactor.until(lambda: b"".join(received) == b"display version\r")
        agent.write(b"<Huawei>")
        reactor.until(lambda: user.in_waiting == 8)
        assert user.read(8) == b"<Huawei>"
    reactor.unwatch(agent.fileno())
    agent.close()


def test_a_closed_board_takes_its_line_away(board: Platform, tmp_path: Path) -> None:
    board.close()
    board.close()
    assert not (tmp_path / "serial").is_symlink()


@pytest.mark.parametrize("line", ["", "fast", "9600 rtscts", "-1", "9600 xonxoff more"])
def test_a_line_that_cannot_be_read_is_said(
    tmp_path: Path, reactor: LiveReactor, line: str
) -> None:
    (tmp_path / "line").write_text(line)
    with pytest.raises(SerialError, match="BAUD"):
        sim.open_board(Board(), str(tmp_path), reactor)
    (tmp_path / "line").write_text("9600 xonxoff\n")
    sim.open_board(Board(), str(tmp_path), reactor).close()
