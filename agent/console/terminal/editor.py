"""The line editor: bytes of a terminal in, finished lines and keys out. Sans-IO.

`key` takes one byte, may return an event, and leaves what must be sent to the terminal for
`take_output`. Bytes become keys in `keys.py`; `line.py` has the line and draws it.

Fault model. A paste comes faster than it is read. Whatever arrives, no exception; what cannot be
typed is dropped, with a bell where a person may wonder.
"""

from collections.abc import Callable

from agent import limits
from agent.console.displays.columns import is_one_column
from agent.console.terminal.keys import Keys
from agent.console.terminal.line import EditedLine
from hal.named import NamedTuple


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
        self.line = EditedLine(width)
        self.question = False  # an answer: no help, no completion, no history
        self.history: list[str] = []
        self._keys = Keys()
        self._recalled = 0  # 0: the line being typed, 1: the last one before it
        self._draft = ""

    # -- what the session calls --------------------------------------------------------------------

    def begin(self, prompt: str, *, hidden: bool = False, question: bool = False) -> None:
        """Starts a new line behind a prompt."""
        self.question, self._recalled = hidden or question, 0
        self.line.begin(prompt, hidden)

    def take_output(self) -> str:
        return self.line.take_output()

    def remember(self, line: str) -> None:
        """Puts a line into the history, unless it is the same as the last one."""
        if line.strip() and self.history[-1:] != [line]:
            self.history = [*self.history, line][-limits.HISTORY_LINES :]

    def insert(self, text: str) -> None:
        """Text at the cursor; a bell when the line would be too long."""
        self.line.replace(self.line.cursor, text)

    @property
    def at_space(self) -> bool:
        """Whether the cursor stands on a space."""
        return self.line.text[self.line.cursor : self.line.cursor + 1] == " "

    @property
    def at_end(self) -> bool:
        """Whether nothing stands behind the cursor."""
        return self.line.cursor == len(self.line.text)

    def key(self, byte: int) -> Event | None:
        """Takes one byte. The session asks again for the next one, since an event changes all."""
        key = self._keys.take(byte)
        if len(key) == 1:
            return self._typed(key)
        if key in EDITS:
            EDITS[key](self.line)
            return None
        action = ACTIONS.get(key)
        return action(self) if action else None

    # -- keys --------------------------------------------------------------------------------------

    def _typed(self, character: str) -> Event | None:
        if character == "?" and not self.question:
            return Help(self.line.text[: self.line.cursor])
        if character.isspace():
            self.insert(" ")  # whatever a pasted text has between two words
        elif is_one_column(character):
            self.insert(character)
        else:
            self.line.bell()
        return None

    def _enter(self) -> Line:
        text = self.line.text
        self.line.leave()
        self._clear()
        return Line(text)

    def _interrupt(self) -> Interrupt:
        self.line.write("^C\r\n")
        self._clear()
        return Interrupt()

    def _break(self) -> Interrupt | None:
        """A break answers a question. A line that is typed stays: a break may be noise."""
        return self._interrupt() if self.question else None

    def _leave(self) -> Leave | None:
        if self.question:
            return None
        self.line.write("^Z\r\n")
        self._clear()
        return Leave()

    def _tab(self, back: bool = False) -> Tab | None:
        return None if self.question else Tab(self.line.text[: self.line.cursor], back)

    def _back_tab(self) -> Tab | None:
        return self._tab(back=True)

    def _clear(self) -> None:
        self.line.clear()
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
        text = self.history[-index] if index else self._draft
        self.line.edit(text, 0, len(text))


# Keys that change the line, and keys that tell the session or look back. Names as of `Keys.take`.
EDITS: dict[str, Callable[[EditedLine], None]] = {
    **dict.fromkeys(("^A", "[H", "OH", "[1~", "[7~"), EditedLine.home),
    **dict.fromkeys(("^B", "[D", "OD"), EditedLine.left),
    **dict.fromkeys(("^D", "[3~"), EditedLine.delete),
    **dict.fromkeys(("^E", "[F", "OF", "[4~", "[8~"), EditedLine.end),
    **dict.fromkeys(("^F", "[C", "OC"), EditedLine.right),
    **dict.fromkeys(("^H", "^?"), EditedLine.backspace),
    **dict.fromkeys(("^K", "^Y"), EditedLine.cut_end),
    **dict.fromkeys(("^U", "^X"), EditedLine.cut_start),
    "^L": EditedLine.redraw,
    "^W": EditedLine.cut_word,
}
ACTIONS: dict[str, Callable[[Editor], Event | None]] = {
    "^@": Editor._break,
    "^C": Editor._interrupt,
    "^I": Editor._tab,
    **dict.fromkeys(("^J", "^M"), Editor._enter),
    **dict.fromkeys(("^N", "[B", "OB"), Editor._newer),
    **dict.fromkeys(("^P", "[A", "OA"), Editor._older),
    "^Z": Editor._leave,
    "[Z": Editor._back_tab,
}
