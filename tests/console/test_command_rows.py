"""What holds for every row of the command table. All of it is generated: a new row needs no test.

What a command does is in the tests of its own module; here: how it is typed, refused, stored,
rendered, pasted back and undone.
"""

import json

import pytest
from _pytest.mark import ParameterSet

from agent.console.commands.rows import Row
from agent.console.commands.table import ROWS, render_configuration, table
from agent.console.language.grammar import (
    AMBIGUOUS,
    INCOMPLETE,
    TOO_MANY,
    UNRECOGNIZED,
    WRONG,
    GrammarError,
    Parameter,
    Slot,
    Word,
    match,
    quote,
)
from agent.console.language.hints import next_words
from agent.console.language.views import AAA, CONSOLE, EVERYWHERE
from agent.settings import LocalUser
from tests.helpers.appliance import FakeDevice
from tests.helpers.appliance_values import hashed
from tests.helpers.command_lines import (
    Form,
    accepts,
    entrance,
    forms,
    options_at,
    replayed,
    shortest,
    state,
    stored,
    typed,
    undo_lines,
)
from tests.helpers.terminal import Script, Terminal

ANSWERS = ("y", "abc", "abc")  # to a question; a password, twice
FORMS = [pytest.param(form, id=f"{form.view}: {form.line()}") for form in forms()]


def refused(view: str, line: str) -> GrammarError:
    with pytest.raises(GrammarError) as caught:
        match(table(view, 3), line)
    return caught.value


# -- how it is typed -------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_in_full_and_in_its_shortest_prefixes(form: Form) -> None:
    line = form.typed()
    short = list(line)
    for at, word in enumerate(form.words):
        if isinstance(word, Word):
            short[at] = shortest(options_at(form.view, line[:at]), word) or word.text
    for words in (" ".join(line), " ".join(short), " ".join(short).upper()):
        if words.isupper() and any(isinstance(word, Slot) for word in form.words):
            continue  # a value is not a keyword: its case may matter
        assert match(table(form.view, 3), words).command == form.branch.command


@pytest.mark.parametrize("form", FORMS)
def test_one_character_shorter_or_misspelt(form: Form) -> None:
    """Shorter than the shortest prefix is ambiguous; a keyword with a wrong end is unrecognized."""
    line = form.typed()
    for at, word in enumerate(form.words):
        if not isinstance(word, Word):
            continue
        options = options_at(form.view, line[:at])
        kinds = [one.kind for one, _ in options if isinstance(one, Slot)]
        keywords = {one.text for one, _ in options if isinstance(one, Word)}
        before = "".join(f"{one} " for one in line[:at])
        shorter = (shortest(options, word) or word.text)[:-1]
        if shorter and shorter not in keywords and not any(accepts(k, shorter) for k in kinds):
            error = refused(form.view, before + shorter)
            assert (error.kind, error.column) == (AMBIGUOUS, len(before))
        wrong = f"{word.text}\x07"
        if wrong not in keywords and not any(accepts(kind, wrong) for kind in kinds):
            error = refused(form.view, before + wrong)
            assert (error.kind, error.column) == (WRONG if kinds else UNRECOGNIZED, len(before))


@pytest.mark.parametrize("form", FORMS)
def test_incomplete_after_each_proper_prefix(form: Form) -> None:
    """Unless the line may end there, and then help says so."""
    line = form.typed()
    for count in range(len(line)):
        part = " ".join(line[:count])
        may_stop = "<cr>" in dict(next_words(table(form.view, 3), f"{part} " if part else ""))
        if may_stop:
            match(table(form.view, 3), part)
        else:
            error = refused(form.view, part)
            assert (error.kind, error.column) == (INCOMPLETE, len(part) + 1)


@pytest.mark.parametrize("form", FORMS)
def test_a_word_too_many(form: Form) -> None:
    if any(isinstance(word, Slot) and word.kind.rest for word in form.words):
        return  # it takes all that follows
    line = form.line()
    options = options_at(form.view, form.typed())
    kind = TOO_MANY
    if options:
        kind = WRONG if any(isinstance(one, Slot) for one, _ in options) else UNRECOGNIZED
    error = refused(form.view, f"{line} \x07")
    assert (error.kind, error.column) == (kind, len(line) + 1)


@pytest.mark.parametrize("form", FORMS)
def test_only_from_its_level_on(form: Form) -> None:
    level, line = form.level, form.line()
    assert match(table(form.view, level), line).command == form.branch.command
    with pytest.raises(GrammarError):
        match(table(form.view, level - 1), line)


def test_every_word_has_help() -> None:
    """compile_notation raises KeyError for a word without; here: it says something."""
    for form in forms():
        for word in form.words:
            text = word.help if isinstance(word, Word) else word.kind.help
            assert text, form.line()
            assert text[-1] not in ". "


def test_no_two_rows_are_the_same_command() -> None:
    for view in EVERYWHERE:
        notations = [row.notation for row in ROWS if view in row.views]
        assert len(notations) == len(set(notations))


# -- ranges ----------------------------------------------------------------------------------------


def at(kind: Parameter, point: int) -> list[str]:
    """Words at a point of the range of a parameter: the number, or words of so many characters."""
    if kind.label.startswith("INTEGER"):
        return [str(point)] if point >= 0 else []
    example = kind.example
    longer = (example[-1], ".ab")  # a domain name is made of short labels
    return [(example * point)[:point], *((example + end * point)[:point] for end in longer)]


def ranges() -> list[ParameterSet]:
    """Every parameter that has a range, once: its view and the words of a line before it."""
    found = {}
    for form in forms():
        for place, last in enumerate(form.words):
            if isinstance(last, Slot) and last.kind.low is not None:
                before = typed(form.words[:place])
                name = f"{form.view}: {' '.join(before)} {last.key}"
                found[form.row.notation, last] = pytest.param(form.view, before, last.kind, id=name)
    return list(found.values())


@pytest.mark.parametrize(("view", "before", "kind"), ranges())
def test_the_ends_of_every_range_and_one_beyond(
    view: str, before: list[str], kind: Parameter
) -> None:
    assert kind.low is not None
    assert kind.high is not None
    assert str(kind.low) in kind.label or kind.label.startswith("NUMBER")
    assert str(kind.high) in kind.label or kind.label.startswith("NUMBER")
    for end in {kind.low, kind.high}:
        assert any(accepts(kind, word) for word in at(kind, end)), end
    for beyond in (kind.low - 1, kind.high + 1):
        for word in at(kind, beyond):
            assert not accepts(kind, word), word
            assert refused(view, " ".join([*before, quote(word)])).kind == WRONG


def test_every_example_is_taken() -> None:
    for form in forms():
        for word in form.words:
            if isinstance(word, Slot):
                assert accepts(word.kind, word.kind.example), f"{form.line()}: {word.key}"


# -- what it does to the configuration -------------------------------------------------------------


def device(*, furnished: bool) -> FakeDevice:
    """A device; `furnished`: what commands refer to by their examples is there."""
    found = FakeDevice(eager=True)
    if furnished:
        found.add_key_pair("abc")
        found.storage.content["abc"] = b"a file"
        found.settings.users["ann"] = LocalUser("ann", hashed("x"), 3, terminal=True)
        Script(found).run("system-view", "pki entity abc", "common-name abc")
    return found


def run(found: FakeDevice, script: Script, line: str) -> int | None:
    """Types a line, and what it asks for."""
    _, status = script.run(line)
    for answer in ANSWERS:
        if not script.session.dialogue.asking:
            break
        _, status = script.run(answer)
    assert not script.session.dialogue.asking
    assert not found.tasks
    return status


def check_replayed(found: FakeDevice) -> None:
    """The text of a configuration makes the same one."""
    for other in replayed(found):
        assert render_configuration(other.settings) == render_configuration(found.settings)
        assert state(other.settings) == state(found.settings)


def store(form: Form, *, furnished: bool) -> bool:
    """Types a command that is stored; whether it changed the configuration.

    What it changed is rendered, is replayed, and is gone after `undo`.
    """
    found = device(furnished=furnished)
    script = Script(found)
    assert script.run(*entrance(form.view))[1] in (0, None)
    before, shown = state(found.settings), render_configuration(found.settings)
    if run(found, script, form.line()) != 0:
        assert state(found.settings) == before
        return False
    changed = state(found.settings) != before
    assert changed == (render_configuration(found.settings) != shown)
    check_replayed(found)
    if not changed:
        return False
    said = match(table(form.view, 3), form.line()).args
    for line in undo_lines(form.row, said):
        script.run("return", *entrance(form.view))
        run(found, script, line)
    assert state(found.settings) == before
    return True


@pytest.mark.parametrize("row", stored(), ids=lambda row: f"{row.views[0]}: {row.notation}")
def test_what_is_stored_is_rendered_replayed_and_undone(row: Row) -> None:
    assert row.undo is not None
    assert row.undone is not None
    setting = [form for form in forms() if form.row is row and not form.undoes]
    changed = [store(form, furnished=full) for form in setting for full in (False, True)]
    stands_always = row.opens in (AAA, CONSOLE)
    assert any(changed) != stands_always, "no form of it has any effect"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("furnished", [False, True], ids=["bare", "furnished"])
def test_it_runs_and_the_prompt_comes_back(form: Form, furnished: bool) -> None:
    """With whatever result, at a terminal and in a script; a display in JSON is one object."""
    found = device(furnished=furnished)
    terminal = Terminal(found)
    terminal.type("screen-length 0 temporary", *entrance(form.view), form.line())
    for answer in ANSWERS:
        if terminal.session.dialogue.asking:
            terminal.type(answer)
    shown = terminal.keys(b"\x03")
    assert terminal.logged_out or shown.endswith(terminal.session.place.prompt())
    found = device(furnished=furnished)
    script = Script(found)
    script.run(*entrance(form.view))
    text, status = script.run(form.line())
    assert script.session.dialogue.asking or status is not None
    if form.typed()[-1] == "json" and status == 0:
        assert isinstance(json.loads(text), dict)


def test_every_word_of_every_notation_is_typed() -> None:
    """The walk forgets nothing, or the tests above would prove less than they say."""
    for row in ROWS:
        own = [form for form in forms() if form.row is row]
        said = {word.text if isinstance(word, Word) else word.key for f in own for word in f.words}
        symbols = f"{row.notation} undo {row.undo}" if row.undo else row.notation
        assert said >= set(symbols.split()) - set("{}[]|*"), row.notation
        assert not row.shows or {"json", "|", "include", "exclude", "begin", "FILTER"} <= said
