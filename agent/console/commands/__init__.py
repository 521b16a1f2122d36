"""The one command table, and what is made of it: tables of the views, the configuration's text.

Adding a command is one row and one handler in the module of its view.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from agent.console.commands import board, entity, exchange, realm, shows, system
from agent.console.commands.rows import (
    CONFIGURATION,
    DISPLAY_LEVEL,
    ENTITY,
    EVERYWHERE,
    REALM,
    SYSTEM,
    Handler,
    Row,
    rendered,
)
from agent.console.commands.words import WORDS
from agent.console.displays import board as displays
from agent.console.grammar import (
    Args,
    Branch,
    Group,
    Option,
    Sequence,
    Slot,
    Word,
    compile_notation,
    openings,
)
from agent.console.parameters import FILTER
from agent.settings import Settings

if TYPE_CHECKING:
    from agent.console.session import Session


class Command(NamedTuple):
    """A row as it is typed: itself, or its `undo`."""

    row: Row
    handler: Handler

    @property
    def loads(self) -> bool:
        """Whether a configuration may hold it: what acts, or undoes, is for the console only."""
        sets = self.row.render is not None and self.handler is self.row.handler
        return sets or self.row.marks


def display_this(session: "Session", _args: Args) -> None:
    view = session.view.kind
    rows = [row for row in ROWS if view in row.views and not row.opens]
    header = {REALM: "pki realm", ENTITY: "pki entity"}.get(view)
    lines = list(rendered(rows, session.record(view)))
    if header:
        lines = [f"{header} {session.record(view).name}", *(f" {line}" for line in lines)]
    session.show(displays.configuration(_blocks(lines)))


def display_current(session: "Session", _args: Args) -> None:
    session.show(displays.configuration(configuration_lines(session.device.settings)))


ROWS: tuple[Row, ...] = (
    *system.ROWS,
    *realm.ROWS,
    *entity.ROWS,
    *exchange.ROWS,
    *shows.ROWS,
    *board.ROWS,
    Row(
        "display this",
        CONFIGURATION,
        display_this,
        level=DISPLAY_LEVEL,
        shows=displays.CONFIGURATION,
    ),
    Row(
        "display current-configuration",
        EVERYWHERE,
        display_current,
        level=DISPLAY_LEVEL,
        shows=displays.CONFIGURATION,
    ),
)


# -- tables ----------------------------------------------------------------------------------------


@cache
def table(view: str, level: int) -> list[Option[Command]]:
    """What may be typed in a view by a user of a level."""
    rows = [row for row in ROWS if view in row.views and row.level <= level]
    return openings(branch for row in rows for branch in branches(row))


def branches(row: Row) -> Iterator[Branch[Command]]:
    """The forms of a row: itself, and its `undo` if it has one."""
    words = {**WORDS, **row.words}
    sequence = compile_notation(row.notation, row.parameters, words)
    if row.shows:
        sequence = (*sequence, JSON, FILTERS)
    yield Branch(Command(row, row.handler), sequence)
    if row.undo and row.undone:
        undo = compile_notation(f"undo {row.undo}", row.parameters, words)
        yield Branch(Command(row, row.undone), undo)


def _filter(word: str) -> Sequence:
    return (Word(word, WORDS[word]), Slot("FILTER", FILTER))


JSON = Group(((Word("json", WORDS["json"]),),), optional=True)
FILTERS = Group(
    (
        (
            Word("|", WORDS["|"]),
            Group((_filter("include"), _filter("exclude"), _filter("begin")), optional=False),
        ),
    ),
    optional=True,
)


def filtered(lines: Iterator[str], args: Args) -> Iterator[str]:
    """What a filter leaves. The text is looked for as it is: an expression could stall the agent.

    A regular expression of a user can take for ever, and the agent is one thread.
    """
    wanted = args.text("FILTER")
    begun = "begin" not in args
    for line in lines:
        found = wanted in line
        begun = begun or found
        if begun and (found or "include" not in args) and not (found and "exclude" in args):
            yield line


# -- the configuration as text ---------------------------------------------------------------------


def configuration_lines(settings: Settings) -> Iterator[str]:
    """The running configuration: blocks between `#`, children behind one space, `return`."""
    rows = [row for row in ROWS if SYSTEM in row.views]
    return _blocks(rendered(rows, settings))


def render_configuration(settings: Settings) -> list[str]:
    """The lines that make these settings again, in an order in which they can be replayed."""
    return list(configuration_lines(settings))


def _blocks(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if not line.startswith(" "):
            yield "#"
        yield line
    yield "#"
    yield "return"
