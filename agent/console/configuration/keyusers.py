"""The realms that use key pairs, while a text is read: as `key_pair_user` of the device says it.

That looks at every realm. A text has a line about a key pair in each of its blocks, so a look for
each of them would take the square of the realms. Settings change by the lines that are read alone,
and what a realm's records need does not change meanwhile; so a realm is looked at once more for
each line of it that is about a key pair.
"""

from __future__ import annotations

from agent.appliance import Appliance


class KeyUsers:
    """Made of the device as it is when the first line about a key pair is read."""

    def __init__(self, device: Appliance) -> None:
        self._device = device
        self._held = device.key_pairs_held()
        self._configured: dict[str, list[str]] = {}
        for key in device.settings.realms:
            self._look_at(key)
        self._asked = ""  # the realm whose line about a key pair was read last

    def user(self, name: str, asking: str) -> str | None:
        """The first realm that is configured with a key pair, or whose records need it.

        asking: the folded name of the realm that may be configured with it as soon as this returns.
        """
        self._look_at(self._asked)
        self._asked = asking
        realms = self._device.settings.realms
        configured = (key for key in self._configured.get(name, ()) if key in realms)
        found = {key for key in configured if realms[key].key_pair == name}
        found.update(key for key in self._held.get(name, ()) if key in realms)
        if len(found) > 1:
            found = {next(key for key in realms if key in found)}
        return realms[found.pop()].name if found else None

    def _look_at(self, key: str) -> None:
        realm = self._device.settings.realms.get(key)
        if realm and realm.key_pair:
            self._configured.setdefault(realm.key_pair, []).append(key)
