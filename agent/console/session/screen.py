"""What a session shows: displays, a page at a time, and notices between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from agent.console.commands.rows import SECRET_LEVEL
from agent.console.displays.document import Document, json_lines, text_lines
from agent.console.displays.filters import COUNT, FILTERS, NO_MORE, Count, Keep, chain
from agent.console.language.grammar import Args
from agent.console.language.passwords import without_hash
from agent.console.language.times import Times
from agent.console.session.keyboard import Keyboard
from agent.console.terminal.output import Output
from agent.console.terminal.pager import Pager
from hal.ports import Reactor, Timer

SECOND_NS = 1_000_000_000


class Screen:
    """A screen of `height` lines, or a script that wants all of them.

    `has_room` says whether the transport wants more. `at_prompt`: whether the line that is typed,
    or its prompt, stands on the screen. `resume` is for a display that has let others have their
    turn.
    """

    def __init__(
        self,
        out: Output,
        keyboard: Keyboard,
        reactor: Reactor,
        height: int,
        has_room: Callable[[], bool],
        at_prompt: Callable[[], bool],
        resume: Callable[[], None],
    ) -> None:
        self.height, self.pages = height, True
        self.pager = Pager(self)
        self.line, self.write = out.line, out.write
        self.resume = resume
        self._out, self._keyboard, self._reactor = out, keyboard, reactor
        self._room, self._at_prompt = has_room, at_prompt
        self._closed = False
        self._chosen = set[str]()  # of width and height, what was typed

    @property
    def width(self) -> int:
        return self._out.width

    def choose(self, *, width: int | None = None, height: int | None = None) -> None:
        """What was typed holds whatever the window is."""
        if width is not None:
            self._chosen.add("width")
            self._out.width = self._keyboard.editor.line.width = width
        if height is not None:
            self._chosen.add("height")
            self.height = height

    def resize(self, width: int, height: int) -> None:
        """The window has another size; 0 is unknown."""
        if width and "width" not in self._chosen:
            self._out.width = self._keyboard.editor.line.width = width
        if height and "height" not in self._chosen:
            self.height = height
            self.pager.resize(self._page_rows())

    def _page_rows(self) -> int:
        return max(1, self.height - 1)  # and `More`

    def show(self, document: Document, args: Args, times: Times, level: int) -> None:
        """A display as text or JSON: filtered or counted as the command says, paged on terminals
        unless it says `no-more`."""
        json = "json" in args
        shown = json_lines(document) if json else text_lines(document, times)
        if level < SECRET_LEVEL:  # whoever reads a hash can guess at it at home
            shown = map(without_hash, shown)
        filters = chain(args)
        keeps = [FILTERS[word](text) for word, text in filters if word in FILTERS]
        words = [word for word, _text in filters]
        if COUNT in words:
            count = Count()
            shown, keeps = count.counted(iter(shown), keeps), [count.keep]
        wraps = not (json or document.kind.verbatim)
        self.page(shown, keeps, wraps=wraps, ends=NO_MORE not in words)

    def page(
        self,
        lines: Iterator[str],
        keeps: list[Keep],
        *,
        wraps: bool = True,
        ends: bool = True,
    ) -> None:
        """Lines, paged and wrapped on terminals. `ends`: a page has an end."""
        paged = self._out.terminal and self.height and self.pages and ends
        rows = self._page_rows() if paged else 0
        self.pager.begin(lines, rows, keeps, wraps=wraps and self._out.wraps)

    def notice(self, text: str) -> None:
        """A line that comes by itself; what is being typed stands below it unharmed."""
        if self._closed:
            return
        if self.pager.waiting:
            self.pager.hide_more()
            self._out.message(text)
            self.pager.show_more()
        elif self._out.terminal and self._at_prompt():
            self._keyboard.hide()
            self._out.message(text)
            self._keyboard.show()
        else:
            self._out.message(text)
        self._out.flush()

    def has_room(self) -> bool:
        self._out.flush()
        return self._room()

    def after(self, delay_s: int, call: Callable[[], None]) -> Timer:
        return self._reactor.after(delay_s * SECOND_NS, call)

    def close(self) -> None:
        self._closed = True
        self.pager.stop()
