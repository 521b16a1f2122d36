"""The line editor: bytes of a terminal in, finished lines and keys out. Sans-IO.

`key` takes one byte, may return an event, and leaves what must be sent to the terminal for
`take_output`. How the line is drawn is in `drawing.py`.

Fault model. A serial line makes up bytes, loses them and sends breaks (NUL); a paste comes faster
than it is read. Whatever arrives, no exception; what cannot be typed is dropped, with a bell where
a person may wonder. An escape sequence that does not end is dropped after a few bytes.
"""

from __future__ import annotations

from collections.abc import Callable

from agent import limits
from agent.console.displays.columns import is_one_column
from agent.console.terminal.drawing import DrawnLine
from hal.named import NamedTuple

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
        self.line = DrawnLine(width)
        self.question = False  # an answer: no help, no completion, no history
        self.history: list[str] = []
        self._recalled = 0  # 0: the line being typed, 1: the last one before it
        self._draft = ""
        self._escape: str | None = None
        self._utf8 = b""
        self._after_cr = False

    # -- what the session calls --------------------------------------------------------------------

    def begin(self, prompt: str, *, hidden: bool = False, question: bool = False) -> None:
        """Starts a new line behind a prompt; what is `hidden` is an answer, too."""
        self.question = hidden or question
        self._recalled = 0
        self.line.begin(prompt, hidden=hidden)

    def take_output(self) -> str:
        return self.line.take_output()

    def remember(self, line: str) -> None:
        """Puts a line into the history, unless it is the same as the last one."""
        if line.strip() and self.history[-1:] != [line]:
            self.history = [*self.history, line][-limits.HISTORY_LINES :]

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
            self.line.insert(" ")
        return None

    # -- keys --------------------------------------------------------------------------------------

    def _printable(self, character: str) -> Event | None:
        if character == "?" and not self.question:
            return Help(self.line.before)
        self.line.insert(character)
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
            self.line.insert(" ")  # whatever a pasted text has between two words
        elif text and is_one_column(text):
            self.line.insert(text)
        elif text:
            self.line.bell()

    def _sequence(self, character: str) -> Event | None:
        sequence = (self._escape or "") + character
        unfinished = sequence in ("[", "O") or (sequence[0] == "[" and character in "0123456789;")
        self._escape = sequence if unfinished and len(sequence) < _ESCAPE_BYTES else None
        action = SEQUENCES.get(sequence)
        return action(self) if action else None

    def _start_escape(self) -> None:
        self._escape = ""

    def _enter(self) -> Line:
        text = self.line.text
        self.line.end()
        self._forget()
        return Line(text)

    def _interrupt(self) -> Interrupt:
        self.line.drop("^C")
        self._forget()
        return Interrupt()

    def _break(self) -> Interrupt | None:
        """A break answers a question. A line that is typed stays: a break may be noise."""
        return self._interrupt() if self.question else None

    def _leave(self) -> Leave | None:
        if self.question:
            return None
        self.line.drop("^Z")
        self._forget()
        return Leave()

    def _tab(self, back: bool = False) -> Tab | None:
        return None if self.question else Tab(self.line.before, back)

    def _back_tab(self) -> Tab | None:
        return self._tab(back=True)

    def _forget(self) -> None:
        self._recalled, self._draft = 0, ""

    def _older(self) -> None:
        self._recall(self._recalled + 1)

    def _newer(self) -> None:
        self._recall(self._recalled - 1)

    def _recall(self, index: int) -> None:
        if self.question or not 0 <= index <= len(self.history):
            self.line.bell()
            return
        if self._recalled == 0:
            self._draft = self.line.text
        self._recalled = index
        self.line.put(self.history[-index] if index else self._draft)


# -- keys that change the line and nothing else ----------------------------------------------------


def _left(editor: Editor) -> None:
    editor.line.to(editor.line.cursor - 1)


def _right(editor: Editor) -> None:
    editor.line.to(editor.line.cursor + 1)


def _home(editor: Editor) -> None:
    editor.line.to(0)


def _end(editor: Editor) -> None:
    editor.line.to(len(editor.line.text))


def _backspace(editor: Editor) -> None:
    if editor.line.cursor:
        editor.line.cut(editor.line.cursor - 1, editor.line.cursor)


def _delete(editor: Editor) -> None:
    editor.line.cut(editor.line.cursor, editor.line.cursor + 1)


def _cut_word(editor: Editor) -> None:
    editor.line.cut(editor.line.before.rstrip().rfind(" ") + 1, editor.line.cursor)


def _cut_start(editor: Editor) -> None:
    editor.line.cut(0, editor.line.cursor)


def _cut_end(editor: Editor) -> None:
    editor.line.cut(editor.line.cursor, len(editor.line.text))


def _redraw(editor: Editor) -> None:
    editor.line.hide()
    editor.line.show()


# -- which key is what -----------------------------------------------------------------------------


Action = Callable[[Editor], Event | None]


def _control(letter: str) -> int:
    return ord(letter) & 0x1F


CONTROLS: dict[int, Action] = {
    0x00: Editor._break,
    _control("A"): _home,
    _control("B"): _left,
    _control("C"): Editor._interrupt,
    _control("D"): _delete,
    _control("E"): _end,
    _control("F"): _right,
    _control("H"): _backspace,
    _control("I"): Editor._tab,
    _control("J"): Editor._enter,
    _control("K"): _cut_end,
    _control("L"): _redraw,
    _control("M"): Editor._enter,
    _control("N"): Editor._newer,
    _control("P"): Editor._older,
    _control("U"): _cut_start,
    _control("W"): _cut_word,
    _control("X"): _cut_start,
    _control("Y"): _cut_end,
    _control("Z"): Editor._leave,
    0x1B: Editor._start_escape,
    0x7F: _backspace,
}

SEQUENCES: dict[str, Action] = {
    "[A": Editor._older,
    "[B": Editor._newer,
    "[C": _right,
    "[D": _left,
    "OA": Editor._older,
    "OB": Editor._newer,
    "OC": _right,
    "OD": _left,
    "[H": _home,
    "[F": _end,
    "OH": _home,
    "OF": _end,
    "[1~": _home,
    "[4~": _end,
    "[7~": _home,
    "[8~": _end,
    "[3~": _delete,
    "[Z": Editor._back_tab,
}
