"""Files that are in order and of no use here: what they are, and the command that converts them.

A table of beginnings, and one of shapes: the tags of the first elements of DER tell what it is
without a parser of its own. Nothing of a file but its kind is told.
"""

from __future__ import annotations

from agent.scep import ber, der
from hal.named import NamedTuple

_SEQ, _SET, _INT, _OID = der.SEQUENCE, der.SET, der.INTEGER, der.OID
_BITS, _OCTETS = der.BIT_STRING, der.OCTET_STRING
_READ_BYTES = 64  # of the beginning that are looked at


class Kind(NamedTuple):
    """What a file is, as the end of "it is ...", and what to do with it."""

    name: str
    remedy: str


_HALF = "it holds the public half alone: take the file with the private key or the certificate"
OPENSSH = Kind(
    "a private key of OpenSSH",
    "on a copy of the file run: ssh-keygen -p -m PEM -f FILE; then import that",
)
PUBLIC_KEY = Kind("a public key", _HALF)
REQUEST = Kind("a certificate request", "give it to the CA and import the certificate it sends")
CRL = Kind("a revocation list", "it goes with `pki get-crl`, from the place of `cdp-url`")
PRIVATE_KEY = Kind("a private key", "it goes with `pki import rsa-key-pair`")
PKCS12 = Kind("a PKCS#12", "it goes with `pki import-certificate local`")
CERTIFICATE = Kind("a certificate", "it goes with `pki import-certificate ca`")

_BEGINNINGS: tuple[tuple[bytes, Kind], ...] = (
    (b"PuTTY-User-Key-File-", Kind(
        "a private key of PuTTY",
        "run: puttygen FILE -O private-openssh -o key.pem; then import that")),
    (b"\xfe\xed\xfe\xed", Kind(
        "a Java key store (JKS)",
        "run: keytool -importkeystore -srckeystore FILE -destkeystore key.p12 -deststoretype"
        " PKCS12; then import that")),
    (b"\xce\xce\xce\xce", Kind(
        "a Java key store (JCEKS)",
        "run: keytool -importkeystore -srckeystore FILE -srcstoretype JCEKS -destkeystore key.p12"
        " -deststoretype PKCS12; then import that")),
    (b"\x1e\xf1\xb5\xb0", Kind(
        "a private key of Microsoft (PVK)",
        "run: openssl rsa -inform PVK -in FILE -out key.pem; then import that")),
    (b"openssh-key-v1\0", OPENSSH),
    (b"ssh-", Kind("a public key of OpenSSH", _HALF)),
    (b"ecdsa-sha2-", Kind("a public key of OpenSSH", _HALF)),
    (b"---- BEGIN SSH2 PUBLIC KEY", Kind("a public key of SSH", _HALF)),
    (b"<", Kind("a page for people", "fetch the file itself")),
)  # fmt: skip

_LABELS: dict[str, Kind] = {
    "OPENSSH PRIVATE KEY": OPENSSH,
    "PUBLIC KEY": PUBLIC_KEY,
    "RSA PUBLIC KEY": PUBLIC_KEY,
    "CERTIFICATE REQUEST": REQUEST,
    "NEW CERTIFICATE REQUEST": REQUEST,
    "PGP PUBLIC KEY BLOCK": Kind("a public key of PGP", _HALF),
    "PGP PRIVATE KEY BLOCK": Kind("a private key of PGP", "a key of PGP has no certificate"),
}

# The tags with which an element's children begin, and those of the first one; the first row counts.
_SHAPES: tuple[tuple[tuple[int, ...], tuple[int, ...], Kind], ...] = (
    ((_SEQ, _BITS), (_OID,), PUBLIC_KEY),  # SubjectPublicKeyInfo (RFC 5280 4.1)
    ((_SEQ, _SEQ, _BITS), (_INT, _SEQ, _SEQ, der.explicit(0)), REQUEST),  # RFC 2986 4
    ((_SEQ, _SEQ, _BITS), (_INT, _SEQ, _SEQ, der.UTC_TIME), CRL),  # RFC 5280 5.1
    ((_SEQ, _SEQ, _BITS), (_SEQ, _SEQ, der.UTC_TIME), CRL),  # of version 1
    ((_SEQ, _SEQ, _BITS), (der.explicit(0), _INT), CERTIFICATE),
    ((_SEQ, _SEQ, _BITS), (_INT, _SEQ, _SEQ, _SEQ), CERTIFICATE),  # of version 1
    ((_INT, _SEQ, _OCTETS), (), PRIVATE_KEY),  # RFC 5958 2
    ((_INT, _INT, _INT), (), PRIVATE_KEY),  # RFC 8017 A.1.2
    ((_INT, _INT), (), PUBLIC_KEY),  # RFC 8017 A.1.1
    ((_INT, _OCTETS), (), PRIVATE_KEY),  # RFC 5915 3
    ((_SEQ, _OCTETS), (_OID,), PRIVATE_KEY),  # RFC 5958 3
    ((_INT, _SEQ), (), PKCS12),  # RFC 7292 4
)


def of_label(label: str) -> Kind | None:
    """The kind of a block of PEM whose octets are not looked at."""
    return _LABELS.get(label)


def of_text(data: bytes) -> Kind | None:
    """The kind of a file by its beginning."""
    start = data[:_READ_BYTES].lstrip()
    return next((kind for begin, kind in _BEGINNINGS if start.startswith(begin)), None)


def of_data(data: bytes) -> Kind | None:
    """The kind of a file, or of DER, by its beginning or its shape."""
    return of_text(data) or _of_shape(data)


def _of_shape(data: bytes) -> Kind | None:
    try:
        children = ber.read(data).children
    except ber.BerError:
        return None
    outer = [child.tag for child in children]
    inner = [child.tag for child in children[0].children] if children else []
    for tags, below, kind in _SHAPES:
        if tuple(outer[: len(tags)]) == tags and tuple(inner[: len(below)]) == below:
            return kind
    return None
