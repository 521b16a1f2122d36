"""What every `hal.ports.SerialPort` does: a tty through pyserial, and the fake."""

import os
import select
from collections.abc import Callable, Iterator

import pytest

from hal.fakes.lines import FakeSerial
from hal.ports import SerialError, SerialPort
from hal.serialport import PyserialPort

CONTROLS = bytes(range(256))


class Peer:
    """The other end of the line, as plain non-blocking calls."""

    def __init__(self, fd: int, close: Callable[[], None]) -> None:
        self.fd, self.close = fd, close
        os.set_blocking(fd, False)

    def send(self, data: bytes) -> None:
        assert os.write(self.fd, data) == len(data)

    def take(self) -> bytes:
        """All that is there."""
        data = b""
        while select.select([self.fd], [], [], 0.05)[0]:
            data += os.read(self.fd, 65536)
        return data


class Line:
    """A port and its peer."""

    def __init__(self, port: SerialPort, peer: Peer) -> None:
        self.port, self.peer = port, peer


@pytest.fixture(params=["pyserial", "fake"])
def line(request: pytest.FixtureRequest) -> Iterator[Line]:
    if request.param == "fake":
        one, other = FakeSerial.pair()
        found = Line(one, Peer(other.fileno(), other.close))
    else:
        master, slave = os.openpty()
        found = Line(PyserialPort(os.ttyname(slave)), Peer(master, lambda: os.close(master)))
        os.close(slave)
    yield found
    found.port.close()
    try:
        found.peer.close()
    except OSError:
        pass  # the test closed it


def readable(line: Line, timeout_s: int = 60) -> bool:
    return bool(select.select([line.port.fileno()], [], [], timeout_s)[0])


def test_nothing_there_is_empty_and_does_not_block(line: Line) -> None:
    assert line.port.read() == b""
    assert not readable(line, 0)


def test_bytes_pass_unchanged(line: Line) -> None:
    line.peer.send(CONTROLS)
    received = b""
    while len(received) < 256 and readable(line):
        received += line.port.read()
    assert received == CONTROLS
    assert line.port.write(CONTROLS) == 256
    assert line.peer.take() == CONTROLS


def test_writing_nothing_takes_nothing(line: Line) -> None:
    assert line.port.write(b"") == 0
    assert line.peer.take() == b""


def test_a_full_line_takes_no_more_and_loses_nothing(line: Line) -> None:
    piece, taken = CONTROLS * 64, 0
    for _ in range(1000):
        count = line.port.write(piece[taken % 256 :])
        taken += count
        if not count:
            break
    else:
        pytest.fail("a line without a reader took 16 MB")
    received = line.peer.take()
    assert received == (CONTROLS * (taken // 256 + 1))[:taken]
    assert line.port.write(b"x") == 1


def test_what_is_discarded_may_be_lost_and_the_next_is_not(line: Line) -> None:
    line.port.write(b"old" * 1000)
    line.port.discard()
    assert line.port.write(b"new") == 3
    assert line.peer.take().endswith(b"new")


def test_a_hang_up_makes_it_readable_and_is_an_error(line: Line) -> None:
    line.peer.close()
    assert readable(line)
    with pytest.raises(SerialError, match="gone"):
        line.port.read()
    with pytest.raises(SerialError, match="gone"):
        line.port.write(b"x")
    line.port.discard()


def test_after_close_every_call_is_an_error(line: Line) -> None:
    line.port.close()
    line.port.close()
    for call in (line.port.fileno, line.port.read, lambda: line.port.write(b"x")):
        with pytest.raises(SerialError):
            call()
    line.port.discard()
