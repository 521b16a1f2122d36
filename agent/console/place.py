"""Where a session stands: its view, what that configures, and what may be typed there.

Other sessions configure the same device. What a view configures may go at any time, so it is asked
for again after each question and each task, and never kept.
"""

from collections.abc import Callable
from typing import Any

from agent.console.appliance import Appliance
from agent.console.commands import Command, table
from agent.console.commands.rows import REALM, SYSTEM, USER
from agent.console.dialogue import Dialogue
from agent.console.grammar import Match, Option
from agent.console.times import Times
from agent.console.views import View, prompt, record_of, understand
from agent.errors import fail


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

    def options(self) -> list[Option[Command]]:
        """What may be typed."""
        return table(self._here().kind, self.level)

    def prompt(self) -> str:
        return prompt(self.device.settings, self.view)

    def _here(self) -> View:
        """The view, or the system view above it when what it configured has gone."""
        if record_of(self.device.settings, self.view) is None:
            self.enter(SYSTEM)
        return self.view
