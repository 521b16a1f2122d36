"""The digests, the content ciphers and the few RSA operations of SCEP, by name, as tables."""

import hashlib
import os
from collections.abc import Callable
from typing import NamedTuple

from asn1crypto import algos, cms, core, keys, x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher, CipherAlgorithm, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.padding import PKCS7

try:  # where newer versions of cryptography keep it
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
except ImportError:
    from cryptography.hazmat.primitives.ciphers.algorithms import TripleDES

KEY_BITS = 2048

DIGESTS: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "md5": hashes.MD5,
    "sha1": hashes.SHA1,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


class ContentCipher(NamedTuple):
    """A CBC cipher: its name in asn1crypto, sizes in bytes, and how it is made of a key."""

    name: str
    key_bytes: int
    block_bytes: int
    make: Callable[[bytes], CipherAlgorithm]


CIPHERS: dict[str, ContentCipher] = {
    # Single DES is 3DES with one key three times: encrypt, decrypt, encrypt.
    "des": ContentCipher("des", 8, 8, lambda key: TripleDES(key * 3)),
    "3des": ContentCipher("tripledes_3key", 24, 8, TripleDES),
    "aes128": ContentCipher("aes128_cbc", 16, 16, AES),
    "aes192": ContentCipher("aes192_cbc", 24, 16, AES),
    "aes256": ContentCipher("aes256_cbc", 32, 16, AES),
}
CIPHER_NAMES = {cipher.name: name for name, cipher in CIPHERS.items()}


class Identity(NamedTuple):
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey


# What a SignerInfo may name as its signature algorithm, and the digest that it then implies.
SIGNATURES: dict[str, str | None] = {
    "rsassa_pkcs1v15": None,
    **{f"{digest}_rsa": digest for digest in DIGESTS},
}


class AlgorithmError(Exception):
    """A key, an algorithm or its parameters are of no use here."""


def sha256_hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def digest_of(name: str, data: bytes) -> bytes:
    return hashlib.new(name, data).digest()


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)


def spki_of(key: rsa.RSAPublicKey) -> keys.PublicKeyInfo:
    """SubjectPublicKeyInfo, as asn1crypto knows it."""
    return keys.PublicKeyInfo.load(
        key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )


def rsa_public(spki: bytes) -> rsa.RSAPublicKey:
    """The RSA key of a SubjectPublicKeyInfo; `AlgorithmError` for anything else."""
    try:
        key = serialization.load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise AlgorithmError("unreadable public key") from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise AlgorithmError("only RSA keys are served here")
    return key


def sign(key: rsa.RSAPrivateKey, data: bytes, digest: str) -> bytes:
    return key.sign(data, rsa_padding.PKCS1v15(), DIGESTS[digest]())


def verifies(key: rsa.RSAPublicKey, signature: bytes, data: bytes, digest: str) -> bool:
    try:
        key.verify(signature, data, rsa_padding.PKCS1v15(), DIGESTS[digest]())
    except InvalidSignature:
        return False
    return True


def signature_digest(name: str, fallback: str) -> str:
    """The digest that a signature algorithm names; plain rsaEncryption names none."""
    if name not in SIGNATURES:
        raise AlgorithmError(f"signature algorithm {name} is not served here")
    return SIGNATURES[name] or fallback


def encrypt(name: str, content: bytes, to: rsa.RSAPublicKey) -> tuple[bytes, bytes, bytes]:
    """The wrapped content key (PKCS#1 v1.5), the IV and the encrypted content."""
    cipher = CIPHERS[name]
    key, iv = os.urandom(cipher.key_bytes), os.urandom(cipher.block_bytes)
    padder = PKCS7(cipher.block_bytes * 8).padder()
    encryptor = Cipher(cipher.make(key), modes.CBC(iv)).encryptor()
    text = encryptor.update(padder.update(content) + padder.finalize()) + encryptor.finalize()
    return to.encrypt(key, rsa_padding.PKCS1v15()), iv, text


def decrypt(name: str, wrapped: bytes, iv: bytes, text: bytes, key: rsa.RSAPrivateKey) -> bytes:
    """The content; one and the same `AlgorithmError` for all that can be wrong with it."""
    cipher = CIPHERS[name]
    try:
        content_key = key.decrypt(wrapped, rsa_padding.PKCS1v15())
        if len(content_key) != cipher.key_bytes:
            raise ValueError("a key of another length")
        decryptor = Cipher(cipher.make(content_key), modes.CBC(iv)).decryptor()
        unpadder = PKCS7(cipher.block_bytes * 8).unpadder()
        padded = decryptor.update(text) + decryptor.finalize()
        return unpadder.update(padded) + unpadder.finalize()
    except (ValueError, TypeError) as error:
        raise AlgorithmError("the content cannot be decrypted") from error


def digest_algorithm(name: str) -> algos.DigestAlgorithm:
    return algos.DigestAlgorithm({"algorithm": name, "parameters": core.Null()})


def content_algorithm(name: str, iv: bytes) -> cms.EncryptionAlgorithm:
    return cms.EncryptionAlgorithm({"algorithm": CIPHERS[name].name, "parameters": iv})
