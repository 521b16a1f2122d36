"""Shows many lines: a page at a time for people, as fast as the transport takes them for scripts.

Lines come from an iterator and are made only when there is room for them, so a display of a
thousand realms costs no memory and never holds up the event loop.

At `More`: space a page, Enter a line, q or Ctrl+C no more; `/`, `-` and `+` with a text and Enter
go on from the first line that holds it, without the lines that hold it, with those alone.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Protocol

from agent import limits
from agent.console.columns import columns
from agent.console.commands import filtered
from agent.console.grammar import Args
from agent.console.output import printable
from agent.console.typed import BREAK, INTERRUPT

MORE = "  ---- More ----"
_COLUMNS = 42  # what VRP erases, and what automation looks for
ERASE_MORE = f"\x1b[{_COLUMNS}D{' ' * _COLUMNS}\x1b[{_COLUMNS}D"

_SPACE, _ENTER, _QUIT = b" ", b"\r\n", b"qQ"
_STOP = (INTERRUPT, BREAK)
_ERASE = (0x08, 0x7F)
_SEARCHES = {"/": "begin", "-": "exclude", "+": "include"}


class Screen(Protocol):
    """What the pager writes to."""

    width: int

    def line(self, text: str) -> None: ...
    def write(self, text: str) -> None: ...
    def has_room(self) -> bool: ...


class Pager:
    """One display under way, or none. `page` is the rows of a page, 0 for no paging."""

    def __init__(self, screen: Screen) -> None:
        self.waiting = False  # `More` is on the screen
        self._screen = screen
        self._lines: Iterator[str] = iter(())
        self._next: str | None = None
        self._page = 0
        self._rows = 0  # left on this page
        self._asked = MORE  # or what is searched for, as far as it is typed

    @property
    def active(self) -> bool:
        return self._next is not None

    def begin(self, lines: Iterator[str], page: int) -> None:
        self._page = page
        self._go_on(lines, page)

    def pump(self) -> None:
        """Shows lines until none is left, the page is full, or the transport has no room."""
        count = 0
        while self._next is not None and not self.waiting:
            if self._page and self._rows <= 0:
                self.waiting = True
                self.show_more()
                return
            if count % limits.OUTPUT_LINES == 0 and not self._screen.has_room():
                return
            count += 1
            line, self._next = printable(self._next), next(self._lines, None)
            self._rows -= max(1, -(-columns(line) // self._screen.width))
            self._screen.line(line)

    def key(self, byte: int) -> None:
        """A key at `More`, or of the text that is searched for."""
        if byte in _STOP or (byte in _QUIT and self._asked == MORE):
            self.stop()
        elif self._asked != MORE:
            self._search_key(byte)
        elif chr(byte) in _SEARCHES:
            self._ask(chr(byte))
        elif byte in _SPACE or byte in _ENTER:
            self.hide_more()
            self.waiting = False
            self._rows = self._page if byte in _SPACE else 1
            self.pump()

    def stop(self) -> None:
        if self.waiting:
            self.hide_more()
        self._next, self._lines, self.waiting, self._asked = None, iter(()), False, MORE

    def show_more(self) -> None:
        self._screen.write(self._asked)

    def hide_more(self) -> None:
        self._screen.write(ERASE_MORE)

    def _search_key(self, byte: int) -> None:
        kind, wanted = _SEARCHES[self._asked[0]], self._asked[1:]
        if byte in _ENTER:
            self.hide_more()
            lines = chain((self._next or "",), self._lines)
            args = Args({kind: True, "FILTER": wanted})
            self._go_on(filtered(lines, args) if wanted else lines, self._page)
        elif byte in _ERASE:
            self._ask(self._asked[:-1] or MORE)
        elif 0x20 <= byte < 0x7F and len(self._asked) < _COLUMNS:
            self._ask(self._asked + chr(byte))

    def _ask(self, asked: str) -> None:
        self.hide_more()
        self._asked = asked
        self.show_more()

    def _go_on(self, lines: Iterator[str], rows: int) -> None:
        self._lines, self._rows, self.waiting, self._asked = lines, rows, False, MORE
        self._next = next(lines, None)
        self.pump()
