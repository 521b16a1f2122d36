"""A server that is not ours as a process of a test: on a free port, with its log, until the end."""

import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.helpers.labca import wait_for

START_S = 120  # cold, on a busy machine
STOP_S = 60
ATTEMPTS = 5  # somebody else may take the port that was just free


class Daemon:
    """`with` starts it and ends it; `port` of 127.0.0.1, `dir` for all its files.

    A subclass says how it is called (`command`), and if need be what must be there before
    (`prepare`), which port it takes and when it listens.
    """

    environment: dict[str, str] | None = None  # None: that of the test

    def __init__(self, folder: Path) -> None:
        self.dir = folder
        self.dir.mkdir(parents=True)
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.prepare()
        for _ in range(ATTEMPTS):
            if self._start():
                return self
        raise AssertionError(f"{type(self).__name__} did not start: {self.log()}")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(STOP_S)

    def log(self) -> str:
        """What it said."""
        path = self.dir / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def prepare(self) -> None:
        """Once, before the first start."""

    def choose_port(self) -> int:
        return free_port()

    def command(self) -> Sequence[str]:
        """For `port`; the configuration is written here too."""
        raise NotImplementedError

    def listens(self) -> bool:
        return somebody_listens(self.port)

    def _start(self) -> bool:
        self.port = self.choose_port()
        command = self.command()
        with open(self.dir / "log", "wb") as log:
            self._process = process = subprocess.Popen(
                command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        what = f"{type(self).__name__} neither listens nor ends"
        wait_for(lambda: process.poll() is not None or self.listens(), START_S, what)
        return process.poll() is None


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listened at a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def somebody_listens(port: int) -> bool:
    """Whether a connection to this port of 127.0.0.1 is taken."""
    try:
        socket.create_connection(("127.0.0.1", port), START_S).close()
    except OSError:
        return False
    return True
