"""hier_config: what it writes to get from the running configuration to another one is typed."""

from cases import HOST, PASSWORD, PORT, USER, check, run
from hier_config import Platform, WorkflowRemediation, get_hconfig
from netmiko import ConnectHandler

BEFORE = (
    "pki realm hier", "ca id one", "enrollment-url http://ca/one", "key-usage ike",
    "fingerprint sha1 " + "1" * 40,
)  # fmt: skip
REPLACED = {" ca id one": " ca id two", " enrollment-url http://ca/one": "", " key-usage ike": ""}


def remediates():
    """lines with their value behind undo"""
    how = {
        "conn_timeout": 60,
        "banner_timeout": 60,
        "auth_timeout": 60,
        "read_timeout_override": 60,
    }
    with ConnectHandler(
        device_type="huawei", host=HOST, port=PORT, username=USER, password=PASSWORD, **how
    ) as device:
        device.send_config_set(BEFORE)
        text = device.send_command("display current-configuration")
        wanted = "\n".join(REPLACED.get(line, line) for line in text.splitlines())
        platform = Platform.HUAWEI_VRP
        work = WorkflowRemediation(get_hconfig(platform, text), get_hconfig(platform, wanted))
        lines = [line.cisco_style_text() for line in work.remediation_config.all_children_sorted()]
        check(any(line.strip().startswith("undo enrollment-url http") for line in lines), lines)
        said = device.send_config_set(lines)
        check("Error" not in said, said)
        shown = device.send_command("display current-configuration").splitlines()
        check(sorted(shown) == sorted(line for line in wanted.splitlines() if line), shown)


run("hier_config", remediates)
