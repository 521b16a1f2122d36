"""docs/commands.md: every command by its view, and the JSON of every display."""

from collections.abc import Iterator

from agent.console.commands import ROWS
from agent.console.commands.rows import (
    AAA,
    CONSOLE,
    ENTITY,
    EVERYWHERE,
    REALM,
    SYSTEM,
    USER,
    Row,
)
from agent.console.document import Kind
from tools.cmdref.sentences import SENTENCES

VIEWS = {
    USER: ("User view", "`<name>`, where a session begins"),
    SYSTEM: ("System view", "`[name]`, by `system-view`"),
    REALM: ("Realm view", "`[name-pki-realm-R]`, by `pki realm R`"),
    ENTITY: ("Entity view", "`[name-pki-entity-E]`, by `pki entity E`"),
    CONSOLE: ("View of the serial lines", "`[name-ui-console0]`, by `user-interface console 0`"),
    AAA: ("View of the local users", "`[name-aaa]`, by `aaa`"),
}
HEAD = """# Commands

Made from the command table by `make docs`. Lower-case words are keywords, upper-case ones are
values; `{ a | b }` is one of them, `[ a ]` none or one, and `*` behind a group any of it in any
order. Keywords may be shortened as long as they are unambiguous, `?` helps at any place, TAB
completes. Levels: 1 displays, 2 configures, 3 changes secrets, users and trust. A command of the
system view is understood in the views below it as well.

Every display takes `| include TEXT`, `| exclude TEXT` or `| begin TEXT`, and in front of it `json`:
one object, described at the end of this page.
"""
JSON_HEAD = """## JSON

    {"display": KIND, "version": N, "items": [ITEM, ...]}

`version` is raised when a key goes or changes its meaning; a new key does not raise it. Times are
Unix seconds. A type with `?` may be null.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *_chapters(), JSON_HEAD, *_kinds()])


def _chapters() -> Iterator[str]:
    everywhere = [row for row in ROWS if row.views == EVERYWHERE]
    yield from _chapter("Every view", "", everywhere)
    for view, (title, entrance) in VIEWS.items():
        own = [row for row in ROWS if row.views != EVERYWHERE and view == row.views[0]]
        yield from _chapter(title, entrance, own)


def _chapter(title: str, entrance: str, rows: list[Row]) -> Iterator[str]:
    yield f"## {title}\n"
    if entrance:
        yield f"{entrance}\n"
    for row in rows:
        yield from _command(row)


def _command(row: Row) -> Iterator[str]:
    yield f"### `{row.notation}`\n"
    yield SENTENCES[row.notation] + "\n"
    facts = [f"level {row.level}"]
    if row.undo:
        facts.append(f"`undo {row.undo}`")
    if row.shows:
        facts.append(f"`json`: {row.shows.name}")
    facts.append("part of the configuration" if row.render else "not part of the configuration")
    for key, kind in row.parameters.items():
        if key in row.notation.split():
            yield f"* `{key}` {kind.label}: {kind.help}"
    yield f"* {', '.join(facts)}\n"


def _kinds() -> Iterator[str]:
    kinds = {row.shows.name: row.shows for row in ROWS if row.shows}
    for name in sorted(kinds):
        yield from _kind(kinds[name])


def _kind(kind: Kind) -> Iterator[str]:
    yield f"### {kind.name}, version {kind.version}\n"
    yield "| key | type | label of the text |\n| --- | --- | --- |"
    for field in kind.fields:
        yield f"| `{field.key}` | {field.type} | {field.label} |"
    yield ""
