"""How long a key press on the serial line takes to be seen while an RSA-4096 key is generated.

The key is generated for another session, so this one is free; both cores are busy with nothing
else. The simulated cable (two ptys and a pump in the agent) is part of what is measured.
"""

import os
import threading
import time
import tty

from tests.board import Agent
from tools.bench import proc
from tools.bench.figures import MS, Figure
from tools.bench.rig import Board, Person, Probe, Rig, Samples

PAUSE_S = 0.01  # faster than anybody types, slower than a paste
KEY = b"x"
CLEAR = b"\x03"  # Ctrl+C: a new line with its prompt
LINE_KEYS = 40
BITS = 4096

HOW = "key press to echo on the serial line while RSA-4096 keys are generated"
FIGURES = (
    Figure("echo_p50", MS, f"{HOW}: median of a run"),
    Figure("echo_p99", MS, f"{HOW}: 99th percentile of a run", 20_000),
    Figure("echo_max", MS, f"{HOW}: the slowest of a run"),
)


class Generating:
    """Generates one key after the other in a session of its own, until told to stop."""

    def __init__(self, agent: Agent) -> None:
        self._agent, self._stop = agent, threading.Event()
        self.keys = 0
        self.errors: list[str] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        """Returns when the key under way is done."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        create = f"pki rsa local-key-pair create k{BITS} modulus {BITS}"
        while not self._stop.is_set() and not self.errors:
            said = self._agent.script("system-view", create, *(["y"] if self.keys else []))
            if said.status:
                self.errors.append(said.text)
            self.keys += 1


def latencies(rig: Rig) -> Samples:
    """One run: its percentiles over all key presses."""
    with Board(rig.folder, python=rig.python) as board:
        line = os.open(board.dir / "serial", os.O_RDWR | os.O_NOCTTY)
        try:
            tty.setraw(line)
            person = Person(line)
            person.type("")
            generating = Generating(board)
            try:
                samples = sorted(_typed(person, board, rig.scale.keystrokes))
            finally:
                generating.stop()
            assert not generating.errors, generating.errors
        finally:
            os.close(line)
    return {
        "echo_p50": [samples[len(samples) // 2]],
        "echo_p99": [samples[len(samples) * 99 // 100]],
        "echo_max": [samples[-1]],
    }


def _typed(person: Person, board: Board, count: int) -> list[int]:
    """Microseconds to the echo of each key that was pressed while a worker was at it."""
    samples: list[int] = []
    while len(samples) < count:
        for _key in range(LINE_KEYS):
            busy = _generates(board)
            begin_ns = time.monotonic_ns()
            person.press(KEY)
            person.wait(KEY)
            if busy:
                samples.append((time.monotonic_ns() - begin_ns) // 1000)
            time.sleep(PAUSE_S)
        person.press(CLEAR)
        person.wait(b">", timeout_s=5)
    return samples[:count]


def _generates(board: Board) -> bool:
    """Whether a job child is at work."""
    worker = board.worker()
    return worker is not None and bool(proc.children(worker))


PROBES = (Probe("echo", latencies, FIGURES),)
