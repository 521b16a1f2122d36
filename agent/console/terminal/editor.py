"""The line editor: bytes of a terminal in, finished lines and keys out. Sans-IO.

`key` takes one byte, may return an event, and leaves what must be sent to the terminal for
`take_output`. The editor knows its prompt and the width of the terminal, so it can wrap, redraw
and make room for a notice in the middle of typing. It needs what a VT100 has: backspace, CR, LF,
cursor up, down, right, and erase to the end of the screen.

Fault model. A serial line makes up bytes, loses them and sends breaks (NUL); a paste comes faster
than it is read. Whatever arrives, no exception; what cannot be typed is dropped, with a bell where
a person may wonder. An escape sequence that does not end is dropped after a few bytes.
"""

from collections.abc import Callable

from agent import limits
from agent.console.displays.columns import is_one_column
from hal.named import NamedTuple

BELL = "\a"
ERASE_BELOW = "\x1b[J"
NEXT_ROW = " \x1b[1D"
_ESCAPE_BYTES = 8  # the longest sequence that we act upon has 4
_UTF8_LENGTH = {0b110: 2, 0b1110: 3, 0b11110: 4}


class Line(NamedTuple):
    """Enter: the line without its end."""

    text: str


class Help(NamedTuple):
    """`?`: the text before the cursor."""

    text: str


class Tab(NamedTuple):
    """TAB: the text before the cursor; `back` with Shift."""

    text: str
    back: bool = False


class Interrupt(NamedTuple):
    """Ctrl+C, or a break at a question: the line was dropped."""


class Leave(NamedTuple):
    """Ctrl+Z: the line was dropped, back to the user view."""


Event = Line | Help | Tab | Interrupt | Leave


class Editor:
    """One line being typed, and those before it."""

    def __init__(self, width: int) -> None:
        self.prompt = ""
        self.hidden = False  # a password, which is an answer: nothing is echoed
        self.question = False  # an answer: no help, no completion, no history
        self.text = ""
        self.history: list[str] = []
        self._width = width
        self._cursor = 0
        self._recalled = 0  # 0: the line being typed, 1: the last one before it
        self._draft = ""
        self._output: list[str] = []
        self._escape: str | None = None
        self._utf8 = b""
        self._after_cr = False

    # -- what the session calls --------------------------------------------------------------------

    def begin(self, prompt: str, *, hidden: bool = False, question: bool = False) -> None:
        """Starts a new line behind a prompt."""
        self.prompt, self.hidden, self.question = prompt, hidden, hidden or question
        self.text, self._cursor, self._recalled = "", 0, 0
        self.show()

    def take_output(self) -> str:
        output = "".join(self._output)
        self._output.clear()
        return output

    def remember(self, line: str) -> None:
        """Puts a line into the history, unless it is the same as the last one."""
        if line.strip() and self.history[-1:] != [line]:
            self.history = [*self.history, line][-limits.HISTORY_LINES :]

    def insert(self, text: str) -> None:
        """Text at the cursor; a bell when the line would be too long."""
        self.replace(self._cursor, text)

    def replace(self, start: int, text: str) -> None:
        """The same in the place of what stands between `start` and the cursor."""
        line = self.text[:start] + text + self.text[self._cursor :]
        if len(line) > limits.LINE_CHARACTERS:
            self.bell()
            return
        same = start
        while same < self._cursor and self.text[same] == line[same : same + 1]:
            same += 1
        self._edit(line, same, start + len(text))

    @property
    def at_space(self) -> bool:
        """Whether the cursor stands on a space."""
        return self.text[self._cursor : self._cursor + 1] == " "

    @property
    def at_end(self) -> bool:
        """Whether nothing stands behind the cursor."""
        return self._cursor == len(self.text)

    def hide(self) -> None:
        """Erases prompt and line, so that a notice can stand in their place; then `show`."""
        self._move(self._column(self._cursor), 0)
        self._output.append(ERASE_BELOW)

    def show(self) -> None:
        """Draws prompt and line where the cursor is, at the start of a line."""
        end = self._column(len(self.text))
        self._output.append(self.prompt + ("" if self.hidden else self.text))
        self._wrap(end)
        self._move(end, self._column(self._cursor))

    def bell(self) -> None:
        self._output.append(BELL)

    def key(self, byte: int) -> Event | None:
        """Takes one byte. The session asks again for the next one, since an event changes all."""
        after_cr, self._after_cr = self._after_cr, byte == 13
        if after_cr and byte in (0, 10):
            return None  # CR LF and, on telnet, CR NUL are one Enter
        if self._escape is not None and byte >= 0x20:
            return self._sequence(chr(byte))
        self._escape = None  # a control key ends whatever sequence was broken off
        if byte >= 0x80:
            self._multibyte(byte)
            return None
        self._utf8 = b""
        if byte >= 0x20 and byte != 0x7F:
            return self._printable(chr(byte))
        action = CONTROLS.get(byte)
        if action:
            return action(self)
        if chr(byte).isspace():  # U+001C to U+001F
            self.insert(" ")
        return None

    # -- keys --------------------------------------------------------------------------------------

    def _printable(self, character: str) -> Event | None:
        if character == "?" and not self.question:
            return Help(self.text[: self._cursor])
        self.insert(character)
        return None

    def _multibyte(self, byte: int) -> None:
        """Collects UTF-8. What does not decode is noise; what is not one column wide is refused."""
        if byte >= 0xC0:
            self._utf8 = b""
        self._utf8 += bytes((byte,))
        lead = self._utf8[0]
        need = next((n for mark, n in _UTF8_LENGTH.items() if lead >> (7 - n) == mark), 0)
        if len(self._utf8) < need:
            return
        text, self._utf8 = self._utf8.decode(errors="ignore"), b""
        if text.isspace():
            self.insert(" ")  # whatever a pasted text has between two words
        elif text and is_one_column(text):
            self.insert(text)
        elif text:
            self.bell()

    def _sequence(self, character: str) -> Event | None:
        sequence = (self._escape or "") + character
        unfinished = sequence in ("[", "O") or (sequence[0] == "[" and character in "0123456789;")
        self._escape = sequence if unfinished and len(sequence) < _ESCAPE_BYTES else None
        action = SEQUENCES.get(sequence)
        return action(self) if action else None

    def _start_escape(self) -> None:
        self._escape = ""

    def _enter(self) -> Line:
        line = self.text
        self._to(len(line))
        end = self._column(len(line))
        self._output.append("\x1b[A\r\n" if end and end % self._width == 0 else "\r\n")  # see _wrap
        self._clear()
        return Line(line)

    def _interrupt(self) -> Interrupt:
        self._output.append("^C\r\n")
        self._clear()
        return Interrupt()

    def _break(self) -> Interrupt | None:
        """A break answers a question. A line that is typed stays: a break may be noise."""
        return self._interrupt() if self.question else None

    def _leave(self) -> Leave | None:
        if self.question:
            return None
        self._output.append("^Z\r\n")
        self._clear()
        return Leave()

    def _tab(self, back: bool = False) -> Tab | None:
        return None if self.question else Tab(self.text[: self._cursor], back)

    def _back_tab(self) -> Tab | None:
        return self._tab(back=True)

    def _clear(self) -> None:
        self.text, self._cursor, self._recalled, self._draft = "", 0, 0, ""

    def _left(self) -> None:
        self._to(self._cursor - 1)

    def _right(self) -> None:
        self._to(self._cursor + 1)

    def _home(self) -> None:
        self._to(0)

    def _end(self) -> None:
        self._to(len(self.text))

    def _backspace(self) -> None:
        if self._cursor:
            self._cut(self._cursor - 1, self._cursor)

    def _delete(self) -> None:
        self._cut(self._cursor, self._cursor + 1)

    def _cut_word(self) -> None:
        before = self.text[: self._cursor].rstrip()
        self._cut(before.rfind(" ") + 1, self._cursor)

    def _cut_start(self) -> None:
        self._cut(0, self._cursor)

    def _cut_end(self) -> None:
        self._cut(self._cursor, len(self.text))

    def _older(self) -> None:
        self._recall(self._recalled + 1)

    def _newer(self) -> None:
        self._recall(self._recalled - 1)

    def _recall(self, index: int) -> None:
        if self.question or not 0 <= index <= len(self.history):
            self.bell()
            return
        if self._recalled == 0:
            self._draft = self.text
        self._recalled = index
        line = self.history[-index] if index else self._draft
        self._edit(line, 0, len(line))

    def _redraw(self) -> None:
        self.hide()
        self.show()

    # -- the screen --------------------------------------------------------------------------------

    def _cut(self, start: int, end: int) -> None:
        self._edit(self.text[:start] + self.text[end:], start, start)

    def _to(self, cursor: int) -> None:
        if not 0 <= cursor <= len(self.text):
            self.bell()
            return
        self._move(self._column(self._cursor), self._column(cursor))
        self._cursor = cursor

    def _edit(self, text: str, same: int, cursor: int) -> None:
        """Makes the line `text`; what stands before `same` did not change and is not sent again."""
        old, self.text = self.text, text
        if self.hidden:
            self._cursor = cursor
            return
        if same == len(old) and self._output[-1:] == [NEXT_ROW]:
            self._output.pop()  # what follows at once takes the terminal there by itself
        self._move(self._column(self._cursor), self._column(same))
        self._output.append(text[same:])
        end = self._column(len(text))
        if len(text) > same:
            self._wrap(end)
        if len(old) > len(text):
            self._output.append(ERASE_BELOW)
        self._cursor = cursor
        self._move(end, self._column(cursor))

    def _column(self, index: int) -> int:
        """How far a character of the line is from the start of the prompt."""
        return len(self.prompt) + (0 if self.hidden else index)

    def _wrap(self, column: int) -> None:
        """A VT100 waits at its last column; this moves it to where the next character goes.

        As VRP does it: automation that looks for what it typed takes this out, but not a new line.
        """
        if column and column % self._width == 0:
            self._output.append(NEXT_ROW)

    def _move(self, start: int, end: int) -> None:
        """Moves the cursor between two distances from the start of the prompt."""
        rows = end // self._width - start // self._width
        if rows:
            self._output.append(f"\x1b[{abs(rows)}{'B' if rows > 0 else 'A'}")
        columns = end % self._width - start % self._width
        if columns < 0:
            back = -columns
            self._output.append("\b" * back if back <= 4 else f"\x1b[{back}D")
        elif columns:
            self._output.append(f"\x1b[{columns}C")


def _control(letter: str) -> int:
    return ord(letter) & 0x1F


CONTROLS: dict[int, Callable[[Editor], Event | None]] = {
    0x00: Editor._break,
    _control("A"): Editor._home,
    _control("B"): Editor._left,
    _control("C"): Editor._interrupt,
    _control("D"): Editor._delete,
    _control("E"): Editor._end,
    _control("F"): Editor._right,
    _control("H"): Editor._backspace,
    _control("I"): Editor._tab,
    _control("J"): Editor._enter,
    _control("K"): Editor._cut_end,
    _control("L"): Editor._redraw,
    _control("M"): Editor._enter,
    _control("N"): Editor._newer,
    _control("P"): Editor._older,
    _control("U"): Editor._cut_start,
    _control("W"): Editor._cut_word,
    _control("X"): Editor._cut_start,
    _control("Y"): Editor._cut_end,
    _control("Z"): Editor._leave,
    0x1B: Editor._start_escape,
    0x7F: Editor._backspace,
}

SEQUENCES: dict[str, Callable[[Editor], Event | None]] = {
    "[A": Editor._older,
    "[B": Editor._newer,
    "[C": Editor._right,
    "[D": Editor._left,
    "OA": Editor._older,
    "OB": Editor._newer,
    "OC": Editor._right,
    "OD": Editor._left,
    "[H": Editor._home,
    "[F": Editor._end,
    "OH": Editor._home,
    "OF": Editor._end,
    "[1~": Editor._home,
    "[4~": Editor._end,
    "[7~": Editor._home,
    "[8~": Editor._end,
    "[3~": Editor._delete,
    "[Z": Editor._back_tab,
}
