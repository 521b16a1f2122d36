"""Shows many lines: a page at a time for people, as fast as the transport takes them for scripts.

Lines come from an iterator and are made only when there is room for them, so a display of a
thousand realms costs no memory and never holds up the event loop.
"""

from collections.abc import Iterator
from typing import Protocol

from agent import limits

MORE = "  ---- More ----"
_COLUMNS = 42  # what VRP erases, and what automation looks for
ERASE_MORE = f"\x1b[{_COLUMNS}D{' ' * _COLUMNS}\x1b[{_COLUMNS}D"

_SPACE, _ENTER, _STOP = b" ", b"\r\n", b"qQ\x03"


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

    @property
    def active(self) -> bool:
        return self._next is not None

    def begin(self, lines: Iterator[str], page: int) -> None:
        self._lines, self._page, self._rows = lines, page, page
        self._next = next(lines, None)
        self.pump()

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
            line, self._next = self._next, next(self._lines, None)
            self._rows -= max(1, -(-len(line) // self._screen.width))
            self._screen.line(line)

    def key(self, byte: int) -> None:
        """A key at `More`: space a page, Enter a line, q or Ctrl+C no more."""
        if byte in _STOP:
            self.stop()
        elif byte in _SPACE or byte in _ENTER:
            self.hide_more()
            self.waiting = False
            self._rows = self._page if byte in _SPACE else 1
            self.pump()

    def stop(self) -> None:
        if self.waiting:
            self.hide_more()
        self._next, self._lines, self.waiting = None, iter(()), False

    def show_more(self) -> None:
        self._screen.write(MORE)

    def hide_more(self) -> None:
        self._screen.write(ERASE_MORE)
