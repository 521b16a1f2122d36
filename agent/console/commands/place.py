"""Where an operator stands: a view, what that configures, and what may be typed there.

Other sessions configure the same device. What a view configures may go at any time, so it is asked
for again after each question and each task, and never kept.
"""

from __future__ import annotations

from typing import Any

from agent.appliance import Appliance
from agent.console.commands import lines
from agent.console.commands.table import Command, header_of
from agent.console.language.grammar import Match
from agent.console.language.views import REALM, SYSTEM, USER, View, prompt, record_of
from agent.errors import fail
from agent.settings import fold


class Place:
    """A view of a device, for somebody of a level."""

    def __init__(self, device: Appliance, level: int, kind: str) -> None:
        self.device, self.level = device, level
        self.view = View(kind)

    def enter(self, kind: str, name: str = "") -> None:
        self.view = View(kind, name)

    def leave(self) -> bool:
        """One view up; False: there is none above this one."""
        if self.view.kind == USER:
            return False
        self.enter(USER if self.view.kind == SYSTEM else SYSTEM)
        return True

    def record(self, kind: str) -> Any:
        """What the view configures: Settings, Realm or Entity; an error when it has gone."""
        name = self.view.name
        found = record_of(self.device.settings, View(kind, name))
        if found is None:
            gone = fail("realm-unknown", realm=name)
            raise gone if kind == REALM else fail("entity-unknown", name=name)
        return found

    def block(self) -> str:
        """The folded line that opens the view's block in a configuration; "" where none does."""
        record = record_of(self.device.settings, self.view)
        return "" if record is None else fold(header_of(self.view.kind, record))

    def prompt(self) -> str:
        return prompt(self.device.settings, self.view)

    def understand(self, text: str) -> Match[Command]:
        """The command of a line, and the view that it belongs to is entered."""
        found, self.view = lines.understand(self._here(), self.level, text)
        return found

    def help_on(self, text: str) -> list[tuple[str, str]]:
        """What may follow a line: words with their help; a GrammarError when nothing does."""
        return lines.help_on(self._here(), self.level, text)

    def completed(self, text: str) -> list[str]:
        """The keywords that TAB may complete."""
        return lines.completed(self._here(), self.level, text)

    def is_typed_text(self, text: str) -> bool:
        """Whether a `?` behind this is no call for help."""
        return lines.is_typed_text(self._here(), self.level, text)

    def _here(self) -> View:
        """The view, or the system view above it when what it configured has gone."""
        if record_of(self.device.settings, self.view) is None:
            self.enter(SYSTEM)
        return self.view
