"""The console behind Debian's sshd, as people and scripts use it: terminal, window, exit status."""

import time
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

from tests.helpers.board import Agent
from tests.helpers.sshd import USER, Sshd, missing

pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.skipif(bool(missing()), reason=missing() or "it can run"),
]
WAIT_S = 60
VERSION = "scep-agent software, Version"


@pytest.fixture(params=["forced command", "login shell"])
def sshd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sshd]:
    login_shell = request.param == "login shell"
    with Agent(tmp_path) as agent, Sshd(tmp_path, agent, login_shell=login_shell) as sshd:
        yield sshd


@pytest.fixture
def client(sshd: Sshd) -> Iterator[paramiko.SSHClient]:
    with paramiko.SSHClient() as client:
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        key = str(sshd.key)
        client.connect("127.0.0.1", sshd.port, USER.name, key_filename=key, allow_agent=False)
        yield client


def read_until(channel: paramiko.Channel, end: str) -> str:
    """What comes until it ends so."""
    said, deadline = "", time.monotonic() + WAIT_S
    channel.settimeout(WAIT_S)
    while not said.endswith(end):
        assert time.monotonic() < deadline, f"waiting for {end!r}: {said!r}"
        said += channel.recv(4096).decode()
    return said.replace("\r\n", "\n")


def script(client: paramiko.SSHClient, command: str) -> tuple[int, str]:
    """Exit status and output without a terminal. Standard input stays open, as ssh leaves it."""
    _, stdout, _ = client.exec_command(command, timeout=WAIT_S)
    return stdout.channel.recv_exit_status(), stdout.read().decode()


def test_a_terminal_of_its_own_size(client: paramiko.SSHClient) -> None:
    channel = client.invoke_shell(width=40, height=6)
    read_until(channel, "<Huawei>")
    channel.sendall(b"display version")
    assert read_until(channel, "display version") == "display version"
    channel.sendall(b" nonsense-beyond-the-edge\r")
    said = read_until(channel, "<Huawei>")
    assert " nonsense-beyond-the-edge\n" + " " * 24 + "^\nError: " in said
    channel.sendall(b"display current-configuration\r")
    first = read_until(channel, "  ---- More ----")
    assert len(first.splitlines()) == 1 + 6  # what was typed, five lines, `More`
    channel.sendall(b"q")
    read_until(channel, "<Huawei>")
    channel.sendall(b"quit\r")
    assert channel.recv_exit_status() == 0


def test_the_window_of_a_session_changes(client: paramiko.SSHClient) -> None:
    channel = client.invoke_shell(width=40, height=24)
    read_until(channel, "<Huawei>")
    for columns, told in (
        (40, "leads back to\n    the user view.\n"),
        (100, "leads back to the user view.\n"),
        (40, "leads back to\n    the user view.\n"),
    ):
        channel.resize_pty(columns, 24)
        deadline, said = time.monotonic() + WAIT_S, ""
        while told not in said:  # the size goes another way than what is typed
            assert time.monotonic() < deadline, said
            channel.sendall(b"system-view\r")
            said = read_until(channel, "[Huawei]")
            channel.sendall(b"return\r")
            read_until(channel, "<Huawei>")
    assert (
        script(client, "system-view")[1]
        == "Info: Ctrl+Z or `return` leads back to the user view.\n"
    )


def test_what_is_typed_before_the_first_prompt_is_not_lost(client: paramiko.SSHClient) -> None:
    channel = client.invoke_shell()
    channel.settimeout(WAIT_S)
    channel.sendall(b"display version\rquit\r")
    said = b"".join(iter(lambda: channel.recv(4096), b"")).decode()
    assert VERSION in said
    assert channel.recv_exit_status() == 0


def test_a_command_on_the_ssh_line(client: paramiko.SSHClient) -> None:
    status, said = script(client, "display version")
    assert (status, said.startswith(VERSION)) == (0, True)
    status, said = script(client, "system-view\ndisplay this | include sysname")
    assert (status, said.splitlines()[-1]) == (0, "sysname Huawei")
    status, said = script(client, '$(reboot); `id` "quoted"')
    assert status == 1
    assert said.startswith('$(reboot); `id` "quoted"\n^\nError: Unrecognized command')


@pytest.mark.parametrize("ended", [True, False], ids=["ended", "left open"])
def test_a_script_on_standard_input(client: paramiko.SSHClient, ended: bool) -> None:
    transport = client.get_transport()
    assert transport is not None
    channel = transport.open_session()
    channel.settimeout(WAIT_S)
    channel.invoke_shell()  # without a terminal
    channel.sendall(b"display clock\n" + (b"" if ended else b"no-such\ndisplay version\n"))
    if ended:
        channel.shutdown_write()
    said = b"".join(iter(lambda: channel.recv(4096), b"")).decode()
    assert VERSION not in said
    assert ("Error: Unrecognized command" in said) is not ended
    assert channel.recv_exit_status() == int(not ended)
    assert not channel.recv_stderr(4096)
