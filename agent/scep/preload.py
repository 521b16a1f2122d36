"""Imports and touches everything that a job will use.

A job child runs as a user who may not be able to enter the installation, so after the drop of
rights nothing may be opened by path: no module, no codec, no table that a library loads on first
use. The worker calls this once, before it forks.
"""

from __future__ import annotations

import importlib

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.scep import crypto, tls

_MODULES = (
    "agent.scep.operations",
    "hal.link",
    "cryptography.hazmat.backends.openssl.backend",
    "encodings.idna",
    "stringprep",
    "unicodedata",
)
_MODULUS = (1 << 2047) + 1  # of no key: only its size counts here
_CODECS = ("utf-8", "ascii", "latin-1", "iso-8859-1", "utf-16-be", "utf-32-be", "idna")


def load_all() -> None:
    """Loads it all; an ImportError here is a broken installation."""
    for module in _MODULES:
        importlib.import_module(module)
    for codec in _CODECS:
        "a".encode(codec).decode(codec)
    tls.bare()
    _use_once()


def _use_once() -> None:
    """libcrypto looks an algorithm up when it is first used, and every child would do it anew: a
    sixth of the CPU time of an enrolment. Only what cannot fail on a restricted build."""
    public = rsa.RSAPublicNumbers(65537, _MODULUS).public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    crypto.verify(spki, "rsa", "sha-256", bytes(256), b"")
    key, vector = bytes(16), bytes(16)
    crypto.decrypt_cbc("aes128", key, vector, crypto.encrypt_cbc("aes128", key, vector, b""))
    crypto.decrypt_gcm(key, crypto.encrypt_gcm(key, b"", b""), b"")
