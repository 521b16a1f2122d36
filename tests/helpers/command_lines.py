"""Lines made from the command table: what a test types so that a new row is covered by itself.

A row's notation is walked with `steps`, the function that the parser itself is made of; what comes
out is judged by what the parser then says, and by what the device holds.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from agent.console.commands.rows import Row
from agent.console.commands.table import (
    ROWS,
    Command,
    branches,
    render_configuration,
    table,
)
from agent.console.configuration.loader import load_configuration
from agent.console.language.grammar import (
    Branch,
    Option,
    Parameter,
    Sequence,
    Slot,
    Value,
    Word,
    may_end,
    openings,
    quote,
    steps,
)
from agent.console.language.grammar import Terminal as Next
from agent.console.language.views import SYSTEM, USER
from tests.helpers.appliance import FakeDevice
from tests.helpers.terminal import Terminal

# What a parameter is given when it takes it: names of every kind, and the odd characters.
POOL = (
    *("abc", "ABC", "r2", "default", "-._(1)", "a b", "a,b, c", "'=()+,-./:", "x@y.z", "yes", "#"),
    *("eth0", "GigabitEthernet0/0/1", "0/0/1.100", "192.0.2.1", "2001:DB8::1", "json", "|"),
    *("http://ca/a", r"http://[2001:db8::1]:8/\x3fq=\\x3f", "https://ca/x", "00:00:00", "new.cfg"),
)


class Form(NamedTuple):
    """One way to type a command or its `undo`, in the first view of its row."""

    row: Row
    branch: Branch[Command]
    words: tuple[Next, ...]

    @property
    def view(self) -> str:
        return self.row.views[0]

    @property
    def undoes(self) -> bool:
        return self.branch.command.handler is not self.row.handler

    def typed(self) -> list[str]:
        return typed(self.words)

    def line(self) -> str:
        return " ".join(self.typed())

    @property
    def level(self) -> int:
        """From which on it may be typed: a row may give a part of itself to a lower level."""
        least, part = self.row.lower or (self.row.level, self.row.notation)
        found = branches(self.row, part)
        may = [" ".join(typed(words)) for one in found for words in paths(one.rest)]
        return least if self.line() in may else self.row.level


def paths(sequence: Sequence) -> Iterator[tuple[Next, ...]]:
    """Ways through a notation, such that each word of it is in one of them, at each place."""
    seen: set[tuple[Next, int]] = set()

    def walk(rest: Sequence, so_far: tuple[Next, ...]) -> Iterator[tuple[Next, ...]]:
        options = list(steps(rest))
        fresh = [one for one in options if (one[0], len(one[1])) not in seen]
        if may_end(rest):
            yield so_far
        elif not fresh:
            fresh = options[:1]  # been here: any way to an end will do
        for terminal, tail in fresh:
            seen.add((terminal, len(tail)))
            yield from walk(tail, (*so_far, terminal))

    yield from walk(sequence, ())


@cache
def forms() -> tuple[Form, ...]:
    """Every way to type every row; of its lines behind `undo` the shortest and the longest."""
    return tuple(
        Form(row, branch, words)
        for row in ROWS
        for branch in branches(row)
        for words in ways(branch)
    )


def ways(branch: Branch[Command]) -> list[tuple[Next, ...]]:
    """Of a line behind `undo` none that the `undo` of its row takes as it is."""
    found = list(paths(branch.rest))
    if not branch.command.line:
        return found
    row = branch.command.row
    plain = next(one for one in branches(row) if one.command.handler is row.undone)
    found = [words for words in found if words not in paths(plain.rest)]
    return list(dict.fromkeys((min(found, key=len), max(found, key=len))))


def stored() -> list[Row]:
    """The rows that a configuration holds."""
    return [row for row in ROWS if row.render]


def typed(words: Iterable[Next], said: Mapping[str, Value] | None = None) -> list[str]:
    """Words as a line holds them; a parameter is its example, or what was `said`."""
    values = said or {}
    return [
        word.text if isinstance(word, Word) else quote(str(values.get(word.key, word.kind.example)))
        for word in words
    ]


def accepts(kind: Parameter, word: str) -> bool:
    try:
        kind.read(word)
    except ValueError:
        return False
    return True


def options_at(view: str, words: Iterable[str]) -> list[Option[Command]]:
    """What may come after these words, by walking the table of the view itself."""
    options = table(view, 3)
    for word in words:
        keyword = [one for one in options if isinstance(one[0], Word) and one[0].text == word]
        value = [one for one in options if isinstance(one[0], Slot) and accepts(one[0].kind, word)]
        options = openings(branch for _, branch in keyword or value)
    return options


def shortest(options: list[Option[Command]], word: Word) -> str | None:
    """The shortest prefix that means this keyword here; None when only the whole word does."""
    others = {one.text for one, _ in options if isinstance(one, Word)} - {word.text}
    for length in range(1, len(word.text) + 1):
        part = word.text[:length]
        taken = any(isinstance(one, Slot) and accepts(one.kind, part) for one, _ in options)
        if not taken and not any(other.startswith(part) for other in others):
            return part
    return None


def entrance(view: str) -> list[str]:
    """The lines that lead from the user view into another one."""
    if view == USER:
        return []
    if view == SYSTEM:
        return ["system-view"]
    opener = next(form for form in forms() if form.row.opens == view and not form.undoes)
    return [*entrance(opener.view), opener.line()]


def undo_lines(row: Row, said: Mapping[str, Value]) -> list[str]:
    """The lines that may undo what a line of this row `said`."""
    return [
        " ".join(typed(form.words, said)) for form in forms() if form.row is row and form.undoes
    ]


def state(value: object) -> object:
    """All that settings hold, in a form that can be compared."""
    if isinstance(value, dict):
        return {key: state(one) for key, one in value.items()}
    slots = getattr(type(value), "__slots__", ())
    if slots and not isinstance(value, tuple):
        return {name: state(getattr(value, name)) for name in slots}
    return value


def replayed(device: FakeDevice) -> tuple[FakeDevice, FakeDevice]:
    """Two devices with the configuration of this one: loaded at boot, and pasted at a terminal."""
    text = render_configuration(device.settings)
    loaded, pasted = FakeDevice(), FakeDevice(eager=True)
    for other in (loaded, pasted):
        other.pairs.update(device.pairs)
    assert load_configuration(loaded, "\n".join(text)) == []
    terminal = Terminal(pasted)
    said = terminal.type("system-view", *text)
    assert "Error:" not in said, said
    assert terminal.session.place.view.kind == USER
    return loaded, pasted
