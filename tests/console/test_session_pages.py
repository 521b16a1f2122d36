"""Pages of a session, displays that wait for room, and notices between lines."""

import pytest

from agent import limits
from agent.console.terminal.pager import ERASE_MORE, MORE
from tests.helpers.appliance import FakeDevice
from tests.helpers.terminal import Script, Terminal, long_display


def test_pages() -> None:
    terminal = long_display()
    shown = terminal.type("display current-configuration")
    assert shown.count("\n") == limits.SCREEN_LINES, "the echo, and a screen with `More`"
    assert shown.endswith(MORE)
    assert terminal.keys(b"\r").count("\n") == 1
    shown = terminal.keys(b" ")
    assert shown.startswith(ERASE_MORE)
    assert shown.count("\n") == limits.SCREEN_LINES - 1
    assert terminal.keys(b"x") == ""
    assert terminal.keys(b"q") == ERASE_MORE + "<Huawei>"


def test_ctrl_c_at_a_page() -> None:
    terminal = long_display()
    terminal.type("display current-configuration")
    assert terminal.keys(b"\x03") == ERASE_MORE + "<Huawei>"


def test_paging_off_and_its_range() -> None:
    terminal = long_display()
    terminal.type("screen-length 0 temporary")
    assert MORE not in terminal.type("display pki realm")
    assert "Wrong parameter" in terminal.type("screen-length 513 temporary")
    assert terminal.type("screen-length 1 temporary", "display current-configuration").count(MORE)
    terminal.keys(b"q")
    terminal.type("screen-length 512 temporary")
    assert MORE not in terminal.type("display current-configuration")


def test_scripts_are_not_paged() -> None:
    device = long_display().device
    assert MORE not in Script(device).run("display current-configuration")[0]


def test_a_display_waits_for_room() -> None:
    terminal = long_display()
    terminal.type("screen-length 0 temporary")
    terminal.room = 20
    terminal.session.feed(b"display current-configuration\r")
    terminal.session.feed(b"display clock\r")
    assert terminal.sent == b"display current-configuration\r\n"
    terminal.room = limits.SESSION_OUTPUT_BYTES
    terminal.session.resume()
    shown = terminal.take()
    assert shown.index("pki realm r29") < shown.index("display clock") < shown.index("2026-")


@pytest.mark.parametrize("stop", [b"\x03", b"\x00"])
def test_ctrl_c_or_a_break_ends_a_display_that_waits_for_room(stop: bytes) -> None:
    terminal = long_display()
    terminal.type("screen-length 0 temporary")
    terminal.room = 20
    terminal.session.feed(b"display current-configuration\r")
    terminal.session.feed(b"display clock\r " + stop)
    assert terminal.take() == "^C\n<Huawei>", "what was said and not yet sent is dropped"
    assert terminal.type("") == "\n<Huawei>"


def test_keys_wait_for_room_and_ctrl_c_does_not() -> None:
    terminal = Terminal(FakeDevice())
    terminal.room = 100
    terminal.session.feed(b"pki ?" * 1000)
    assert len(terminal.sent) < 1000
    terminal.session.feed(b"\x03")
    assert terminal.take() == "^C\n<Huawei>"
    terminal.type("system-view", "pki realm abc")
    terminal.session.feed(b"password cipher\rabc" + b"\x00")
    assert terminal.take().endswith("Enter the password: ^C\n[Huawei-pki-realm-abc]")


def test_a_notice_does_not_tear_the_line() -> None:
    terminal = Terminal(FakeDevice())
    terminal.keys(b"display cl")
    terminal.session.screen.notice("PKI/5/GET_CA_CERT_OK")
    shown = terminal.take()
    assert shown.endswith("PKI/5/GET_CA_CERT_OK\n<Huawei>display cl")
    assert "2026" in terminal.keys(b"ock\r")
    paged = long_display()
    paged.type("display current-configuration")
    paged.session.screen.notice("note")
    assert paged.take() == ERASE_MORE + "note\n" + MORE


@pytest.mark.parametrize(("key", "line"), [(b"q", "display "), (b"\x03", "")])
def test_the_line_below_help_is_left_with_ctrl_c_only(key: bytes, line: str) -> None:
    """Or what a script types behind Ctrl+C would be the end of another command."""
    terminal = Terminal(FakeDevice())
    terminal.session.screen.height = 4
    assert MORE in terminal.keys(b"display ?")
    assert terminal.keys(key).endswith(f"<Huawei>{line}")
    assert terminal.session.keyboard.editor.line.text == line
