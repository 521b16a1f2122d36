"""What was typed and not yet looked at: while a task runs, or while the line takes no output.

Fault model: any bytes, at any speed, for ever. Promised: never more than `TYPE_AHEAD_BYTES` are
kept, what does not fit is lost at the end, and the caller learns of it.
"""

from __future__ import annotations

from agent import limits

INTERRUPT = 0x03  # Ctrl+C
BREAK = 0x00  # how a tty reads a break on the line (termios(3): neither IGNBRK nor BRKINT)
STOPS = (INTERRUPT, BREAK)  # what reaches a task


class TypeAhead:
    """A bounded queue of bytes."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._after_cr = False

    def __len__(self) -> int:
        return len(self._bytes)

    def cleaned(self, data: bytes) -> bytes:
        """Without the NUL that telnet puts behind CR (RFC 854): it is no break."""
        if self._after_cr and data[:1] == b"\0":
            data = data[1:]
        self._after_cr = data[-1:] == b"\r"
        return data.replace(b"\r\0", b"\r")

    def add(self, data: bytes) -> bool:
        """Whether all of it found room."""
        room = limits.TYPE_AHEAD_BYTES - len(self._bytes)
        self._bytes += data[:room]
        return len(data) <= room

    def take(self) -> int:
        return self._bytes.pop(0)

    def skip(self, stops: tuple[int, ...]) -> bool:
        """Drops all up to the first of these bytes, if there is one."""
        at = next((at for at, byte in enumerate(self._bytes) if byte in stops), -1)
        del self._bytes[: at + 1]
        return at >= 0

    def clear(self) -> None:
        self._bytes.clear()


def last_stop(data: bytes, stops: tuple[int, ...]) -> int:
    """Where in `data` the last of these bytes is; -1 for nowhere."""
    return max(data.rfind(stop) for stop in stops)
