"""save, display saved-configuration, compare, reset; and lines of it that do not apply."""

import pytest

from agent.console.configuration.loader import load_configuration
from agent.settings import Settings, Unapplied
from tests.helpers.appliance import FakeDevice
from tests.helpers.appliance_values import seal
from tests.helpers.terminal import Script, Terminal

UNTOLD = "Of the saved configuration 2 lines do not apply"


def saved_device() -> FakeDevice:
    device = FakeDevice(eager=True)
    Script(device).run("system-view", "sysname r1", "return", "save", "y")
    return device


def kept_device() -> FakeDevice:
    """A device whose configuration asked for an entity and a command that are not there."""
    device = FakeDevice(eager=True)
    device.add_key_pair("k1")
    text = "pki realm abc\n rsa local-key-pair k1\n entity e1\nfoo\n"
    device.settings.unapplied = [line for _number, line in load_configuration(device, text)]
    assert len(device.settings.unapplied) == 2
    return device


def test_save_asks_and_writes_what_can_be_replayed() -> None:
    device = saved_device()
    assert device.configuration.times == 1
    assert Script(device).run("save", "n")[1] == 0
    assert device.configuration.times == 1
    text, status = Script(device).run("display saved-configuration")
    assert status == 0
    assert text == device.configuration.text


def test_compare_says_what_a_reboot_would_change() -> None:
    device = saved_device()
    assert (
        "Info: The running configuration is the saved one."
        in Script(device).run("compare configuration")[0]
    )
    lines = ("pki realm abc", "ca id x", "password cipher topsecret", "quit", "sysname r2")
    Script(device).run("system-view", *lines)
    text, status = Script(device).run("compare configuration")
    assert status == 0
    assert text.splitlines() == [
        "-sysname r1",
        "+sysname r2",
        "+pki realm abc",
        "+ ca id x",
        "+ password cipher ******",
    ]
    assert seal("topsecret") not in text


def test_reset_erases_the_saved_one_only() -> None:
    device = saved_device()
    assert Script(device).run("reset saved-configuration", "n")[1] == 0
    assert device.configuration.text is not None
    text, status = Script(device).run("reset saved-configuration", "y")
    assert status == 0
    assert "Warning: The saved configuration will be erased" in text
    assert device.configuration.text is None
    assert device.settings.sysname == "r1"


@pytest.mark.parametrize(
    "line", ["reset saved-configuration", "display saved-configuration", "compare configuration"]
)
def test_without_a_saved_configuration_the_command_to_type_is_named(line: str) -> None:
    text, status = Script(FakeDevice()).run(line)
    assert status == 1
    assert "Error: No configuration is saved." in text
    assert "type `save`" in text


def test_erasing_is_for_those_who_may_do_everything() -> None:
    _text, status = Script(saved_device(), level=2).run("reset saved-configuration")
    assert status == 1


# -- lines that do not apply -----------------------------------------------------------------------


def test_kept_lines_are_shown_as_comments_in_their_blocks() -> None:
    device = kept_device()
    shown = Script(device).run("display current-configuration")[0].splitlines()
    realm = shown.index("pki realm abc")
    assert shown[realm + 2] == " ! entity e1 (there is no entity e1)"
    assert "! foo (Unrecognized command)" in shown
    here = Script(device).run("system-view", "pki realm abc", "display this")[0].splitlines()
    assert here[1:] == ["#", *shown[realm : realm + 3], "#", "return"]
    only = Script(device).run("display saved-configuration unapplied")[0].splitlines()
    assert only == ["pki realm abc", shown[realm + 2], "! foo (Unrecognized command)"]


def test_kept_lines_are_saved_as_they_were() -> None:
    device = kept_device()
    Script(device).run("save", "y")
    saved = (device.configuration.text or "").splitlines()
    assert " entity e1" in saved
    assert "foo" in saved
    assert not device.configuration.unsaved()
    device.settings.become(Settings())
    saved += ["pki entity e1", " common-name r1"]
    assert [line.text for _n, line in load_configuration(device, "\n".join(saved))] == ["foo"]
    assert device.settings.realms["abc"].entity == "e1"


def test_a_terminal_is_told_at_login_and_a_script_is_not() -> None:
    device = kept_device()
    assert f"Warning: {UNTOLD}" in Terminal(device).take()
    assert "Warning" not in Script(device).run("display version")[0]
    device.settings.unapplied.clear()
    assert "Warning" not in Terminal(device).take()


@pytest.mark.parametrize(
    "lines",
    [
        ("entity e2",),
        ("undo entity",),
        ("quit", "undo pki realm abc"),
    ],
)
def test_a_kept_line_goes_when_its_setting_is_settled(lines: tuple[str, ...]) -> None:
    device = kept_device()
    Script(device).run("system-view", "pki entity e2", "common-name r2")
    said = Script(device).run("system-view", "pki realm abc", *lines)
    assert said[1] == 0
    assert [one.text for one in device.settings.unapplied] == ["foo"]


@pytest.mark.parametrize(
    "lines",
    [
        ("ca id x",),
        ("undo ca id",),
        ("entity e9",),  # it failed
        ("quit", "pki realm other", "undo entity"),
        (
            "quit",
            "undo pki realm default",
        ),
    ],
)
def test_a_kept_line_stays_whatever_else_is_typed(lines: tuple[str, ...]) -> None:
    device = kept_device()
    Script(device).run("system-view", "pki realm abc", *lines)
    assert len(device.settings.unapplied) == 2


def test_kept_lines_can_be_forgotten() -> None:
    device = kept_device()
    assert Script(device).run("reset saved-configuration unapplied", "n")[1] == 0
    assert len(device.settings.unapplied) == 2
    text, status = Script(device).run("reset saved-configuration unapplied", "y")
    assert status == 0
    assert "`save`" in text
    assert device.settings.unapplied == []
    text = Script(device).run("reset saved-configuration unapplied")[0]
    assert "Info: All of the configuration applies." in text


def test_a_refused_block_is_kept_whole_and_shown_whole() -> None:
    device = FakeDevice(eager=True)
    device.settings.unapplied = [
        Unapplied("", "interface Vlanif 1", "Unrecognized command"),
        Unapplied("interface vlanif 1", "ip address dhcp", "why"),
    ]
    Script(device).run("system-view", "sysname r2", "return", "save", "y")
    assert "interface Vlanif 1\n ip address dhcp\n" in (device.configuration.text or "")
    text = Script(device).run("display saved-configuration unapplied")[0]
    assert text.splitlines() == [
        "! interface Vlanif 1 (Unrecognized command)",
        " ! ip address dhcp (why)",
    ]


def test_a_configuration_can_begin_in_the_user_view() -> None:
    device = FakeDevice(eager=True)
    lines = ("#", "display version", "sysname r5", "#", "pki realm abc", " ca id x", "#", "return")
    text, status = Script(device).run(*lines, "save", "y", "#", "save", "y")
    assert status == 0, text
    assert (device.settings.sysname, device.configuration.times) == ("r5", 2)
    assert device.settings.realms["abc"].ca_id == "x"


def test_a_configuration_line_of_the_user_view_needs_the_sign_and_the_level() -> None:
    for lines, level in ((("sysname r5",), 3), (("#", "sysname r5"), 1)):
        device = FakeDevice()
        assert Script(device, level=level).run(*lines)[1] == 1
        assert device.settings.sysname == "Huawei"


def test_comments_are_ignored_at_the_console() -> None:
    device = FakeDevice()
    assert Script(device).run("!", "! sysname x", "  ! y") == ("", 0)
    assert "Error" not in Terminal(device).type("! anything")


def test_a_kept_line_of_a_block_of_which_nothing_applies_is_kept_all_the_same() -> None:
    """`authentication-mode` of another release: without it the next start has an open line."""
    device = FakeDevice(eager=True)
    console, aaa = "user-interface console 0", "aaa"
    device.settings.unapplied = [
        Unapplied(console, "authentication-mode radius", "Unrecognized command"),
        Unapplied(aaa, "local-user ann ssh", "Unrecognized command"),
    ]
    Script(device, level=2).run("system-view", "sysname r2")
    assert len(device.settings.unapplied) == 2, "they have nothing to do with that"
    Script(device).run("save", "y")
    text = device.configuration.text or ""
    assert f"#\n{console}\n authentication-mode radius\n#\n{aaa}\n local-user ann ssh\n#" in text
    shown = Script(device).run("display current-configuration")[0]
    assert " ! authentication-mode radius (Unrecognized command)" in shown
    Script(device).run("system-view", f"undo {console}")
    assert [one.block for one in device.settings.unapplied] == [aaa]
    Script(device).run("system-view", "undo aaa")
    assert device.settings.unapplied == []
