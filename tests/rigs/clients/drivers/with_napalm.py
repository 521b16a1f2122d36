"""NAPALM with napalm-huawei-vrp."""

from cases import HOST, PASSWORD, PORT, USER, check, run
from napalm import get_network_driver


def connected():
    how = {"port": PORT, "conn_timeout": 60, "banner_timeout": 60, "auth_timeout": 60}
    return get_network_driver("huawei_vrp")(HOST, USER, PASSWORD, optional_args=how)


def facts():
    """facts: host name, serial number, interfaces"""
    with connected() as device:
        found = device.get_facts()
    check(found["hostname"], found)
    check(found["serial_number"], found)
    check(found["interface_list"], found)


def commits():
    """a candidate is compared, committed with a copy of what was, and shown"""
    with connected() as device:
        device.load_merge_candidate(config="pki entity p1\n common-name p1.example\n")
        check("p1.example" in device.compare_config(), "difference")
        device.commit_config()
        check(" common-name p1.example" in device.get_config()["running"], "configuration")
        check(".cfg" in device.cli(["dir"])["dir"], "copy")


run("napalm", facts, commits)
