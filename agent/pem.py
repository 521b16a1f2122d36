"""PEM (RFC 7468): base64 in lines of 64 between two marks."""

from __future__ import annotations

import binascii
from collections.abc import Iterable


def encode(label: str, ders: Iterable[bytes]) -> bytes:
    """One block for each DER; label as `CERTIFICATE`."""
    return b"".join(_block(label.encode(), der) for der in ders)


def _block(label: bytes, der: bytes) -> bytes:
    text = binascii.b2a_base64(der, newline=False)
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return b"\n".join((b"-----BEGIN %b-----" % label, *lines, b"-----END %b-----\n" % label))
