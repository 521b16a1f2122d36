"""A whole agent under a service manager: a socket in its place hears what systemd would."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.board import ROOT

WAIT_S = 60


class Manager:
    """Hears the datagrams of the agents that it starts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._heard.bind(str(folder / "notify"))
        self.told: list[str] = []

    def start(self, watchdog_s: int = 0) -> "subprocess.Popen[bytes]":
        environment = os.environ | {"NOTIFY_SOCKET": str(self.folder / "notify")}
        if watchdog_s:
            environment["WATCHDOG_USEC"] = str(watchdog_s * 1_000_000)
        words = ("-m", "agent", "run", "--board", "sim", "--state", str(self.folder / "board"))
        return subprocess.Popen(
            [sys.executable, *words], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL
        )

    def until(self, begin: str) -> str:
        """The next message that begins so."""
        deadline = time.monotonic() + WAIT_S
        while True:
            self._heard.settimeout(max(0.01, deadline - time.monotonic()))
            message = self._heard.recv(4096).decode()
            self.told.append(message)
            if message.startswith(begin):
                return message

    def close(self) -> None:
        self._heard.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    found = Manager(tmp_path)
    yield found
    found.close()


def test_it_is_ready_says_how_it_stands_feeds_and_stops(manager: Manager) -> None:
    process = manager.start(watchdog_s=2)
    try:
        manager.until("READY=1")
        assert manager.until("STATUS=") == "STATUS=1 realm, none in trouble"
        for _time in range(3):
            manager.until("WATCHDOG=1")
        process.send_signal(signal.SIGTERM)
        manager.until("STOPPING=1")
        assert process.wait(WAIT_S) == 0
    finally:
        process.kill()
        process.wait()
    assert manager.told.count("READY=1") == 1


def test_it_stops_by_saying_so_where_nobody_wants_to_be_fed(manager: Manager) -> None:
    process = manager.start()
    try:
        manager.until("READY=1")
        process.send_signal(signal.SIGTERM)
        manager.until("STOPPING=1")
        assert process.wait(WAIT_S) == 0
    finally:
        process.kill()
        process.wait()
    assert "WATCHDOG=1" not in manager.told


def test_a_board_that_starts_anew_goes_on_feeding(manager: Manager) -> None:
    process = manager.start(watchdog_s=2)
    try:
        manager.until("READY=1")
        words = ("-m", "agent", "console", "--socket", str(manager.folder / "board/console.sock"))
        subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            input=b"reboot\ny\n",
            timeout=WAIT_S,
            check=False,
            stdout=subprocess.DEVNULL,
        )
        manager.until("READY=1")
        manager.until("WATCHDOG=1")
    finally:
        process.kill()
        process.wait()
