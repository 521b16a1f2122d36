"""A simulated board and a lab CA as processes, in a temporary folder that goes with them.

Fault model: either may fail to start, or die; the demo itself may be interrupted anywhere, even
killed. Promised: a failure is a DemoError with what the process said; both processes end with the
demo, because the kernel tells them when it dies, whatever it dies of.
"""

import ctypes
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tools.demo.failure import DemoError, let_signals_in, stoppable

ROOT = Path(__file__).resolve().parents[2]
CHALLENGE = "sekret"
LIFE_S, BACKDATE_S = 180, 30
START_S = 60  # a cold start on a slow machine
STOP_S = 30
LOOK_S = 0.02
ANNOUNCED = re.compile(r"^lab-ca: listening on (\S+) fingerprint sha256 ([0-9a-f]{64})$", re.M)
PR_SET_PDEATHSIG = 1  # prctl(2)


class Lab(NamedTuple):
    """Where it all is. `announced` is the line with which the CA told its URL and fingerprint."""

    folder: Path
    announced: str
    url: str
    fingerprint: str  # SHA-256 of the CA certificate, lower-case hexadecimal
    serial: Path  # the user's end of the board's serial line


@contextmanager
def lab(keep: bool) -> Iterator[Lab]:
    """Starts both, ends both, and removes the folder, unless somebody wants to look at it."""
    folder = Path(tempfile.mkdtemp(prefix="scep-agent-demo-"))
    ca_options = ("--dir", str(folder / "ca"), "--challenge", CHALLENGE)
    agent_options = ("run", "--board", "sim", "--state", str(folder / "board"))
    serial = folder / "board" / "serial"
    try:
        with (
            _process("tools.lab_ca", ca_options, folder / "ca.log") as ca,
            _process("agent", agent_options, folder / "agent.log") as agent,
        ):
            with stoppable():
                ca.wait_for(lambda: bool(ANNOUNCED.search(ca.said())))
                agent.wait_for(serial.exists)
            found = ANNOUNCED.search(ca.said())
            assert found
            yield Lab(folder, found[0], found[1], found[2], serial)
            for one in (ca, agent):
                one.must_run()
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


class ShortLived(NamedTuple):
    """The same CA, whose certificates live for minutes by the clock of the board."""

    command: str
    announced: str
    url: str

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2].partition("/")[0])


@contextmanager
def short_lived(bench: Lab, port: int = 0) -> Iterator[ShortLived]:
    """It serves on a port of its own, or on that one again."""
    life = ("--validity", str(LIFE_S - BACKDATE_S), "--backdate", str(BACKDATE_S))
    options = ("--challenge", CHALLENGE, *life)
    where = ("--dir", str(bench.folder / "ca"), "--clock", str(bench.folder / "board" / "clock"))
    listen = ("--listen", f"127.0.0.1:{port}")
    words = (*where, *options, *listen)
    with _process("tools.lab_ca", words, bench.folder / f"ca-{port}.log") as ca:
        with stoppable():
            ca.wait_for(lambda: bool(ANNOUNCED.search(ca.said())))
        found = ANNOUNCED.search(ca.said())
        assert found
        shown = ("python -m tools.lab_ca", "--dir ca --clock board/clock", *options)
        yield ShortLived(" ".join(shown), found[0], found[1])
        ca.must_run()


class _Process(NamedTuple):
    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def must_run(self) -> None:
        if self.process.poll() is not None:
            raise DemoError(f"{self.name} has ended; it said:\n{self.said()}")

    def wait_for(self, look: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_S
        while not look():
            self.must_run()
            if time.monotonic() > deadline:
                raise DemoError(f"{self.name} did not start; it said:\n{self.said()}")
            time.sleep(LOOK_S)


@contextmanager
def _process(module: str, options: tuple[str, ...], log: Path) -> Iterator[_Process]:
    libc = ctypes.CDLL(None)

    def end_with_parent() -> None:
        let_signals_in()
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)

    with open(log, "wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tools.demo.guard", module, *options],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=end_with_parent,
            start_new_session=True,  # Ctrl+C is for the demo, which ends them in order
        )
    one = _Process(module, process, log)
    try:
        yield one
    except DemoError as error:
        if process.poll() is None:
            raise
        raise DemoError(f"{error}\n{module} has ended; it said:\n{one.said()}") from error
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
