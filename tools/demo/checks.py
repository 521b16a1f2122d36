"""What somebody else says about the certificate: openssl, and what the board itself prints."""

import re
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tools.demo.failure import DemoError
from tools.demo.procedure import COMMON_NAME, REALM

Show = Callable[[str], None]

CA = "ca/ca.pem"
STORED = f"board/storage/{REALM}_local.cer"
MEMORY = f"board/memory/{REALM}"

# Pattern below the lab's folder -> what it is.
MEANING = (
    ("board/flash.bin", "the store: configuration, sealed keys, certificates"),
    ("board/device.key", "opens what is sealed"),
    ("board/storage/*", "device storage"),
    (f"{MEMORY}/*.pem", "device memory, for IKE, TLS and 802.1X"),
)


def need_openssl() -> None:
    if not shutil.which("openssl"):
        raise DemoError("openssl is not here\n  Next step: apt install openssl")


def with_openssl(folder: Path, show: Show) -> None:
    """Certificates against the CA's own file, the key against the certificate. Raises DemoError."""

    def openssl(*words: str) -> str:
        command = ("openssl", *words)
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise DemoError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
        return done.stdout

    def shown(*words: str) -> None:
        show(f"$ openssl {' '.join(words)}\n")
        show(openssl(*words))

    names = ("-nameopt", "RFC2253")  # the default differs between versions of openssl
    shown("x509", "-in", STORED, "-noout", "-subject", "-issuer", "-dates", *names)
    shown("verify", "-CAfile", CA, STORED, f"{MEMORY}/cert.pem")
    key = openssl("pkey", "-in", f"{MEMORY}/key.pem", "-pubout")
    if key != openssl("x509", "-in", f"{MEMORY}/cert.pem", "-noout", "-pubkey"):
        raise DemoError(f"{MEMORY}/key.pem is not the key of cert.pem")
    show(f"{MEMORY}/key.pem is the key of cert.pem: OK\n")


def written(folder: Path, show: Show) -> int:
    """Lists what the board has written, with sizes in bytes and modes; how many files."""
    count = 0
    for pattern, meaning in MEANING:
        show(f"{meaning}:\n")
        for path in sorted(folder.glob(pattern)):
            status = path.stat()
            mode = stat.S_IMODE(status.st_mode)
            show(f"  {path.relative_to(folder)!s:32} {status.st_size:8}  {mode:04o}\n")
            count += 1
    return count


def by_display(local: str, ca: str, public: str, show: Show) -> None:
    """The same as far as three displays allow: the board's files are not here. Raises DemoError."""
    for what, good in _judged(local, ca, public):
        if not good:
            raise DemoError(f"wrong: {what}")
        show(f"{what}: OK\n")


def _judged(local: str, ca: str, public: str) -> Iterator[tuple[str, bool]]:
    now = datetime.now(UTC)
    yield "subject is what was asked for", f"CN={COMMON_NAME}" in _field(local, "Subject")
    yield "issuer is the CA", _field(local, "Issuer") == _field(ca, "Subject")
    yield "the certificate is valid now", _date(local, "Before") <= now < _date(local, "After ")
    yield "the key in it is the board's key pair", _modulus(local) == _public_modulus(public)


def _field(text: str, label: str) -> str:
    """The value of the first line with a label."""
    found = re.search(rf"^\s+{label}: (.*)$", text, re.MULTILINE)
    if not found:
        raise DemoError(
            f"the board shows no certificate with `{label}:`\n"
            "  Cause: the CA has not issued it yet, or the application failed\n"
            f"  Next step: see above what `display pki enrollment realm {REALM}` says"
        )
    return found[1]


def _date(text: str, which: str) -> datetime:
    shown = _field(text, f"Not {which}")
    try:
        return datetime.strptime(shown, "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
    except ValueError as error:
        raise DemoError(f"`{shown}` is not a date") from error


def _modulus(text: str) -> int:
    found = re.search(r"Modulus:((?:\s+(?:[0-9a-f]{2}:?)+\n)+)", text)
    if not found:
        raise DemoError("the board shows no modulus in its certificate")
    return int(re.sub(r"[\s:]", "", found[1]), 16)


def _public_modulus(text: str) -> int:
    found = re.search(r"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", text, re.DOTALL)
    try:
        key = load_pem_public_key(found[0].encode() if found else b"")
    except (ValueError, UnsupportedAlgorithm) as error:
        raise DemoError("the board shows no public key") from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise DemoError("the board's key pair is not RSA")
    return key.public_numbers().n
