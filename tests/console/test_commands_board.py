"""The device as a machine: its name, clock, files and storage."""

import json

import pytest

from agent.appliance import ClockState
from agent.console.commands.table import render_configuration
from agent.settings import Timezone
from tests.helpers.appliance_values import START_S
from tests.helpers.terminal import Script, furnished, realm_script


def test_file_format_and_sysname() -> None:
    device, script, _ = realm_script()
    script.run("pki file-format der", "sysname R1")
    assert render_configuration(device.settings)[:4] == [
        "#",
        "sysname R1",
        "#",
        "pki file-format der",
    ]
    script.run("undo pki file-format", "undo sysname")
    assert (device.settings.file_format, device.settings.sysname) == ("pem", "Huawei")


def test_the_clock_is_set_in_the_zone_of_the_device() -> None:
    found = furnished()
    text, status = Script(found).run(
        "clock timezone CET add 01:00:00", "clock datetime 15:05:00 2026-11-23"
    )
    assert (status, found.system.done) == (0, [("clock", START_S)])
    assert "15:05:00 CET" in text
    assert found.settings.timezone == Timezone("CET", 3600)
    text, _status = Script(found).run("display clock")
    assert text.startswith("2026-11-23 15:05:00 CET\nTime source: ntp\nTrusted: yes")
    text, status = Script(found, level=2).run("clock datetime 15:05:00 2026-11-23")
    assert status == 1


def test_a_clock_that_is_not_trusted_is_shown_with_the_time_that_counts() -> None:
    found = furnished()
    found.system.state = ClockState("rtc", False, "it stands still", 0, START_S)
    text, _status = Script(found).run("display clock")
    assert text.splitlines()[0].startswith("1970-01-01 00:00:00")
    assert text.splitlines()[2:4] == [
        "Trusted: no (it stands still)",
        "Time that counts: 2026-11-23 14:05:00 UTC",
    ]
    shown = json.loads(Script(found).run("display clock json")[0])
    (item,) = shown["items"]
    assert (item["time"], item["counts"], item["trusted"]) == (0, START_S, False)


def test_files_interfaces_and_statistics_are_tables() -> None:
    found = furnished()
    assert Script(found).run("dir")[0].splitlines()[1].split()[-1] == "abc_local.cer"
    assert (
        " eth1            GigabitEthernet0/0/1     down   -"
        in Script(found).run("display interface brief")[0]
    )
    assert " GET_CA_CERT_OK : 2" in Script(found).run("display pki statistics")[0]


@pytest.mark.parametrize(
    ("line", "done"),
    [("reset pki storage", "wipe"), ("reset pki storage unused", "compact"), ("reboot", "reboot")],
)
def test_what_cannot_be_undone_asks_first(line: str, done: str) -> None:
    found = furnished()
    text, _status = Script(found).run(line, "n")
    assert found.system.done == []
    assert "Continue? [Y/N]:" in text
    assert Script(found).run(line, "y")[1] == 0
    assert found.system.done == [(done, None)]


def test_a_reboot_warns_of_what_was_not_saved() -> None:
    found = furnished()
    found.configuration.save()
    assert "not saved" not in Script(found).run("reboot", "n")[0]
    found.settings.sysname = "r9"
    assert "not saved" in Script(found).run("reboot", "n")[0]
