"""step-ca as a process: a root, an intermediate that issues, and a SCEP service for each row.

The configuration is ours; it serves on free ports of 127.0.0.1 and keeps its database, which its
revocation list needs, in the folder of the test.
"""

import base64
import json
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from tests import peers
from tests.board import run
from tests.labca import wait_for
from tests.sshd import free_port, somebody_listens

CHALLENGE = "sekret"
START_S = 30
ATTEMPTS = 5  # somebody else may take the port that was just free
AES_256_CBC, AES_128_GCM = 2, 3
AES = {"encryptionAlgorithmIdentifier": AES_256_CBC}
WITH_ROOT = {**AES, "includeRoot": True}
# Service -> what its provisioner has besides the challenge; `ra`, and what begins so, has a
# decrypter certificate too, issued by the intermediate.
SERVICES: dict[str, dict[str, object]] = {
    "default": {},
    "aes": {**AES},
    "gcm": {"encryptionAlgorithmIdentifier": AES_128_GCM},
    "with-root": {**WITH_ROOT},
    "ra": {**AES},
    "ra-default": {},
    "ra-with-root": {**WITH_ROOT},
    "ra-without-intermediate": {**WITH_ROOT, "excludeIntermediate": True},
}
_CA = "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"
_END = "basicConstraints=critical,CA:FALSE", "keyUsage=digitalSignature,keyEncipherment"


class StepCa:
    """`with StepCa(folder) as ca:`; `url(service)`: a row of SERVICES."""

    def __init__(self, folder: Path) -> None:
        self.dir = folder / "step-ca"
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.dir.mkdir(parents=True)
        self._certificate("root", "root", *_CA)
        self._certificate("intermediate", "root", *_CA)
        self._certificate("ra", "intermediate", *_END)
        for _ in range(ATTEMPTS):
            if self._start():
                return self
        raise AssertionError(f"step-ca did not start: {self.log()}")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self._port}/scep/{service}"

    @property
    def list_url(self) -> str:
        """Where it publishes its revocation list."""
        return f"http://127.0.0.1:{self._port}/1.0/crl"

    def certificate(self, name: str) -> Path:
        """PEM of `root`, `intermediate` or `ra`."""
        return self.dir / f"{name}.pem"

    def fingerprint(self, name: str) -> str:
        return peers.fingerprint(self.certificate(name))

    def log(self) -> str:
        path = self.dir / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _certificate(self, name: str, issuer: str, *extensions: str) -> None:
        """A key pair and its certificate, signed by another one of ours or by itself."""
        signed = ["-CA", f"{self.dir}/{issuer}.pem", "-CAkey", f"{self.dir}/{issuer}.key"]
        run(
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256"),
            *("-days", "30", "-subj", f"/O=Lab/CN=step {name}"),
            *("-keyout", f"{self.dir}/{name}.key", "-out", f"{self.dir}/{name}.pem"),
            *(f"-addext={extension}" for extension in extensions),
            *(signed if issuer != name else ()),
        )

    def _provisioner(self, name: str) -> dict[str, object]:
        row = dict(SERVICES[name])
        if name.startswith("ra"):
            for field, file in (("decrypterCertificate", "ra.pem"), ("decrypterKeyPEM", "ra.key")):
                row[field] = base64.b64encode((self.dir / file).read_bytes()).decode()
        return {"type": "SCEP", "name": name, "challenge": CHALLENGE, **row}

    def _start(self) -> bool:
        self._port = free_port()
        configuration = {
            "root": f"{self.dir}/root.pem",
            "crt": f"{self.dir}/intermediate.pem",
            "key": f"{self.dir}/intermediate.key",
            "address": "127.0.0.1:0",
            "insecureAddress": f"127.0.0.1:{self._port}",
            "dnsNames": ["127.0.0.1"],
            "db": {"type": "badgerv2", "dataSource": f"{self.dir}/db"},
            "crl": {"enabled": True},
            "authority": {"provisioners": [self._provisioner(name) for name in SERVICES]},
        }
        (self.dir / "ca.json").write_text(json.dumps(configuration))
        with open(self.dir / "log", "wb") as log:
            self._process = process = subprocess.Popen(
                [peers.program("step-ca"), self.dir / "ca.json"],
                env={"HOME": str(self.dir), "STEPPATH": str(self.dir)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_for(
            lambda: process.poll() is not None or somebody_listens(self._port),
            START_S,
            "step-ca neither listens nor ends",
        )
        return process.poll() is None
