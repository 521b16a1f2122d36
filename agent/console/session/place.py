"""Where a session stands: its view, what that configures, and what may be typed there.

Other sessions configure the same device. What a view configures may go at any time, so it is asked
for again after each question and each task, and never kept.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from agent.appliance import Appliance
from agent.console.commands.lines import (
    completed,
    concealed,
    help_on,
    is_typed_text,
    level_needed,
    masked_error,
    understand,
    where_else,
)
from agent.console.commands.table import Command, header_of
from agent.console.language.blocks import Change
from agent.console.language.grammar import GrammarError, Match
from agent.console.language.times import Times
from agent.console.language.views import REALM, SYSTEM, USER, View, prompt, record_of
from agent.console.session.completion import Completion
from agent.console.session.dialogue import Dialogue
from agent.errors import fail
from agent.settings import fold

if TYPE_CHECKING:
    from agent.console.configuration.loader import Secrets


class Place(Dialogue):
    """A dialogue in a view of a device."""

    def __init__(
        self,
        device: Appliance,
        send: Callable[[bytes], None],
        *,
        level: int,
        terminal: bool,
        width: int,
        loading: bool,
    ) -> None:
        super().__init__(send, terminal=terminal, width=width, loading=loading)
        self.device, self.level = device, level
        self.view = View(SYSTEM if loading else USER)
        self.secrets: Secrets | None = None  # of a text that is loaded, when they may be in plain
        self.completion = Completion(
            self.editor, lambda text: completed(self._here(), self.level, text)
        )

    def enter(self, kind: str, name: str = "") -> None:
        self.view = View(kind, name)

    def times(self) -> Times:
        """How times are shown now: in the zone of the device."""
        zone = self.device.settings.timezone
        return Times(self.device.wall_s(), zone.name, zone.ahead_s)

    def record(self, kind: str) -> Any:
        """What the view configures: Settings, Realm or Entity; an error when it has gone."""
        name = self.view.name
        found = record_of(self.device.settings, View(kind, name))
        if found is None:
            gone = fail("realm-unknown", realm=name)
            raise gone if kind == REALM else fail("entity-unknown", name=name)
        return found

    def understand(self, text: str) -> Match[Command]:
        """The command of a line, and the view that it belongs to is entered."""
        found, self.view = understand(self._here(), self.level, text)
        return found

    @property
    def booting(self) -> bool:
        """Whether a configuration is loaded while no task can run."""
        return self.loading and self.secrets is None

    def former(self) -> Any:
        """The record of the running configuration that the view's one will replace, or None."""
        settings = self.secrets.running if self.secrets else self.device.settings
        return record_of(settings, self.view)

    def block(self) -> str:
        """The folded line that opens the view's block in a configuration; "" where none does."""
        record = record_of(self.device.settings, self.view)
        return "" if record is None else fold(header_of(self.view.kind, record))

    def concealed(self, change: Change) -> Change:
        """A line of a difference, as it is shown: without its password, sealed or not."""
        return change._replace(line=concealed(change.line))

    def is_typed_text(self, text: str) -> bool:
        """Whether a `?` behind this is no call for help."""
        return is_typed_text(self._here(), self.level, text)

    def help(self, text: str) -> Iterator[str]:
        """What may follow a line, a line for each; nothing when its error was told instead."""
        try:
            shown = help_on(self._here(), self.level, text)
        except GrammarError as error:
            self.parser_error(error, len(self.prompt()))
            return
        width = max(len(word) for word, _ in shown)
        for word, meaning in shown:
            yield f"  {word:<{width}}  {meaning}".rstrip()

    def misunderstood(self, text: str, error: GrammarError, margin: int) -> None:
        """Says what is wrong with a line, and where or by whom it may be typed."""
        shown = masked_error(text, error, self.completion.lost)
        self.editor.remember(shown)
        if not self.terminal:
            self.line(shown)  # nothing was echoed that the caret could stand under
        needed = level_needed(self.level, text, error)
        if needed:
            self.error(fail("level-needed", wanted=needed, level=self.level))
            return
        self.parser_error(error, margin if self.terminal else 0)
        elsewhere = where_else(self.level, text, error)
        if elsewhere:
            self.line(f" Next step: {elsewhere}.")

    def prompt(self) -> str:
        return prompt(self.device.settings, self.view)

    def _here(self) -> View:
        """The view, or the system view above it when what it configured has gone."""
        if record_of(self.device.settings, self.view) is None:
            self.enter(SYSTEM)
        return self.view
