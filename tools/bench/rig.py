"""What the probes share: an agent whose process can be measured, a person at a terminal, peers."""

import os
import select
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from hal.ports import HalError
from hal.sockets import connect_unix
from tests.helpers.board import Agent
from tools.bench import proc
from tools.bench.figures import Figure

ANSWER_S = 30
PROMPTS = (b">", b"]")


class Scale(NamedTuple):
    """How much a run does."""

    enrolments: int  # in all runs together
    peer_enrolments: int
    keystrokes: int


FULL = Scale(enrolments=1000, peer_enrolments=200, keystrokes=200)
QUICK = Scale(enrolments=5, peer_enrolments=2, keystrokes=20)


class Rig(NamedTuple):
    """One run: an empty folder, the interpreter of the agent, how much to do in how many parts."""

    folder: Path
    python: str
    scale: Scale
    parts: int


Samples = dict[str, list[int]]


class Probe(NamedTuple):
    """Obtains some figures. once: one run gives the samples of all; own: for one interpreter."""

    name: str
    take: Callable[[Rig], Samples]
    figures: tuple[Figure, ...]
    once: bool = False
    own: bool = False


class Board(Agent):
    """The agent on the simulated board, or on one of a board file, with its process in `pid`."""

    pid = 0
    board = "sim"

    def start(self) -> None:
        """Starts the agent and waits until its console answers."""
        self.adopt(self.spawn())

    def spawn(self) -> "subprocess.Popen[bytes]":
        """Starts the agent; it is the caller's until `adopt`."""
        words = self.command("run", "--board", self.board, "--state", str(self.dir))
        with open(self.dir.parent / "agent.log", "ab") as log:
            process = subprocess.Popen(
                [*self._prefix, *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
            )
        self.pid = process.pid
        return process

    def worker(self) -> int | None:
        """The worker process, if there is one."""
        found = proc.children(self.pid)
        return found[0] if found else None


class Person:
    """Somebody at a terminal of which this is the descriptor; `said` is what came so far."""

    def __init__(self, fd: int) -> None:
        self._fd, self.said = fd, b""

    def press(self, keys: bytes) -> None:
        """Sends keys."""
        while keys:
            keys = keys[os.write(self._fd, keys) :]

    def wait(self, *ends: bytes, timeout_s: int = ANSWER_S) -> bytes:
        """Reads until the screen ends with one of these; what came."""
        screen, deadline = b"", time.monotonic() + timeout_s
        while not screen.rstrip(b" ").endswith(ends):
            left_s = deadline - time.monotonic()
            if not select.select([self._fd], [], [], max(left_s, 0))[0]:
                raise TimeoutError(f"waiting for {ends!r}: {screen!r}")
            piece = os.read(self._fd, 4096)
            assert piece, f"the terminal hung up: {screen!r}"
            screen += piece
        self.said += screen
        return screen

    def type(self, line: str) -> bytes:
        """Types a line and waits for the prompt."""
        self.press(line.encode() + b"\r")
        return self.wait(*PROMPTS)


def listens(path: Path) -> bool:
    """Whether a console answers at this socket."""
    try:
        connect_unix(str(path)).close()
    except HalError:
        return False
    return True
