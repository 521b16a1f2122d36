"""CMS as this client writes it (RFC 5652, RFC 8894 3): DER, RSA, one signer, one recipient.

What is written must be read by every server there is, so each choice is the oldest that the RFC
still allows: issuer and serial number instead of key identifiers, PKCS#1 v1.5 for signatures and
key transport, definite lengths (a reader of DER, as servers in Go have one, takes no others),
sorted sets. That fixes all versions (5.1, 5.3, 6.1, 6.2.1). A signature is deterministic; only the
content key, its vector and the padding of its transport are random. `cms.py` reads the answers.
"""

from __future__ import annotations

from collections.abc import Iterable

from agent.scep import crypto, der, oids
from agent.scep.certificate import Certificate
from agent.scep.keys import Key

_ISSUER_AND_SERIAL = 1  # CMSVersion of SignerInfo, RFC 5652 5.3


def algorithm(dotted: str) -> bytes:
    """AlgorithmIdentifier with NULL, which RSA demands (RFC 3370 3.2). For a digest of SHA-2 it is
    the older form: RFC 5754 2 leaves the NULL out, and has every reader take both."""
    return der.sequence(der.oid(dotted), der.null())


def attribute(kind: str, value: bytes) -> bytes:
    return der.sequence(der.oid(kind), der.set_of([value]))


def _content_info(kind: str, content: bytes) -> bytes:
    return der.sequence(der.oid(kind), der.tlv(der.explicit(0), content))


def issuer_and_serial(issuer_der: bytes, serial: int) -> bytes:
    return der.sequence(issuer_der, der.integer(serial))


def sign(
    content: bytes,
    attributes: Iterable[bytes],
    signer: Certificate,
    key: Key,
    digest: str,
) -> bytes:
    """SignedData over the content with one signer, whose certificate comes along (RFC 8894 2.3).

    Each attribute is DER already; sorted, they are the SET OF of X.690 11.6, sent and signed alike.
    """
    required = (
        attribute(oids.CONTENT_TYPE, der.oid(oids.DATA)),
        attribute(oids.MESSAGE_DIGEST, der.octet_string(crypto.digest(digest, content))),
    )
    signed = sorted((*required, *attributes))
    info = der.sequence(
        der.integer(_ISSUER_AND_SERIAL),
        issuer_and_serial(signer.issuer_der, signer.serial),
        algorithm(oids.DIGESTS[digest]),
        der.tlv(der.explicit(0), *signed),
        algorithm(oids.RSA),
        der.octet_string(key.sign(digest, crypto.digest(digest, der.tlv(der.SET, *signed)))),
    )
    body = der.sequence(
        der.integer(1),
        der.set_of([algorithm(oids.DIGESTS[digest])]),
        der.sequence(der.oid(oids.DATA), der.tlv(der.explicit(0), der.octet_string(content))),
        der.tlv(der.explicit(0), signer.der),
        der.set_of([info]),
    )
    return _content_info(oids.SIGNED_DATA, body)


def encrypt(content: bytes, recipient: Certificate, cipher: str) -> bytes:
    """EnvelopedData for one RSA recipient; ValueError when its key cannot encrypt.

    PKCS#1 v1.5, which every server opens; OAEP few of them. Key and vector are new in each message.
    """
    content_key, iv = crypto.draw(crypto.KEY_BYTES[cipher]), crypto.draw(crypto.block_bytes(cipher))
    info = der.sequence(
        der.integer(0),
        issuer_and_serial(recipient.issuer_der, recipient.serial),
        algorithm(oids.RSA),
        der.octet_string(crypto.wrap(recipient.spki, content_key)),
    )
    secret = crypto.encrypt_cbc(cipher, content_key, iv, content)
    body = der.sequence(
        der.integer(0),
        der.set_of([info]),
        der.sequence(
            der.oid(oids.DATA),
            der.sequence(der.oid(oids.CIPHERS[cipher]), der.octet_string(iv)),
            der.tlv(der.context(0), secret),
        ),
    )
    return _content_info(oids.ENVELOPED_DATA, body)
