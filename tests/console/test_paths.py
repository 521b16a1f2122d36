"""The short way to what a line means against the grammar: the same, or none."""

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.console.commands.table import Command, table
from agent.console.language import grammar
from agent.console.language.grammar import GrammarError, Match
from agent.console.language.paths import Paths
from agent.console.language.views import CONFIGURATION, REALM, SYSTEM
from tests.helpers import command_lines
from tests.helpers.counted import calls

VIEWS = {view: Paths(table(view, 3)) for view in CONFIGURATION}


def compare(view: str, line: str) -> Match[Command] | None:
    """Twice: the first time a way is learnt, the second time it is known."""
    try:
        wanted = grammar.match(table(view, 3), line)
    except GrammarError:
        wanted = None
    for paths in (Paths(table(view, 3)), VIEWS[view], VIEWS[view]):
        found = paths.match(line)
        assert found is None or (found == wanted and list(found.args) == list(wanted.args))
    return found


def test_every_form_of_every_command_means_the_same() -> None:
    known = 0
    for form in command_lines.forms():
        if form.view in VIEWS:
            quoted = '"' in form.line()
            assert bool(compare(form.view, form.line())) is not quoted, form.line()
            known += 1
    assert known > 100


TYPED = sorted({word for form in command_lines.forms() for word in form.typed()})
ODD = ['"', "PASSWORD", "pass", "5a" * 32, "5a " * 32, "%^%#x%^%#"]
LINES = st.lists(st.sampled_from([*TYPED, *command_lines.POOL, *ODD]), max_size=8)
BETWEEN = st.sampled_from([" ", "  ", "\t"])
ANY_VIEW = st.sampled_from(sorted(VIEWS))


@settings(deadline=None)
@given(ANY_VIEW, LINES, BETWEEN)
def test_any_words_mean_the_same_or_have_no_short_way(
    view: str, words: list[str], between: str
) -> None:
    compare(view, between.join(words))


@settings(deadline=None)
@given(ANY_VIEW, st.text(max_size=80))
def test_any_text_means_the_same_or_has_no_short_way(view: str, text: str) -> None:
    compare(view, text)


def test_a_word_that_two_parameters_take_goes_both_ways() -> None:
    for line in (
        "source interface GigabitEthernet 0/0/1",
        "source interface wan",
        "source interface eth0",
        "source interface eth0 bind-device",
        "source 192.0.2.1",
    ):
        assert compare(REALM, line)


def test_what_the_short_way_leaves_to_the_grammar() -> None:
    for line in ("ca id", "ca identity x", 'ca id "x y"', "ca i x", "fingerprint sha1 5a 5a", ""):
        assert compare(REALM, line) is None, line
    assert compare(SYSTEM, "pki realm a?b") is None


def test_equal_texts_are_one_object_and_secrets_are_not_kept() -> None:
    paths = Paths(table(REALM, 3))
    first, second = (paths.match(f"ca id {'x' * 40}") for _ in range(2))
    assert first
    assert second
    assert first.args["NAME"] is second.args["NAME"]
    sealed = "%^%#" + "QUJD" * 9 + "%^%#"
    first, second = (paths.match(f"password cipher {sealed}") for _ in range(2))
    assert first
    assert second
    assert first.args["PASSWORD"] is not second.args["PASSWORD"]
    assert first.secret == second.secret == len("password cipher ")


def test_the_grammar_is_asked_once_for_each_kind_of_line() -> None:
    paths = Paths(table(REALM, 3))
    lines = ["ca id x{}", "source interface Serial 0/0/{}", "enrollment-url http://ca{}/a times 5"]

    def learn(count: int) -> int:
        return calls(
            lambda: [paths.match(line.format(n)) for n in range(count) for line in lines],
            grammar.openings,
        )

    assert learn(1) == 11
    assert learn(1000) == 0
