"""A line at a terminal: a prompt, a text and a cursor in it, and what must be sent to show them.

It knows its prompt and the width of the terminal, so it can wrap, redraw and make room for a notice
in the middle of typing. It needs what a VT100 has: backspace, CR, LF, cursor up, down, right, and
erase to the end of the screen.
"""

from __future__ import annotations

from agent import limits

BELL = "\a"
ERASE_BELOW = "\x1b[J"
NEXT_ROW = " \x1b[1D"


class DrawnLine:
    """What stands behind the last prompt. `hidden`: a password, which is not echoed."""

    def __init__(self, width: int) -> None:
        self.prompt = ""
        self.hidden = False
        self.text = ""
        self.cursor = 0
        self.width = self._width = width  # of the terminal, and where this line is drawn
        self._output: list[str] = []

    def begin(self, prompt: str, *, hidden: bool) -> None:
        """Starts a new line behind a prompt."""
        self.prompt, self.hidden = prompt, hidden
        self.clear()
        self.show()

    def take_output(self) -> str:
        output = "".join(self._output)
        self._output.clear()
        return output

    @property
    def before(self) -> str:
        """The text before the cursor."""
        return self.text[: self.cursor]

    def insert(self, text: str) -> None:
        """Text at the cursor; a bell when the line would be too long."""
        self.replace(self.cursor, text)

    def replace(self, start: int, text: str) -> None:
        """The same in the place of what stands between `start` and the cursor."""
        line = self.text[:start] + text + self.text[self.cursor :]
        if len(line) > limits.LINE_CHARACTERS:
            self.bell()
            return
        same = start
        while same < self.cursor and self.text[same] == line[same : same + 1]:
            same += 1
        self._edit(line, same, start + len(text))

    @property
    def at_space(self) -> bool:
        """Whether the cursor stands on a space."""
        return self.text[self.cursor : self.cursor + 1] == " "

    @property
    def at_end(self) -> bool:
        """Whether nothing stands behind the cursor."""
        return self.cursor == len(self.text)

    def hide(self) -> None:
        """Erases prompt and line, so that a notice can stand in their place; then `show`."""
        self._move(self._column(self.cursor), 0)
        self._output.append(ERASE_BELOW)

    def show(self) -> None:
        """Draws prompt and line where the cursor is, at the start of a line."""
        self._width = self.width
        end = self._column(len(self.text))
        self._output.append(self.prompt + ("" if self.hidden else self.text))
        self._wrap(end)
        self._move(end, self._column(self.cursor))

    def bell(self) -> None:
        self._output.append(BELL)

    def put(self, text: str) -> None:
        """Another text, with the cursor behind it."""
        self._edit(text, 0, len(text))

    def end(self) -> None:
        """Enter: the next output stands below the line."""
        self.to(len(self.text))
        end = self._column(len(self.text))
        self._output.append("\x1b[A\r\n" if end and end % self._width == 0 else "\r\n")  # see _wrap
        self.clear()

    def drop(self, mark: str) -> None:
        """The line is given up: its mark, `^C` or `^Z`, and a new line."""
        self._output.append(f"{mark}\r\n")
        self.clear()

    def clear(self) -> None:
        self.text, self.cursor = "", 0

    def cut(self, start: int, end: int) -> None:
        self._edit(self.text[:start] + self.text[end:], start, start)

    def to(self, cursor: int) -> None:
        if not 0 <= cursor <= len(self.text):
            self.bell()
            return
        self._move(self._column(self.cursor), self._column(cursor))
        self.cursor = cursor

    def _edit(self, text: str, same: int, cursor: int) -> None:
        """Makes the line `text`; what stands before `same` did not change and is not sent again."""
        old, self.text = self.text, text
        if self.hidden:
            self.cursor = cursor
            return
        if same == len(old) and self._output[-1:] == [NEXT_ROW]:
            self._output.pop()  # what follows at once takes the terminal there by itself
        self._move(self._column(self.cursor), self._column(same))
        self._output.append(text[same:])
        end = self._column(len(text))
        if len(text) > same:
            self._wrap(end)
        if len(old) > len(text):
            self._output.append(ERASE_BELOW)
        self.cursor = cursor
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
