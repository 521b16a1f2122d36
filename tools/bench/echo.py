"""How long a key press on the serial line takes to be seen while other sessions are at work.

Both cores are busy with nothing else than those sessions, the bench that drives them, and what they
started. The simulated cable (two ptys and a pump in the agent) is part of what is measured.
"""

import os
import threading
import time
import tty
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import NamedTuple

from tests.helpers.board import Agent, procedure
from tests.helpers.labca import LabCa
from tools.bench import proc
from tools.bench.figures import MS, Figure
from tools.bench.rig import Board, Person, Probe, Rig, Samples

PAUSE_S = 0.01  # faster than anybody types, slower than a paste
KEY = b"x"
CLEAR = b"\x03"  # Ctrl+C: a new line with its prompt
LINE_KEYS = 40
BITS = 4096
REALMS = 1000
P99_US = 20_000  # nobody notices it


class Repeating:
    """Types lines in a script of its own, again and again, until told to stop.

    `lines` gives the lines of a round by its number; `working` says whether one is under way.
    """

    def __init__(self, agent: Agent, lines: Callable[[int], Sequence[str]]) -> None:
        self._agent, self._lines, self._stop = agent, lines, threading.Event()
        self.working = False
        self.errors: list[str] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        """Returns when the round under way is done."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        number = 0
        while not self._stop.is_set() and not self.errors:
            self.working = True
            said = self._agent.script(*self._lines(number))
            self.working = False
            if said.status:
                self.errors.append(said.text)
            number += 1


def generating(bits: int, name: str, number: int) -> list[str]:
    """A key pair; from the second round on it takes the place of the one before."""
    create = f"pki rsa local-key-pair create {name} modulus {bits}"
    return ["system-view", create, *(["y"] if number else [])]


def enrolling(number: int) -> list[str]:
    """An application of realm abc; from the second round on a certificate is in use."""
    return ["system-view", "pki enroll-certificate realm abc", *(["y"] if number else [])]


def showing(line: str, _number: int) -> list[str]:
    return [line]


def configuring(number: int) -> list[str]:
    return ["system-view", "pki realm spare", f"ca id lab{number}", "undo ca id"]


GENERATE = partial(generating, BITS, f"k{BITS}")
SHOW_REALMS = partial(showing, "display pki realm")
SHOW_ALL = partial(showing, "display current-configuration")
EIGHT = (
    *(enrolling, partial(generating, 2048, "k2048"), SHOW_REALMS, SHOW_ALL, configuring),
    partial(showing, "display pki enrollment json"),
    partial(showing, "display pki certificate ca"),
    partial(showing, "display current-configuration | include r77"),
)


class Load(NamedTuple):
    """What other sessions do: a round each. A job: only keys while a job child is at work count."""

    name: str
    how: str
    rounds: tuple[Callable[[int], Sequence[str]], ...]
    job: bool = False
    realms: int = 0  # that are configured

    @property
    def figures(self) -> tuple[Figure, ...]:
        how = f"key press to echo on the serial line while {self.how}"
        return (
            Figure(f"{self.name}_p50", MS, f"{how}: median of a run"),
            Figure(f"{self.name}_p99", MS, f"{how}: 99th percentile of a run", P99_US),
            Figure(f"{self.name}_max", MS, f"{how}: the slowest of a run"),
        )


LOADS = (
    Load("echo", f"RSA-{BITS} keys are generated", (GENERATE,), job=True),
    Load("echo_enrol", "a worker applies for one certificate after the other", (enrolling,), True),
    Load(
        "echo_display",
        f"another session displays {REALMS} realms without end",
        (SHOW_REALMS,),
        realms=REALMS,
    ),
    Load(
        "echo_eight",
        "8 other sessions apply, generate keys, configure, and display 100 realms, all without end",
        EIGHT,
        realms=100,
    ),
)


def latencies(load: Load, rig: Rig) -> Samples:
    """One run: its percentiles over all key presses."""
    applies = enrolling in load.rounds
    ca = LabCa(rig.folder, "--challenge", "sekret") if applies else nullcontext()
    with ca as known, Board(rig.folder, python=rig.python) as board, _line(board) as person:
        if known:
            pinned = (f"fingerprint sha256 {known.fingerprint}", "password cipher sekret")
            board.must(*procedure(known.url, *pinned))
        board.must("system-view", *(f"pki realm r{number}" for number in range(load.realms)))
        others = [Repeating(board, lines) for lines in load.rounds]
        try:
            samples = sorted(_typed(person, partial(_busy, load, board, others), rig))
        finally:
            for other in others:
                other.stop()
    values = (samples[len(samples) // 2], samples[len(samples) * 99 // 100], samples[-1])
    return {figure.name: [value] for figure, value in zip(load.figures, values, strict=True)}


@contextmanager
def _line(board: Board) -> Iterator[Person]:
    """Somebody at the serial line, with a prompt."""
    line = os.open(board.dir / "serial", os.O_RDWR | os.O_NOCTTY)
    try:
        tty.setraw(line)
        person = Person(line)
        person.type("")
        yield person
    finally:
        os.close(line)


def _busy(load: Load, board: Board, others: Sequence[Repeating]) -> bool:
    """Whether what is measured is under way; it must not have failed."""
    errors = [error for other in others for error in other.errors]
    assert not errors, errors
    if not load.job:
        return any(other.working for other in others)
    worker = board.worker()
    return worker is not None and bool(proc.children(worker))


def _typed(person: Person, busy: Callable[[], bool], rig: Rig) -> list[int]:
    """Microseconds to the echo of each key that was pressed while the others were busy."""
    samples: list[int] = []
    while len(samples) < rig.scale.keystrokes:
        for _key in range(LINE_KEYS):
            counts = busy()
            begin_ns = time.monotonic_ns()
            person.press(KEY)
            person.wait(KEY)
            if counts:
                samples.append((time.monotonic_ns() - begin_ns) // 1000)
            time.sleep(PAUSE_S)
        person.press(CLEAR)
        person.wait(b">", timeout_s=5)
    return samples[: rig.scale.keystrokes]


PROBES = tuple(Probe(load.name, partial(latencies, load), load.figures) for load in LOADS)
