"""The configuration of the device: from the store at its start, and back.

Fault model. Power fails during `save`: a start finds the old configuration or the new one. Nothing
was ever saved: the factory's configuration serves. Something was saved and cannot be read, or may
have been (`agent/device/saved.py`): what is left of it serves, and the serial lines let nobody in
unless what is left asks for passwords, until somebody of level 3 saves a configuration. A line that
says whom the serial lines let in does not apply: they let nobody in until it is settled. Other
lines do not apply to the device as it is: they are kept in `Settings.unapplied`, stand in what is
saved next, and are tried again at each start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from agent.console.commands.table import render_configuration
from agent.console.configuration.loader import BadLine
from agent.device import saved
from agent.device.realms import Realms
from agent.device.shared import Shared
from agent.errors import AgentError
from agent.settings import ConsoleLine, Settings, fold

NAMED = 8  # of what has one copy left; a log line has an end
_ABOUT_LINES = ("user-interface", "authentication-mode")  # how what says whom they let in begins


# Runs lines, which it may ask for twice, against the settings; those that do not apply.
Read = Callable[[Callable[[], Iterable[str]]], list[BadLine]]


class Configuring:
    """`agent.appliance.Configuration`; `load` is for the start."""

    def __init__(self, shared: Shared, realms: Realms, read: Read) -> None:
        self._shared, self._realms, self._read = shared, realms, read
        self._store = shared.store
        self._lost = self._worn = ""
        self._closes = False

    def load(self, factory: str) -> None:
        """The saved configuration, or the factory's, into the settings; bad lines into the log."""
        stored, log = saved.read(self._store), self._shared.log
        self._take(stored)
        is_saved, again = stored.exists, [stored]

        def lines() -> Iterable[str]:
            """At the second time they are read anew."""
            return (again.pop() if again else saved.read(self._store)).lines()

        bad = self._read(lines if is_saved else factory.splitlines)
        for number, line in bad:
            log.report("CONFIG_ERR", f"line {number} does not apply: {line.text}: {line.why}")
        settings = self._shared.settings
        settings.unapplied = [line for _number, line in bad]
        if self._lost and not is_saved:  # the passwords of a factory are no secret
            settings.console, settings.users = ConsoleLine(), {}
        if reason := self.closed():
            log.report("CONFIG_ERR", f"the serial lines let nobody in: {reason}")
        for told in (self._lost, self._worn):
            if told and told != reason:
                log.report("CONFIG_ERR", told)
        self._shared.unsaved = not is_saved or bool(self._lost or self._worn)

    def _take(self, stored: saved.Saved) -> None:
        self._lost, self._closes, self._worn = stored.lost, stored.closes, _told(stored.worn)

    def running(self) -> str:
        return "\n".join(render_configuration(self._shared.settings)) + "\n"

    def saved(self) -> str | None:
        return saved.text(self._store)

    def lost(self) -> str:
        return self._lost

    def worn(self) -> str:
        return self._worn

    def closed(self) -> str:
        """A line that is open to all is not believed where something was lost."""
        settings = self._shared.settings
        if self._closes and settings.console.mode == "none":
            return self._lost
        for entry in settings.unapplied:
            if any(fold(text).startswith(_ABOUT_LINES) for text in (entry.block, entry.text)):
                return f"a line about serial lines does not apply: {entry.text}"
        return ""

    def save(self) -> None:
        first, second = self._saving(self._shared.settings)
        self._shared.commit(first)
        self._saved(second)

    def unsaved(self) -> bool:
        return self._shared.unsaved

    def reset(self) -> None:
        self._shared.commit(saved.forgotten(self._store))
        self._shared.unsaved = True

    def replace(self, settings: Settings) -> None:
        """One commit, then the switch: if flash does not take it, nothing has changed."""
        gone = [name for name in self._shared.settings.realms if name not in settings.realms]
        first, second = self._saving(settings)
        self._shared.commit({**first, **self._realms.forgotten(gone)})
        self._shared.settings.become(settings)
        self._realms.changed()
        for name in gone:
            self._realms.forget_memory(name)
        self._saved(second)

    def _saving(self, settings: Settings) -> tuple[dict[str, object], dict[str, object]]:
        return saved.changes(self._store, render_configuration(settings))

    def _saved(self, second: dict[str, object]) -> None:
        """Saved it is; the second copy is for the day on which the first one rots."""
        if second:
            try:
                self._shared.commit(second)
            except AgentError:
                pass  # it is in the log, and the next save tries again
        self._take(saved.read(self._store))
        self._shared.unsaved = bool(self._lost)


def _told(worn: list[str]) -> str:
    """What is there once only, as a sentence; "" when nothing is."""
    if not worn:
        return ""
    names = ", ".join(worn[:NAMED]) + (f" and {len(worn) - NAMED} more" if worn[NAMED:] else "")
    return f"of the saved configuration there is one copy only of {names}; `save` writes both anew"
