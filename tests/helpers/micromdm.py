"""micromdm's SCEP server: 2.1.0 as Debian packs it (`scep`), and 2.3.0 as `make peers` builds it.

Debian's listens on every address and cannot be told otherwise, hence a network name space; the
other one takes a free port of 127.0.0.1.
"""

import shutil
import subprocess
from pathlib import Path

from tests.helpers import netns, peers
from tests.helpers.board import run
from tests.helpers.daemon import Daemon
from tests.helpers.netns import NetNs

PORT = 9001
CHALLENGE = "sekret"


def missing() -> str:
    """Why Debian's cannot run here; empty when it can."""
    if netns.missing():
        return netns.missing()
    return "" if shutil.which("scepserver") else "needs Debian's package `scep` (root and apt)"


class MicroMdm(Daemon):
    """`with MicroMdm(folder, net, challenge) as ca:`; `url`, `certificate` (PEM file).

    net: where Debian's serves; None: the other one serves, on loopback.
    """

    def __init__(self, folder: Path, net: NetNs | None, challenge: str = CHALLENGE) -> None:
        super().__init__(folder / "micromdm")
        self._net, self._challenge = net, challenge
        self.certificate = self.dir / "depot" / "ca.pem"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/scep"

    def prepare(self) -> None:
        key = ["-keySize", "2048", "-key-password", "lab", "-organization", "Lab"]
        run(*self._program("ca", "-init"), *self._depot(), *key, "-country", "DE")

    def fingerprint(self) -> str:
        return peers.fingerprint(self.certificate)

    def issued(self) -> list[Path]:
        """Certificates in its depot, without its own."""
        return [p for p in (self.dir / "depot").glob("*.pem") if p.name != "ca.pem"]

    def _program(self, *arguments: str) -> list[str]:
        if self._net is not None:
            return [*self._net.prefix, "scepserver", *arguments]
        return [str(peers.program("scepserver")), *arguments]

    def _depot(self) -> list[str]:
        return ["-depot", str(self.dir / "depot")]

    def choose_port(self) -> int:
        return super().choose_port() if self._net is None else PORT

    def command(self) -> list[str]:
        place = ["-http-addr", f"127.0.0.1:{self.port}"]
        where = place if self._net is None else ["-port", str(self.port)]
        options = ["-capass", "lab", "-challenge", self._challenge, "-allowrenew", "0", "-debug"]
        return self._program(*self._depot(), *where, *options)

    def listens(self) -> bool:
        if self._net is None:
            return super().listens()
        inside = [*self._net.prefix, "ss", "-Hltn", f"sport = :{self.port}"]
        return bool(subprocess.run(inside, capture_output=True, timeout=120).stdout)
