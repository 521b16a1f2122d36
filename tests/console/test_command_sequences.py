"""Random sequences of commands over all views: what they leave can be replayed and undone.

The lines are drawn from the command table, with values that sometimes exist: names that other
commands of the same sequence have made. Most of them mean something where they are typed, some do
not; whatever happens, the prompt comes back. `make nightly` draws very many.
"""

from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from agent.console.commands.table import ROWS, render_configuration, table
from agent.console.language.grammar import Parameter, Slot, Terminal, match
from agent.console.language.views import SYSTEM
from agent.settings import Settings
from tests.helpers.appliance import FakeDevice
from tests.helpers.command_lines import (
    POOL,
    accepts,
    entrance,
    forms,
    replayed,
    state,
    stored,
    undo_lines,
)
from tests.helpers.terminal import Terminal as Screen

SPACED = ("Lab, Inc.", " ", "a  b ")
WIDTH = 200  # of the terminal: the longest prompt fits into a row
ROUNDS = 4  # what one line depends on may be undone behind it


class Typed(NamedTuple):
    """A line, the view that it is typed in (None: wherever the session stands), and answers."""

    view: str | None
    line: str
    answers: tuple[str, ...]


@st.composite
def values(draw: st.DrawFn, kind: Parameter) -> str:
    """A word that the parameter takes."""
    words = [word for word in (*POOL, *SPACED, kind.example) if accepts(kind, word)]
    if kind.label.startswith("INTEGER") and kind.low is not None and kind.high is not None:
        words += [str(kind.low), str(kind.high), str(draw(st.integers(kind.low, kind.high)))]
    elif kind.high is not None:
        long = (kind.example * kind.high)[: kind.high]
        free = draw(st.text("abc XYZ'=()+-./:@_", min_size=1, max_size=kind.high))
        words += [word for word in (long, free) if accepts(kind, word)]
    return draw(st.sampled_from(words))


@st.composite
def lines(draw: st.DrawFn) -> Typed:
    """A line of the table."""
    row = draw(st.sampled_from(stored()) | st.sampled_from(ROWS))
    form = draw(st.sampled_from([form for form in forms() if form.row is row]))
    words = [
        _word(draw(values(word.kind)), word.kind) if isinstance(word, Slot) else word.text
        for word in form.words
    ]
    view = draw(st.sampled_from((form.view, form.view, None)))
    answers = draw(st.lists(st.sampled_from(("y", "y", "n", "abc")), max_size=3))
    return Typed(view, " ".join(words), tuple(answers))


def _word(value: str, kind: Parameter) -> str:
    """Always in quotation marks: whether they are needed is for the product to know."""
    return value if kind.rest else f'"{value}"'


class Operator:
    """Types at a device, comes back after `quit`, and sees that there is always a prompt."""

    def __init__(self) -> None:
        self.device = FakeDevice(eager=True)
        self.device.add_key_pair("abc")
        self.device.storage.content["abc"] = b"a file"
        self.screen = Screen(self.device, width=WIDTH)

    def type(self, line: str, answers: tuple[str, ...] = ()) -> None:
        self.screen.type(line)
        for answer in answers:
            if self.screen.session.dialogue.asking:
                self.screen.type(answer)
        shown = self.screen.keys(b"\x03")  # leaves a question or a page
        if self.screen.logged_out:
            self.screen = Screen(self.device, width=WIDTH)
        else:
            assert shown.endswith(self.screen.session.place.prompt())

    def stand_in(self, view: str) -> None:
        if self.screen.session.place.view.kind != view:
            for line in ("return", *entrance(view)):
                self.type(line)

    def undo_all(self) -> None:
        """Undoes what the configuration shows, from the last line to the first."""
        text = render_configuration(self.device.settings)
        header = ""
        todo: list[tuple[str, str, list[str]]] = []
        for line in text:
            inside = line.startswith(" ")
            header = header if inside else line
            found = self._understood(header if inside else "", line)
            if found:
                todo.append(("" if not inside else header, line, found))
        for where, _line, undo in reversed(todo):
            for one in undo:
                for each in ("return", "system-view", where, one):
                    self.type(each, ("y",))

    def _understood(self, header: str, line: str) -> list[str]:
        """The lines that undo one of the configuration."""
        view = SYSTEM
        if header:
            view = match(table(SYSTEM, 3), header).command.row.opens or SYSTEM
        found = match(table(view, 3), line)
        return undo_lines(found.command.row, found.args)


def fresh() -> object:
    return state(Settings())


@pytest.mark.slow
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(lines(), min_size=3, max_size=30))
def test_what_a_sequence_of_commands_leaves_is_replayed_and_undone(typed: list[Typed]) -> None:
    operator = Operator()
    for one in typed:
        if one.view:
            operator.stand_in(one.view)
        operator.type(one.line, one.answers)
    device = operator.device
    event("lines left", len(render_configuration(device.settings)))
    for other in replayed(device):
        assert render_configuration(other.settings) == render_configuration(device.settings)
        assert state(other.settings) == state(device.settings)
    for _round in range(ROUNDS):
        operator.undo_all()
    assert state(device.settings) == fresh()


def test_the_pool_has_something_for_every_parameter() -> None:
    """Beside its example; what has digits and dates alone is drawn from its range or is fixed."""
    terminals: set[Terminal] = {word for form in forms() for word in form.words}
    bare = {
        word.kind.label
        for word in terminals
        if isinstance(word, Slot)
        and word.kind.low is None
        and not any(accepts(word.kind, one) for one in POOL if one != word.kind.example)
    }
    assert bare <= {"YYYY-MM-DD"}
