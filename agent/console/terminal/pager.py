"""Shows many lines: a page at a time for people, as fast as the transport takes them for scripts.

Lines come from an iterator and are made only when there is room for them, so a display of a
thousand realms costs no memory and never holds up the event loop; neither does one of which
nothing is shown, since after some lines that are left out the others have their turn.

At `More`: space a page, Enter a line, q or Ctrl+C no more; `/`, `-` and `+` with a text and Enter
go on from the first line that holds it, without the lines that hold it, with those alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

from agent import limits
from agent.console.displays.columns import columns, rows
from agent.console.displays.filters import FILTERS, Keep
from agent.console.terminal.output import printable
from agent.console.terminal.typed import BREAK, INTERRUPT
from hal.protocol import Protocol

MORE = "  ---- More ----"
_COLUMNS = 42  # what VRP erases, and what automation looks for
ERASE_MORE = f"\x1b[{_COLUMNS}D{' ' * _COLUMNS}\x1b[{_COLUMNS}D"
ERASE_NARROW = "\r\x1b[J"

_SPACE, _ENTER, _QUIT = b" ", b"\r\n", b"qQ"
_STOP = (INTERRUPT, BREAK)
_ERASE = (0x08, 0x7F)
_SEARCHES = {"/": "begin", "-": "exclude", "+": "include"}


class Screen(Protocol):
    """What the pager writes to."""

    @property
    def width(self) -> int: ...
    def line(self, text: str) -> None: ...
    def write(self, text: str) -> None: ...
    def has_room(self) -> bool: ...
    def after(self, delay_s: int, call: Callable[[], None]) -> object: ...
    def resume(self) -> None: ...  # calls `pump`, and goes on when the display is over


class Pager:
    """One display under way, or none. `page` is the rows of a page, 0 for no paging."""

    def __init__(self, screen: Screen) -> None:
        self.active = False
        self.waiting = False  # `More` is on the screen
        self._screen = screen
        self._lines: Iterator[str] = iter(())
        self._keeps: list[Keep] = []
        self._next: str | None = None  # known to be shown
        self._wraps = False
        self._left: list[str] = []  # rows of the line that is being shown
        self._page = 0
        self._rows = 0  # left on this page
        self._asked = MORE  # or what is searched for, as far as it is typed

    def begin(
        self,
        lines: Iterator[str],
        page: int,
        keeps: list[Keep],
        *,
        wraps: bool = False,
    ) -> None:
        """Shows those lines that all of `keeps` keep. `wraps`: a line that is wider than the screen
        is broken between words, and its rows show that they are one line."""
        self._wraps = wraps
        self._lines, self._page, self._keeps, self._next = lines, page, keeps, None
        self.active = True
        self._go_on(page)

    def pump(self) -> None:
        """Shows lines until none is left, the page is full, or it is the turn of others."""
        count = 0
        while self._seek():
            if self._page and self._rows <= 0:
                self.waiting = True
                self.show_more()
                return
            if count % limits.OUTPUT_LINES == 0 and not self._screen.has_room():
                return
            count += 1
            row = self._row()
            self._rows -= max(1, -(-columns(row) // self._screen.width))
            self._screen.line(row)

    def resize(self, page: int) -> None:
        """The next page has so many rows, unless there are no pages."""
        if self._page:
            self._page = page

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
            self._go_on(self._page if byte in _SPACE else 1)

    def stop(self) -> None:
        if self.waiting:
            self.hide_more()
        self._next, self._lines, self._asked, self._left = None, iter(()), MORE, []
        self.active = self.waiting = False

    def show_more(self) -> None:
        self._screen.write(self._asked)

    def hide_more(self) -> None:
        narrow = self._screen.width <= _COLUMNS  # where so many blanks begin another row
        self._screen.write(ERASE_NARROW if narrow else ERASE_MORE)

    def _row(self) -> str:
        """The next one: a line takes several if it is wrapped."""
        if not self._left:
            line, self._next = printable(self._next or ""), None
            self._left = rows(line, self._screen.width) if self._wraps else [line]
        return self._left.pop(0)

    def _seek(self) -> bool:
        """Whether there is a row to show, here and now."""
        if not self.active or self.waiting or self._left:
            return self.active and not self.waiting
        left_out = 0
        while self._next is None:
            line = next(self._lines, None)
            if line is None:
                self.stop()
                return False
            if all(keep(line) for keep in self._keeps):
                self._next = line
            elif (left_out := left_out + 1) == limits.LEFT_OUT_LINES:
                self._screen.after(0, self._screen.resume)
                return False
        return True

    def _search_key(self, byte: int) -> None:
        kind, wanted = _SEARCHES[self._asked[0]], self._asked[1:]
        if byte in _ENTER:
            self.hide_more()
            self._lines = chain((self._next or "",), self._lines)  # the search begins with it
            self._next, self._left = None, []
            if wanted:
                self._keeps = [*self._keeps, FILTERS[kind](wanted)]
            self._go_on(self._page)
        elif byte in _ERASE:
            self._ask(self._asked[:-1] or MORE)
        elif 0x20 <= byte < 0x7F and len(self._asked) < _COLUMNS:
            self._ask(self._asked + chr(byte))

    def _ask(self, asked: str) -> None:
        self.hide_more()
        self._asked = asked
        self.show_more()

    def _go_on(self, rows: int) -> None:
        self._rows, self.waiting, self._asked = rows, False, MORE
        self.pump()
