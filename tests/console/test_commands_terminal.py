"""Commands about the terminal itself."""

import pytest

from agent import limits
from agent.console.terminal.pager import MORE
from tests.helpers.appliance import FakeDevice
from tests.helpers.appliance_values import PRINTS
from tests.helpers.terminal import Script, Terminal


def test_the_history_is_shown_with_masks_and_has_an_end() -> None:
    terminal = Terminal(FakeDevice(eager=True), level=3)
    terminal.type("display clock", "display clock", "password cipher topsecret")
    assert terminal.type("display history-command") == (
        "display history-command\n"
        "display clock\n"
        "password cipher ******\n"
        "display history-command\n"
        "<Huawei>"
    )
    for number in range(20):
        terminal.type(f"x{number}")
    shown = terminal.type("display history-command | exclude display").splitlines()
    assert shown[1:-1] == [f"x{number}" for number in range(11, 20)]
    assert limits.HISTORY_LINES == 10


def test_the_log_buffer_shows_the_newest_last() -> None:
    device = FakeDevice()
    for number in range(30):
        device.report(f"PKI/5/X: line {number}")
    text, status = Script(device, level=1).run("display logbuffer")
    lines = text.splitlines()
    assert status == 0
    assert lines[0] == " Total Number: 30"
    assert lines[1] == "2026-11-23 14:05:00 UTC PKI/5/X: line 0"
    assert lines[-1].endswith("line 29")
    assert Terminal(device).type("display logbuffer").endswith(MORE)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("| include line 2", 11),
        ("| include line 2 ", 11),
        ('| include "line 2"', 11),
        ("| exclude line 2", 19),
        ("| begin X: line 28", 2),
        ("| include line?", 0),
    ],
)
def test_a_filter_goes_to_the_end_of_the_line(typed: str, found: int) -> None:
    device = FakeDevice()
    for number in range(30):
        device.report(f"PKI/5/X: line {number}")
    text, status = Script(device).run(f"display logbuffer {typed}")
    assert (text.count("PKI/5/X"), status) == (found, 0)


@pytest.mark.parametrize("level", [1, 2, 3])
def test_every_level_may_watch_the_log_in_the_user_view(level: int) -> None:
    terminal = Terminal(FakeDevice(), level=level)
    assert "Info: Log lines are shown" in terminal.type("terminal monitor")
    assert "Info: Log lines are no longer" in terminal.type("undo terminal monitor")


def test_the_log_is_watched_from_the_user_view() -> None:
    terminal = Terminal(FakeDevice())
    terminal.type("system-view")
    assert "type `return` first" in terminal.type("terminal monitor")


def long_log() -> FakeDevice:
    device = FakeDevice(eager=True)
    for number in range(30):
        device.report(f"PKI/5/X: line {number}")
    return device


def test_mmi_mode_is_for_programs_and_for_this_session_alone() -> None:
    device = long_log()
    terminal, other = Terminal(device), Terminal(device)
    assert "answered Y until this session ends" in terminal.type("mmi-mode enable")
    shown = terminal.type("display logbuffer")
    assert MORE not in shown
    assert shown.endswith("line 29\n<Huawei>")
    saved = terminal.type("save")
    assert (
        "Continue? Y, by mmi-mode.\nInfo: The configuration was saved successfully.\n<Huawei>"
        in saved
    )
    created = terminal.type("system-view", "pki rsa local-key-pair create k1")
    assert created.endswith("Info: The RSA key pair k1 of 2048 bits was created.\n[Huawei]")
    assert other.type("display logbuffer").endswith(MORE)


def test_undo_mmi_mode_brings_pages_and_questions_back() -> None:
    terminal = Terminal(long_log())
    terminal.type("mmi-mode enable", "undo mmi-mode enable")
    assert terminal.type("save").endswith("Continue? [Y/N]: ")
    terminal.type("n")
    assert terminal.type("display logbuffer").endswith(MORE)


def test_mmi_mode_trusts_no_ca() -> None:
    terminal = Terminal(long_log())
    terminal.device.settings.realms["default"].url = "http://ca"
    terminal.device.eager = False
    terminal.type("mmi-mode enable", "system-view", "pki enroll-certificate realm default")
    asked: list[bool] = []
    task = next(iter(terminal.device.tasks.values()))
    task.progress.confirm_ca(PRINTS, asked.append)
    assert asked == []
    assert "Is this the CA to trust? [Y/N]" in terminal.take()
