"""What holds for all commands: levels, filters, displays; and saving."""

import pytest

from agent import limits
from agent.console.commands.table import ROWS, render_configuration
from agent.console.configuration.loader import load_configuration
from agent.settings import Realm
from tests.helpers.appliance import FakeDevice
from tests.helpers.appliance_values import certificate
from tests.helpers.terminal import Script, Terminal, long_display, realm_script


def test_a_level_sees_only_its_commands() -> None:
    assert Script(FakeDevice(), level=1).run("system-view")[1] == 1
    low = Script(FakeDevice(), level=2)
    assert low.run("system-view", "pki realm abc")[1] == 0
    text, status = low.run("fingerprint md5 " + "a" * 32)
    assert status == 1
    assert "Error: This command needs level 3.\n Cause: this session has level 2.\n" in text


def test_save_asks() -> None:
    device, script = FakeDevice(), None
    script = Script(device)
    text, _ = script.run("save")
    assert text.startswith("Warning: ")
    assert text.count("\n") == 1
    assert text.endswith("Continue? [Y/N]:\n")
    assert (device.configuration.times, script.run("y")[1], device.configuration.times) == (0, 0, 1)
    script.run("save", "N")
    assert device.configuration.times == 1


@pytest.mark.parametrize("line", ["save", "save all"])
def test_save_all_is_save(line: str) -> None:
    device = FakeDevice()
    assert "saved successfully" in Script(device).run(line, "y")[0]
    assert device.configuration.times == 1


def test_save_force_does_not_ask() -> None:
    device = FakeDevice()
    assert Script(device).run("save force") == (
        "Info: The configuration was saved successfully.\n",
        0,
    )
    assert device.configuration.times == 1


def test_save_to_a_file_is_a_copy_that_no_start_loads() -> None:
    device = FakeDevice()
    script = Script(device)
    assert "written to the file old.cfg. Continue?" in script.run("save old.cfg")[0]
    assert "to the file old.cfg. The next start still loads" in script.run("y")[0]
    assert device.storage.content["old.cfg"].decode() == "".join(
        f"{line}\n" for line in device.configuration.running()
    )
    assert device.configuration.times == 0
    assert "old.cfg exists and will be replaced" in script.run("save old.cfg", "n")[0]
    text, status = script.run("save r1_local.cer")
    assert (status, "ends in .cfg" in text) == (1, True)


def test_commit_has_nothing_to_do() -> None:
    script = Script(FakeDevice())
    text, status = script.run("system-view", "pki realm abc", "commit")
    assert (status, "took effect when it was typed" in text) == (0, True)


def test_display_this() -> None:
    _, script, _ = realm_script()
    script.run("ca id lab")
    assert script.run("display this")[0] == "#\npki realm abc\n ca id lab\n#\nreturn\n"
    script.run("quit")
    assert script.run("display this")[0] == "#\nsysname Huawei\n#\nreturn\n"


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        ("include realm", ["pki realm default", "pki realm abc"]),
        ('include "realm d"', ["pki realm default"]),
        ("exclude a", ["#", "#", "#", "#", "return"]),
        ("begin abc", ["pki realm abc", " ca id lab", "#", "return"]),
    ],
)
def test_filters(words: str, lines: list[str]) -> None:
    _, script, _ = realm_script()
    script.run("sysname R", "pki realm abc", "ca id lab")
    shown = script.run(f"display current-configuration | {words}")[0].splitlines()
    assert [line for line in shown if line != "sysname R"] == lines


def test_lines_are_counted() -> None:
    _, script, _ = realm_script()
    lines = script.run("display current-configuration")[0].splitlines()
    assert script.run("display current-configuration | count") == (
        f"Total lines: {len(lines)}.\n",
        0,
    )
    assert script.run("display pki crl | count")[0] == "Info: There is no CRL.\n"
    json = script.run("display pki realm json")[0].splitlines()
    assert script.run("display pki realm json | count")[0] == f"Total lines: {len(json)}.\n"


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("include realm | count", "Total lines: 3.\n"),
        ("include realm | exclude 1 | count", "Total lines: 2.\n"),
        ("include realm | exclude 1", "realm r0\nrealm r2\n"),
        ("exclude r0 | begin r1 | include realm", "realm r1\nrealm r2\n"),
        ("begin r2 | count | no-more", "Total lines: 3.\n"),
        ("include r1 | no-more", "realm r1\n"),
        ("include nothing | count", "Total lines: 0.\n"),
        ("include realm |count", ""),  # no keyword behind a bar: a text
        ("include realm | counted", ""),
        ("include realm | begin", ""),  # without a text
    ],
)
def test_filters_one_behind_another(words: str, shown: str) -> None:
    device = FakeDevice()
    device.settings.realms = {f"r{n}": Realm(f"r{n}") for n in range(3)}
    text, status = Script(device).run(f"display current-configuration | {words}")
    assert (text.replace("pki ", ""), status) == (shown, 0)


def test_a_count_of_what_is_left_lets_others_have_their_turn() -> None:
    device = FakeDevice()
    device.settings.realms = {f"r{n}": Realm(f"r{n}") for n in range(limits.LEFT_OUT_LINES)}
    script = Script(device)
    text, status = script.run("display current-configuration | exclude # | count")
    assert (text, status) == ("", None), "there is more to look at"
    device.reactor.advance(1)
    while status is None:
        device.reactor.advance(1)
        status = script.status
    assert script.take() == f"Total lines: {limits.LEFT_OUT_LINES + 2}.\n"


def test_no_more_shows_all_at_once() -> None:
    terminal = long_display()
    assert "---- More ----" in terminal.type("display pki realm")
    terminal.keys(b"q")
    shown = terminal.type("display pki realm | no-more")
    assert "---- More ----" not in shown
    assert "Realm Name                                : r29" in shown


def test_which_realm_uses_which_key() -> None:
    device, script, _ = realm_script()
    device.add_key_pair("k1")
    device.add_key_pair("k2")
    script.run("rsa local-key-pair k1")
    shown = script.run("display pki rsa local-key-pair public")[0]
    used = [line.split(":")[1].strip() for line in shown.splitlines() if "Used By Realm" in line]
    assert used == ["abc", "-"]
    assert " k1 " in script.run("display pki realm brief | include abc")[0]


def test_displays_of_one_and_all() -> None:
    device, script, _ = realm_script()
    device.add_key_pair("k1")
    device.locals["abc"] = certificate()
    script.run("pki entity e1")
    for line, text in (
        ("display pki realm", "Total Number: 2"),
        ("display pki realm ABC", "Total Number: 1"),
        ("display pki entity", "Entity Name         : e1"),
        ("display pki entity e1", "Total Number: 1"),
        ("display pki certificate local", "Certificate file name: abc_local.cer"),
        ("display pki certificate local realm abc", "Version: 3"),
        ("display pki certificate ca", "no CA certificate"),
        ("display pki rsa local-key-pair public", "Key Name                  : k1"),
        ("display pki rsa local-key-pair name k1 public", "BEGIN PUBLIC KEY"),
        ("display pki enrollment", "Realm Name            : default"),
        ("display pki enrollment realm abc", "not enrolled"),
        ("display pki realm brief", "Total Number: 2"),
        ("display pki enrollment brief", "Realm                State"),
        ("display version", "scep-agent"),
        ("display clock", "2026-11-23 14:05:00 UTC"),
    ):
        shown, status = script.run(line)
        assert status == 0, line
        assert text in shown, line
    for line in ("pki realm x", "pki entity x", "pki rsa local-key-pair name x public"):
        assert script.run(f"display {line}")[1] == 1


@pytest.mark.parametrize("view", [[], ["system-view"], ["system-view", "pki realm abc"]])
def test_return_is_understood_in_every_view(view: list[str]) -> None:
    terminal = Terminal(FakeDevice())
    assert terminal.type(*view, "return").endswith("<Huawei>")
    assert "Error" not in terminal.type("return")


def test_system_view_immediately() -> None:
    assert Terminal(FakeDevice()).type("system-view immediately").endswith("[Huawei]")


def furnished_all() -> FakeDevice:
    device = FakeDevice(eager=True)
    lines = ("pki entity e1", "common-name r1", "pki realm abc", "entity e1", "key-usage ike")
    Script(device).run("system-view", *lines, "aaa", "local-user ann privilege level 3")
    return device


def test_all_is_what_is_shown_anyhow() -> None:
    device = furnished_all()
    shown = Script(device).run("display current-configuration")
    assert Script(device).run("display current-configuration all") == shown


@pytest.mark.parametrize(
    ("part", "lines"),
    [
        ("system", ["sysname Huawei"]),
        ("pki-entity", ["pki entity e1", " common-name r1"]),
        (
            "pki-realm",
            ["pki realm default", "#", "pki realm abc", " entity e1", " key-usage ike"],
        ),
        ("user-interface", []),
        ("aaa", ["aaa", " local-user ann privilege level 3"]),
    ],
)
def test_a_part_of_the_configuration_alone(part: str, lines: list[str]) -> None:
    shown = Script(furnished_all()).run(f"display current-configuration configuration {part}")
    assert (shown[0].splitlines(), shown[1]) == (
        [*(["#"] if lines else []), *lines, "#", "return"],
        0,
    )


def test_with_the_defaults_each_setting_that_has_one_is_shown() -> None:
    """Behind the lines that are configured, in the order of the table; and they make the same."""
    device = furnished_all()
    text, status = Script(device).run("display current-configuration include-default")
    plain = Script(device).run("display current-configuration")[0].splitlines()
    shown = text.splitlines()
    added = [line for line in shown if line not in plain]
    assert status == 0
    assert [line for line in shown if line in plain and line != "#"] == [
        line for line in plain if line != "#"
    ]
    assert {line.strip() for line in added} == {
        "user-interface console 0",
        *(row.default for row in ROWS if row.default and row.notation != "sysname NAME"),
    }
    block = shown[shown.index("pki realm abc") :]
    assert block[: block.index("#")] == [
        "pki realm abc",
        " entity e1",
        " key-usage ike",
        " enrollment-request signature message-digest-method sha-256",
        " subject-match standard",
    ]
    loaded = FakeDevice()
    assert load_configuration(loaded, text) == []
    assert render_configuration(loaded.settings) == render_configuration(device.settings)
