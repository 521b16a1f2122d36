"""Tasks of a session: dots, notes, type-ahead, and who leaves while one goes on."""

import pytest

from agent import limits
from hal.clock import SECOND_NS
from tests.helpers.appliance import FakeDevice
from tests.helpers.appliance_values import PRINTS, certificate, seal
from tests.helpers.terminal import Terminal, enrolling


def test_progress_dots_and_type_ahead() -> None:
    device = FakeDevice()
    terminal = enrolling(device)
    terminal.reactor.advance(3 * SECOND_NS)
    assert terminal.keys(b"display clock\r") == ""
    device.finish()
    shown = terminal.take()
    assert shown.startswith("\nInfo: Realm abc: nothing:")
    assert shown.endswith("yes (a time source vouches for it)\n[Huawei]")
    assert "[Huawei]display clock\n2026-11-23 14:05:00 UTC\n" in shown
    assert terminal.reactor.pending() == 1, "idle"


def test_notes_of_a_task() -> None:
    device = FakeDevice()
    terminal = enrolling(device)
    next(iter(device.tasks.values())).progress.note("The CA answers.")
    assert terminal.take() == "\nInfo: The CA answers.\n"
    terminal.reactor.advance(100 * SECOND_NS)
    assert "\n" in terminal.take(), "dots wrap at the edge of the screen"


def test_ctrl_c_detaches_and_the_work_goes_on() -> None:
    device = FakeDevice()
    terminal = enrolling(device)
    task = next(iter(device.tasks.values()))
    shown = terminal.keys(b"typed ahead\r\x03")
    assert shown == "^C\nInfo: The work goes on without this session.\n[Huawei]"
    assert device.detached == [1]
    task.progress.note("nobody reads this")
    asked: list[bool] = []
    task.progress.confirm_ca(PRINTS, asked.append)
    device.finish()
    terminal.reactor.advance(100 * SECOND_NS)
    assert terminal.take() == ""
    assert asked == [False]


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        (["pki realm abc", "password cipher topsecret"], "The password was not set."),
        (["pki realm abc", f"password cipher {seal('x')}"], "The password was not set."),
        (["display pki certificate local"], "Nothing is shown."),
        (["pki rsa local-key-pair create k1 modulus 2048"], "The work goes on without this"),
    ],
)
def test_ctrl_c_says_what_becomes_of_the_work(lines: list[str], left: str) -> None:
    device = FakeDevice()
    device.locals["default"] = certificate()
    terminal = Terminal(device)
    terminal.type("system-view", *lines)
    assert terminal.keys(b"\x03").startswith(f"^C\nInfo: {left}")
    device.finish()
    assert terminal.take() == ""
    assert all(realm.password is None for realm in device.settings.realms.values())


def test_hang_up_detaches() -> None:
    device = FakeDevice()
    terminal = enrolling(device)
    asked: list[bool] = []
    next(iter(device.tasks.values())).progress.confirm_ca(PRINTS, asked.append)
    terminal.take()
    terminal.session.close()
    terminal.session.close()
    assert (device.detached, asked) == ([1], [False])
    device.finish()
    terminal.session.screen.notice("nobody")
    terminal.reactor.advance(100 * SECOND_NS)
    assert terminal.keys(b"display clock\r") == ""


def test_type_ahead_has_an_end() -> None:
    terminal = enrolling(FakeDevice())
    terminal.keys(b"x" * (limits.TYPE_AHEAD_BYTES + 10))
    assert len(terminal.session._typed) == limits.TYPE_AHEAD_BYTES


@pytest.mark.parametrize("stop", [b"\x03", b"\x00"], ids=["ctrl-c", "break"])
def test_a_stop_in_one_piece_with_the_command_that_it_stops(stop: bytes) -> None:
    device = FakeDevice()
    terminal = Terminal(device)
    terminal.type("system-view")
    said = terminal.keys(b"pki rsa local-key-pair create k1 modulus 2048\rlost" + stop + b"dis")
    assert said.endswith("^C\nInfo: The work goes on without this session.\n[Huawei]dis")
    assert device.detached == [1]
