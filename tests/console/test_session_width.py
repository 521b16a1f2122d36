"""The width of a terminal: what is wrapped between words, what never is, another window."""

import json
import re

import pytest

from agent import limits
from agent.appliance import CaQuestion, Seat
from agent.console.displays.columns import columns
from agent.console.terminal.pager import MORE
from agent.settings import Realm
from tests.helpers.appliance import FakeDevice
from tests.helpers.appliance_values import PRINTS
from tests.helpers.command_lines import Form, entrance, forms
from tests.helpers.screen import Glass
from tests.helpers.terminal import Script, Terminal, enrolling, furnished, long_display

URL = "http://ca.example/" + "x" * 200
DISPLAYS = [form for form in forms() if form.row.shows and "|" not in form.typed()]
WIDTHS = [40, 60, 80, 132]


def device() -> FakeDevice:
    found = furnished()
    found.add_key_pair("abc")
    record = found.settings.realms["abc"]
    record.url, record.key_pair = URL, "abc"
    return found


def shown(found: FakeDevice, width: int, *lines: str) -> list[str]:
    """The rows of the last of some lines at a terminal."""
    terminal = Terminal(found, width=width)
    terminal.type("screen-length 0 temporary", *lines[:-1])
    return terminal.type(lines[-1]).split("\n")[1:-1]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("form", DISPLAYS, ids=lambda form: f"{form.view}: {form.line()}")
def test_every_display_fits_unless_programs_read_it(form: Form, width: int) -> None:
    rows = shown(device(), width, *entrance(form.view), form.line())
    assert form.row.shows
    if "json" not in form.typed() and not form.row.shows.verbatim:
        assert max(map(columns, rows), default=0) <= width


def test_tables_fit_into_80_columns() -> None:
    for name in ("users", "pki realm brief", "pki enrollment brief"):
        text, _status = Script(device()).run(f"display {name}")
        assert text.splitlines()
        assert max(map(columns, text.splitlines())) <= 80
    found = FakeDevice()
    seat = Seat("SOCK 15", "/dev/ttyUSB0", "uid 100000", 3, found.wall_s(), lambda: 3599)
    found.access.seats.append(seat)
    text, _status = Script(found).run("display users")
    assert " UTC 59 min 59 s" in text
    assert max(map(columns, text.splitlines())) <= 80


def test_what_is_said_is_wrapped() -> None:
    terminal = Terminal(FakeDevice(), width=40)
    assert terminal.type("system-view").endswith(
        "\nInfo: Ctrl+Z or `return` leads back to\n    the user view.\n[Huawei]"
    )
    terminal.type("pki realm abc")
    told = terminal.type("rsa local-key-pair k1")
    assert (
        "\nWarning: There is no RSA key pair k1\n    yet; create it with\n"
        "    `pki rsa local-key-pair create k1`.\n"
    ) in told
    told = terminal.type("common-name x")
    assert told.endswith(
        "Error: Unrecognized command found at '^'\n    position.\n"
        " Next step: this is a command of the\n     entity view: type `pki entity NAME`\n"
        "     first.\n[Huawei-pki-realm-abc]"
    )


def test_help_hangs_below_what_it_says() -> None:
    terminal = Terminal(FakeDevice(), width=40)
    terminal.type("system-view", "pki realm abc")
    shown = terminal.keys(b"subject-match ?")
    assert "  key-only  Only the key" in shown or "  strict    " in shown
    for row in shown.splitlines()[1:-1]:
        assert columns(row) <= 40
        assert row.startswith((" " * 12, "  key-only  ", "  standard  ", "  strict    "))


def test_a_question_is_one_line_that_a_terminal_breaks_before_its_last_sentence() -> None:
    glass = Glass(FakeDevice())
    assert glass.press(b"save\r").splitlines()[-2:] == [
        "Warning: The current configuration will be written to the device.",
        "    Continue? [Y/N]: _",
    ]
    assert glass.press(b"yx\x7f\r").endswith(
        "    Continue? [Y/N]: y\nInfo: The configuration was saved successfully.\n<Huawei>_"
    )
    terminal = Terminal(FakeDevice())
    assert re.fullmatch(r"save\nWarning: [^\n]* Continue\? \[Y/N\]: ", terminal.type("save"))
    wide = Terminal(FakeDevice(), width=100)
    assert "written to the device. Continue? [Y/N]: " in wide.type("save")


def test_the_question_of_a_ca() -> None:
    terminal = enrolling(FakeDevice())
    progress = next(iter(terminal.device.tasks.values())).progress
    progress.confirm_ca(CaQuestion(PRINTS.chain), lambda _yes: None)
    *rows, question = terminal.take().splitlines()
    assert f"     {PRINTS.chain[0].sha256}" in rows
    assert max(map(columns, rows)) <= 80
    assert question[80:] == "    Is this the CA to trust? [Y/N]: "


@pytest.mark.parametrize("line", ["display current-configuration", "display pki realm json"])
def test_what_is_read_by_programs_is_never_wrapped(line: str) -> None:
    terminal, script = Terminal(device(), width=40), Script(device())
    terminal.type("screen-length 0 temporary")
    rows = terminal.type(line).splitlines()[1:-1]
    text, _status = script.run(line)
    assert rows == text.splitlines()
    assert any(URL in row for row in rows)
    if line.endswith("json"):
        assert json.loads("".join(rows))["items"][1]["url"] == URL


def test_nothing_is_wrapped_for_a_script_or_in_mmi_mode() -> None:
    text, _status = Script(device()).run("system-view", "pki realm abc", "rsa local-key-pair k9")
    warning = "Warning: There is no RSA key pair k9 yet; create it with"
    assert f"{warning} `pki rsa local-key-pair create k9`.\n" in text
    terminal = Terminal(device(), width=40)
    terminal.type("mmi-mode enable", "system-view", "pki realm abc")
    assert f"{warning} `pki rsa local-key-pair create k9`.\n" in terminal.type(
        "rsa local-key-pair k9"
    )
    terminal.type("return", "undo mmi-mode enable")
    assert "leads back to\n    the user view" in terminal.type("system-view")


def test_a_window_that_changes_has_its_width_in_the_next_line() -> None:
    terminal = Terminal(FakeDevice())
    terminal.session.resize(40, 0)
    assert "leads back to\n    the user view" in terminal.type("system-view")
    terminal.session.resize(80, 24)
    assert "leads back to the user view.\n" in terminal.type("return", "system-view")
    terminal.session.resize(0, 0)
    assert "leads back to the user view.\n" in terminal.type("return", "system-view")


def test_the_line_that_is_typed_is_drawn_for_the_window_as_it_was() -> None:
    terminal = Terminal(FakeDevice(), width=40)
    terminal.keys(b"x" * 30)
    terminal.session.resize(80, 24)
    room = 40 - len("<Huawei>") - 30
    assert terminal.keys(b"y" * room) == "y" * room + " \x1b[1D", "its last column is full"
    terminal.keys(b"\x03")
    assert terminal.keys(b"x" * 40) == "x" * 40


def test_the_next_page_has_the_height_of_the_window() -> None:
    terminal = long_display()
    assert terminal.type("display current-configuration").count("\n") == limits.SCREEN_LINES
    terminal.session.resize(80, 10)
    shown = terminal.keys(b" ")
    assert (shown.count("\n"), shown.endswith(MORE)) == (9, True)
    terminal.keys(b"q")
    terminal.type("screen-length 0 temporary")
    terminal.session.resize(80, 5)
    assert MORE not in terminal.type("display current-configuration"), "what was typed holds"


def test_pages_count_wrapped_rows() -> None:
    found = FakeDevice()
    for number in range(40):
        found.settings.realms[f"r{number}"] = Realm(f"r{number}")
    terminal = Terminal(found, width=40)
    shown = terminal.type("display pki realm")
    assert shown.endswith(MORE)
    assert shown.count("\n") <= limits.SCREEN_LINES


def test_screen_width_is_typed_where_the_terminal_cannot_tell() -> None:
    terminal = Terminal(FakeDevice())
    terminal.type("screen-width 60 temporary", "system-view", "pki realm abc")
    told = "no RSA key pair k1 yet; create it with\n    `pki rsa local-key-pair create k1`."
    assert told in terminal.type("rsa local-key-pair k1")
    terminal.session.resize(132, 40)
    assert told in terminal.type("rsa local-key-pair k1"), "what was typed holds"
    terminal.type("return", "screen-width 255", "system-view", "pki realm abc")
    assert "yet; create it with `pki rsa" in terminal.type("rsa local-key-pair k1")
    assert "Wrong parameter" in terminal.type("return", "screen-width 59")


@pytest.mark.parametrize("width", [1, 5, 19, 20, 30, 40])
def test_no_window_is_too_narrow(width: int) -> None:
    terminal = Terminal(device(), width=width)
    terminal.type("screen-length 0 temporary")
    for line in ("display pki realm abc", "display users", "save", "n", "pki ?", "system-view"):
        assert terminal.type(line)
