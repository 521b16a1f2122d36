"""`terminal monitor`: log lines that neither tear the line nor fill the session."""

from agent import limits
from hal.clock import SECOND_NS
from tests.helpers.appliance import FakeDevice
from tests.helpers.terminal import Terminal

LINE = "2026-11-23 14:05:00 UTC PKI/5/X: "


def monitored(device: FakeDevice | None = None) -> Terminal:
    terminal = Terminal(device or FakeDevice())
    terminal.type("terminal monitor")
    return terminal


def test_it_is_off_until_it_is_asked_for_and_after_undo() -> None:
    device = FakeDevice()
    terminal = Terminal(device)
    terminal.take()
    device.report("PKI/5/X: one")
    terminal.reactor.advance(2 * SECOND_NS)
    assert terminal.take() == ""
    terminal.type("terminal monitor", "terminal monitor")
    device.report("PKI/5/X: two")
    assert terminal.take() == "", "never in the middle of what logs it"
    terminal.reactor.advance(0)
    assert terminal.take() == f"\b{LINE}two\n<Huawei>".replace("\b", "\x1b[8D\x1b[J")
    terminal.type("undo terminal monitor")
    device.report("PKI/5/X: three")
    terminal.reactor.advance(2 * SECOND_NS)
    assert terminal.take() == ""
    assert device.listeners == []


def test_the_line_that_is_typed_stands_below() -> None:
    terminal = monitored()
    terminal.keys(b"display clo")
    terminal.device.report("PKI/5/X: one")
    terminal.reactor.advance(0)
    assert terminal.take().endswith(f"{LINE}one\n<Huawei>display clo")
    assert "2026" in terminal.keys(b"ck\r")


def test_a_storm_is_cut_and_counted() -> None:
    terminal = monitored()
    for number in range(1000):
        terminal.device.report(f"PKI/5/X: {number}")
    terminal.reactor.advance(0)
    shown = terminal.take()
    assert shown.count("PKI/5/X") == limits.MONITOR_LINES
    assert f"Info: {1000 - limits.MONITOR_LINES} more log lines were left out.\n" in shown
    terminal.device.report("PKI/5/X: late")
    terminal.reactor.advance(0)
    assert terminal.take() == "", "the second is not over"
    terminal.reactor.advance(SECOND_NS)
    assert terminal.take().count("PKI/5/X: late") == 1
    terminal.reactor.advance(5 * SECOND_NS)
    assert terminal.reactor.pending() == 1, "nothing ticks but the look for who has left"


def test_a_terminal_without_room_is_told_later() -> None:
    terminal = monitored()
    terminal.room = 0
    for number in range(50):
        terminal.device.report(f"PKI/5/X: {number}")
        terminal.reactor.advance(SECOND_NS)
    assert terminal.take() == ""
    terminal.room = limits.SESSION_OUTPUT_BYTES
    terminal.reactor.advance(SECOND_NS)
    shown = terminal.take()
    assert shown.count("PKI/5/X") == limits.MONITOR_LINES
    assert "30 more log lines" in shown


def test_a_session_that_ends_listens_no_more() -> None:
    terminal = monitored()
    terminal.device.report("PKI/5/X: one")
    terminal.session.close()
    terminal.reactor.advance(5 * SECOND_NS)
    assert "one" not in terminal.take()
    assert terminal.device.listeners == []


def test_a_password_prompt_and_a_task_stay_what_they_are() -> None:
    device = FakeDevice()
    terminal = monitored(device)
    terminal.type("system-view", "pki realm abc")
    terminal.keys(b"password cipher\rsecr")
    device.report("PKI/5/X: one")
    terminal.reactor.advance(0)
    assert terminal.take().endswith(f"{LINE}one\nEnter the password: ")
    assert terminal.keys(b"et\rsecret\r").endswith("Sealing the password ")
    device.report("PKI/5/X: two")
    terminal.reactor.advance(2 * SECOND_NS)
    assert f"\n{LINE}two\n." in terminal.take()
    assert device.settings.realms["abc"].password is None
