"""A password is pasted behind tabs or other white space, perhaps in a view that has no password.

Whoever sits down at the line next, or reads the log, looks for it.
"""

from pathlib import Path

import pytest

from tests.helpers.appliance import FakeDevice
from tests.helpers.board import Agent
from tests.helpers.screen import Tty
from tests.helpers.terminal import Script, Terminal

SECRET = "S3cr3tWord"
BLANKS = ("\t", " \t", "\t ", "\t\t", "\u00a0", "\u3000", "\u2003", "\u2028", "\x85", "\x1c")
LINES = (
    "password{0}cipher{0}{1}",
    "{0}password{0}cipher{0}{1}",
    "password cipher{0}{1}",
    "pas{0}ci{0}{1}",
    "pki{0}enroll-certificate{0}realm{0}abc{0}password{0}{1}",
    "pki enroll-certificate realm abc pasword{0}{1}",
)
VIEWS = ((), ("system-view",), ("system-view", "pki realm abc"), ("system-view", "pki entity e"))
HISTORY = b"display history-command\r"


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: "/".join(view) or "user")
@pytest.mark.parametrize("blank", BLANKS, ids=ascii)
def test_it_is_in_no_history(view: tuple[str, ...], blank: str) -> None:
    for form in LINES:
        for piece in (1, 4096):  # key by key, and all at once
            terminal = Terminal(FakeDevice())
            terminal.type(*view)
            typed = form.format(blank, SECRET).encode() + b"\r"
            for at in range(0, len(typed), piece):
                terminal.keys(typed[at : at + piece])
            assert SECRET not in terminal.keys(b"\x03" + HISTORY), (form, piece)
            for _ in range(5):  # and nobody gets it back with the key for older lines
                assert SECRET not in terminal.keys(b"\x10"), (form, piece)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: "/".join(view) or "user")
def test_a_script_does_not_repeat_it(view: tuple[str, ...]) -> None:
    for form in LINES:
        for blank in BLANKS[:4]:
            text, _status = Script(FakeDevice()).run(*view, form.format(blank, SECRET))
            assert SECRET not in text


def test_words_that_are_pasted_behind_tabs_stay_apart() -> None:
    """What nothing completes, as a URL, was joined with the next word."""
    terminal = Terminal(FakeDevice())
    terminal.type("system-view", "pki realm abc")
    terminal.keys(b"\tenrollment-url\thttp://ca/scep\tinterval\t5\ttimes\t7\r")
    settings = terminal.device.settings.realms["abc"]
    assert (settings.url, settings.poll_interval_min, settings.poll_times) == (
        "http://ca/scep",
        5,
        7,
    )


def test_at_a_real_agent_it_is_nowhere(tmp_path: Path) -> None:
    with Agent(tmp_path) as agent, Tty.serial(agent) as line:
        line.press(b"\r")
        line.wait("<Huawei>_")
        for keys in (b"\tpassword\tcipher\t", b"pki realm abc password\t"):
            line.after(keys + SECRET.encode() + b"\r", "<Huawei>_")
        line.seen.clear()
        line.after(HISTORY, "<Huawei>_")
        assert b"password" in line.seen
        assert SECRET.encode() not in line.seen
        agent.must("system-view", "pki realm abc", f"\tpassword\tcipher\t{SECRET}")
        said = agent.must("display history-command", "display logbuffer", "display users")
        assert SECRET not in said + agent.log()
        for path in (p for p in agent.dir.rglob("*") if p.is_file()):
            assert SECRET.encode() not in path.read_bytes(), path
