"""The size of a terminal's window, told between what is typed, as telnet tells it (RFC 1073).

IAC SB NAWS, two bytes of width, two of height, IAC SE; a byte IAC (255) that is meant is doubled
(RFC 854). UTF-8 has no such byte, so what a person types is what is sent.

Fault model: the other end is no client of ours, or stops in the middle. Promised: what is kept of a
command is bounded, and all that is no size is dropped.
"""

from __future__ import annotations

import struct

IAC, SB, SE, NAWS = 255, 250, 240, 31
_SIZE = struct.Struct(">HH")  # columns, rows; 0 is unknown
_LONGEST = 3 + 2 * _SIZE.size + 2  # each byte doubled

Size = tuple[int, int]


def size(columns: int, rows: int) -> bytes:
    """The command that tells a size."""
    return bytes((IAC, SB, NAWS)) + typed(_SIZE.pack(columns, rows)) + bytes((IAC, SE))


def typed(data: bytes) -> bytes:
    """What was typed, as it is sent."""
    return data.replace(bytes((IAC,)), bytes((IAC, IAC)))


class Reader:
    """Parts what arrives into what was typed and the sizes between."""

    def __init__(self) -> None:
        self._command = bytearray()  # from its IAC on

    def feed(self, data: bytes) -> tuple[bytes, Size | None]:
        """What was typed, and the last size that was told."""
        if not self._command and IAC not in data:
            return data, None
        text, found = bytearray(), None
        for byte in data:
            if not self._command and byte != IAC:
                text.append(byte)
                continue
            self._command.append(byte)
            if self._command == bytes((IAC, IAC)):
                text.append(IAC)
                self._command.clear()
            elif self._is_whole():
                found = self._size() or found
                self._command.clear()
        return bytes(text), found

    def _is_whole(self) -> bool:
        command = self._command
        if len(command) < 3:
            return len(command) == 2 and command[1] != SB
        marks = len(command) - 1 - len(command[:-1].rstrip(bytes((IAC,))))  # an even number is data
        return (command[-1] == SE and marks % 2 == 1) or len(command) > _LONGEST

    def _size(self) -> Size | None:
        told = bytes(self._command[3:-2]).replace(bytes((IAC, IAC)), bytes((IAC,)))
        if self._command[1:3] != bytes((SB, NAWS)) or len(told) != _SIZE.size:
            return None
        columns, rows = _SIZE.unpack(told)
        return columns, rows
