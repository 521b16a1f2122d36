"""What a line means in a view, and how lines with passwords may be shown."""

import re

import pytest

from agent.console.commands import lines, place
from agent.console.commands.table import ROWS
from agent.console.language.grammar import AMBIGUOUS, TOO_MANY, GrammarError, match
from agent.console.language.views import ENTITY, REALM, SYSTEM, USER, View
from tests.helpers.appliance import FakeDevice
from tests.helpers.appliance_values import seal
from tests.helpers.counted import calls
from tests.helpers.terminal import Script


def test_the_system_view_is_above_realms_and_entities() -> None:
    found, view = place.understand(View(REALM, "abc"), 3, "pki entity e1")
    assert (found.command.row.opens, view) == (ENTITY, View(SYSTEM))
    found, view = place.understand(View(REALM, "abc"), 3, "entity e1")
    assert (found.args.text("NAME"), view) == ("e1", View(REALM, "abc"))
    with pytest.raises(GrammarError):
        place.understand(View(SYSTEM), 3, "entity e1")


def test_the_error_is_that_of_the_view_that_understood_more() -> None:
    with pytest.raises(GrammarError, match=TOO_MANY):
        place.understand(View(REALM, "abc"), 3, "pki realm a b")
    with pytest.raises(GrammarError, match=AMBIGUOUS):
        place.understand(View(REALM, "abc"), 3, "enr http://x")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("password cipher secret", "password cipher ******"),
        (f"password cipher {seal('secret')}", f"password cipher {seal('secret')}"),
        ("ca id x", "ca id x"),
    ],
)
def test_masks(line: str, shown: str) -> None:
    found, _ = place.understand(View(REALM, "abc"), 3, line)
    assert lines.masked(line, found.secret) == shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("passw ciper secret", "passw ******"),
        ("pass cipher  two words", "pass cipher  ******"),
        ("x cipher", "x cipher"),
        ("pa c sekret", "pa c ******"),
        ("p c sekret", "p c ******"),
        ("pki enroll realm a pa sekret", "pki enroll realm a pa ******"),
        ("foo pa sekret", "foo pa ******"),
        ("foo CIPH sekret", "foo CIPH ******"),
        ("undo password cipher sekret", "undo password cipher ******"),
        (f"pa c {seal('sekret')}", f"pa c {seal('sekret')}"),
        ("p x", "p x"),
        ("display pki realm a b", "display pki realm a b"),
    ],
)
def test_masks_of_what_nobody_understands(line: str, shown: str) -> None:
    error = GrammarError(AMBIGUOUS, 0)
    assert lines.masked_error(line, error) == shown


def words(view: View, text: str) -> list[str]:
    return [word for word, _ in place.help_on(view, 3, text)]


def test_help_and_completion_look_where_the_line_would_be_understood() -> None:
    realm = View(REALM, "abc")
    assert "entity" in words(realm, "")
    assert "sysname" not in words(realm, ""), "the view's own commands are listed"
    assert words(realm, "pki realm ") == ["STRING<1-64>"]
    assert words(realm, "undo pki r") == ["realm"]
    assert place.completed(realm, 3, "sysn") == ["sysname"]
    assert place.completed(realm, 3, "undo pki en") == ["entity"]
    assert place.completed(realm, 3, "pa") == ["password"]
    assert place.completed(View(USER), 3, "sysn") == []
    assert place.completed(realm, 1, "sysn") == [], "what the level may not type is not shown"
    with pytest.raises(GrammarError, match=TOO_MANY):
        place.help_on(realm, 3, "pki realm a b")


def keywords(notation: str) -> list[str]:
    """Those in front of the first parameter or choice."""
    words = notation.split()
    last = next((at for at, word in enumerate(words) if word != word.lower() or word in "{["), None)
    return words[:last]


@pytest.mark.parametrize("view", [View(USER), View(SYSTEM), View(REALM, "a"), View(ENTITY, "e")])
def test_every_keyword_of_a_view_is_completed_from_its_first_letter(view: View) -> None:
    count = 0
    for row in ROWS:
        for notation in (row.notation, f"undo {row.undo}") if row.undo else (row.notation,):
            words = keywords(notation) if view.kind in row.views else []
            for at, word in enumerate(words):
                for size in range(1, len(word) + 1):
                    line = " ".join([*words[:at], word[:size]])
                    assert word in place.completed(view, 3, line), line
                    count += 1
    assert count > 100


def test_a_question_mark_is_text_in_quotation_marks_and_in_passwords() -> None:
    realm = View(REALM, "abc")
    assert place.is_typed_text(realm, 3, "password cipher why")
    assert place.is_typed_text(realm, 3, "pki enroll-certificate realm abc password why")
    assert place.is_typed_text(realm, 3, 'ca id "why')
    assert not place.is_typed_text(realm, 3, "password cipher ")
    assert not place.is_typed_text(realm, 3, "ca id why")


def test_each_secret_stands_behind_a_word_that_has_a_line_looked_at() -> None:
    """Other lines are shown as they are, without a look at what they mean in each view."""
    before = [
        word
        for row in ROWS
        if any(parameter.secret for parameter in row.parameters.values())
        for word in re.findall(r"([\w-]+)[ }]*(?:\[ )?PASSWORD", row.notation)
    ]
    assert before
    assert set(before) <= set(lines.BEFORE_SECRETS)


def test_a_line_without_such_a_word_is_matched_in_no_view() -> None:
    assert calls(lambda: lines.concealed(" enrollment-url http://ca.example/scep"), match) == 0
    assert lines.concealed(' "password" x') == ' "password" x'
    for typed in ("pas ciph x y", "password c x y", "PASSW CIPHER x y"):
        assert lines.concealed(typed) == typed.removesuffix("x y") + "******"


URL_ORDER = "enrollment-url { URL | esc ESCAPED } [ interval MINUTES ] [ times COUNT ]"


@pytest.mark.parametrize(
    ("view", "line", "notation"),
    [
        (REALM, "enrollment-url http://h/p times 9 interval 5", URL_ORDER),
        (REALM, "enrollment-url http://h/p ra times 9", URL_ORDER),
        (REALM, "enrollment-url http://h/p ra int 9", URL_ORDER),
        (REALM, "auto-enroll updated-effective regenerate", "auto-enroll [ PERCENT ] [ regenerate"),
        (SYSTEM, "pki rsa local-key-pair create k exportable modulus 2048", "[ modulus BITS ] ["),
        (SYSTEM, "pki enroll-certificate realm a with-password pkcs10", "pkcs10 [ "),
        (REALM, "enrollment-url http://h/p times 9 times 5", ""),
        (REALM, "enrollment-url http://h/p nonsense", ""),
        (REALM, "entity a b", ""),
        (USER, "quit display", ""),
    ],
)
def test_the_order_of_optional_words_is_told(view: str, line: str, notation: str) -> None:
    with pytest.raises(GrammarError) as caught:
        place.understand(View(view), 3, line)
    told = lines.in_order(3, line, caught.value)
    assert told.startswith("the words of this command have an order: ") == bool(notation)
    assert notation in told


def test_the_order_is_told_at_the_console_as_a_cause() -> None:
    script = Script(FakeDevice())
    script.run("system-view", "pki realm abc")
    text, status = script.run("enrollment-url http://h/p times 9 interval 5")
    assert status == 1
    assert text.endswith(
        "Error: Unrecognized command found at '^' position.\n"
        f" Cause: the words of this command have an order: {URL_ORDER}"
        " [ ra [ fingerprint { sha1 HEX40 | sha256 HEX64 } ] ].\n"
    )
    assert script.run("enrollment-url http://h/p interval 5 times 9")[1] == 0


def test_a_level_is_told_the_order_of_what_it_may_type() -> None:
    script = Script(FakeDevice(), level=2)
    script.run("system-view", "pki realm abc")
    assert f"order: {URL_ORDER}.\n" in script.run("enrollment-url http://h/p times 9 interval 5")[0]
