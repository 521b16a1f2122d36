"""Passwords of people who log in: salted scrypt in one printable word.

    $scrypt$ln=14,r=8,p=1$SALT$HASH        (the PHC string format; base64 without padding)

Fault model. A hash comes from a configuration, which may be edited, hostile or of another release:
its parameters are capped, so that no login costs more than one that we made. What it cannot be is
`hash-unreadable`, and whoever asks lets nobody in. The comparison takes the same time whatever
differs.
"""

from __future__ import annotations

import base64
import re
from hmac import compare_digest

from agent import limits
from agent.errors import AgentError, fail
from agent.scep import crypto
from hal.named import NamedTuple

_SALT_BYTES, _HASH_BYTES = 16, 32
_WORD = re.compile(
    r"\$scrypt\$ln=([0-9]{1,2}),r=([0-9]{1,2}),p=1\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})"
)


class _Stored(NamedTuple):
    log2_cost: int
    block: int
    salt: bytes
    hash: bytes

    def fits(self, plain: str) -> bool:
        return compare_digest(_derive(plain, self.log2_cost, self.block, self.salt), self.hash)


def hashed(plain: str, before: str | None) -> str:
    """The word for a password of 1 to 128 bytes; `before` again when it is one of the same."""
    if not 0 < len(plain.encode()) <= limits.LOGIN_PASSWORD_BYTES:
        raise fail("job-request", field="plain")
    if before is not None and _is_of(before, plain):
        return before
    cost, block, salt = limits.SCRYPT_LOG2_COST, limits.SCRYPT_BLOCK, crypto.draw(_SALT_BYTES)
    secret = _derive(plain, cost, block, salt)
    return f"$scrypt$ln={cost},r={block},p=1${_text(salt)}${_text(secret)}"


def _is_of(before: str, plain: str) -> bool:
    """Whether a word is one that we would make today, and of this password."""
    try:
        stored = _read(before)
    except AgentError:
        return False
    ours = (limits.SCRYPT_LOG2_COST, limits.SCRYPT_BLOCK)
    return (stored.log2_cost, stored.block) == ours and stored.fits(plain)


def matches(plain: str, word: str) -> bool:
    """Whether this is the password; LocalError `hash-unreadable`."""
    return _read(word).fits(plain)


def _read(word: str) -> _Stored:
    match = _WORD.fullmatch(word) if len(word) <= limits.PASSWORD_HASH_CHARACTERS else None
    if match is None:
        raise fail("hash-unreadable")
    cost, block = int(match[1]), int(match[2])
    if not (0 < cost <= limits.SCRYPT_LOG2_COST and 0 < block <= limits.SCRYPT_BLOCK):
        raise fail("hash-unreadable")
    return _Stored(cost, block, _bytes(match[3]), _bytes(match[4]))


def _derive(plain: str, log2_cost: int, block: int, salt: bytes) -> bytes:
    return crypto.scrypt(plain.encode(), salt, 1 << log2_cost, block, _HASH_BYTES)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))
