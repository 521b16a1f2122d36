"""Imports and touches everything that a job will use.

A job child runs as a user who may not be able to enter the installation, so after the drop of
rights nothing may be opened by path: no module, no codec, no table that a library loads on first
use. The worker calls this once, before it forks. What one job in a thousand needs is loaded before
the first child of such a job.
"""

from __future__ import annotations

import importlib
from contextlib import suppress

from agent.scep import tls

_MODULES = (
    "agent.scep.operations",
    "hal.link",
    "cryptography.hazmat.backends.openssl.backend",
    "encodings.idna",
    "stringprep",
    "unicodedata",
)
_CODECS = ("utf-8", "ascii", "latin-1", "iso-8859-1", "utf-16-be", "utf-16-le", "utf-32-be", "idna")


def load_all() -> None:
    """Loads it all; an ImportError here is a broken installation."""
    for module in _MODULES:
        importlib.import_module(module)
    for codec in _CODECS:
        "a".encode(codec).decode(codec)
    tls.bare()


def load_library() -> None:
    """Loads that of PKCS#12, once. Never raises: who needs it and misses it says so."""
    with suppress(Exception):
        importlib.import_module("agent.scep.pkcs12")
