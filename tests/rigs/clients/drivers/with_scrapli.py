"""scrapli with the huawei_vrp of scrapli-community."""

from cases import HOST, PASSWORD, PORT, USER, check, run
from scrapli import Scrapli


def works():
    """displays, settings, errors"""
    with Scrapli(
        platform="huawei_vrp", host=HOST, port=PORT, auth_username=USER, auth_password=PASSWORD,
        auth_strict_key=False, transport="paramiko", timeout_socket=60, timeout_transport=60,
        timeout_ops=60,
    ) as device:  # fmt: skip
        check("software, Version" in device.send_command("display version").result, "version")
        said = device.send_configs(["pki entity s1", "common-name s1"])
        check(not said.failed, said.result)
        check(device.send_command("display no-such").failed, "an error is one")


run("scrapli", works)
