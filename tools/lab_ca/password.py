"""A recipient that has a password instead of a key (RFC 5652 6.2.4, RFC 3211 2.3.1).

RFC 8894 3.1 has it for keys that cannot encrypt. The key is derived by PBKDF2 with HMAC-SHA-1 and
wrapped twice with AES-128 in CBC mode.
"""

import os

from asn1crypto import algos, cms, core
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from tools.lab_ca import ber

KEY_BYTES = BLOCK_BYTES = 16
ROUNDS = 2048
PWRI_KEK = "1.2.840.113549.1.9.16.3.9"


def recipient(password: str, key: bytes) -> cms.RecipientInfo:
    """The RecipientInfo that wraps a content key."""
    salt, iv = os.urandom(8), os.urandom(BLOCK_BYTES)
    derive = PBKDF2HMAC(hashes.SHA1(), KEY_BYTES, salt, ROUNDS)
    wrapped = _wrapped(derive.derive(password.encode()), iv, key)
    kek = algos.EncryptionAlgorithm({"algorithm": "aes128_cbc", "parameters": iv})
    oid = core.ObjectIdentifier(PWRI_KEK)
    how = cms.KeyEncryptionAlgorithm.load(ber.tlv(ber.SEQUENCE, oid.dump() + kek.dump()))
    parameters = {"salt": algos.Pbkdf2Salt("specified", salt), "iteration_count": ROUNDS}
    fields = {
        "version": "v0",
        "key_derivation_algorithm": {"algorithm": "pbkdf2", "parameters": parameters},
        "key_encryption_algorithm": how,
        "encrypted_key": wrapped,
    }
    return cms.RecipientInfo("pwri", fields)


def _wrapped(kek: bytes, iv: bytes, key: bytes) -> bytes:
    """RFC 3211 2.3.1: length, check octets, key and padding, encrypted in two passes."""
    check = bytes(octet ^ 0xFF for octet in key[:3])
    block = bytes((len(key),)) + check + key
    block += os.urandom(-len(block) % BLOCK_BYTES)
    block += os.urandom(max(2 * BLOCK_BYTES - len(block), 0))
    cipher = Cipher(AES(kek), modes.CBC(iv)).encryptor()
    once = cipher.update(block) + cipher.finalize()
    again = Cipher(AES(kek), modes.CBC(once[-BLOCK_BYTES:])).encryptor()
    return again.update(once) + again.finalize()
