"""Files as other tools make them: keys and certificates of the miniature CA, packed by openssl."""

import functools
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization

from agent import pem
from tests.helpers import scep_lab as lab

PASSWORD = "pässword"
LEGACY = ("-provider", "legacy", "-provider", "default")


def openssl(*words: str, data: bytes = b"", good: bool = True) -> bytes:
    """What openssl says to this input; a failure of openssl is one of the test unless not good."""
    done = subprocess.run(["openssl", *words], input=data, capture_output=True, timeout=120)
    assert (done.returncode == 0) == good, done.stderr.decode()
    return done.stdout


def key_pem(name: str) -> bytes:
    return lab.key(name).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def certificate_pem(*parties: lab.Party) -> bytes:
    return pem.encode("CERTIFICATE", [party.der for party in parties])


def text_of(der: bytes, label: str = "CERTIFICATE") -> bytes:
    return pem.encode(label, [der])


@functools.cache
def leaf(key: str = "dev", start_s: int = lab.NOW_S - lab.DAY_S) -> lab.Party:
    """A certificate below the sub CA for one of the keys."""
    return lab.certificate({"common_name": "dev1"}, key, lab.sub(), start_s=start_s)


def chain() -> tuple[lab.Party, lab.Party, lab.Party]:
    """Certificate, sub CA, root."""
    return leaf(), lab.sub(), lab.root()


def pkcs12(folder: Path, *words: str, key: str | None = "dev", certificates: Any = None) -> bytes:
    """`openssl pkcs12 -export` of a key and certificates; `words` choose the encryption."""
    source = folder / "in.pem"
    parts = chain() if certificates is None else certificates
    source.write_bytes((key_pem(key) if key else b"") + certificate_pem(*parts))
    keyless = () if key else ("-nokeys",)
    return openssl("pkcs12", "-export", "-in", str(source), *keyless, *_out(words))


def _out(words: Sequence[str]) -> Sequence[str]:
    chosen = any(word.startswith("-passout") for word in words)
    return words if chosen else (*words, "-passout", f"pass:{PASSWORD}")


def openssl_says(*words: str) -> str:
    """What openssl tells on its standard error."""
    done = subprocess.run(["openssl", *words], capture_output=True, timeout=120, check=True)
    return done.stderr.decode()
