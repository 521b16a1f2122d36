"""The digests, the content ciphers and the few RSA operations of SCEP, by name, as tables."""

import hashlib
import os
from collections.abc import Callable
from datetime import UTC, datetime
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


# How a content key is encrypted to an RSA key, by asn1crypto's name.
SHA1 = {"hash_algorithm": {"algorithm": "sha1"}}  # the default of OAEP
PKCS1, OAEP = "rsaes_pkcs1v15", "rsaes_oaep"
TRANSPORTS: dict[str, Callable[[], rsa_padding.AsymmetricPadding]] = {
    PKCS1: rsa_padding.PKCS1v15,
    OAEP: lambda: rsa_padding.OAEP(rsa_padding.MGF1(hashes.SHA1()), hashes.SHA1(), None),
}

# What a SignerInfo may name as its signature algorithm, and the digest that it then implies.
PLAIN_RSA = "rsassa_pkcs1v15"
SIGNATURES: dict[str, str | None] = {
    PLAIN_RSA: None,
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


def spoilt(octets: bytes) -> bytes:
    """The same with its last bit turned over."""
    return octets[:-1] + bytes((octets[-1] ^ 1,))


def asn1_time(at_s: int) -> x509.Time:
    """RFC 5280 4.1.2.5: UTCTime until 2049, GeneralizedTime after it."""
    moment = datetime.fromtimestamp(at_s, UTC)
    kind = "utc_time" if moment.year < 2050 else "general_time"
    return x509.Time(kind, moment)


def wrap(key: bytes, to: rsa.RSAPublicKey, transport: str = PKCS1) -> bytes:
    """A content key, encrypted to an RSA key."""
    return to.encrypt(key, TRANSPORTS[transport]())


def encrypt(name: str, content: bytes) -> tuple[bytes, bytes, bytes]:
    """A content key, the IV and the encrypted content."""
    cipher = CIPHERS[name]
    key, iv = os.urandom(cipher.key_bytes), os.urandom(cipher.block_bytes)
    padder = PKCS7(cipher.block_bytes * 8).padder()
    encryptor = Cipher(cipher.make(key), modes.CBC(iv)).encryptor()
    text = encryptor.update(padder.update(content) + padder.finalize()) + encryptor.finalize()
    return key, iv, text


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


def transport_algorithm(name: str) -> cms.KeyEncryptionAlgorithm:
    parameters = core.Null() if name == PKCS1 else algos.RSAESOAEPParams(SHA1)
    return cms.KeyEncryptionAlgorithm({"algorithm": name, "parameters": parameters})
