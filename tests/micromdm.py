"""Debian's SCEP server (package `scep`: micromdm 2.1.0) in a network name space of its own.

It listens on every address and cannot be told otherwise, hence the name space.
"""

import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.labca import wait_for
from tests.netns import NetNs

PORT = 9001


def missing() -> str:
    """Why it cannot run here; empty when it can."""
    return "" if shutil.which("scepserver") else "needs Debian's package `scep` (root and apt)"


class MicroMdm:
    """`with MicroMdm(tmp_path, net, challenge) as ca:`; `url`, `certificate` (PEM file)."""

    def __init__(self, folder: Path, net: NetNs, challenge: str) -> None:
        self.dir, self._net, self._challenge = folder / "micromdm", net, challenge
        self.url = f"http://127.0.0.1:{PORT}/scep"
        self.certificate = self.dir / "depot" / "ca.pem"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.dir.mkdir()
        depot = ["-depot", str(self.dir / "depot")]
        key = ["-keySize", "2048", "-key-password", "lab", "-organization", "Lab"]
        subprocess.run(
            ["scepserver", "ca", "-init", *depot, *key, "-country", "DE"],
            check=True,
            timeout=60,
            stdout=subprocess.DEVNULL,
        )
        options = ["-capass", "lab", "-challenge", self._challenge, "-allowrenew", "0", "-debug"]
        with open(self.dir / "log", "ab") as log:
            self._process = subprocess.Popen(
                [*self._net.prefix, "scepserver", *depot, "-port", str(PORT), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_for(self._listens, 30, "scepserver did not start")
        return self

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
        """SHA-256 of the CA certificate, by openssl."""
        done = subprocess.run(
            ["openssl", "x509", "-in", str(self.certificate), "-noout", "-fingerprint", "-sha256"],
            check=True,
            capture_output=True,
            text=True,
            timeout=20,
        )
        return done.stdout.strip().split("=")[1]

    def issued(self) -> list[Path]:
        """Certificates in its depot, without its own."""
        return [p for p in (self.dir / "depot").glob("*.pem") if p.name != "ca.pem"]

    def _listens(self) -> bool:
        done = subprocess.run(
            [*self._net.prefix, "ss", "-Hltn", f"sport = :{PORT}"],
            capture_output=True,
            timeout=20,
        )
        return bool(done.stdout)
