"""The one command table, and what is made of it: tables of the views, the configuration's text.

Adding a command is one row and one handler in the module of its noun, and its place in ROWS.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from agent.console.commands import (
    access,
    board,
    ca,
    certificates,
    crl,
    enrollment,
    entity,
    files,
    keys,
    realm,
    saved,
    terminal,
    undoing,
    views,
)
from agent.console.commands.operator import Operator
from agent.console.commands.rows import DISPLAY_LEVEL, Handler, Row, rendered
from agent.console.commands.words import WORDS
from agent.console.displays import board as displays
from agent.console.displays import filters
from agent.console.language import blocks
from agent.console.language.grammar import (
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
from agent.console.language.parameters import FILTER
from agent.console.language.views import (
    AAA,
    CONFIGURATION,
    CONSOLE,
    ENTITY,
    EVERYWHERE,
    REALM,
    SYSTEM,
    records_of,
)
from agent.settings import Settings, fold
from hal.annotations import Any
from hal.named import NamedTuple


class Command(NamedTuple):
    """A row as it is typed: itself, or its `undo`, perhaps before a whole `line`."""

    row: Row
    handler: Handler
    line: bool = False

    @property
    def loads(self) -> bool:
        """Whether a configuration may hold it: what acts, or undoes, is for the console only."""
        sets = self.row.render is not None and self.handler is self.row.handler
        return sets or self.row.marks

    @property
    def acts(self) -> bool:
        """Whether it neither sets anything nor leads into a view."""
        return not (self.row.render or self.row.opens)

    def check(self, operator: Operator, args: Args) -> None:
        """AgentError: the line behind `undo` is none that is configured."""
        if self.line:
            undoing.refuse_another(operator, self.row, args)


def display_this(operator: Operator, _args: Args) -> None:
    view, settings = operator.view.kind, operator.device.settings
    rows = [row for row in ROWS if view in row.views and not row.opens]
    record = operator.record(view)
    header = header_of(view, record)
    lines = list(rendered(rows, record))
    if header:
        lines = [header, *(f" {line}" for line in lines)]
    kept = [one for one in settings.unapplied if one.block == fold(header)]
    shown = blocks.framed(blocks.with_unapplied(lines, kept, blocks.as_comment))
    operator.show(displays.configuration(shown))


# By the names that VRP gives to its views in prompts: the view whose blocks are meant.
PARTS = {
    "system": None,
    "pki-entity": ENTITY,
    "pki-realm": REALM,
    "user-interface": CONSOLE,
    "aaa": AAA,
}


def display_current(operator: Operator, args: Args) -> None:
    settings = operator.device.settings
    if "configuration" in args:
        opens = PARTS[args.chosen(PARTS)[0]]
        rows = [row for row in ROWS if SYSTEM in row.views and row.opens == opens]
        operator.show(displays.configuration(blocks.framed(rendered(rows, settings))))
        return
    lines = default_lines(settings) if "include-default" in args else setting_lines(settings)
    operator.show(displays.configuration(_shown(settings, lines, blocks.as_comment)))


# In the order of the manual, and of a configuration: what a line refers to comes before it.
ROWS: tuple[Row, ...] = (
    *views.ROWS,
    board.SYSNAME,
    files.FORMAT,
    entity.OPEN,
    realm.OPEN,
    keys.CREATE,
    keys.DESTROY,
    keys.CONFIRM,
    enrollment.ENROLL,
    enrollment.UPDATE,
    enrollment.ABORT,
    *saved.ROWS,
    *realm.SETTINGS,
    *entity.SETTINGS,
    ca.GET,
    *certificates.ROWS,
    enrollment.WRITE,
    keys.IMPORT,
    keys.EXPORT,
    files.FETCH,
    enrollment.DIAGNOSE,
    crl.GET,
    crl.IMPORT,
    crl.DELETE,
    realm.SHOW,
    realm.SHOW_BRIEF,
    entity.SHOW,
    certificates.SHOW,
    keys.SHOW,
    enrollment.SHOW,
    enrollment.SHOW_BRIEF,
    enrollment.SHOW_REQUEST,
    crl.SHOW,
    board.VERSION,
    board.SERIAL,
    board.DEVICE,
    board.STARTUP,
    board.CLOCK,
    board.STATISTICS,
    access.SHOW,
    board.INTERFACES,
    files.DIR,
    files.MORE,
    files.DELETE,
    board.SET_CLOCK,
    board.TIMEZONE,
    certificates.PREWARNING,
    board.RESET_STORAGE,
    board.REBOOT,
    *access.ROWS,
    *terminal.ROWS,
    Row(
        "display this",
        CONFIGURATION,
        display_this,
        level=DISPLAY_LEVEL,
        shows=displays.CONFIGURATION,
    ),
    Row(
        "display current-configuration [ all | include-default"
        f" | configuration {{ {' | '.join(PARTS)} }} ]",
        EVERYWHERE,
        display_current,
        words={
            "configuration": "A part of it alone",
            "system": "What no block holds",
            "pki-entity": "PKI entities",
            "pki-realm": "PKI realms",
        },
        level=DISPLAY_LEVEL,
        shows=displays.CONFIGURATION,
    ),
)


# -- tables ----------------------------------------------------------------------------------------


@cache
def table(view: str, level: int) -> list[Option[Command]]:
    """What may be typed in a view by a user of a level."""
    rows = [(row, row.notation_at(level)) for row in ROWS if view in row.views]
    return openings(
        branch
        for row, notation in rows
        if notation is not None
        for branch in branches(row, notation)
    )


def branches(row: Row, notation: str | None = None) -> Iterator[Branch[Command]]:
    """The forms of a row: itself, or a part of it, and its `undo` if it has one."""
    words = {**WORDS, **row.words}
    sequence = compile_notation(notation or row.notation, row.parameters, words)
    if row.shows:
        sequence = (*sequence, JSON, FILTERS)
    yield Branch(Command(row, row.handler), sequence)
    if row.undo and row.undone:
        undo = compile_notation(f"undo {row.undo}", row.parameters, words)
        yield Branch(Command(row, row.undone), undo)
        if row.render and not row.opens and row.undo != row.notation:
            yield Branch(Command(row, row.undone, line=True), (undo[0], *sequence))


def _filter(word: str) -> Sequence:
    return (Word(word, WORDS[word]), Slot("FILTER", FILTER))


JSON = Group(((Word("json", WORDS["json"]),),), optional=True)
FILTERS = Group(
    (
        (
            Word("|", WORDS["|"]),
            Group(
                (
                    *map(_filter, filters.FILTERS),
                    *((Word(word, WORDS[word]),) for word in (filters.COUNT, filters.NO_MORE)),
                ),
                optional=False,
            ),
        ),
    ),
    optional=True,
)


# -- the configuration as text ---------------------------------------------------------------------


def _shown(settings: Settings, lines: Iterable[str], tell: blocks.Tell) -> Iterator[str]:
    """A configuration with what stands between its blocks, and with the lines that do not apply."""
    return blocks.framed(blocks.with_unapplied(lines, settings.unapplied, tell))


def setting_lines(settings: Settings) -> Iterable[str]:
    """Its lines without those that do not apply, and without what stands between the blocks."""
    return rendered([row for row in ROWS if SYSTEM in row.views], settings)


def default_lines(settings: Settings) -> Iterator[str]:
    """The same with the settings that have their default value."""
    for row in ROWS:
        if not row.render or SYSTEM not in row.views:
            continue
        if row.opens is None:
            yield from _or_default(row, settings)
            continue
        for record in records_of(settings, row.opens):
            yield header_of(row.opens, record)
            for child in ROWS:
                if child.render and row.opens in child.views:
                    yield from (f" {line}" for line in _or_default(child, record))


def _or_default(row: Row, record: Any) -> Iterable[str]:
    lines = list(rendered([row], record))
    return lines or ([row.default] if row.default else [])


def stored_lines(settings: Settings) -> Iterator[str]:
    """The lines that make these settings again, each made when it is asked for."""
    return _shown(settings, setting_lines(settings), blocks.as_stored)


def render_configuration(settings: Settings) -> list[str]:
    """The lines that make these settings again, in an order in which they can be replayed."""
    return list(stored_lines(settings))


def header_of(view: str, record: Any) -> str:
    """The line that opens the block of a view for a record; "" for the system view."""
    opener = next((row for row in ROWS if row.opens == view), None)
    words = opener.notation.split() if opener else []
    return " ".join(record.name if word.isupper() else word for word in words)
