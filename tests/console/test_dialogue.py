"""Questions: who is asked what, and what counts as an answer."""

import pytest

from tests.helpers.appliance import FakeDevice
from tests.helpers.parts import Parts


@pytest.mark.parametrize(
    ("terminal", "line", "answer"),
    [
        (True, "y", True), (True, " YES ", True), (True, "n", False), (True, "", False),
        (False, "y", True), (False, "No", False),
    ],
)  # fmt: skip
def test_yes_or_no(terminal: bool, line: str, answer: bool) -> None:
    parts, answers = Parts(FakeDevice(), terminal=terminal), list[bool]()
    parts.dialogue.question("All will be lost. Continue?", answers.append)
    assert parts.said().startswith("Warning: All will be lost. Continue? [Y/N]:")
    parts.answer(line)
    assert (answers, parts.dialogue.asking, parts.errors) == ([answer], False, [])
    assert ("Nothing was changed." in parts.said()) != answer


def test_a_person_is_asked_again_and_a_script_is_not() -> None:
    person, script = (Parts(FakeDevice(), terminal=terminal) for terminal in (True, False))
    answers: list[bool] = []
    for parts in (person, script):
        parts.dialogue.choose("Continue?", answers.append)
        parts.answer("perhaps")
    assert (person.dialogue.asking, answers) == (True, [False])
    assert person.said().count("[Y/N]") == 2
    assert (script.dialogue.asking, script.errors) == (False, ["question-unanswered"])


def test_three_answers_that_are_none_mean_no_in_one_line() -> None:
    parts, answers = Parts(FakeDevice(), terminal=True), list[bool]()
    parts.dialogue.question("All will be lost. Continue?", answers.append)
    for line in ("perhaps", "system-view"):
        parts.answer(line)
        assert parts.dialogue.asking
    parts.said()
    parts.answer("display clock")
    assert (answers, parts.dialogue.asking, parts.errors) == ([False], False, [])
    no = "Info: 3 answers were neither Y nor N, which means No.\n"
    assert parts.said() == f"{no}Info: Nothing was changed.\n"


def test_a_question_that_is_cancelled_is_answered_no() -> None:
    parts, answers = Parts(FakeDevice(), terminal=True), list[bool]()
    parts.dialogue.choose("Continue?", answers.append)
    parts.dialogue.cancel("Nobody is there.")
    assert (answers, parts.dialogue.asking) == ([False], False)
    assert parts.said().endswith("\nInfo: Nobody is there.\n")
    parts.dialogue.cancel("Nobody is there.")
    assert parts.said() == ""


def test_a_hidden_answer_is_not_echoed() -> None:
    parts, read = Parts(FakeDevice(), terminal=True), list[str]()
    parts.dialogue.ask("Enter the password: ", read.append, hidden=True)
    for byte in b"secret":
        parts.keyboard.key(byte)
    parts.keyboard.echo()
    assert parts.said() == "Enter the password: "
    parts.answer(parts.keyboard.editor.line.text)
    assert read == ["secret"]


def test_for_a_program_questions_of_commands_are_answered_y_and_no_others() -> None:
    parts, answers = Parts(FakeDevice(), terminal=True), list[bool]()
    parts.dialogue.assents = True
    parts.dialogue.question("All will be lost. Continue?", answers.append)
    assert parts.said() == "Warning: All will be lost. Continue? Y, by mmi-mode.\n"
    parts.dialogue.choose("Is this the CA to trust?", answers.append)
    assert (answers, parts.dialogue.asking) == ([True], True)
