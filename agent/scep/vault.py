"""Secrets at rest: private keys and passwords under the key of this device.

Fault model. The flash may be read or copied by whoever holds the board, records may be swapped or
damaged, the device key may be lost or be that of another device. A sealed value opens only under
the device key and in the place for which it was made (key name and generation are associated
data); everything else is one error, without a hint of what was wrong, and nothing is formatted.

A seal: one byte of version, twelve of nonce, then AES-256-GCM over the secret. A nonce is random;
a device seals some hundred times in its life, far below what 96 bits allow (SP 800-38D 8.3).
"""

from __future__ import annotations

import base64
import binascii
import os

from agent import limits
from agent.errors import AgentError, fail
from agent.scep import crypto
from agent.scep.jobmap import Job, field

DEVICE_KEY_BYTES = 32
_VERSION = b"\x01"
_FRAME = "%^%#"  # how VRP frames a password that only the device can read
_PASSWORD = b"password"


def device_key(descriptor: int) -> bytes:
    """The device key behind an open descriptor; LocalError `device-key` unless it is 32 bytes."""
    try:
        key = os.pread(descriptor, DEVICE_KEY_BYTES + 1, 0)
    except OSError as error:
        raise fail("device-key", reason=error.strerror) from None
    if not key:  # the agent gives what is empty for what is not there
        raise fail("device-key", reason="it is missing")
    if len(key) != DEVICE_KEY_BYTES:
        raise fail("device-key", reason=f"{len(key)} bytes instead of {DEVICE_KEY_BYTES}")
    return key


def seal(key: bytes, plain: bytes, bound: bytes) -> bytes:
    """The secret under the device key, usable only together with `bound`."""
    return _VERSION + crypto.encrypt_gcm(key, plain, _VERSION + bound)


def unseal(key: bytes, sealed: bytes, bound: bytes, what: str = "record") -> bytes:
    """The secret; LocalError `sealed-unreadable` for a wrong key, place or version, or damage."""
    plain = _opened(key, sealed, bound)
    if plain is None:
        raise fail("sealed-unreadable", what=what)
    return plain


def _opened(key: bytes, sealed: bytes, bound: bytes) -> bytes | None:
    if sealed[:1] != _VERSION:
        return None
    return crypto.decrypt_gcm(key, sealed[1:], _VERSION + bound)


# -- passwords -------------------------------------------------------------------------------------


def seal_password(key: bytes, plain: str) -> str:
    """The text form that a configuration holds: `%^%#`, base64, `%^%#`."""
    secret = plain.encode()
    if not 0 < len(secret) <= limits.PASSWORD_BYTES:
        raise fail("job-request", field="plain")
    return _FRAME + base64.b64encode(seal(key, secret, _PASSWORD)).decode() + _FRAME


def seal_again(key: bytes, plain: str, before: str | None) -> str:
    """The text form; `before` as it is when it holds the same password, else a new one."""
    if before is not None:
        try:
            if unseal_password(key, before) == plain:
                return before
        except AgentError:
            pass  # of another device, or no sealed form at all
    return seal_password(key, plain)


def unseal_password(key: bytes, text: str) -> str:
    """The password; LocalError `sealed-foreign` when it was not sealed on this device."""
    framed = text.startswith(_FRAME) and text.endswith(_FRAME) and len(text) > 2 * len(_FRAME)
    if not framed or len(text) > limits.SEALED_PASSWORD_CHARACTERS:
        raise fail("sealed-foreign")
    try:
        sealed = base64.b64decode(text[len(_FRAME) : -len(_FRAME)], validate=True)
    except (binascii.Error, ValueError):
        raise fail("sealed-foreign") from None
    plain = _opened(key, sealed, _PASSWORD)
    if plain is None:
        raise fail("sealed-foreign")
    return plain.decode()


# -- key pairs -------------------------------------------------------------------------------------


def _bound(name: str, generation: int) -> bytes:
    return f"key|{name}|{generation}".encode()


def generate(key: bytes, name: str, generation: int, bits: int) -> tuple[bytes, bytes]:
    """A new RSA key pair: the sealed PKCS#8, and the public half as SubjectPublicKeyInfo."""
    return seal_key(key, name, generation, crypto.generate(bits))


def seal_key(
    key: bytes, name: str, generation: int, pair: crypto.PrivateKey
) -> tuple[bytes, bytes]:
    """A key pair that is there: its sealed PKCS#8 and its SubjectPublicKeyInfo."""
    sealed = seal(key, crypto.private_der(pair), _bound(name, generation))
    return sealed, crypto.public_der(pair)


def load(key: bytes, name: str, generation: int, sealed: bytes, spki: bytes) -> crypto.PrivateKey:
    """The private key of this pair; LocalError `sealed-unreadable` or `key-mismatch`."""
    pkcs8 = unseal(key, sealed, _bound(name, generation), f"key pair {name}")
    try:
        pair = crypto.load_own(pkcs8)
    except ValueError:
        raise fail("sealed-unreadable", what=f"key pair {name}") from None
    if crypto.public_der(pair) != spki:
        raise fail("key-mismatch", other="its public key")
    return pair


def load_pair(pair: Job, device_key: bytes) -> crypto.PrivateKey:
    """The private key of {name, generation, sealed, spki}; the errors of `load`."""
    name, generation = field(pair, "name", str), field(pair, "generation", int)
    sealed, spki = field(pair, "sealed", bytes), field(pair, "spki", bytes)
    return load(device_key, name, generation, sealed, spki)
