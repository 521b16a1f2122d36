"""The border to `cryptography`: every primitive that the protocol uses, and all that differs
between its versions (38.0.4 of Debian 12 up to the newest).

Digests and ciphers go by the names of the console (`sha-256`, `aes128`). A verification answers
True or False and an opening answers bytes or None, whatever the library threw: it knows at least
six families of exceptions for hostile input, and none of them passes this file. What the library
refuses to do for us (a digest that its build or a policy of the system has switched off) is a
LocalError.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar, cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.backends.openssl.backend import backend
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.ciphers import Cipher, CipherAlgorithm, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
)

from agent.errors import AgentError, fail

try:  # moved in version 43, gone from its old place in version 48
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
except ImportError:
    from cryptography.hazmat.primitives.ciphers.algorithms import TripleDES

PrivateKey = rsa.RSAPrivateKey
T = TypeVar("T")

_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "md5": hashes.MD5,
    "sha1": hashes.SHA1,
    "sha-224": hashes.SHA224,
    "sha-256": hashes.SHA256,
    "sha-384": hashes.SHA384,
    "sha-512": hashes.SHA512,
}
_VERIFIED: dict[str, type[hashes.HashAlgorithm]] = {  # of others, too
    **_HASHES,
    "sha-512-256": hashes.SHA512_256,
    "sha3-224": hashes.SHA3_224,
    "sha3-256": hashes.SHA3_256,
    "sha3-384": hashes.SHA3_384,
    "sha3-512": hashes.SHA3_512,
}
DIGEST_BYTES = {name: kind().digest_size for name, kind in _HASHES.items()}
KEY_BYTES = {"des": 8, "3des": 24, "aes128": 16, "aes192": 24, "aes256": 32}
GCM_NONCE_BYTES = 12
_UNTESTED = "_rsa_skip_check_key"  # of versions up to 38
_OURS = (AgentError, MemoryError)  # an alarm that rings, a limit of this process
_PANIC = "PanicException"  # of PyO3


def block_bytes(cipher: str) -> int:
    return 8 if cipher in ("des", "3des") else 16


def draw(count: int) -> bytes:
    """Random bytes for keys, vectors, nonces and salts: never from a seed (`hal.ports.Chance`)."""
    return os.urandom(count)


def asked(call: Callable[[], T]) -> T | None:
    """The answer of the library about bytes of a stranger; None, whatever it throws instead. A
    panic of its part in Rust is no Exception, and has a class that nobody can import."""
    try:
        return call()
    except _OURS:
        raise
    except Exception:
        return None
    except BaseException as thrown:
        if type(thrown).__name__ == _PANIC:
            return None
        raise


def digest(name: str, data: bytes) -> bytes:
    """The digest of the data; LocalError when this system refuses the algorithm."""
    try:
        context = hashes.Hash(_VERIFIED[name]())
    except UnsupportedAlgorithm:
        raise fail("digest-refused", digest=name) from None
    context.update(data)
    return context.finalize()


# -- RSA keys --------------------------------------------------------------------------------------


def generate(bits: int) -> PrivateKey:
    return rsa.generate_private_key(65537, bits)


def private_der(key: PrivateKey) -> bytes:
    """The key as PKCS#8, not encrypted."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def public_der(key: PrivateKey) -> bytes:
    """The public half as SubjectPublicKeyInfo."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def load_own(pkcs8: bytes) -> PrivateKey:
    """A key that this device wrote under a seal; ValueError when it is none.

    The primality test takes a router seconds and proves nothing about bytes that the seal has
    authenticated, so it is skipped. From version 39 on the library has a word for that, before it
    has a switch of its backend; where neither is known, the key is tested.
    """
    try:
        key = load_der_private_key(pkcs8, None, unsafe_skip_rsa_key_validation=True)
    except TypeError:
        setattr(backend, _UNTESTED, True)
        try:
            key = load_der_private_key(pkcs8, None)
        finally:
            setattr(backend, _UNTESTED, False)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("not an RSA key")
    return key


def sign(key: PrivateKey, digest_name: str, value: bytes) -> bytes:
    """RSASSA-PKCS1-v1_5 over a digest: deterministic, so a request can be built again to the byte.
    The library makes DigestInfo of it (RFC 8017 9.2)."""
    try:
        return key.sign(value, padding.PKCS1v15(), utils.Prehashed(_HASHES[digest_name]()))
    except (UnsupportedAlgorithm, ValueError):
        raise fail("digest-refused", digest=digest_name) from None


@lru_cache(maxsize=512)  # who issued whom is asked again and again of the same certificates
def verify(
    spki: bytes,
    scheme: str,
    digest_name: str,
    signature: bytes,
    data: bytes,
    pss: tuple[str, int] | None = None,
) -> bool:
    """Whether the signature is that of this public key; schemes `rsa` (v1.5), `pss`, `ecdsa` and
    `ed25519`. `pss`: digest of MGF1 and length of the salt."""

    def verified() -> bool:
        key, algorithm = load_der_public_key(spki), _VERIFIED[digest_name]()
        if scheme == "rsa" and isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), algorithm)
        elif scheme == "pss" and pss is not None and isinstance(key, rsa.RSAPublicKey):
            mask = padding.MGF1(_VERIFIED[pss[0]]())
            key.verify(signature, data, padding.PSS(mask, pss[1]), algorithm)
        elif scheme == "ecdsa" and isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(algorithm))
        elif scheme == "ed25519" and isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, data)
        else:
            return False
        return True

    return asked(verified) is True


def can_verify(spki: bytes) -> bool:
    """Whether the library knows this kind of key, and this very curve."""
    return asked(lambda: load_der_public_key(spki)) is not None


def wrap(spki: bytes, content_key: bytes) -> bytes:
    """RSAES-PKCS1-v1_5 for a recipient; ValueError when its key cannot encrypt."""
    key = asked(lambda: load_der_public_key(spki))
    if key is None:
        raise ValueError("no usable public key")
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("not an RSA key")
    wrapped = asked(lambda: key.encrypt(content_key, padding.PKCS1v15()))
    if wrapped is None:
        raise ValueError("it is too short, or may not encrypt")
    return wrapped


def unwrap(key: PrivateKey, wrapped: bytes, oaep: tuple[str, str] | None) -> bytes | None:
    """The content key by v1.5, or by OAEP with these digests (its own, that of MGF1)."""

    def unwrapped() -> bytes:
        scheme: padding.AsymmetricPadding = padding.PKCS1v15()
        if oaep is not None:
            mask = padding.MGF1(_HASHES[oaep[1]]())
            scheme = padding.OAEP(mask, _HASHES[oaep[0]](), None)
        return key.decrypt(wrapped, scheme)

    return asked(unwrapped)


# -- content ciphers -------------------------------------------------------------------------------


def _cbc(cipher: str, key: bytes, iv: bytes) -> Cipher[modes.CBC]:
    algorithm: CipherAlgorithm
    if cipher == "des":  # EDE with one key three times is single DES
        algorithm = TripleDES(key * 3)
    elif cipher == "3des":
        algorithm = TripleDES(key)
    else:
        algorithm = algorithms.AES(key)
    return Cipher(cast(algorithms.AES, algorithm), modes.CBC(iv))


def encrypt_cbc(cipher: str, key: bytes, iv: bytes, plain: bytes) -> bytes:
    """CBC with the padding of CMS (RFC 5652 6.3)."""
    padder = PKCS7(block_bytes(cipher) * 8).padder()
    encryptor = _cbc(cipher, key, iv).encryptor()
    return encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()


def decrypt_cbc(cipher: str, key: bytes, iv: bytes, secret: bytes) -> bytes | None:
    """The plain text, or None for anything that is wrong with key, length or padding."""

    def decrypted() -> bytes:
        decryptor = _cbc(cipher, key, iv).decryptor()
        padded = decryptor.update(secret) + decryptor.finalize()
        unpadder = PKCS7(block_bytes(cipher) * 8).unpadder()
        return unpadder.update(padded) + unpadder.finalize()

    return asked(decrypted)


def encrypt_gcm(key: bytes, plain: bytes, bound: bytes) -> bytes:
    """AES-GCM: a fresh nonce, then cipher text and tag; `bound` is the associated data."""
    nonce = draw(GCM_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound)


def decrypt_gcm(key: bytes, secret: bytes, bound: bytes) -> bytes | None:
    nonce, sealed = secret[:GCM_NONCE_BYTES], secret[GCM_NONCE_BYTES:]
    return asked(lambda: AESGCM(key).decrypt(nonce, sealed, bound))


# -- passwords -------------------------------------------------------------------------------------


def pbkdf2(
    password: bytes, salt: bytes, rounds: int, length: int, digest_name: str = "sha-256"
) -> bytes:
    """PBKDF2 with the HMAC of a digest (RFC 8018 5.2)."""
    return PBKDF2HMAC(_HASHES[digest_name](), length, salt, rounds).derive(password)


def scrypt(
    password: bytes, salt: bytes, cost: int, block: int, length: int, parallel: int = 1
) -> bytes:
    """scrypt (RFC 7914) with N, r and p; it takes 128 * N * r bytes of memory."""
    return Scrypt(salt, length, cost, block, parallel).derive(password)


def hmac_of(digest_name: str, key: bytes, data: bytes) -> bytes:
    context = hmac.HMAC(key, _HASHES[digest_name]())
    context.update(data)
    return context.finalize()


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    return hmac_of("sha-256", key, data)


# -- files of others -------------------------------------------------------------------------------


def open_key(data: bytes, is_pem: bool, password: bytes | None) -> object | None:
    """The private key of a file, of any kind, tested by the library; None when it does not open."""
    load = load_pem_private_key if is_pem else load_der_private_key
    return asked(lambda: load(data, password))
