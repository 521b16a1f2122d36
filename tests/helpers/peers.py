"""The servers and clients in Go that `make peers` builds, and why they cannot run here."""

import shutil
from pathlib import Path

from tests.helpers.board import run

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".peers"


def program(name: str) -> Path:
    """Where `make peers` puts a command, in the version that requirements/peers.txt names."""
    lines = (ROOT / "requirements" / "peers.txt").read_text(encoding="utf-8").splitlines()
    (full,) = [line.rpartition("/")[2] for line in lines if f"/{name}@" in line]
    return FOLDER / full


def missing(name: str) -> str:
    """Why a command cannot run here; empty when it can."""
    path = program(name)
    if path.exists():
        return ""
    if shutil.which("go") is None:
        return f"needs Go for {path.name}"
    return f"needs {path.name}, which `make peers` builds"


def fingerprint(certificate: Path) -> str:
    """SHA-256 of a certificate in PEM, by openssl: hexadecimal with colons."""
    how = ("-noout", "-fingerprint", "-sha256")
    return run("openssl", "x509", "-in", str(certificate), *how).strip().split("=")[1]
