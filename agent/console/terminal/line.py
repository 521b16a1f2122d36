"""One line on the screen of a terminal: its text, its cursor, and what is sent to draw it.

It knows its prompt and the width of the terminal, so it can wrap, redraw and make room for a notice
in the middle of typing. It needs what a VT100 has: backspace, CR, LF, cursor up, down, right, and
erase to the end of the screen.
"""

from agent import limits

BELL = "\a"
ERASE_BELOW = "\x1b[J"
NEXT_ROW = " \x1b[1D"


class EditedLine:
    """What stands behind a prompt. What is to be sent waits for `take_output`."""

    def __init__(self, width: int) -> None:
        self.prompt, self.text, self.cursor = "", "", 0
        self.hidden = False  # a password, which is an answer: nothing is echoed
        self._width = width
        self._output: list[str] = []

    # -- what stands there -------------------------------------------------------------------------

    def begin(self, prompt: str, hidden: bool) -> None:
        """An empty line behind a prompt."""
        self.prompt, self.hidden = prompt, hidden
        self.clear()
        self.show()

    def clear(self) -> None:
        """The line is over; what is on the screen stays."""
        self.text, self.cursor = "", 0

    def replace(self, start: int, text: str) -> None:
        """Text in the place of what stands between `start` and the cursor; a bell when the line
        would be too long."""
        line = self.text[:start] + text + self.text[self.cursor :]
        if len(line) > limits.LINE_CHARACTERS:
            self.bell()
            return
        same = start
        while same < self.cursor and self.text[same] == line[same : same + 1]:
            same += 1
        self.edit(line, same, start + len(text))

    def edit(self, text: str, same: int, cursor: int) -> None:
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

    # -- keys --------------------------------------------------------------------------------------

    def left(self) -> None:
        self.to(self.cursor - 1)

    def right(self) -> None:
        self.to(self.cursor + 1)

    def home(self) -> None:
        self.to(0)

    def end(self) -> None:
        self.to(len(self.text))

    def to(self, cursor: int) -> None:
        """The cursor before a character, or behind the last one; a bell beyond."""
        if not 0 <= cursor <= len(self.text):
            self.bell()
            return
        self._move(self._column(self.cursor), self._column(cursor))
        self.cursor = cursor

    def backspace(self) -> None:
        if self.cursor:
            self._cut(self.cursor - 1, self.cursor)

    def delete(self) -> None:
        self._cut(self.cursor, self.cursor + 1)

    def cut_word(self) -> None:
        before = self.text[: self.cursor].rstrip()
        self._cut(before.rfind(" ") + 1, self.cursor)

    def cut_start(self) -> None:
        self._cut(0, self.cursor)

    def cut_end(self) -> None:
        self._cut(self.cursor, len(self.text))

    def _cut(self, start: int, end: int) -> None:
        self.edit(self.text[:start] + self.text[end:], start, start)

    # -- the screen --------------------------------------------------------------------------------

    def take_output(self) -> str:
        output = "".join(self._output)
        self._output.clear()
        return output

    def write(self, text: str) -> None:
        """Sends a text as it is."""
        self._output.append(text)

    def bell(self) -> None:
        self.write(BELL)

    def show(self) -> None:
        """Draws prompt and line where the cursor is, at the start of a line."""
        end = self._column(len(self.text))
        self.write(self.prompt + ("" if self.hidden else self.text))
        self._wrap(end)
        self._move(end, self._column(self.cursor))

    def hide(self) -> None:
        """Erases prompt and line, so that a notice can stand in their place; then `show`."""
        self._move(self._column(self.cursor), 0)
        self.write(ERASE_BELOW)

    def redraw(self) -> None:
        self.hide()
        self.show()

    def leave(self) -> None:
        """To the start of the row below the line."""
        self.end()
        end = self._column(len(self.text))
        self.write("\x1b[A\r\n" if end and end % self._width == 0 else "\r\n")  # see _wrap

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
