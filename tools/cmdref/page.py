"""docs/commands.md: every command by its view, and the JSON of every display."""

from collections.abc import Iterable, Iterator
from typing import Any

from agent.console.commands.rows import PRISTINE, Row
from agent.console.commands.table import ROWS
from agent.console.commands.words import WORDS
from agent.console.displays.document import Kind
from agent.console.language.grammar import Group, Item, Word, compile_notation
from agent.console.language.views import (
    AAA,
    CONFIGURATION,
    CONSOLE,
    ENTITY,
    EVERYWHERE,
    REALM,
    SYSTEM,
    USER,
)
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

Every display takes `json` at its end (one object, described at the end of this page), and then
`| include TEXT`, `| exclude TEXT`, `| begin TEXT`, `| count` or `| no-more`. Behind a text another
filter may follow: `display pki enrollment brief | include pending | count`.

Device storage is a folder of the board: `storage` in the folder of `--state`, which is
`/var/lib/scep-agent/storage` on Linux, or the `path` of `[storage]` in the board file. Files for
`import`, `https ca-file` and the like are copied there by the means of the system (scp, say); `dir`
lists them.

"stored as" names the field of the configuration and what it holds when nothing was typed, which is
what `undo` leads back to.
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
    words = {**WORDS, **row.words}
    for word in _choices(compile_notation(row.notation, row.parameters, words)):
        yield f"* `{word.text}`: {word.help}"
    for key, kind in row.parameters.items():
        if key in row.notation.split():
            yield f"* `{key}` {kind.label}: {kind.help}"
    yield f"* {', '.join(_facts(row))}\n"


def _facts(row: Row) -> Iterator[str]:
    yield f"level {row.level}"
    if row.lower:
        yield "level {} as `{}`".format(*row.lower)
    if row.views == CONFIGURATION:
        yield "in every view but the user view"
    elif len(row.views) > 1 and row.views != EVERYWHERE:
        yield f"in the views {' and '.join(row.views)}"
    if row.undo:
        yield f"`undo {row.undo}`"
    if row.shows:
        yield f"`json`: {row.shows.name}"
    fields = _stored(row)
    if fields:
        yield f"stored as {', '.join(fields)}"
    else:
        yield "part of the configuration" if row.render else "not part of the configuration"


def _choices(items: Iterable[Item]) -> Iterator[Word]:
    """The keywords that may be left out or chosen, each once; the others are the command's name."""
    seen = {}
    for item in items:
        if isinstance(item, Group):
            for branch in item.branches:
                seen.update({word.text: word for word in branch if isinstance(word, Word)})
                seen.update({word.text: word for word in _choices(branch)})
    yield from seen.values()


class _Watched:
    """A record that notes which of its fields were looked at."""

    def __init__(self, record: Any) -> None:
        self._record = record
        self.seen: dict[str, object] = {}

    def __getattr__(self, name: str) -> object:
        value: object = getattr(self._record, name)
        self.seen[name] = value
        return value


def _stored(row: Row) -> list[str]:
    """The fields that the row renders, with what a new record holds in them."""
    view = next((view for view in row.views if view in PRISTINE), None)
    if view is None or row.render is None or row.opens:
        return []
    watched = _Watched(PRISTINE[view])
    list(row.render(watched))
    return [f"`{name}` ({_shown(value)})" for name, value in watched.seen.items()]


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value)) or "not set"
    if value is None or isinstance(value, bool):
        return "set" if value else "not set"
    return str(value)


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
