"""Scripts: their status, what they answer, how they are held and end."""

import pytest

from agent import limits
from hal.clock import SECOND_NS
from tests.helpers.appliance import FakeDevice
from tests.helpers.appliance_values import PRINTS, error, seal
from tests.helpers.terminal import Script


def test_the_status_of_a_script() -> None:
    script = Script(FakeDevice())
    assert script.run("system-view", "pki realm abc", "ca id lab")[1] == 0
    text, status = script.run("ca foo")
    assert (text, status) == (
        "ca foo\n   ^\nError: Unrecognized command found at '^' position.\n",
        1,
    )
    assert script.run("ca id lab") == ("", 0)
    assert script.end() == ("", 0)


def test_a_question_mark_is_a_character_in_a_script() -> None:
    script = Script(FakeDevice())
    assert "Cause: a name has" in script.run("system-view", "pki realm a?")[0]


@pytest.mark.parametrize("line", ["display clock", ""])
def test_a_script_that_does_not_answer(line: str) -> None:
    device = FakeDevice()
    script = Script(device)
    script.run("save")
    text, status = script.run(line)
    assert text.splitlines()[:2] == [
        "Info: Nothing was changed.",
        "Error: The question was not answered: nothing was done.",
    ]
    assert (status, device.configuration.times) == (1, 0)
    assert "2026" not in text


def test_a_script_that_ends_in_a_question() -> None:
    script = Script(FakeDevice())
    script.run("save")
    assert script.end()[1] == 1


def test_a_script_is_held_and_its_lines_wait() -> None:
    device = FakeDevice()
    script = Script(device)
    assert script.run("system-view")[1] == 0
    assert script.run("pki rsa local-key-pair create k1", "display clock")[1] is None
    assert script.run()[0] == ""
    device.finish()
    assert "was created.\n2026-" in script.take()
    assert script.status == 0


def test_a_script_answers_about_the_ca() -> None:
    device = FakeDevice()
    device.settings.realms["default"].url = "http://ca"
    script = Script(device)
    assert script.run("system-view", "pki enroll-certificate realm default")[1] is None
    asked: list[bool] = []
    next(iter(device.tasks.values())).progress.confirm_ca(PRINTS, asked.append)
    assert script.status == 0, "the next line may come"
    script.run("y")
    assert (asked, script.status) == ([True], None)
    device.finish()
    assert script.status == 0


def test_a_script_that_is_too_late_about_the_ca() -> None:
    device = FakeDevice()
    device.settings.realms["default"].url = "http://ca"
    script = Script(device)
    script.run("system-view", "pki enroll-certificate realm default")
    asked: list[bool] = []
    next(iter(device.tasks.values())).progress.confirm_ca(PRINTS, asked.append)
    script.reactor.advance(limits.CONFIRM_CA_S * SECOND_NS)
    device.finish(error())
    assert asked == [False]
    script.take()
    assert script.run("display clock") == ("", 1), "the failure is told before anything else runs"


def test_a_password_from_a_script() -> None:
    device = FakeDevice(eager=True)
    script = Script(device)
    text, status = script.run(
        "system-view", "pki realm abc", "password cipher", "topsecret", "topsecret"
    )
    assert (status, device.settings.realms["abc"].password) == (0, seal("topsecret"))
    assert "topsecret" not in text


def test_a_line_may_have_510_characters() -> None:
    script = Script(FakeDevice())
    assert script.run("display clock" + " " * 497)[1] == 0
    assert "longer than 510" in script.run("display clock" + " " * 498)[0]


def test_a_long_script_needs_no_stack() -> None:
    """Each line is asked for from within the end of the one before."""
    device, statuses = FakeDevice(), []
    script = Script(device)

    def finished(status: int) -> None:
        statuses.append(status)
        if len(statuses) < 5000:
            script.session.run_line("", finished)

    script.session.run_line("", finished)
    assert len(statuses) == 5000


def test_quit_ends_a_script() -> None:
    script = Script(FakeDevice())
    assert script.run("quit")[1] == 0
    assert script.session.closed
    assert script.run("display clock") == ("", 0), "the line is answered, and does nothing"
    assert script.end() == ("", 0)
