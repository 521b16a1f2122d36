"""The key pairs of a device and the realms that use them, as a command asks: now, or in a text.

The device looks at every realm to find the one that uses a key pair. A text has a line about a key
pair in each of its blocks, so a look for each of them would take the square of the realms. While it
is read, settings change by its lines alone, and what the records of a realm need does not change.
So a realm is looked at once more for each line of it that is about a key pair.
"""

from __future__ import annotations

from agent.appliance import Appliance
from agent.console.commands.operator import NewKey


class KeysNow:
    """`agent.console.commands.operator.Keys`, for somebody at the console."""

    def __init__(self, device: Appliance) -> None:
        self._device = device

    def names(self) -> frozenset[str]:
        return frozenset(pair.name for pair in self._device.key_pairs())

    def user(self, name: str, _asking: str) -> str | None:
        return self._device.key_pair_user(name)

    def noted(self, _wanted: NewKey) -> bool:
        return False


class KeysOfText:
    """The same for a text, from the first line on that is about a key pair.

    `wanted` gets the key pairs that its lines want, by name; None: nobody can make them.
    """

    def __init__(self, device: Appliance, wanted: dict[str, NewKey] | None = None) -> None:
        self._device, self._wanted = device, wanted
        self._names: frozenset[str] | None = None
        self._held: dict[str, list[str]] | None = None
        self._configured: dict[str, list[str]] = {}
        self._asked = ""  # the realm whose line about a key pair was read last

    def names(self) -> frozenset[str]:
        if self._names is None:
            self._names = KeysNow(self._device).names()
        return self._names

    def user(self, name: str, asking: str) -> str | None:
        realms = self._device.settings.realms
        if self._held is None:
            self._held = self._device.key_pairs_held()
            for key in realms:
                self._look_at(key)
        self._look_at(self._asked)
        self._asked = asking
        configured = (key for key in self._configured.get(name, ()) if key in realms)
        found = {key for key in configured if realms[key].key_pair == name}
        found.update(key for key in self._held.get(name, ()) if key in realms)
        if len(found) > 1:
            found = {next(key for key in realms if key in found)}
        return realms[found.pop()].name if found else None

    def noted(self, wanted: NewKey) -> bool:
        if self._wanted is None:
            return False
        self._wanted[wanted.name] = wanted
        return True

    def _look_at(self, key: str) -> None:
        realm = self._device.settings.realms.get(key)
        if realm and realm.key_pair:
            self._configured.setdefault(realm.key_pair, []).append(key)
