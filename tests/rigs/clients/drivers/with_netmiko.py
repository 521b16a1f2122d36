"""Netmiko: `huawei` and `huawei_vrpv8`."""

from cases import HOST, PASSWORD, PORT, USER, check, run
from netmiko import ConnectHandler
from ntc_templates.parse import parse_output


def connect(kind):
    return ConnectHandler(
        device_type=kind, host=HOST, port=PORT, username=USER, password=PASSWORD, conn_timeout=60,
        banner_timeout=60, auth_timeout=60, read_timeout_override=60,
    )  # fmt: skip


def configures():
    """settings are made, shown and saved"""
    with connect("huawei") as device:
        said = device.send_config_set(["pki entity n1", "common-name n1.example"])
        check("Error" not in said, said)
        shown = device.send_command("display current-configuration | include n1")
        check(shown.splitlines() == ["pki entity n1", " common-name n1.example"], shown)
        check("saved successfully" in device.save_config(), "save")


def commits():
    """huawei_vrpv8 commits"""
    with connect("huawei_vrpv8") as device:
        device.send_config_set(["pki entity n2", "common-name n2"], exit_config_mode=False)
        said = device.commit()
        check("Error" not in said, said)


def structured():
    """version, files and interfaces by ntc-templates"""
    with connect("huawei") as device:
        for line in ("display version", "dir", "display interface brief"):
            found = parse_output("huawei_vrp", line, device.send_command(line))
            check(found or line == "dir", found)


run("netmiko", configures, commits, structured)
