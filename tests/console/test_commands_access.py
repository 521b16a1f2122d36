"""`user-interface console 0`, `aaa`, `display users`, and which level may type what."""

import re

import pytest

from agent import limits
from agent.console.commands.rows import VISIT_LEVEL
from agent.console.commands.table import ROWS, render_configuration
from agent.console.configuration.loader import load_configuration
from agent.console.language.views import EVERYWHERE
from agent.settings import LocalUser
from tests.helpers.appliance import FakeDevice
from tests.helpers.appliance_values import hashed
from tests.helpers.terminal import Script, Terminal

CONSOLE = ("system-view", "user-interface console 0")
AAA = ("system-view", "aaa")
COMPLETE = (
    "local-user ann password irreversible-cipher secret",
    "local-user ann privilege level 3",
    "local-user ann service-type terminal",
)


def script(*lines: str) -> tuple[FakeDevice, Script]:
    device = FakeDevice(eager=True)
    found = Script(device)
    text, status = found.run(*lines)
    assert status == 0, text
    return device, found


def test_a_configuration_with_all_of_it_pastes_back_and_loads() -> None:
    device, found = script(*AAA, *COMPLETE, "local-user bob privilege level 0")
    found.run("quit", "user-interface console 0", "set authentication password cipher line")
    found.run("authentication-mode aaa", "idle-timeout 0 30", "user privilege level 1")
    lines = render_configuration(device.settings)
    assert lines[lines.index("aaa") : -2] == [
        "aaa",
        f" local-user ann password irreversible-cipher {hashed('secret')}",
        " local-user ann privilege level 3",
        " local-user ann service-type terminal",
        " local-user bob privilege level 0",
        "#",
        "user-interface console 0",
        f" set authentication password cipher {hashed('line')}",
        " authentication-mode aaa",
        " idle-timeout 0 30",
        " user privilege level 1",
    ]
    pasted, _script = script("system-view", *lines)
    assert render_configuration(pasted.settings) == lines
    loaded = FakeDevice()
    assert load_configuration(loaded, "\n".join(lines)) == []
    assert render_configuration(loaded.settings) == lines
    assert loaded.settings.users == device.settings.users
    text, _status = found.run("display this")
    assert text.splitlines() == ["#", *lines[lines.index("user-interface console 0") :]]


def test_all_of_it_is_undone() -> None:
    before = render_configuration(FakeDevice().settings)
    device, found = script(*AAA, *COMPLETE)
    found.run("undo local-user ANN service-type", "undo local-user ann privilege level")
    assert device.settings.users["ann"] == LocalUser("ann", hashed("secret"))
    found.run("undo local-user ann")
    assert render_configuration(device.settings) == before
    found.run("user-interface console 0", "set authentication password cipher line")
    found.run("authentication-mode password", "idle-timeout 1", "user privilege level 1")
    for line in ("authentication-mode", "set authentication password", "idle-timeout"):
        assert found.run(f"undo {line}") == ("", 0)
    assert found.run("undo user privilege level") == ("", 0)
    assert render_configuration(device.settings) == before
    found.run("aaa", *COMPLETE, "user-interface console 0", "idle-timeout 0 0")
    assert device.settings.console.idle_s == 0
    assert found.run("undo user-interface console 0", "undo aaa") == ("", 0)
    assert render_configuration(device.settings) == before


@pytest.mark.parametrize("keyword", ["irreversible-cipher", "cipher"])
def test_a_password_is_asked_twice_without_echo(keyword: str) -> None:
    device = FakeDevice(eager=True)
    terminal = Terminal(device)
    terminal.type(*AAA)
    said = terminal.type(f"local-user ann password {keyword}", "secret", "secret")
    assert "Enter the password: \nEnter the password again: \nHashing the password" in said
    assert device.settings.users["ann"].password == hashed("secret")
    said = terminal.type(f"local-user ann password {keyword}", "secret", "other")
    assert "Error: The two passwords differ.\n" in said
    terminal.type("user-interface console 0")
    for number, line in enumerate(("set authentication password", "set auth pass cipher")):
        terminal.type(line, f"line {number}?", f"line {number}?")
        assert device.settings.console.password == hashed(f"line {number}?")


def test_a_hash_is_taken_from_any_device_and_what_only_looks_like_one_is_not() -> None:
    device, found = script(*AAA, f"local-user ann password cipher {hashed('x')}")
    assert device.settings.users["ann"].password == hashed("x")
    assert device.access.checked == [("******", hashed("x"))], "it was tried"
    for word in ("$scrypt$", "$scrypt$ln=14,r=8,p=1$x$y", hashed("x") + "A"):
        text, status = found.run(f"local-user ann password cipher {word}")
        assert status == 1
        assert "must be the whole hash of a password" in text


def test_a_password_in_plain_is_not_loaded_and_not_shown() -> None:
    device = FakeDevice()
    text = "aaa\n local-user ann password cipher topsecret\n local-user bob service-type terminal\n"
    bad = load_configuration(device, text)
    assert len(bad) == 1
    assert "topsecret" not in str(bad)
    assert list(device.settings.users) == ["bob"]


# -- nobody locks himself out ----------------------------------------------------------------------


@pytest.mark.parametrize("missing", range(len(COMPLETE)))
def test_aaa_needs_a_user_of_level_3_who_can_log_in(missing: int) -> None:
    device, found = script(*AAA, *(line for at, line in enumerate(COMPLETE) if at != missing))
    found.run("user-interface console 0")
    text, status = found.run("authentication-mode aaa")
    assert status == 1
    assert "Error: No user of level 3 could log in on the serial line." in text
    assert "`local-user NAME service-type terminal`" in text
    assert device.settings.console.mode == "none"
    assert found.run("aaa", COMPLETE[missing], "user-interface console 0")[1] == 0
    assert found.run("authentication-mode aaa") == ("", 0)


def test_password_needs_one() -> None:
    _device, found = script(*CONSOLE)
    text, status = found.run("authentication-mode password")
    assert (status, "`set authentication password`" in text) == (1, True)
    found.run("set authentication password cipher x")
    assert found.run("authentication-mode password") == ("", 0)
    text, status = found.run("undo set authentication password")
    assert (status, "nobody could log in" in text.lower()) == (1, True)
    assert found.run("authentication-mode none", "undo set authentication password") == ("", 0)


@pytest.mark.parametrize(
    "line",
    [
        "undo local-user ann",
        "undo local-user ann service-type",
        "undo local-user ann privilege level",
        "local-user ann privilege level 2",
        "undo aaa",
    ],
)
def test_the_last_user_who_can_log_in_is_kept(line: str) -> None:
    device, found = script(*AAA, *COMPLETE, "user-interface console 0", "authentication-mode aaa")
    found.run("aaa")
    before = render_configuration(device.settings)
    text, status = found.run(line)
    assert status == 1
    assert "Error: No user of level 3 could log in" in text
    assert render_configuration(device.settings) == before
    found.run("local-user bob password cipher x", "local-user bob privilege level 3")
    found.run("local-user bob service-type terminal")
    if line != "undo aaa":
        assert found.run(line) == ("", 0)


def test_a_line_that_a_configuration_shut_is_mended_step_by_step() -> None:
    device = FakeDevice(eager=True)
    text = "user-interface console 0\n authentication-mode aaa\n"
    assert load_configuration(device, text) == [], "kept: the line is shut, nothing is lost"
    found = Script(device)
    assert found.run(*AAA, *COMPLETE)[1] == 0
    assert found.run("undo local-user ann")[1] == 1


def test_users_are_bounded() -> None:
    _device, found = script(*AAA)
    for number in range(limits.USERS):
        assert found.run(f"local-user u{number} service-type terminal")[1] == 0
    text, status = found.run("local-user more service-type terminal")
    assert (status, "`undo local-user NAME`" in text) == (1, True)
    assert found.run("local-user U0 privilege level 1")[1] == 0
    assert "no user more" in found.run("undo local-user more")[0]


def test_a_lower_level_of_the_line_is_remarked() -> None:
    _device, found = script(*CONSOLE)
    assert "`scep-agent console` as root" in found.run("user privilege level 1")[0]
    assert found.run("user privilege level 3") == ("", 0)


# -- secrets ---------------------------------------------------------------------------------------


def test_no_password_is_kept_or_shown() -> None:
    device = FakeDevice(eager=True)
    terminal = Terminal(device)
    terminal.type(*AAA)
    for line in (
        "local-user ann password irreversible-cipher topsecret",
        "local-user ann pass irr topsecret",
        "local-user ann pasword cipher topsecret",
        "set authentication password cipher topsecret",
    ):
        assert terminal.type(line).count("topsecret") == 1, "only the echo"
        assert terminal.session.keyboard.editor.history[-1].endswith("******")
    assert "topsecret" not in terminal.type("display current-configuration")


def test_hashes_are_for_those_who_may_set_them() -> None:
    device, found = script(*AAA, *COMPLETE)
    for level, shown in ((1, False), (2, False), (3, True)):
        text, _status = Script(device, level=level).run("display current-configuration")
        assert ("$scrypt$" in text) is shown
        assert "local-user ann privilege level 3" in text
    assert "$scrypt$" in found.run("display this")[0]


# -- levels ----------------------------------------------------------------------------------------

LEVEL_3 = ("user-interface", "aaa", "local-user", "set authentication", "authentication-mode")


def test_displays_are_level_1_and_what_is_stored_is_not() -> None:
    for row in ROWS:
        if row.notation.startswith(("display", "dir")):
            assert row.level == 1, row.notation
        elif row.render:
            assert row.level >= 2, row.notation
        for word in ("password", "fingerprint", "clock datetime", "export", "reboot", "reset pki"):
            if row.notation.startswith(word) or f"pki {word}" in row.notation:
                assert row.level == 3, row.notation


def test_who_may_log_in_is_decided_at_level_3() -> None:
    for row in ROWS:
        if row.notation.startswith((*LEVEL_3, "idle-timeout", "user privilege")):
            assert row.level == 3, row.notation


@pytest.mark.parametrize(
    ("level", "line", "needed"),
    [
        (0, "display version", 1),
        (0, "system-view", 2),
        (1, "save", 2),
        (1, "sysname r1", 2),
        (1, "sysname", 2),
        (1, "aaa", 3),
        (2, "user-interface console 0", 3),
        (2, "fingerprint md5 1234", 3),
    ],
)
def test_a_command_above_the_level_says_so(level: int, line: str, needed: int) -> None:
    text, status = Script(FakeDevice(), level=level).run(line)
    assert status == 1
    assert text == (
        f"{line}\nError: This command needs level {needed}.\n Cause: this session has level"
        f" {level}.\n Next step: let a user of level {needed} do it.\n"
    )


@pytest.mark.parametrize(
    ("level", "line"), [(0, "nonsense"), (1, "display nonsense"), (1, "pki nonsense"), (3, "aaa x")]
)
def test_what_no_level_knows_is_unrecognized(level: int, line: str) -> None:
    text, _status = Script(FakeDevice(), level=level).run(line)
    assert "needs level" not in text


def test_a_command_of_another_view_at_the_own_level_says_the_view() -> None:
    text, _status = Script(FakeDevice(), level=2).run("sysname r1")
    assert "this is a command of the system view: type `system-view` first" in text


def test_help_and_completion_show_only_what_the_level_may() -> None:
    terminal = Terminal(FakeDevice(), level=0)
    assert "quit" in terminal.keys(b"?")
    assert terminal.keys(b"disp\t").endswith("disp\a"), "nothing to complete"
    terminal.keys(b"\x15")
    assert "display" not in terminal.keys(b"?")
    assert terminal.type("quit") == "quit\n"
    assert terminal.logged_out
    system = Terminal(FakeDevice(), level=2)
    system.type("system-view")
    shown = system.keys(b"?")
    assert "pki" in shown
    assert "user-interface" not in shown


def test_who_chooses_the_ra_or_what_is_weak_is_decided_at_level_3() -> None:
    """Whoever chooses the RA reads the challenge password, which is of level 3."""
    for row in ROWS:
        if row.notation.startswith(("weak-algorithm", "subject-match", "compatibility")):
            assert (row.level, row.lower) == (3, None)
    found = FakeDevice()
    Script(found).run("system-view", "pki realm abc", "enrollment-url http://ca/scep")
    for level in (2, 3):
        terminal = Terminal(found, level=level)
        terminal.type("system-view", "pki realm abc")
        help_ = terminal.keys(b"enrollment-url http://ca/scep ?")
        assert (re.search(r"^  ra ", help_, re.MULTILINE) is not None) is (level == 3)
        terminal.keys(b"\x15")
        for word in (b"compa", b"weak", b"subj"):
            assert terminal.keys(word + b"\t").endswith("\a") is (level == 2)
            terminal.keys(b"\x15")


@pytest.mark.parametrize(
    "line",
    [
        "enrollment-url http://x/scep ra",
        "enrollment-url http://x/scep times 3 ra",
        "enrollment-url http://x/scep interval 1 times 3 ra",
        "enrollment-url http://x/scep ra fingerprint sha256 " + "ab" * 32,
        "compatibility ra-any-purpose",
        "undo compatibility",
        "subject-match key-only",
        "undo subject-match",
        "weak-algorithm md5",
        "undo weak-algorithm",
    ],
)
def test_an_operator_of_level_2_cannot_type_it(line: str) -> None:
    found = FakeDevice()
    Script(found).run("system-view", "pki realm abc", "enrollment-url http://ca/scep")
    before = render_configuration(found.settings)
    low = Script(found, level=2)
    low.run("system-view", "pki realm abc")
    text, status = low.run(line)
    assert (status, "Error: This command needs level 3." in text) == (1, True)
    assert render_configuration(found.settings) == before


@pytest.mark.parametrize("line", ["enrollment-url http://ca/scep", "undo enrollment-url"])
def test_an_ra_stays_until_level_3_takes_it_away(line: str) -> None:
    found = FakeDevice()
    Script(found).run("system-view", "pki realm abc", "enrollment-url http://ca/scep ra")
    before = render_configuration(found.settings)
    low = Script(found, level=2)
    low.run("system-view", "pki realm abc")
    text, status = low.run(line)
    assert (status, "which has an RA" in text) == (1, True)
    assert render_configuration(found.settings) == before
    assert Script(found).run("system-view", "pki realm abc", line)[1] == 0
    assert "ra" not in "\n".join(render_configuration(found.settings)).split()


def test_everybody_can_leave() -> None:
    for notation in ("quit", "return"):
        (row,) = [row for row in ROWS if row.notation == notation]
        assert row.level == VISIT_LEVEL
        assert set(row.views) <= set(EVERYWHERE)
