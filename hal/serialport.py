"""A serial line on pyserial: it opens and configures the port; the bytes go past it.

Fault model: the device may be missing, busy, or vanish while open (a USB adapter pulled, the other
end of a pty closed); a line without a listener may stop taking bytes for ever. Promised: no call
blocks; a line that is gone is a SerialError at the next read or write, never endless readiness.

pyserial's own `read` and `write` wait in `select`. With `inter_byte_timeout` 0 it sets VMIN 1 and
VTIME 0 (termios(3)), so that "nothing there" is EAGAIN and an empty read can only be a hang-up.
"""

from __future__ import annotations

import os
import termios

import serial

from hal.ports import SerialError

_READ_BYTES = 1024


class PyserialPort:
    """A tty: 8 data bits, no parity, 1 stop bit, claimed for this process.

    See `hal.ports.SerialPort`.
    """

    __slots__ = ("_path", "_port")

    def __init__(
        self, path: str, baud: int = 9600, xonxoff: bool = False, rtscts: bool = False
    ) -> None:
        """Opens the line. Raises SerialError."""
        self._path = path
        try:
            self._port = serial.Serial(
                path,
                baudrate=baud,
                timeout=0,
                write_timeout=0,
                inter_byte_timeout=0,
                xonxoff=xonxoff,
                rtscts=rtscts,
                exclusive=True,
            )
        except (OSError, ValueError) as error:  # SerialException is an OSError
            raise SerialError(str(error), path) from error

    def fileno(self) -> int:
        """The descriptor to watch. Raises SerialError once closed."""
        if not self._port.is_open:
            raise SerialError("the line is closed", self._path)
        return int(self._port.fileno())

    def read(self) -> bytes:
        try:
            data = os.read(self.fileno(), _READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise SerialError(f"the line is gone: {error.strerror}", self._path) from error
        if not data:
            raise SerialError("the line is gone: hang-up", self._path)
        return data

    def write(self, data: bytes) -> int:
        try:
            return os.write(self.fileno(), data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise SerialError(f"the line is gone: {error.strerror}", self._path) from error

    def discard(self) -> None:
        try:
            termios.tcflush(self.fileno(), termios.TCOFLUSH)
        except (termios.error, SerialError):
            pass  # the line is gone: the next read says so

    def close(self) -> None:
        """Closes the line. What the kernel still holds is dropped: it would wait for a line that
        takes nothing, 30 s long, and nobody else would be served (tty(4), closing_wait)."""
        self.discard()
        try:
            self._port.close()
        except OSError as error:
            raise SerialError(f"cannot be closed: {error.strerror}", self._path) from error
