"""What a session writes: lines of the field's kinds, progress, carets; in order, in few pieces.

Text may come from certificates and from the network: what cannot be seen is shown as an escape, so
that it never moves the cursor, hides or answers for the operator (`agent/visible.py`).
"""

from __future__ import annotations

from collections.abc import Callable

from agent.console.displays.columns import columns, rows
from agent.console.language.grammar import GrammarError
from agent.errors import AgentError
from agent.visible import escaped

NEXT_STEP = " Next step: "


class Output:
    """Buffers until `flush`; `status` is 1 once an `Error:` was written.

    `wraps`: a person reads, at a terminal of so many columns.
    """

    def __init__(self, send: Callable[[bytes], None], *, terminal: bool, width: int) -> None:
        self.terminal = self.wraps = terminal
        self.width = width
        self.status = 0
        self._send = send
        self._pieces: list[str] = []
        self._open = 0  # columns of an unfinished progress line

    def write(self, text: str) -> None:
        """As it is: prompts, echo, control sequences."""
        if text:
            self._pieces.append(text)

    def line(self, text: str) -> None:
        """One line as it is; begins a new one behind progress that is not finished."""
        self.fresh_line()
        self.write(printable(text) + ("\r\n" if self.terminal else "\n"))

    def message(self, text: str) -> None:
        """A line for people; on a terminal its rows show that they are one line."""
        for row in self.rows(text):
            self.line(row)

    def rows(self, text: str) -> list[str]:
        """A line for people as it is shown. The command of a next step can be copied whole."""
        if not self.wraps:
            return [text]
        return rows(printable(text), self.width, whole=text.startswith(NEXT_STEP))

    def one_line(self, text: str) -> str:
        """A question as one line, which programs look for, with blanks where a row ends."""
        *full, last = self.rows(text)
        return "".join(row + " " * (self.width - columns(row)) for row in full) + last

    def fresh_line(self) -> None:
        if self._open:
            self._open = 0
            self.write("\r\n")

    def interrupted(self) -> None:
        """Ctrl+C, wherever the cursor is: what follows stands on a line of its own."""
        self._open = 0
        self.write("^C\r\n")

    def info(self, text: str) -> None:
        self.message(f"Info: {text}")

    def warn(self, text: str) -> None:
        self.message(f"Warning: {text}")

    def error(self, error: AgentError) -> None:
        self.status = 1
        for line in error_lines(error):
            self.message(line)

    def parser_error(self, error: GrammarError, margin: int) -> None:
        """The caret under the word, `margin` columns behind the start of the line."""
        self.status = 1
        self.line(" " * ((margin + error.column) % self.width) + "^")
        self.message(f"Error: {error}.")
        if error.reason:
            self.message(f" Cause: {error.reason}.")

    def progress(self, text: str) -> None:
        """A piece of a line that goes on; scripts get whole lines only."""
        if not self.terminal:
            return
        if self._open + len(text) >= self.width:
            self.fresh_line()
        self._open += len(text)
        self.write(printable(text))
        self.flush()

    def flush(self) -> None:
        if self._pieces:
            text = "".join(self._pieces)
            self._pieces.clear()
            self._send(text.encode(errors="replace"))

    def drop(self) -> None:
        """Nobody is there any more."""
        self._pieces.clear()


def error_lines(error: AgentError) -> list[str]:
    """How every error of the device is told: what, why, what to do."""
    what = error.what[:1].upper() + error.what[1:].rstrip(".")  # texts of libraries bring one
    lines = [f"Error: {what}."]
    if error.cause:
        lines.append(f" Cause: {error.cause}.")
    if error.remedy:
        lines.append(f"{NEXT_STEP}{error.remedy}.")
    return lines


def printable(text: str) -> str:
    """The text with an escape for each character that cannot be seen; tabs become spaces."""
    return escaped(text.expandtabs() if "\t" in text else text)
