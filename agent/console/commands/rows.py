"""What a command is: one row. The parser, help, `undo`, displays and the manual read these rows.

A row that is stored has a `render`: from the record of its view (Settings, Realm, Entity) to the
lines that set it again. Handlers get the operator and what the line said; they act through
`operator.device` and raise `AgentError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from agent.console.commands.operator import Operator
from agent.console.displays.document import Kind
from agent.console.language.grammar import Args, Parameter, quote
from agent.console.language.views import CONSOLE, ENTITY, EVERYWHERE, REALM, SYSTEM
from agent.settings import ConsoleLine, Entity, Realm, Settings
from hal.annotations import Any
from hal.named import NamedTuple

VISIT_LEVEL, DISPLAY_LEVEL, CONFIGURE_LEVEL, SECRET_LEVEL = 0, 1, 2, 3

Handler = Callable[[Operator, Args], None]
Render = Callable[[Any], Iterable[str]]  # of the record that the view configures


class Row(NamedTuple):
    """A command. `words` are help texts that differ from, or add to, the common ones.

    `undo` is the notation behind the word `undo`; `undone` is its handler. A row that `shows` a
    kind of display takes `json`, and `| include TEXT` and the like. `opens` is the view that the
    command leads into. `marks` rows are no settings and may stand in a text all the same, between
    its blocks. `lower` is a level below `level`, and the part of the notation that it may
    type. `default` is the line that holds while `render` gives none; "" where that cannot be typed.
    """

    notation: str
    views: tuple[str, ...]
    handler: Handler
    parameters: Mapping[str, Parameter] = {}
    words: Mapping[str, str] = {}
    level: int = CONFIGURE_LEVEL
    render: Render | None = None
    undo: str | None = None
    undone: Handler | None = None
    shows: Kind | None = None
    opens: str | None = None
    marks: bool = False
    lower: tuple[int, str] | None = None
    default: str = ""

    def notation_at(self, level: int) -> str | None:
        """What a user of this level may type of it; None: nothing."""
        if self.level <= level:
            return self.notation
        least, notation = self.lower or (self.level, "")
        return notation if least <= level else None


# What a setting is after `undo`: whatever a new record holds.
PRISTINE: Mapping[str, Any] = {
    SYSTEM: Settings(),
    REALM: Realm(""),
    ENTITY: Entity(""),
    CONSOLE: ConsoleLine(),
}


def restore(view: str, *fields: str) -> Handler:
    """The handler of an `undo` that puts fields back to their defaults."""

    def undone(operator: Operator, _args: Args) -> None:
        for field in fields:
            setattr(operator.record(view), field, getattr(PRISTINE[view], field))

    return undone


def put(view: str, field: str, key: str) -> Handler:
    """The handler of a command that stores its parameter as it is."""

    def handler(operator: Operator, args: Args) -> None:
        setattr(operator.record(view), field, args[key])

    return handler


def line_of(view: str, field: str, words: str) -> Render:
    """Renders `words VALUE` when the field is not the default."""

    def render(record: Any) -> Iterable[str]:
        value = getattr(record, field)
        if value != getattr(PRISTINE[view], field):
            yield _line(words, value)

    return render


def _line(words: str, value: object) -> str:
    shown = ",".join(value) if isinstance(value, tuple) else str(value)
    return f"{words} {quote(shown)}"


def _default(view: str, field: str, words: str) -> str:
    """The line of the value that a new record has; "" when that is none."""
    value = getattr(PRISTINE[view], field)
    return _line(words, value) if value else ""


def setting(view: str, words: str, key: str, kind: Parameter, field: str) -> Row:
    """The row of a command that is a field: `words KEY`, undone by `undo words`."""
    return Row(
        f"{words} {key}",
        (view,),
        put(view, field, key),
        {key: kind},
        render=line_of(view, field, words),
        undo=words,
        undone=restore(view, field),
        default=_default(view, field, words),
    )


def one_of(
    view: str, words: str, choice: Iterable[str], field: str, when_set: Handler | None = None
) -> Row:
    """The row of a command that stores one of some keywords."""
    keywords = tuple(choice)

    def handler(operator: Operator, args: Args) -> None:
        setattr(operator.record(view), field, args.chosen(keywords)[0])
        if when_set:
            when_set(operator, args)

    return Row(
        f"{words} {{ {' | '.join(keywords)} }}",
        (view,),
        handler,
        render=line_of(view, field, words),
        undo=words,
        undone=restore(view, field),
        default=_default(view, field, words),
    )


def subset(view: str, words: str, choice: Mapping[str, str], field: str) -> Row:
    """The row of a command that stores some of the keywords of a table with their help."""

    def handler(operator: Operator, args: Args) -> None:
        setattr(operator.record(view), field, args.chosen(choice))

    def render(record: Any) -> Iterable[str]:
        if getattr(record, field):
            yield f"{words} {' '.join(getattr(record, field))}"

    return Row(
        f"{words} {{ {' | '.join(choice)} }} *",
        (view,),
        handler,
        words=choice,
        render=render,
        undo=words,
        undone=restore(view, field),
    )


def display(
    notation: str, handler: Handler, shows: Kind, parameters: Mapping[str, Parameter] | None = None
) -> Row:
    """The row of a command `display ...` of every view."""
    return Row(
        f"display {notation}",
        EVERYWHERE,
        handler,
        parameters or {},
        level=DISPLAY_LEVEL,
        shows=shows,
    )


def rendered(rows: Iterable[Row], record: Any) -> Iterable[str]:
    """The lines that set a record again, in the order of the rows."""
    for row in rows:
        if row.render:
            yield from row.render(record)
