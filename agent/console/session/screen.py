"""What a session shows: displays, a page at a time, and notices between them."""

import re
from collections.abc import Callable, Iterator

from agent.appliance import Appliance
from agent.console.commands.realm import url_line
from agent.console.commands.rows import SECRET_LEVEL
from agent.console.commands.table import Command
from agent.console.displays.document import Document, json_lines, text_lines
from agent.console.displays.filters import FILTERS, Keep
from agent.console.language.grammar import Args, Match
from agent.console.language.parameters import without_hash
from agent.console.session.monitor import Monitor
from agent.console.session.place import Place
from agent.console.terminal.pager import Pager
from agent.errors import AgentError
from agent.settings import Realm, fold
from hal.ports import Reactor, Timer

SECOND_NS = 1_000_000_000


class Showing(Place):
    """A place with a screen of so many lines, or with a script that wants all of them."""

    def __init__(
        self,
        device: Appliance,
        send: Callable[[bytes], None],
        reactor: Reactor | None,
        *,
        level: int,
        terminal: bool,
        width: int,
        height: int,
        loading: bool,
        has_room: Callable[[], bool],
    ) -> None:
        super().__init__(device, send, level=level, terminal=terminal, width=width, loading=loading)
        self.screen_lines = height
        self.closed = False
        self.monitor = Monitor(self)
        self._reactor, self._room = reactor, has_room
        self._pager = Pager(self)
        self._current: Match[Command] | None = None

    def resume(self) -> None:
        """The transport has room again, for a display or for the echo of what was typed."""
        raise NotImplementedError

    def is_at_prompt(self) -> bool:
        """Whether the line that is typed, or its prompt, stands on the screen."""
        raise NotImplementedError

    @property
    def wants_json(self) -> bool:
        """Whether the command that runs shall speak to a program."""
        return self._current is not None and "json" in self._current.args

    def error(self, error: AgentError) -> None:
        """Of a command about a realm, with its name in the next step."""
        args = self._current.args if self._current else Args()
        if "realm" in args:
            name = args.text("NAME")
            record = self.device.settings.realms.get(fold(name)) or Realm(name)
            error = error.of_realm(name, url_line(record))
        super().error(error)

    def show(self, document: Document) -> None:
        """A display as text or JSON: filtered as the command says, paged on terminals."""
        shown = json_lines(document) if self.wants_json else text_lines(document, self.times())
        if self.level < SECRET_LEVEL:  # whoever reads a hash can guess at it at home
            shown = map(without_hash, shown)
        args = self._current.args if self._current else Args()
        keeps = [make(args.text("FILTER")) for word, make in FILTERS.items() if word in args]
        text = self.terminal and not self.wants_json
        self.page(shown, keeps, document.kind.foreign if text else None)

    def page(
        self, lines: Iterator[str], keeps: list[Keep], foreign: re.Pattern[str] | None = None
    ) -> None:
        """Lines, paged on terminals. `foreign`: those whose rows show that they are one line."""
        paged = self.terminal and self.screen_lines
        rows = max(1, self.screen_lines - 1) if paged else 0  # and `More`
        self._pager.begin(lines, rows, keeps, foreign)

    def notice(self, text: str) -> None:
        """A line that comes by itself; what is being typed stands below it unharmed."""
        if self.closed:
            return
        if self._pager.waiting:
            self._pager.hide_more()
            self.message(text)
            self._pager.show_more()
        elif self.terminal and self.is_at_prompt():
            self.editor.hide()
            self.echo()
            self.message(text)
            self.editor.show()
            self.echo()
        else:
            self.message(text)
        self.flush()

    def has_room(self) -> bool:
        self.flush()
        return self._room()

    def after(self, delay_s: int, call: Callable[[], None]) -> Timer | None:
        return self._reactor.after(delay_s * SECOND_NS, call) if self._reactor else None
