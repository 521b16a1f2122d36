"""Names of what is there, for `?` and TAB: those that displays of level 1 show, no secret."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from agent.appliance import Appliance
from agent.console.language import parameters
from agent.console.language.grammar import Parameter
from agent.errors import AgentError


def _named(kind: str, help_text: str) -> Parameter:
    return parameters.name(help_text)._replace(names=kind)


REALM = _named("realm", "Name of a realm")
ENTITY = _named("entity", "Name of an entity")
KEY = _named("key pair", "Name of an RSA key pair")
NEW_KEY = KEY._replace(names="")
FILE = parameters.FILE._replace(names="file")

_THERE: dict[str, Callable[[Appliance], Iterable[str]]] = {
    REALM.names: lambda device: [one.name for one in device.settings.realms.values()],
    ENTITY.names: lambda device: [one.name for one in device.settings.entities.values()],
    KEY.names: lambda device: [one.name for one in device.key_pairs()],
    FILE.names: lambda device: [one.name for one in device.storage.entries() if _fits(one.name)],
}


def _fits(name: str) -> bool:
    """Whether a line can hold the name of a file, which somebody else may have put there."""
    try:
        FILE.read(name)
    except ValueError:
        return False
    return True


def there(device: Appliance, kind: str) -> Iterable[str]:
    """The names of a kind of things; none where the storage cannot be read."""
    try:
        return _THERE[kind](device)
    except AgentError:
        return ()
