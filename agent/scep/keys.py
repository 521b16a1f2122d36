"""Private keys behind a door: what a job may ask of them, and who answers.

A job that talks to a CA never sees a private key. It asks two questions: a signature over a digest,
and the content key in one block of the modulus' length (RFC 8017 8.2.1, 7.2.2). Neither question
nor answer says how the key is kept, so a key in hardware can stand behind the same door.

Fault model. Who asks may have been taken over by the bytes of a stranger. So the questions of a job
are counted beforehand (`agent/jobs/contract.py`), and a question beyond that is refused, as is one
of another digest than the job's or of another length. So is a signature behind the first block:
all that a job signs it signs before it reads from the network. A key without a question left is
forgotten.

No answer tells what was wrong with a block. OpenSSL 3.0 says that a padding is wrong, and from 3.2
on it makes up bytes of any length. Here a block always gives as many bytes as were asked for: those
inside, or pseudo-random ones that depend on key, block and length alone, so that asking again tells
no more. (TLS 1.2 knows the idea, RFC 5246 7.4.7.1; OpenSSL calls it implicit rejection.)
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from agent import pem
from agent.errors import fail
from agent.scep import crypto, vault
from agent.scep.jobmap import Job, field, items, text_or_none
from hal.named import NamedTuple
from hal.protocol import Protocol

Oaep = tuple[str, str]  # the digests of RSAES-OAEP: its own, that of MGF1
CONTENT_KEY_BYTES = tuple(sorted(set(crypto.KEY_BYTES.values())))


class RefusedError(Exception):
    """A question that a job never asks: whoever asks it is not our code any more."""


class Key(Protocol):
    """A private key, and its public half as SubjectPublicKeyInfo.

    `sign`: RSASSA-PKCS1-v1_5 over a digest of this name; LocalError `digest-refused`. `unwrap`:
    always `size` bytes.
    """

    @property
    def spki(self) -> bytes: ...
    def sign(self, digest: str, value: bytes) -> bytes: ...
    def unwrap(self, block: bytes, size: int, oaep: Oaep | None) -> bytes: ...


class Holder(Protocol):
    """Whoever keeps the keys of one job, by the names of its fields, and its challenge password.

    `ready`: once it returns, private keys are where the job wants them placed.
    """

    def ready(self) -> None: ...
    def password(self) -> str | None: ...
    def sign(self, name: str, digest: str, value: bytes) -> bytes: ...
    def unwrap(self, name: str, block: bytes, size: int, oaep: Oaep | None) -> bytes: ...


class OwnKey:
    """A key in this process. See `Key`."""

    def __init__(self, private: crypto.PrivateKey) -> None:
        self._private, self.spki = private, crypto.public_der(private)
        self.block_bytes = (private.key_size + 7) // 8

    def pem(self) -> bytes:
        """The private key as consumers read it."""
        return pem.encode("PRIVATE KEY", [crypto.private_der(self._private)])

    def sign(self, digest: str, value: bytes) -> bytes:
        return crypto.sign(self._private, digest, value)

    def unwrap(self, block: bytes, size: int, oaep: Oaep | None) -> bytes:
        """What is made up is made up before it is known whether it is needed."""
        scheme = " ".join(oaep or ()).encode()
        label = b"implicit rejection %d %s " % (size, scheme)
        spare = crypto.hmac_sha256(crypto.private_der(self._private), label + block)[:size]
        plain = crypto.unwrap(self._private, block, oaep)
        return plain if plain is not None and len(plain) == size else spare


class HeldKey(NamedTuple):
    """The key of a field of the job, with whoever holds it. See `Key`."""

    holder: Holder
    name: str
    spki: bytes

    def sign(self, digest: str, value: bytes) -> bytes:
        return self.holder.sign(self.name, digest, value)

    def unwrap(self, block: bytes, size: int, oaep: Oaep | None) -> bytes:
        return self.holder.unwrap(self.name, block, size, oaep)


def write(descriptor: int, data: bytes) -> None:
    """All of it, into a file of the job. LocalError `storage-failed`."""
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError as error:
        raise fail("storage-failed", reason=error.strerror) from None


class Hands(NamedTuple):
    """What a job is given beside its map: descriptors, or somebody who holds its keys."""

    files: tuple[int, ...] = ()
    holder: Holder | None = None

    @property
    def device_key(self) -> bytes:
        """The device key, which is the first descriptor."""
        return vault.device_key(self.files[0])

    def key(self, name: str, pair: Job) -> HeldKey:
        """The key of this field, whose public half is that of `pair`."""
        return HeldKey(self.held, name, field(pair, "spki", bytes))

    @property
    def held(self) -> Holder:
        if self.holder is None:
            raise fail("job-fault", place="nobody holds the keys of this job")
        return self.holder


class _Left:
    """A key and the questions that are left for it."""

    __slots__ = ("key", "signatures", "unwraps")

    def __init__(self, key: OwnKey, signatures: int, unwraps: int) -> None:
        self.key, self.signatures, self.unwraps = key, signatures, unwraps


class Keeper:
    """Unseals the keys of one job and answers its counted questions. See `Holder`."""

    def __init__(self, request: Job, device_key: bytes) -> None:
        """request: {keys: [{field, name, generation, sealed, spki, signatures, unwraps}], digest,
        password, places}, as `agent/jobs/split.py` makes it.

        LocalError `sealed-unreadable` and `key-mismatch` of a key, `sealed-foreign` of a password.
        """
        self._digest, self._placed = text_or_none(request, "digest"), b""
        self._left: dict[str, _Left] = {}
        opened: dict[object, OwnKey] = {}  # a renewal may sign with the key that it is for
        for pair in items(request, "keys", dict):
            identity = tuple(pair.get(name) for name in ("name", "generation", "sealed", "spki"))
            if identity not in opened:
                opened[identity] = OwnKey(vault.load_pair(pair, device_key))
            counts = field(pair, "signatures", int), field(pair, "unwraps", int)
            self._left[field(pair, "field", str)] = _Left(opened[identity], *counts)
        sealed = text_or_none(request, "password")
        self._password = None if sealed is None else vault.unseal_password(device_key, sealed)
        if places := text_or_none(request, "places"):
            self._placed = self._left[places].key.pem()
        self._forget()

    def place(self, files: Sequence[int]) -> None:
        """Writes the private key that the job places, if it places one. LocalError."""
        for descriptor in files:
            write(descriptor, self._placed)

    def ready(self) -> None:
        """Whoever has made this has placed it."""

    def password(self) -> str | None:
        return self._password

    @property
    def finished(self) -> bool:
        """No question is left."""
        return not self._left

    def sign(self, name: str, digest: str, value: bytes) -> bytes:
        left = self._left.get(name)
        if left is None or left.signatures == 0 or digest != self._digest:
            raise RefusedError("no such signature")
        if len(value) != crypto.DIGEST_BYTES.get(digest):
            raise RefusedError("no digest")
        left.signatures -= 1
        self._forget()
        return left.key.sign(digest, value)

    def unwrap(self, name: str, block: bytes, size: int, oaep: Oaep | None) -> bytes:
        left = self._left.get(name)
        if left is None or left.unwraps == 0 or size not in CONTENT_KEY_BYTES:
            raise RefusedError("no such block")
        if oaep is not None and not set(oaep) <= crypto.DIGEST_BYTES.keys():
            raise RefusedError("no such digests")
        if len(block) != left.key.block_bytes:
            raise RefusedError("no block of this key")
        left.unwraps -= 1
        for one in self._left.values():
            one.signatures = 0
        self._forget()
        return left.key.unwrap(block, size, oaep)

    def _forget(self) -> None:
        left = self._left.items()
        self._left = {name: one for name, one in left if one.signatures or one.unwraps}
