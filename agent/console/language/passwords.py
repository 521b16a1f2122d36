"""The types of the console's passwords: in plain, sealed by this device, or as a hash.

A reason never repeats the text, which may be a password.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from agent import limits
from agent.console.language.grammar import Parameter, Value
from agent.console.language.parameters import ranged

HASH = "$scrypt$"  # opens the hash of a password
SEAL = "%^%#"  # opens and closes a sealed password
MASK = "******"
ELSEWHERE = (  # why a cipher text is refused
    "this is a password that a device has sealed, and no other device can open it: type the"
    " password in plain"
)

# The marks that open a cipher text of VRP, of any generation, and its irreversible hashes ($1a$).
# Behind a mark anything may stand, blanks and quotation marks too: so the mark alone decides, in
# the first word of a text that the line then splits.
_CIPHER_TEXT = re.compile(r'"*(%[\^@$#+_]%[@$#_]|@%@[%#]|\$1[a-z]\$)')
_SEALED = re.compile(r"%\^%#[A-Za-z0-9+/]+={0,2}%\^%#")
_HASHED = re.compile(
    r"\$scrypt\$ln=[0-9]{1,2},r=[0-9]{1,2},p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}"
)


def is_sealed(word: str) -> bool:
    """Whether a password has the form that this product prints."""
    return _SEALED.fullmatch(word) is not None and len(word) <= limits.SEALED_PASSWORD_CHARACTERS


def is_hash(word: str) -> bool:
    """Whether a password has the form in which a login password is stored."""
    return _HASHED.fullmatch(word) is not None


def without_hash(line: str) -> str:
    """A line of a configuration for those who might guess at home what a hash was made of."""
    return _HASHED.sub(MASK, line)


def _read_challenge(word: str) -> str:
    """A password in plain, or the sealed form that this product prints."""
    return word if is_sealed(word) else _read_plain(word)


def _read_login(word: str) -> str:
    """A login password in plain, or its hash as this product prints it."""
    if not word.startswith(HASH):
        return _read_plain(word, limits.LOGIN_PASSWORD_BYTES)
    if not is_hash(word):
        raise ValueError(f"what begins with {HASH} must be the whole hash of a password")
    return word


def _read_plain(word: str, cap: int = limits.PASSWORD_BYTES) -> str:
    if _CIPHER_TEXT.match(word):
        raise ValueError(ELSEWHERE)
    if not word.isprintable() or not 1 <= len(word.encode(errors="replace")) <= cap:
        raise ValueError(f"a password has 1 to {cap} bytes of printable text")
    if word == MASK:
        raise ValueError("this is how a password is shown, not a password")
    return word


def _secret(
    help_text: str,
    read: Callable[[str], Value],
    stored: tuple[int, int] | None = None,
    cap: int = limits.PASSWORD_BYTES,
) -> Parameter:
    """A password of so many bytes, or of so many characters in the form that is stored."""
    kind = ranged("STRING", 1, cap, help_text, read)
    form = "/<{}-{}>".format(*stored) if stored else ""
    return kind._replace(label=kind.label + form, secret=True)


PASSWORD = _secret(
    "Password in plain, or sealed as this device shows it",
    _read_challenge,
    stored=(len(SEAL) * 2 + 1, limits.SEALED_PASSWORD_CHARACTERS),
)
HASHED = _secret(
    "Password in plain, or its hash as a device shows it",
    _read_login,
    stored=(88, 90),
    cap=limits.LOGIN_PASSWORD_BYTES,
)
PLAIN = _secret("Password in plain", _read_plain)
