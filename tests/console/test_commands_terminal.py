"""Commands about the terminal itself."""

import pytest

from agent import limits
from agent.console.terminal.pager import MORE
from tests.helpers.appliance import FakeDevice
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
