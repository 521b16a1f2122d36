"""Netmiko, unchanged, at a serial line through a console server, under authentication-mode aaa."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from netmiko import ConnectHandler
from netmiko.exceptions import NetmikoBaseException
from netmiko.huawei import HuaweiTelnet

from tests.helpers.board import SAVE, Agent, check_certificate
from tests.helpers.labca import LabCa, wait_for
from tests.helpers.ser2net import Ser2net, missing
from tests.whole.test_netmiko import ENROL, configuration

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "it can run")

USER, PASSWORD = "ann", "top-secret-1"
LOGIN = (
    "system-view",
    "aaa",
    f"local-user {USER} password irreversible-cipher {PASSWORD}",
    f"local-user {USER} privilege level 3",
    f"local-user {USER} service-type terminal",
    "user-interface console 0",
    "authentication-mode aaa",
    *SAVE,
)


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    with Agent(tmp_path) as agent:
        agent.must(*LOGIN)
        yield agent


@pytest.fixture
def server(agent: Agent, tmp_path: Path) -> Iterator[Ser2net]:
    with Ser2net(tmp_path, agent) as server:
        yield server


def connect(server: Ser2net, password: str = PASSWORD) -> HuaweiTelnet:
    """As in everybody's playbook: no argument but where and who."""
    who = {"host": "127.0.0.1", "port": server.port, "username": USER, "password": password}
    found = ConnectHandler(device_type="huawei_telnet", **who)
    assert isinstance(found, HuaweiTelnet)
    return found


def test_the_whole_procedure_on_the_serial_line(
    tmp_path: Path, agent: Agent, server: Ser2net
) -> None:
    with LabCa(tmp_path, "--challenge", "sekret") as ca:
        with connect(server) as device:
            said = device.send_config_set([*configuration(ca), ENROL])
            assert "Error" not in said
            assert "the certificate is in use" in said
            assert "The configuration was saved" in device.save_config()
            shown = device.send_command("display pki certificate local realm abc")
            assert "CN=r1.example" in shown
            assert shown.endswith("Certificate peer name: -")
        check_certificate(agent, ca.dir / "ca.pem")


def test_a_wrong_password_is_refused(agent: Agent, server: Ser2net) -> None:
    with pytest.raises(NetmikoBaseException):
        connect(server, password="guessed")
    wait_for(lambda: "LOGINFAIL" in agent.log(), 60, "the login was not refused")
    assert "guessed" not in agent.log()
    with connect(server) as device:
        assert device.find_prompt() == "<Huawei>"


def test_a_second_connection_after_one_was_dropped(agent: Agent, server: Ser2net) -> None:
    device = connect(server)
    device.config_mode()
    device.write_channel("display current-conf")
    # Cut with nothing unread, so by FIN: at a reset ser2net does not always say its last words, and
    # then only `idle-timeout` ends the session (docs/serial.md).
    device.read_until_pattern("current-conf")
    device.remote_conn.sock.close()  # nobody says good-bye
    wait_for(lambda: "LOGOUT" in agent.log(), 60, "the session waits for the next one")
    with connect(server) as device:
        assert device.find_prompt() == "<Huawei>"
    assert agent.log().count("SHELL/5/LOGIN:") == 2
