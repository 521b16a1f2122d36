"""micromdm's SCEP server: 2.1.0 as Debian packs it (`scep`), and 2.3.0 as `make peers` builds it.

Debian's listens on every address and cannot be told otherwise, hence a network name space; the
other one takes a free port of 127.0.0.1.
"""

import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from tests import netns, peers
from tests.board import run
from tests.labca import wait_for
from tests.netns import NetNs
from tests.sshd import free_port, somebody_listens

PORT = 9001
CHALLENGE = "sekret"
START_S = 30
ATTEMPTS = 5  # somebody else may take the port that was just free


def missing() -> str:
    """Why Debian's cannot run here; empty when it can."""
    if netns.missing():
        return netns.missing()
    return "" if shutil.which("scepserver") else "needs Debian's package `scep` (root and apt)"


class MicroMdm:
    """`with MicroMdm(folder, net, challenge) as ca:`; `url`, `certificate` (PEM file).

    net: where Debian's serves; None: the other one serves, on loopback.
    """

    def __init__(self, folder: Path, net: NetNs | None, challenge: str = CHALLENGE) -> None:
        self.dir, self._net, self._challenge = folder / "micromdm", net, challenge
        self.url = ""
        self.certificate = self.dir / "depot" / "ca.pem"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.dir.mkdir()
        key = ["-keySize", "2048", "-key-password", "lab", "-organization", "Lab"]
        run(*self._program("ca", "-init"), *self._depot(), *key, "-country", "DE")
        for _ in range(ATTEMPTS):
            if self._start():
                return self
        raise AssertionError(f"scepserver did not start: {self.log()}")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(10)

    def fingerprint(self) -> str:
        return peers.fingerprint(self.certificate)

    def issued(self) -> list[Path]:
        """Certificates in its depot, without its own."""
        return [p for p in (self.dir / "depot").glob("*.pem") if p.name != "ca.pem"]

    def log(self) -> str:
        return (self.dir / "log").read_text(errors="replace")

    def _program(self, *arguments: str) -> list[str]:
        if self._net is not None:
            return [*self._net.prefix, "scepserver", *arguments]
        return [str(peers.program("scepserver")), *arguments]

    def _depot(self) -> list[str]:
        return ["-depot", str(self.dir / "depot")]

    def _start(self) -> bool:
        port = free_port() if self._net is None else PORT
        place = f"127.0.0.1:{port}"
        where = ["-http-addr", place] if self._net is None else ["-port", str(port)]
        options = ["-capass", "lab", "-challenge", self._challenge, "-allowrenew", "0", "-debug"]
        self.url = f"http://{place}/scep"
        with open(self.dir / "log", "ab") as log:
            self._process = process = subprocess.Popen(
                self._program(*self._depot(), *where, *options),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_for(
            lambda: process.poll() is not None or self._listens(port),
            START_S,
            "scepserver neither listens nor ends",
        )
        return process.poll() is None

    def _listens(self, port: int) -> bool:
        if self._net is None:
            return somebody_listens(port)
        inside = [*self._net.prefix, "ss", "-Hltn", f"sport = :{port}"]
        return bool(subprocess.run(inside, capture_output=True, timeout=20).stdout)
