"""The views of a console: what stands in which, what a view configures, and its prompt."""

from __future__ import annotations

from agent.settings import ConsoleLine, Entity, Realm, Settings
from hal.annotations import Any
from hal.named import NamedTuple

USER, SYSTEM, REALM, ENTITY = "user", "system", "realm", "entity"
CONSOLE, AAA = "user-interface", "aaa"
CONFIGURATION = (SYSTEM, REALM, ENTITY, CONSOLE, AAA)
EVERYWHERE = (USER, *CONFIGURATION)

_PROMPTS = {CONSOLE: "-ui-console0", AAA: "-aaa"}


class View(NamedTuple):
    """Where a session stands: user, system, or a realm or an entity by its folded name."""

    kind: str
    name: str = ""

    @property
    def is_below_system(self) -> bool:
        """So are all but itself and the user view, where a configuration may be pasted behind
        `#`."""
        return self.kind not in (USER, SYSTEM) or self == BLOCK


# The user view behind a `#`: a configuration may follow, which begins with one.
BLOCK = View(USER, "#")


def record_of(settings: Settings, view: View) -> Settings | Realm | Entity | ConsoleLine | None:
    """What a view configures; None when another session has removed it."""
    if view.kind == REALM:
        return settings.realms.get(view.name)
    if view.kind == ENTITY:
        return settings.entities.get(view.name)
    return settings.console if view.kind == CONSOLE else settings


def records_of(settings: Settings, kind: str) -> list[Any]:
    """What the views of a kind configure, those alone that a configuration has a block for."""
    blocks: dict[str, list[Any]] = {
        REALM: list(settings.realms.values()),
        ENTITY: list(settings.entities.values()),
        CONSOLE: [settings.console],
        AAA: [settings] if settings.users else [],
    }
    return blocks[kind]


def prompt(settings: Settings, view: View) -> str:
    """`<name>`, `[name]`, `[name-pki-realm-abc]`."""
    if view.kind == USER:
        return f"<{settings.sysname}>"
    record = record_of(settings, view)
    if isinstance(record, Realm | Entity):
        return f"[{settings.sysname}-pki-{view.kind}-{record.name}]"
    return f"[{settings.sysname}{_PROMPTS.get(view.kind, '')}]"
