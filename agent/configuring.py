"""The saved configuration of the device: one record of the store, and the way to it and from it.

Fault model. Power fails during `save`: a commit is whole or not there, so a start finds the old
configuration or the new one. The record is missing or cannot be read: the factory configuration
serves, and the log says so. Lines of it do not apply to the device as it is: they are kept in
`Settings.unapplied`, stand in what is saved next, and are tried again at each start.
"""

from typing import TYPE_CHECKING

from agent.console.blocks import difference
from agent.console.commands import render_configuration
from agent.console.configuration import load_configuration
from agent.settings import Settings
from hal import records
from hal.store import Store

if TYPE_CHECKING:
    from agent.device import Device


class Configuring:
    """`agent.console.appliance.Configuration`; `load` is for the start."""

    def __init__(self, device: "Device", store: Store) -> None:
        self._device, self._store = device, store

    def load(self, factory: str) -> None:
        """The saved configuration, or the factory's, into the settings; bad lines into the log."""
        saved = self.saved()
        bad = load_configuration(self._device, factory if saved is None else saved)
        for number, line in bad:
            self._device.log.report(
                "CONFIG_ERR", f"line {number} does not apply: {line.text}: {line.why}"
            )
        self._device.settings.unapplied = [line for _number, line in bad]

    def running(self) -> str:
        return _text(self._device.settings)

    def saved(self) -> str | None:
        value = self._store.get(records.config_key())
        try:
            return None if value is None else records.decode(records.ConfigRecord, value).text
        except records.RecordError as error:
            self._device.log.report("STORE_ERR", f"saved configuration: {error}")
            return None

    def save(self) -> None:
        self._device.commit(_saving(self._device.settings))

    def unsaved(self) -> bool:
        saved = self.saved()
        running = self.running().splitlines()
        return saved is None or bool(difference(saved.splitlines(), running))

    def reset(self) -> None:
        self._device.commit({records.config_key(): None})

    def replace(self, settings: Settings) -> None:
        """One commit, then the switch: if flash does not take it, nothing has changed."""
        device = self._device
        gone = [name for name in device.settings.realms if name not in settings.realms]
        device.commit({**_saving(settings), **device.forgotten(gone)})
        device.settings = settings
        device.changed()
        for realm in gone:
            device.forget_memory(realm)


def _text(settings: Settings) -> str:
    return "\n".join(render_configuration(settings)) + "\n"


def _saving(settings: Settings) -> dict[str, object]:
    return {records.config_key(): records.encode(records.ConfigRecord(_text(settings)))}
