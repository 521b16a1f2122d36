"""The service manager: what a real datagram socket in its place hears."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from hal.supervisor import ServiceWatchdog, Supervisor, of_environment


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.setblocking(False)
        yield heard


def told(manager: socket.socket) -> list[str]:
    found = []
    while True:
        try:
            found.append(manager.recv(4096).decode())
        except BlockingIOError:
            return found


def test_each_message(manager: socket.socket) -> None:
    supervisor = Supervisor(manager.getsockname())
    supervisor.ready()
    supervisor.status("2 realms")
    supervisor.feed()
    supervisor.stopping()
    supervisor.close()
    assert told(manager) == ["READY=1", "STATUS=2 realms", "WATCHDOG=1", "STOPPING=1"]


def test_a_status_is_one_line_of_bounded_length(manager: socket.socket) -> None:
    Supervisor(manager.getsockname()).status("a\nREADY=1\nb" + "\u00e9" * 1000)
    (message,) = told(manager)
    assert message.startswith("STATUS=a READY=1 b\u00e9")
    assert len(message.encode()) <= 407


def test_an_abstract_address(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(f"\0scep-agent-{os.getpid()}")
        Supervisor(f"@scep-agent-{os.getpid()}").ready()
        heard.settimeout(10)
        assert heard.recv(100) == b"READY=1"


@pytest.mark.parametrize("what", ["gone", "full", "of another kind"])
def test_who_does_not_hear_costs_nothing(tmp_path: Path, what: str) -> None:
    path = str(tmp_path / "notify")
    kind = socket.SOCK_STREAM if what == "of another kind" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_UNIX, kind) as heard:
        if what != "gone":
            heard.bind(path)
        supervisor = Supervisor(path)
        for _message in range(2000):  # more than a socket takes
            supervisor.feed()
        supervisor.close()


SOCKET = {"NOTIFY_SOCKET": "/run/x"}


@pytest.mark.parametrize(
    ("more", "watchdog_s"),
    [
        ({}, 0),
        ({"WATCHDOG_USEC": "30000000"}, 30),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, 0),
        ({"WATCHDOG_USEC": "soon"}, 0),
    ],
)
def test_the_environment_says_how_often(more: dict[str, str], watchdog_s: int) -> None:
    supervisor = of_environment(SOCKET | more)
    assert supervisor is not None
    assert supervisor.watchdog_s == watchdog_s
    supervisor.close()


@pytest.mark.parametrize("address", ["", "run/x", "vsock:2:1234"])
def test_who_has_no_address_is_not_there(address: str) -> None:
    assert of_environment({"NOTIFY_SOCKET": address}) is None


def test_its_watchdog_is_fed_and_stops_with_the_service(manager: socket.socket) -> None:
    watchdog = ServiceWatchdog(Supervisor(manager.getsockname(), 30))
    assert watchdog.timeout_s == 30
    watchdog.feed()
    watchdog.disarm()
    watchdog.close()
    assert told(manager) == ["WATCHDOG=1"]
