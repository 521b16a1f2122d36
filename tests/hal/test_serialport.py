"""How a line is opened: missing, no tty, claimed, its settings."""

import os
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from hal.fakes.lines import FakeSerial
from hal.ports import SerialError
from hal.serialport import PyserialPort


@pytest.fixture
def tty_path() -> Iterator[str]:
    master, slave = os.openpty()
    yield os.ttyname(slave)
    os.close(slave)
    os.close(master)


def test_a_missing_device_is_named(tmp_path: Path) -> None:
    with pytest.raises(SerialError, match="ttyS99"):
        PyserialPort(str(tmp_path / "ttyS99"))


def test_what_is_no_tty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SerialError, match="file"):
        PyserialPort(str(tmp_path / "file"))


def test_a_wrong_speed_is_refused(tty_path: str) -> None:
    with pytest.raises(SerialError):
        PyserialPort(tty_path, baud=-1)


def test_a_line_is_claimed_for_one_port(tty_path: str) -> None:
    port = PyserialPort(tty_path)
    with pytest.raises(SerialError, match="lock"):
        PyserialPort(tty_path)
    port.close()
    PyserialPort(tty_path).close()


@pytest.mark.parametrize(("xonxoff", "rtscts"), [(False, False), (True, False), (False, True)])
def test_the_line_is_raw_8n1_at_its_speed(tty_path: str, xonxoff: bool, rtscts: bool) -> None:
    port = PyserialPort(tty_path, 115200, xonxoff=xonxoff, rtscts=rtscts)
    iflag, oflag, cflag, lflag, ispeed, ospeed, cc = termios.tcgetattr(port.fileno())
    assert ispeed == ospeed == termios.B115200
    assert not lflag & (termios.ICANON | termios.ECHO | termios.ISIG)
    assert not oflag & termios.OPOST
    assert cflag & termios.CSIZE == termios.CS8
    assert not cflag & (termios.PARENB | termios.CSTOPB)
    assert bool(iflag & termios.IXON) == xonxoff
    assert bool(cflag & termios.CRTSCTS) == rtscts
    assert (cc[termios.VMIN], cc[termios.VTIME]) in ((1, 0), (b"\x01", b"\x00"))
    port.close()


def test_the_fake_takes_as_little_as_it_is_told() -> None:
    one, other = FakeSerial.pair()
    one.room_bytes = 3
    assert one.write(b"abcdef") == 3
    one.room_bytes = 0
    assert one.write(b"def") == 0
    assert other.read() == b"abc"
    one.close()
    with pytest.raises(SerialError, match="hang-up"):
        other.read()
    other.close()
