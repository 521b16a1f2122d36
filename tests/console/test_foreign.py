"""Words of other command lines: nothing is done, and the error says what they are called here."""

import pytest

from agent.console.commands import foreign
from agent.console.commands.place import understand
from agent.console.language.grammar import UNRECOGNIZED, GrammarError
from agent.console.language.views import EVERYWHERE, View
from tests.helpers.appliance import FakeDevice
from tests.helpers.command_lines import entrance
from tests.helpers.terminal import Script, Terminal

WORDS = ("help", "show", "exit", "enable", "disable", "end", "configure", "write", "no", "copy")


@pytest.mark.parametrize("view", EVERYWHERE)
@pytest.mark.parametrize("word", WORDS)
def test_no_word_of_another_command_line_means_something_here(view: str, word: str) -> None:
    device = FakeDevice(eager=True)
    script = Script(device)
    script.run(*entrance(view))
    before, place = script.run("display current-configuration"), script.session.place.view
    text, status = script.run(word)
    assert status == 1
    assert f"Error: {UNRECOGNIZED} found" in text
    assert script.session.place.view == place
    assert script.run("display current-configuration") == before


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("help", "`?` lists what may come next, at any place, and TAB completes a word;"),
        ("HELP", "`?` lists"),
        ("enable", "nothing has to be enabled: `display users` shows the level"),
        ("exit", "`exit` is called `quit` here."),
        ("end", "`end` is called `return` here."),
        ("show version", "`show` is called `display` here: type `display version`."),
        ("sh ver", "`show` is called `display` here: type `display ver`."),
        ("show", "`show` is called `display` here: type `display ?`."),
        ("show nonsense", "`show` is called `display` here: type `display ?`."),
        ("show run", "`show running-config` is called `display current-configuration` here."),
        (
            "show run | include pki",
            "is called `display current-configuration` here: type"
            " `display current-configuration | include pki`.",
        ),
        ("show ip int brief", "here: type `display interface brief`."),
        ("conf t", "`configure terminal` is called `system-view` here."),
        ("configure", "`configure` is called `system-view` here."),
        ("wr mem", "`write memory` is called `save` here."),
        ("copy run start", "`copy running-config startup-config` is called `save` here."),
        (
            "no pki realm abc",
            "is called `undo` here: type `undo pki realm abc` in the system view.",
        ),
        ("no", "`no` is called `undo` here: type `undo ?`."),
        ("reload", "`reload` is called `reboot` here."),
        ("terminal length 0", "called `screen-length LINES temporary` here."),
        ("crypto pki trustpoint abc", "here: type `pki realm abc` in the system view."),
    ],
)
def test_our_word(line: str, told: str) -> None:
    text, status = Script(FakeDevice()).run(line)
    assert status == 1
    assert f" Next step: {told}" in text or told in text.splitlines()[-1]
    assert text.count("Next step:") == 1


def test_in_a_view_of_the_configuration() -> None:
    terminal = Terminal(FakeDevice())
    terminal.type("system-view", "pki realm abc")
    assert "type `undo entity`.\n" in terminal.type("no entity")
    assert "`save` here in the user view.\n" in terminal.type("write memory").replace(
        "\n     ", " "
    )
    assert terminal.session.place.view.kind == "realm"


def test_a_password_is_not_repeated() -> None:
    for line in ("no password cipher topsecret", "show password topsecret"):
        script = Script(FakeDevice())
        script.run("system-view", "pki realm abc")
        text, _status = script.run(line)
        assert "topsecret" not in text
        assert " Next step: " in text


@pytest.mark.parametrize("line", ["foo", "x", "shopping", "nothing", "ending", "helpless"])
def test_what_no_command_line_has_gets_no_advice(line: str) -> None:
    assert "Next step" not in Script(FakeDevice()).run(line)[0]


def test_each_of_our_words_is_one() -> None:
    """The second half of the table is understood somewhere, at least in its beginning."""
    for _words, ours in foreign.WORDS:
        line = ours.rstrip(".").replace("NAME", "abc").replace("LINES", "0")
        kinds = set()
        for view in EVERYWHERE:
            try:
                understand(View(view), 3, line)
            except GrammarError as error:
                kinds.add(error.kind)
            else:
                kinds.add("whole")
        assert kinds & {"whole", "Incomplete command"}, ours
