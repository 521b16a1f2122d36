"""Keys of a terminal: bytes in, typed characters and the names of keys out. Sans-IO.

Fault model. A serial line makes up bytes, loses them and sends breaks (NUL). What does not decode
is noise and is dropped. An escape sequence that does not end is dropped after a few bytes; any
control key ends one that was broken off.
"""

_ESCAPE_BYTES = 8  # the longest sequence that we act upon has 4
_UTF8_LENGTH = {0b110: 2, 0b1110: 3, 0b11110: 4}
_ESCAPE, _CR = 0x1B, 13
_SEPARATORS = range(0x1C, 0x20)  # of ASCII: blanks to Unicode, and no keys


class Keys:
    """The bytes of one line, decoded."""

    def __init__(self) -> None:
        self._escape: str | None = None  # what has come of a sequence, behind its ESC
        self._utf8 = b""
        self._after_cr = False

    def take(self, byte: int) -> str:
        """One character: it was typed. Longer: the name of a key, `^C` or, of an escape sequence,
        `[A`. Empty: nothing yet, or noise."""
        after_cr, self._after_cr = self._after_cr, byte == _CR
        if after_cr and byte in (0, 10):
            return ""  # CR LF and, on telnet, CR NUL are one Enter
        if self._escape is not None and byte >= 0x20:
            return self._sequence(self._escape + chr(byte))
        self._escape = None
        if byte >= 0x80:
            return self._multibyte(byte)
        self._utf8 = b""
        if byte in _SEPARATORS:
            return " "
        if byte == _ESCAPE:
            self._escape = ""
            return ""
        return chr(byte) if 0x20 <= byte < 0x7F else f"^{chr(byte ^ 0x40)}"

    def _multibyte(self, byte: int) -> str:
        if byte >= 0xC0:
            self._utf8 = b""
        self._utf8 += bytes((byte,))
        lead = self._utf8[0]
        need = next((n for mark, n in _UTF8_LENGTH.items() if lead >> (7 - n) == mark), 0)
        if len(self._utf8) < need:
            return ""
        text, self._utf8 = self._utf8.decode(errors="ignore"), b""
        return text

    def _sequence(self, sequence: str) -> str:
        unfinished = sequence in ("[", "O") or (
            sequence[0] == "[" and sequence[-1] in "0123456789;"
        )
        if not unfinished:
            self._escape = None
            return sequence if len(sequence) > 1 else ""
        self._escape = sequence if len(sequence) < _ESCAPE_BYTES else None
        return ""
