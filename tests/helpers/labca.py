"""The lab CA as a process, for the tests of everything that talks to a CA."""

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from tools.lab_ca import hold, ledger

ROOT = Path(__file__).resolve().parents[2]
START_S = 60  # a cold start on a busy machine: imports and an RSA key
STOP_S = 30
LOOK_S = 0.01
WAIT_S = 60
CALL_S = 90  # longer than any call that a test waits for

T = TypeVar("T")


class LabCa:
    """`with LabCa(tmp_path, "--challenge", "sekret") as ca:` serves on a free port of 127.0.0.1.

    The state folder is `tmp_path/lab-ca`: a second LabCa on the same path is the same CA again.
    `url`, `port` and `fingerprint` (SHA-256 of the issuing CA, lower-case hexadecimal) are known
    once it serves. prefix: in front of the command, as that of `tests.helpers.board.Agent`.
    """

    def __init__(self, folder: Path, *arguments: str, prefix: Sequence[str] = ()) -> None:
        self.dir = folder / "lab-ca"
        self._arguments, self._prefix = arguments, prefix
        self._process: subprocess.Popen[bytes] | None = None
        self.url = self.fingerprint = ""

    def __enter__(self) -> Self:
        self.dir.mkdir(parents=True, exist_ok=True)
        command = [*self._prefix, sys.executable, "-m", "tools.lab_ca", "--dir", str(self.dir)]
        with open(self.dir / "stderr", "ab") as errors:
            self._process = subprocess.Popen(
                [*command, "--listen", "127.0.0.1:0", *self._arguments],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        try:
            words = self._first_line(self._process).split()
            self.url, self.fingerprint = words[3], words[6]
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        return int(self.url.split(":")[2].partition("/")[0])

    def stop(self, number: int = signal.SIGTERM) -> int | None:
        """Ends the process if it runs; its exit status."""
        process = self._process
        if process is None:
            return None
        if process.poll() is None:
            process.send_signal(number)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_S)
        if process.stdout is not None:
            process.stdout.close()
        return process.returncode

    def log(self) -> list[dict[str, object]]:
        """One map for each HTTP operation, oldest first; the fields are in `tools.lab_ca`."""
        path = self.dir / "log.jsonl"
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    def pki_operations(self) -> list[dict[str, object]]:
        """Those lines of the log that are PKIOperations and were not written while held."""
        return [
            entry
            for entry in self.log()
            if entry["operation"] == "PKIOperation" and entry["held"] is None
        ]

    def approve(self, transaction: str = ledger.ALL) -> list[str]:
        """Approves what is pending; the transactionIDs that it was done for."""
        return ledger.Ledger(self.dir).decide(transaction, ledger.APPROVED)

    def deny(self, transaction: str = ledger.ALL) -> list[str]:
        return ledger.Ledger(self.dir).decide(transaction, ledger.DENIED)

    def held(self, timeout_s: int = WAIT_S) -> dict[str, object]:
        """Waits until a conversation is held: its `state` and `transaction`."""
        path = self.dir / "held"
        text = wait_for(lambda: path.exists() and _text(path), timeout_s, "nobody was held")
        found: dict[str, object] = json.loads(str(text))
        return found

    def release(self, timeout_s: int = WAIT_S) -> None:
        """Lets who is held go, and waits until it has gone on; it may be held again by then."""
        assert hold.release(self.dir), "nobody is held"
        wait_for(lambda: not (self.dir / "release").exists(), timeout_s, "nobody was released")

    def let_go(self, timeout_s: int = WAIT_S) -> None:
        """Waits until nobody is held any more: released, or the client has closed."""
        wait_for(lambda: not (self.dir / "held").exists(), timeout_s, "still held")

    def issued(self) -> list[Path]:
        """The certificates that were issued, oldest first."""
        found = (self.dir / "issued").glob("*.pem")
        return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))

    def requests(self) -> list[ledger.Record]:
        """The transactions as the CA remembers them."""
        return ledger.Ledger(self.dir).records()

    def _first_line(self, process: subprocess.Popen[bytes]) -> str:
        assert process.stdout is not None
        text, deadline = b"", time.monotonic() + START_S
        while not text.endswith(b"\n"):
            left_s = deadline - time.monotonic()
            ready = select.select([process.stdout], [], [], max(left_s, 0))[0]
            chunk = os.read(process.stdout.fileno(), 4096) if ready else b""
            if not chunk:
                errors = (self.dir / "stderr").read_text(encoding="utf-8", errors="replace")
                raise AssertionError(f"the lab CA did not start: {errors}")
            text += chunk
        return text.decode()


class InBackground:
    """A call in a thread: a held conversation needs somebody who waits for it."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._result: list[object] = []
        self._thread = threading.Thread(target=lambda: self._result.append(call()), daemon=True)
        self._thread.start()

    def result(self) -> object:
        self._thread.join(CALL_S)
        assert self._result, "the call ended without a result"
        return self._result[0]


def wait_for(look: Callable[[], T], timeout_s: int, complaint: str) -> T:
    """The first true result of `look`; an AssertionError after the time-out."""
    deadline = time.monotonic() + timeout_s
    while not (found := look()):
        assert time.monotonic() < deadline, complaint
        time.sleep(LOOK_S)
    return found


def _text(path: Path) -> str:
    """The text of a file that may vanish while it is looked at."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
