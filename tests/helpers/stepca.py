"""step-ca as a process: a root, an intermediate that issues, and a SCEP service for each row.

The configuration is ours; it serves on free ports of 127.0.0.1 and keeps its database, which its
revocation list needs, in the folder of the test.
"""

import base64
import json
from pathlib import Path

from tests.helpers import peers
from tests.helpers.board import run
from tests.helpers.daemon import Daemon

CHALLENGE = "sekret"
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


class StepCa(Daemon):
    """`with StepCa(folder) as ca:`; `url(service)`: a row of SERVICES."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "step-ca")
        self.environment = {"HOME": str(self.dir), "STEPPATH": str(self.dir)}

    def prepare(self) -> None:
        self._certificate("root", "root", *_CA)
        self._certificate("intermediate", "root", *_CA)
        self._certificate("ra", "intermediate", *_END)

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self.port}/scep/{service}"

    @property
    def list_url(self) -> str:
        """Where it publishes its revocation list."""
        return f"http://127.0.0.1:{self.port}/1.0/crl"

    def certificate(self, name: str) -> Path:
        """PEM of `root`, `intermediate` or `ra`."""
        return self.dir / f"{name}.pem"

    def fingerprint(self, name: str) -> str:
        return peers.fingerprint(self.certificate(name))

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

    def command(self) -> list[str]:
        configuration = {
            "root": f"{self.dir}/root.pem",
            "crt": f"{self.dir}/intermediate.pem",
            "key": f"{self.dir}/intermediate.key",
            "address": "127.0.0.1:0",
            "insecureAddress": f"127.0.0.1:{self.port}",
            "dnsNames": ["127.0.0.1"],
            "db": {"type": "badgerv2", "dataSource": f"{self.dir}/db"},
            "crl": {"enabled": True},
            "authority": {"provisioners": [self._provisioner(name) for name in SERVICES]},
        }
        (self.dir / "ca.json").write_text(json.dumps(configuration))
        return [str(peers.program("step-ca")), str(self.dir / "ca.json")]
