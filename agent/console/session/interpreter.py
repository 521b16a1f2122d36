"""From a line to its command: what it means, who runs it, and what is said when it means nothing.

A line that holds a password is masked before it is kept.
"""

from __future__ import annotations

from collections.abc import Iterator

from agent import limits
from agent.appliance import Unusable
from agent.console.commands import lookups
from agent.console.commands.lines import (
    in_order,
    level_needed,
    masked,
    masked_error,
    where_else,
)
from agent.console.commands.operator import Operator
from agent.console.commands.place import Place
from agent.console.commands.realm import url_line
from agent.console.commands.table import Command
from agent.console.configuration import unapplied
from agent.console.language.blocks import is_comment
from agent.console.language.grammar import UNRECOGNIZED, Args, GrammarError, Match
from agent.console.language.passwords import ELSEWHERE
from agent.console.session.keyboard import Keyboard
from agent.console.terminal.output import Output
from agent.errors import AgentError, fail
from agent.settings import Realm, fold

# How commands begin that are about what the storage holds.
SHOWN, ACTING = ("display pki ", "diagnose "), ("pki ", "save")


class Interpreter:
    """Lines of commands, one at a time. A command may ask and wait: it runs until `complete`."""

    def __init__(self, place: Place, out: Output, keyboard: Keyboard) -> None:
        self._place, self._out, self._keyboard = place, out, keyboard
        self._current: Match[Command] | None = None
        self._block = ""  # in which the command was typed
        self._view = place.view
        self._typed_in = place.view  # what acts there and fails does not lead elsewhere
        self._outdated: set[str] = set()  # realms, before the command
        self._failed = False

    @property
    def args(self) -> Args:
        """What the command that runs was given."""
        return self._current.args if self._current else Args()

    @property
    def wants_json(self) -> bool:
        return "json" in self.args

    @property
    def history(self) -> list[str]:
        """The lines that were typed, without their passwords."""
        return self._keyboard.editor.history

    def run(self, text: str, operator: Operator) -> None:
        """Begins the command of a line, for an operator."""
        self._failed = False
        if len(text) > limits.LINE_CHARACTERS:
            raise fail("line-too-long", cap=limits.LINE_CHARACTERS)
        if not text.strip() or is_comment(text):
            return
        margin = len(self._place.prompt())
        self._typed_in = self._place.view
        try:
            found = self._place.understand(text)
        except GrammarError as error:
            self._misunderstood(text, error, margin)
            return
        self._keyboard.editor.remember(masked(text, found.secret, self._keyboard.lost))
        self._current, self._block = found, self._place.block()
        self._view, self._outdated = self._place.view, set()
        if found.command.row.render:
            self._outdated = lookups.outdated(self._place.device, self._view)
        if unusable := self._place.device.unusable:
            self._mind_storage(found, unusable)
        found.command.check(operator, found.args)
        found.command.handler(operator, found.args)

    def _mind_storage(self, found: Match[Command], unusable: Unusable) -> None:
        """No storage: what is shown of it is told why it is empty, what acts on it is refused."""
        row = found.command.row
        if row.notation.startswith(SHOWN) and "json" not in found.args:
            self._out.warn(lookups.without_storage(unusable))
        if row.notation.startswith(ACTING) and not (row.render or row.opens):
            raise fail("storage-unusable", reason=unusable.reason)

    def give_up(self) -> None:
        """The command has failed, or was interrupted at its question."""
        self._failed = True

    def tell(self, error: AgentError) -> None:
        """The command has failed; of one about a realm the next step has the realm's name."""
        self.give_up()
        args = self.args
        if "realm" in args and "NAME" in args:
            name = args.text("NAME")
            record = self._place.device.settings.realms.get(fold(name)) or Realm(name)
            error = error.of_realm(name, url_line(record))
        self._out.error(error)

    def complete(self) -> None:
        """Nothing of the command is left to wait for: a setting takes effect."""
        current, self._current = self._current, None
        if current and self._failed and current.command.acts:
            self._place.view = self._typed_in
        if current and current.command.row.render and not self._failed:
            device = self._place.device
            if device.settings.unapplied:
                unapplied.settle(device.settings, self._block, current.command, current.args)
            device.changed()
            for name in sorted(lookups.outdated(device, self._view) - self._outdated):
                lookups.warn_of_request(self._out.warn, name)

    def help(self, text: str) -> Iterator[str]:
        """What may follow a line, a line for each; nothing when its error was told instead."""
        try:
            shown = self._place.help_on(text)
        except GrammarError as error:
            self._out.parser_error(error, len(self._place.prompt()))
            return
        width = max((len(word) for word, meaning in shown if meaning), default=0)
        for word, meaning in shown:
            yield f"  {word:<{width}}  {meaning}".rstrip()

    def _misunderstood(self, text: str, error: GrammarError, margin: int) -> None:
        """Says what is wrong with a line, and where or by whom it may be typed."""
        shown, level = masked_error(text, error, self._keyboard.lost), self._place.level
        self._keyboard.editor.remember(shown)
        if not self._out.terminal:
            self._out.line(shown)  # nothing was echoed that the caret could stand under
        needed = level_needed(level, text, error)
        if needed:
            self._out.error(fail("level-needed", wanted=needed, level=level))
            return
        if error.reason == ELSEWHERE:
            self._out.error(fail("sealed-elsewhere"))
            return
        self._out.parser_error(error, margin if self._out.terminal else 0)
        order = in_order(level, text, error)
        if order and not error.reason:
            self._out.message(f" Cause: {order}.")
        elsewhere = where_else(level, text, error)
        if not (order or elsewhere) and error.kind == UNRECOGNIZED:
            elsewhere = self._called_here(text)
        if elsewhere:
            self._out.message(f" Next step: {elsewhere}.")

    def _called_here(self, text: str) -> str:
        """What other command lines call otherwise."""
        try:
            from agent.console.commands.foreign import called_here
        except (ImportError, OSError):  # no descriptor is left to read it by
            return ""
        return called_here(self._place.view, self._place.level, text)
