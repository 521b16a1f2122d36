"""What a session asks: Y or N, passwords, and whether it is the right CA."""

import pytest

from agent import limits
from agent.appliance import CaQuestion
from agent.console.language.passwords import SEAL
from hal.clock import SECOND_NS
from tests.helpers.appliance import FakeDevice
from tests.helpers.appliance_values import PRINTS, error, seal
from tests.helpers.terminal import Script, Terminal, enrolling


def test_a_question_wants_y_or_n() -> None:
    device = FakeDevice()
    terminal = Terminal(device)
    assert terminal.type("save").endswith("Continue? [Y/N]: ")
    assert "Please answer Y or N.\n" in terminal.type("maybe")
    assert "Nothing was changed" in terminal.type("")
    terminal.type("save")
    assert terminal.keys(b"\x03").endswith("Info: Nothing was changed.\n<Huawei>")
    terminal.type("save", "YES")
    assert device.configuration.times == 1


def test_a_password_is_asked_twice_without_echo() -> None:
    device = FakeDevice(eager=True)
    terminal = Terminal(device)
    terminal.type("system-view", "pki realm abc")
    shown = terminal.type("password cipher", "top secret", "top secret")
    assert "secret" not in shown
    assert device.settings.realms["abc"].password == seal("top secret")
    assert "The two passwords differ" in terminal.type("password cipher", "one", "two")
    assert "not possible" in terminal.type("password cipher", "x" * 256, "x" * 256)
    assert terminal.keys(b"password cipher\rabc\x03").endswith("[Huawei-pki-realm-abc]")
    assert device.settings.realms["abc"].password == seal("top secret")


@pytest.mark.parametrize(
    "line",
    [
        "password cipher topsecret",
        "password cipher topsecret again",
        "pasword cipher topsecret",
        "password cypher topsecret",
        f"password cipher {SEAL}topsecret",
        "pki enroll-certificate realm abc password topsecret",
        "pki enroll-certificate realm abc passw topsecret x",
        "pki enroll realm abc password topsecret",
        "pa c topsecret x",
        "foo pa topsecret",
    ],
)
def test_no_password_is_kept(line: str) -> None:
    terminal = Terminal(FakeDevice(eager=True))
    shown = terminal.type("system-view", "pki realm abc", line)
    assert shown.count("topsecret") == 1, "only the echo"
    assert terminal.session.keyboard.editor.history[-1].endswith("******")
    assert "topsecret" not in terminal.keys(b"\x10")


def test_no_password_is_kept_or_echoed_in_another_view_or_below_its_level() -> None:
    for level in (1, 2, 3):
        terminal, script = Terminal(FakeDevice(), level=level), Script(FakeDevice(), level=level)
        terminal.type("system-view")
        assert terminal.type("pa c topsecret").count("topsecret") == 1, "only the echo"
        assert terminal.session.keyboard.editor.history[-1] == "pa c ******"
        text, status = script.run("pa c topsecret")
        assert text.startswith("pa c ******\n")
        assert ("topsecret" in text, status) == (False, 1)


def test_the_mask_is_no_password() -> None:
    terminal = Terminal(FakeDevice(eager=True))
    terminal.type("system-view", "pki realm abc", "password cipher topsecret")
    assert "how a password is shown" in terminal.keys(b"\x10\r")


@pytest.mark.parametrize(
    ("keys", "answer"),
    [(b"y\r", True), (b"N\r", False), (b"\r", False), (b"\x03", False), (b"x\ry\r", True)],
)
def test_whether_it_is_the_right_ca(keys: bytes, answer: bool) -> None:
    device = FakeDevice()
    terminal = enrolling(device)
    terminal.keys(b"y\r")  # typed before the fingerprints were there: no answer
    asked: list[bool] = []
    next(iter(device.tasks.values())).progress.confirm_ca(PRINTS, asked.append)
    shown = terminal.take()
    assert "aa" * 20 in shown
    assert "bb" * 32 in shown
    assert shown.endswith("[Y/N]: ")
    assert asked == []
    terminal.keys(keys)
    assert asked == [answer]
    terminal.reactor.advance((limits.CONFIRM_CA_S + 1) * SECOND_NS)
    assert asked == [answer]
    device.finish()
    assert terminal.take().endswith("[Huawei]")


@pytest.mark.parametrize(("keys", "answer"), [(b"y\r", True), (b"\r", False), (b"\x03", False)])
def test_a_question_of_a_task_that_needs_no_more_than_its_line(keys: bytes, answer: bool) -> None:
    device = FakeDevice()
    terminal, asked = enrolling(device), []
    terminal.keys(b"y\r")  # typed before the question: no answer
    progress = next(iter(device.tasks.values())).progress
    progress.confirm("The new one ends sooner. Take it?", asked.append)
    assert terminal.take().endswith("The new one ends sooner. Take it? [Y/N]: ")
    terminal.keys(keys)
    assert asked == [answer]
    device.finish()
    progress.confirm("Nobody hears this.", asked.append)
    assert asked == [answer, False]


def test_such_a_question_runs_out() -> None:
    device = FakeDevice()
    terminal, asked = enrolling(device), []
    next(iter(device.tasks.values())).progress.confirm("Take it?", asked.append)
    terminal.reactor.advance((limits.CONFIRM_CA_S + 1) * SECOND_NS)
    assert asked == [False]


@pytest.mark.parametrize("level", [1, 2])
def test_who_may_not_pin_a_ca_may_not_accept_one(level: int) -> None:
    device = FakeDevice()
    device.settings.realms["default"].url = "http://ca"
    terminal, asked = Terminal(device), []
    terminal.type("system-view", "pki enroll-certificate realm default")
    terminal.session.place.level = level
    next(iter(device.tasks.values())).progress.confirm_ca(PRINTS, asked.append)
    shown = terminal.take()
    assert (asked, terminal.session.dialogue.asking) == ([False], False)
    assert "Error: This user may not accept a CA.\n Cause: which CA is trusted is" in shown
    assert "[Y/N]" not in shown
    device.finish(error())
    assert terminal.take().endswith("[Huawei]")


def test_nobody_answers_for_a_minute() -> None:
    device = FakeDevice()
    terminal = enrolling(device)
    asked: list[bool] = []
    next(iter(device.tasks.values())).progress.confirm_ca(PRINTS, asked.append)
    terminal.reactor.advance((limits.CONFIRM_CA_S - 1) * SECOND_NS)
    assert asked == []
    terminal.reactor.advance(SECOND_NS)
    assert asked == [False]
    assert "Nobody answered within 60 s, which means No." in terminal.take()
    device.finish(error())
    assert "Error: The CA said no." in terminal.take()


def test_a_task_that_ends_with_its_question_open() -> None:
    device = FakeDevice()
    terminal = enrolling(device)
    asked: list[bool] = []
    next(iter(device.tasks.values())).progress.confirm_ca(PRINTS, asked.append)
    device.finish(error())
    assert asked == [False]
    assert terminal.take().endswith("[Huawei]")
    assert "Unrecognized" in terminal.type("y")


def test_control_characters_of_a_certificate_do_not_reach_the_terminal() -> None:
    device = FakeDevice()
    terminal = enrolling(device)
    evil = CaQuestion((PRINTS.chain[0]._replace(subject="CN=\x1b[2J\u009b31m\r\nfoo"),))
    next(iter(device.tasks.values())).progress.confirm_ca(evil, lambda yes: None)
    assert r" CA subject: CN=\x1b[2J\x9b31m\x0d\x0afoo" + "\n" in terminal.take()
