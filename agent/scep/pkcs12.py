"""PKCS#12 by `cryptography`, which makes it from objects of its own.

These come with forty modules that nothing else here needs, a fifth of what the worker loads. So
this module is imported where it is used, and the worker loads it for a job whose row names it.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from agent.scep.crypto import PrivateKey, asked


def opened(data: bytes, password: bytes | None) -> tuple[object | None, list[bytes]] | None:
    """The private key, if any, and DER of the certificates; None when it does not open."""

    def loaded() -> tuple[object | None, list[bytes]]:
        key, own, others = pkcs12.load_key_and_certificates(data, password)
        certificates = [*([own] if own else []), *others]
        return key, [certificate.public_bytes(Encoding.DER) for certificate in certificates]

    return asked(loaded)


def made(key: PrivateKey | None, ders: list[bytes], password: bytes | None, rounds: int) -> bytes:
    """PKCS#12 by PBES2 with AES-256-CBC and an HMAC-SHA-256, which OpenSSL since 1.1 and Windows
    since Server 2019 read; ValueError for a certificate that the library does not take."""
    protection: KeySerializationEncryption = NoEncryption()
    if password:
        builder = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(rounds)
        builder = builder.key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
        protection = builder.hmac_hash(hashes.SHA256()).build(password)

    def serialized() -> bytes:
        others = [x509.load_der_x509_certificate(data) for data in ders]
        own = others.pop(0) if others and key is not None else None
        return pkcs12.serialize_key_and_certificates(None, key, own, others, protection)

    file = asked(serialized)
    if file is None:
        raise ValueError("one of the certificates is not to its liking")
    return file
