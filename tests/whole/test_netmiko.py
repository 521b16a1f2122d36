"""Automation as it is in the field: Netmiko, unchanged, believes that it talks to a VRP box."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from netmiko import ConnectHandler
from netmiko.exceptions import NetmikoAuthenticationException
from netmiko.huawei import HuaweiSSH

from agent import limits
from tests.helpers.board import Agent, check_certificate, procedure
from tests.helpers.labca import LabCa
from tests.helpers.sshd import USER, Sshd, missing

pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.skipif(bool(missing()), reason=missing() or "it can run"),
]
ENROL = "pki enroll-certificate realm abc"


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    with Agent(tmp_path) as agent:
        yield agent


@pytest.fixture
def sshd(agent: Agent, tmp_path: Path) -> Iterator[Sshd]:
    with Sshd(tmp_path, agent) as sshd:
        yield sshd


def connect(sshd: Sshd, **how: object) -> HuaweiSSH:
    """As in everybody's playbook: no argument but where and who."""
    who = {"host": "127.0.0.1", "port": sshd.port, "username": USER.name}
    found = ConnectHandler(device_type="huawei", **who, **(how or {"password": USER.password}))
    assert isinstance(found, HuaweiSSH)
    return found


def configuration(ca: LabCa) -> list[str]:
    realm = (f"fingerprint sha256 {ca.fingerprint}", "password cipher sekret")
    return procedure(ca.url, *realm)[1:]  # Netmiko types `system-view` itself


def test_the_whole_procedure(tmp_path: Path, agent: Agent, sshd: Sshd) -> None:
    with LabCa(tmp_path, "--challenge", "sekret") as ca, connect(sshd) as device:
        said = device.send_config_set([*configuration(ca), ENROL])
        assert "Error" not in said
        assert "[Huawei-pki-realm-abc]password cipher sekret" in said
        assert "the certificate is in use" in said
        assert device.find_prompt() == "<Huawei>"
        assert "The configuration was saved" in device.save_config()
        shown = device.send_command("display pki certificate local realm abc")
        assert "CN=r1.example" in shown
        assert "---- More ----" not in shown
        assert shown.endswith("Certificate peer name: -")
        check_certificate(agent, ca.dir / "ca.pem")
    agent.kill()
    agent.start()
    with connect(sshd, use_keys=True, key_file=str(sshd.key)) as device:
        saved = device.send_command("display current-configuration")
        assert " rsa local-key-pair k1" in saved.splitlines()
        assert "sekret" not in saved


def test_wrong_password_and_wrong_key_are_refused(agent: Agent, sshd: Sshd) -> None:
    with pytest.raises(NetmikoAuthenticationException):
        connect(sshd, password="guessed")
    other = str(sshd.dir / "host_key")  # a good key, of somebody who may not log in
    with pytest.raises(NetmikoAuthenticationException):
        connect(sshd, use_keys=True, key_file=other)
    with connect(sshd) as device:
        assert device.find_prompt() == "<Huawei>"


def test_errors_and_filters(sshd: Sshd) -> None:
    with connect(sshd) as device:
        said = device.send_config_set(["pki realm abc", "enrollment-url ftp://x", "no-such"])
        assert (
            "[Huawei-pki-realm-abc]enrollment-url ftp://x\n" + " " * 37 + "^\nError: Wrong " in said
        )
        assert "Error: Unrecognized command found at '^' position." in said
        shown = device.send_command("display current-configuration | include realm")
        assert shown.splitlines() == ["pki realm default", "pki realm abc"]


def test_a_second_connection_after_one_was_dropped_in_an_application(
    tmp_path: Path, agent: Agent, sshd: Sshd
) -> None:
    with LabCa(tmp_path, "--challenge", "sekret", "--hold", "issued") as ca:
        device = connect(sshd)
        assert "Error" not in device.send_config_set(configuration(ca))
        device.config_mode()
        device.write_channel(f"{ENROL}\n")
        ca.held()
        drop(device)
        with connect(sshd) as second:  # while the work of the first one goes on
            assert agent.state() == "sent"
            ca.release()
            agent.wait_state("issued")
            assert "CN=r1.example" in second.send_command("display pki certificate local realm abc")
        assert len(ca.issued()) == 1


def test_dropped_connections_leave_nothing(agent: Agent, sshd: Sshd) -> None:
    for _ in range(limits.SESSIONS + 1):
        device = connect(sshd)
        device.write_channel("display current-conf")
        drop(device)
    with connect(sshd) as device:
        assert device.find_prompt() == "<Huawei>"


def drop(device: HuaweiSSH) -> None:
    """The cable is cut: nobody says good-bye."""
    transport = device.remote_conn_pre.get_transport()
    transport.sock.close()
