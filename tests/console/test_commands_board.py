"""The device as a machine: its name, clock, files and storage."""

import json

import pytest
from ntc_templates.parse import parse_output

from agent.appliance import ClockState
from agent.console.commands.table import render_configuration
from agent.console.configuration.apply import How, apply
from agent.console.session.session import Session
from agent.pieces import at_once
from agent.settings import Settings, Timezone
from tests.helpers.appliance import FakeDevice
from tests.helpers.appliance_parts import FakeUnusable
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


def test_without_sysname_a_device_is_called_as_its_host() -> None:
    device = FakeDevice(eager=True)
    device.settings.become(Settings("gate-7"))
    script = Script(device)
    assert "sysname gate-7\n" in script.run("system-view", "display current-configuration")[0]
    script.run("sysname R1", "undo sysname")
    assert device.settings.sysname == "gate-7"
    script.run("sysname R1")
    session = Session(device, bytearray().extend, device.reactor, level=3, terminal=False)
    session.perform(lambda operator: apply(operator, "#\nreturn\n", How()), lambda _status: None)
    assert device.settings.sysname == "gate-7", "of a file that names no device"


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
    shown = Script(found).run("display interface brief")[0].splitlines()
    assert [line.split() for line in shown[3:]] == [
        ["LoopBack0", "up", "up", "--", "--", "0", "0", "lo", "127.0.0.1"],
        ["eth0", "up", "up", "--", "--", "3", "4", "192.0.2.1", "2001:db8::1"],
        ["GigabitEthernet0/0/1", "down", "down", "--", "--", "0", "0", "eth1"],
    ]
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
    at_once(found.configuration.save())
    assert "not saved" not in Script(found).run("reboot", "n")[0]
    found.settings.sysname = "r9"
    assert "not saved" in Script(found).run("reboot", "n")[0]


# -- as tools read them ----------------------------------------------------------------------------


def parsed(line: str) -> list[dict[str, str]]:
    """What the TextFSM template of ntc-templates for VRP makes of a display; it raises an error at
    a line that it does not know."""
    text, status = Script(furnished()).run(line)
    assert status == 0
    return parse_output(platform="huawei_vrp", command=line, data=text)


def test_the_version_is_read_as_that_of_vrp_and_claims_nothing() -> None:
    (row,) = parsed("display version")
    assert row["product_version"] == "SCEP RFC 8894"
    assert row["vrp_version"] in (text := Script(furnished()).run("display version")[0])
    assert "huawei" not in text.lower()


def test_files_and_interfaces_are_read_as_those_of_vrp() -> None:
    (row,) = parsed("dir")
    assert row["date_time"] == "Nov 23 2026 14:05:00"
    assert (row["idx"], row["size"], row["file_name"]) == ("0", "11", "abc_local.cer")
    rows = parsed("display interface brief")
    assert [(row["interface"], row["phy"], row["protocol"]) for row in rows] == [
        ("LoopBack0", "up", "up"), ("eth0", "up", "up"), ("GigabitEthernet0/0/1", "down", "down"),
    ]  # fmt: skip
    assert (rows[1]["inerrors"], rows[1]["outerrors"]) == ("3", "4")


def test_one_file_is_listed_or_told_missing() -> None:
    script = Script(furnished())
    assert script.run("dir abc_local.cer")[0].splitlines()[1].endswith("  abc_local.cer")
    assert script.run("dir old.cfg") == ("Info: No file found.\n", 0)


def test_the_machine_as_far_as_it_is_known() -> None:
    found = furnished()
    script = Script(found)
    assert script.run("display esn")[0] == f"ESN of slot 0: {found.board_serial()}\n"
    assert script.run("display device")[0].splitlines()[2].split() == [
        "0", "scep-agent", "Present", "Normal",
    ]  # fmt: skip
    assert script.run("display startup")[0].splitlines()[2].endswith(" : NULL")
    script.run("save", "y")
    assert script.run("display startup")[0].splitlines()[2].endswith(" : in the store")
    found.unusable = FakeUnusable("no store", found.task)
    assert "Abnormal: " in script.run("display device")[0]
