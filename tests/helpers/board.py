"""The agent on the simulated board as a process of its own, for tests with real parts."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from agent import limits
from agent.doors.wire import END, hello
from hal.ports import HalError
from hal.sockets import connect_unix
from tests.helpers.labca import WAIT_S, wait_for

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("agent", "hal", "platforms")
START_S = 60
STOP_S = 60
SCRIPT_S = 90
IN_USE = "the certificate is in use"
START = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from agent.__main__ import main; "
    "sys.exit(main(sys.argv[1:]))"
)


class Said(NamedTuple):
    """What a script at the console came to."""

    status: int
    text: str


class Agent:
    """`with Agent(tmp_path) as agent:` runs the agent; the board's folder is `tmp_path/board`.

    python, clone, uid: another interpreter, another copy of the program, another user.
    prefix: in front of the command, `ip netns exec NAME` for one.
    """

    def __init__(
        self,
        folder: Path,
        *,
        python: str = sys.executable,
        clone: Path = ROOT,
        uid: int | None = None,
        prefix: Sequence[str] = (),
        rate: int = 1,
    ) -> None:
        self.dir = folder / "board"
        self.dir.mkdir(parents=True, exist_ok=True)
        if uid is not None:
            os.chown(self.dir, uid, uid)
        self._uid, self._prefix = uid, list(prefix)
        self._start = [python, "-I", "-c", START, str(clone)]
        self._process: subprocess.Popen[bytes] | None = None
        self.rate(rate)

    def __enter__(self) -> Self:
        if self._process is None:
            self.start()
        return self

    def adopt(self, process: "subprocess.Popen[bytes]") -> None:
        """Takes over an agent that a test has started in its own way."""
        self._process = process
        self._await()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Starts the agent and waits until its console answers."""
        with open(self.dir.parent / "agent.log", "ab") as log:
            self._process = subprocess.Popen(
                [*self._prefix, *self.command("run", "--board", "sim", "--state", str(self.dir))],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                user=self._uid,
                group=self._uid,
                extra_groups=None if self._uid is None else [],
            )
        self._await()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self, number: int = signal.SIGTERM) -> int | None:
        """Ends the agent if it runs; its exit status."""
        process = self._process
        if process is None:
            return None
        if process.poll() is None:
            process.send_signal(number)
        try:
            return process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_S)
            raise

    def kill(self) -> None:
        """A power cut as far as a process can have one."""
        self.stop(signal.SIGKILL)

    def rate(self, rate: int) -> None:
        """How fast the clocks of the board run."""
        self.clock(rate=rate)

    def clock(self, offset_s: int = 0, *, rate: int = 1, synchronised: bool = False) -> None:
        """The clock of the board: ahead of the host's, how fast, and whether somebody vouches."""
        setting = {"offset_s": offset_s, "rate": rate, "synchronised": synchronised}
        staged = self.dir / "clock.new"
        staged.write_text(json.dumps(setting))
        staged.rename(self.dir / "clock")

    def command(self, *words: str) -> list[str]:
        """A command line of the program, as the agent itself was started."""
        return [*self._start, *words]

    def script(self, *lines: str) -> Said:
        """Types lines at the console as `scep-agent console` would, without its start-up time."""
        with connect_unix(str(self.dir / "console.sock")) as sock:
            sock.settimeout(SCRIPT_S)
            sock.sendall(hello("script"))
            try:
                sock.sendall("".join(f"{line}\n" for line in lines).encode() + END)
            except BrokenPipeError:
                pass  # it stopped at an error
            said = b"".join(iter(lambda: sock.recv(65536), b""))
        text, _mark, status = said.partition(END)
        assert status.strip().isdigit(), f"the agent hung up: {said!r} {self.log()}"
        return Said(int(status), text.decode())

    def must(self, *lines: str) -> str:
        """The same; every line must be accepted."""
        said = self.script(*lines)
        assert said.status == 0, said.text + self.log()
        return said.text

    def log(self) -> str:
        """What the agent wrote to standard error, over all its lives."""
        path = self.dir.parent / "agent.log"
        return path.read_text() if path.exists() else ""

    def state(self, realm: str = "abc") -> str:
        """The state that `display pki enrollment` shows for a realm."""
        return self.shown("State", realm)

    def shown(self, label: str, realm: str = "abc") -> str:
        """One value of `display pki enrollment`."""
        text = self.must(f"display pki enrollment realm {realm}")
        (line,) = [line for line in text.splitlines() if line.strip().startswith(f"{label} ")]
        return line.split(":", 1)[1].strip()

    def wait_state(self, *states: str, realm: str = "abc", timeout_s: int = WAIT_S) -> str:
        """Waits until a realm is in one of the states."""
        found = ""

        def look() -> bool:
            nonlocal found
            found = self.state(realm)
            if found == "issued":  # and consumers can read it
                return found in states and self.shown("Why", realm) == IN_USE
            return found in states

        wait_for(look, timeout_s, f"{found!r}, not one of {states}")
        return found

    def memory(self, name: str, realm: str = "abc") -> Path:
        """A file that a consumer reads."""
        return self.dir / "memory" / realm / name

    def _await(self) -> None:
        """Until its console answers; the kernel takes connections before the board has booted."""
        wait_for(self._answers, START_S, "the agent did not start")
        self.script()

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the agent ended: {self.log()}"
        try:
            connect_unix(str(self.dir / "console.sock")).close()
        except (HalError, OSError):
            return False
        return True


def procedure(url: str, *realm: str, bits: int = 2048) -> list[str]:
    """The procedure of a VRP engineer up to the application; `realm`: further lines of its view."""
    return [
        "system-view",
        "pki entity r1",
        "common-name r1.example",
        "country DE",
        "organization Lab",
        "fqdn r1.example",
        "quit",
        f"pki rsa local-key-pair create k1 modulus {bits}",
        "pki realm abc",
        "entity r1",
        "rsa local-key-pair k1",
        f"enrollment-url {url}",
        *realm,
        "quit",
    ]


def patient(url: str, more: str = "") -> str:
    """Polls as long as can be said: on a fast clock five of them are over in no time."""
    return f"enrollment-url {url} times {limits.POLL_TIMES[1]} {more}".rstrip()


SAVE = ("return", "save", "y")
APPLY = ("system-view", "pki enroll-certificate realm abc")
AGAIN = (*APPLY, "y")  # where a certificate is in use


def check_certificate(
    agent: Agent, ca: Path, chain: Path | None = None, at_s: int | None = None
) -> None:
    """openssl's opinion: the certificate verifies and the key in memory is the one it is for.

    at_s: when, on a board whose clock is not the host's.
    """
    cert, key = agent.memory("cert.pem"), agent.memory("key.pem")
    more = ["-untrusted", str(chain)] if chain else []
    more += [] if at_s is None else ["-attime", str(at_s)]
    run("openssl", "verify", "-CAfile", str(ca), *more, str(cert))
    of_cert = run("openssl", "x509", "-in", str(cert), "-noout", "-pubkey")
    of_key = run("openssl", "pkey", "-in", str(key), "-pubout")
    assert of_cert == of_key
    stored = run("openssl", "x509", "-in", str(agent.dir / "storage" / "abc_local.cer"))
    assert stored == run("openssl", "x509", "-in", str(cert))
    assert run("openssl", "pkey", "-in", str(agent.memory("bundle.pem")), "-pubout") == of_key


def run(*command: str) -> str:
    """A program that must succeed; what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def copy_program(folder: Path) -> Path:
    """A copy of the program, as a clone elsewhere would be."""
    clone = folder / "clone"
    for room in ROOMS:
        shutil.copytree(
            ROOT / room, clone / room, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
        )
    return clone
