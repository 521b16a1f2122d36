"""The configuration of the device: from the store at its start, and back.

Fault model. Power fails during `save`: a start finds the old configuration or the new one. Nothing
was ever saved: the factory's configuration serves. Something was saved and cannot be read, or may
have been (`agent/device/saved.py`): what is left of it serves, and the serial lines let nobody in
unless what is left asks for passwords, until somebody of level 3 saves a configuration. A line that
says whom the serial lines let in does not apply: they let nobody in until it is settled. Other
lines do not apply to the device as it is: they are kept in `Settings.unapplied`, stand in what is
saved next, and are tried again at each start.
"""

from typing import TYPE_CHECKING

from agent.console.commands.table import render_configuration
from agent.console.configuration.loader import load_configuration
from agent.console.language.blocks import difference
from agent.device import saved
from agent.errors import AgentError
from agent.settings import ConsoleLine, Settings, fold
from hal.store import Store

if TYPE_CHECKING:
    from agent.device.device import Device

_ABOUT_LINES = ("user-interface", "authentication-mode")  # how what says whom they let in begins


class Configuring:
    """`agent.appliance.Configuration`; `load` is for the start."""

    def __init__(self, device: "Device", store: Store) -> None:
        self._device, self._store = device, store
        self._lost = ""

    def load(self, factory: str) -> None:
        """The saved configuration, or the factory's, into the settings; bad lines into the log."""
        device, (text, self._lost) = self._device, saved.read(self._store)
        bad = load_configuration(device, factory if text is None else text)
        for number, line in bad:
            device.log.report(
                "CONFIG_ERR", f"line {number} does not apply: {line.text}: {line.why}"
            )
        device.settings.unapplied = [line for _number, line in bad]
        if self._lost and text is None:  # the passwords of a factory are no secret
            device.settings.console, device.settings.users = ConsoleLine(), {}
        if told := self.closed():
            device.log.report("CONFIG_ERR", f"the serial lines let nobody in: {told}")
        elif self._lost:
            device.log.report("CONFIG_ERR", self._lost)

    def running(self) -> str:
        return "\n".join(render_configuration(self._device.settings)) + "\n"

    def saved(self) -> str | None:
        return saved.read(self._store).text

    def lost(self) -> str:
        return self._lost

    def closed(self) -> str:
        """A line that is open to all is not believed where something was lost."""
        settings = self._device.settings
        if self._lost and settings.console.mode == "none":
            return self._lost
        for one in settings.unapplied:
            if any(fold(text).startswith(_ABOUT_LINES) for text in (one.block, one.text)):
                return f"a line about serial lines does not apply: {one.text}"
        return ""

    def save(self) -> None:
        first, second = self._saving(self._device.settings)
        self._device.commit(first)
        self._saved(second)

    def unsaved(self) -> bool:
        text = self.saved()
        running = self.running().splitlines()
        return text is None or bool(self._lost or difference(text.splitlines(), running))

    def reset(self) -> None:
        self._device.commit(saved.forgotten(self._store))

    def replace(self, settings: Settings) -> None:
        """One commit, then the switch: if flash does not take it, nothing has changed."""
        device = self._device
        gone = [name for name in device.settings.realms if name not in settings.realms]
        first, second = self._saving(settings)
        device.commit({**first, **device.forgotten(gone)})
        device.settings = settings
        device.changed()
        for realm in gone:
            device.forget_memory(realm)
        self._saved(second)

    def _saving(self, settings: Settings) -> tuple[dict[str, object], dict[str, object]]:
        return saved.changes(self._store, render_configuration(settings))

    def _saved(self, second: dict[str, object]) -> None:
        """Saved it is; the second copy is for the day on which the first one rots."""
        if second:
            try:
                self._device.commit(second)
            except AgentError:
                pass  # it is in the log, and the next save tries again
        self._lost = saved.read(self._store).lost
