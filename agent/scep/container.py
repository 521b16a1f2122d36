"""Certificates and private keys in a file that an operator brings: PEM, DER or PKCS#12.

Fault model. The file was made by another system, was carried through a network or on a stick, and
may be damaged, cut, or made to wear this device out: it is capped in size, blocks, certificates and
in the work that its password asks for, and everything else about it is one of our errors. Nothing
of it is in the text of an error, since it may hold a key in plain.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from agent import limits
from agent.errors import fail
from agent.scep import ber, caset, cms, cms_writer, crypto, der, oids, pbe, pem
from agent.scep.certificate import Certificate
from agent.scep.text import clean
from hal.named import NamedTuple

FORMATS = {"pem": "", "der": "", "pkcs12": ""}
_CERTIFICATES = ("CERTIFICATE", "X509 CERTIFICATE", "PKCS7", "CMS")
_KEY = "PRIVATE KEY"  # how the labels of all private keys end
_KEYS = 2  # in a file that somebody has joined; each may cost its rounds
_PFX_VERSION = 3
_HASHED = 64  # bytes that SHA-256 takes at once


class Contents(NamedTuple):
    """Certificates of a file in its order, each once, and its private keys, each once."""

    certificates: list[Certificate]
    keys: list[crypto.PrivateKey]


def read(data: bytes, form: str | None, password: str | None, keys: bool) -> Contents:
    """The contents of a file; `form` is a key of FORMATS, or None to find out.

    Without `keys`, private keys of a PEM file are not looked at.
    Errors: `import-unreadable`, `import-too-large`, `import-password`, `import-password-missing`,
    `import-work`, `import-key-refused`, `import-keys`.
    """
    if len(data) > limits.IMPORT_BYTES:
        raise fail("import-too-large", size=len(data), cap=limits.IMPORT_BYTES)
    secret = password.encode() if password else None
    with _reading():
        form = form or _format(data)
        if form == "pkcs12":
            ders, private_keys = _pkcs12(data, secret)
        elif form == "pem":
            ders, private_keys = _pem(pem.blocks(data), secret, keys)
        else:
            ders, private_keys = _der(data, secret)
    return Contents(_certificates(ders, private_keys), _distinct(private_keys))


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise fail("import-unreadable", reason=clean(str(error))) from None


def _format(data: bytes) -> str:
    if pem.looks_so(data):
        return "pem"
    children = ber.read(data).children
    first = children[0] if children else None
    is_pfx = first is not None and first.tag == der.INTEGER and first.integer() == _PFX_VERSION
    return "pkcs12" if is_pfx else "der"


def _certificates(ders: list[bytes], keys: list[crypto.PrivateKey]) -> list[Certificate]:
    readable = caset.readable(ders)
    if not readable and not keys:
        raise fail("import-unreadable", reason="no certificate and no private key is in it")
    if len(readable) > limits.CA_SET_CERTIFICATES:
        raise fail("import-unreadable", reason=f"{len(readable)} certificates are in it")
    size = sum(len(certificate.der) for certificate in readable)
    if size > limits.CA_SET_DER_BYTES:
        raise fail("import-too-large", size=size, cap=limits.CA_SET_DER_BYTES)
    return readable


def _distinct(keys: list[crypto.PrivateKey]) -> list[crypto.PrivateKey]:
    return list({crypto.public_der(key): key for key in keys}.values())


# -- the three formats -----------------------------------------------------------------------------


def _pem(
    blocks: list[pem.Block], password: bytes | None, keys: bool
) -> tuple[list[bytes], list[crypto.PrivateKey]]:
    packed = [block.data() for block in blocks if block.label in _CERTIFICATES]
    key_blocks = [block for block in blocks if keys and block.label.endswith(_KEY)]
    if len(key_blocks) > _KEYS:
        raise fail("import-keys", count=len(key_blocks))
    ders = [certificate for data in packed for certificate in cms.certificates_in(data)]
    return ders, [_pem_key(block, password) for block in key_blocks]


def _pem_key(block: pem.Block, password: bytes | None) -> crypto.PrivateKey:
    if not block.encrypted:
        return _der_key(block.data(), password)
    if password is None:
        raise fail("import-password-missing")
    return _usable(crypto.open_key(block.raw, True, password), "")


def _der(data: bytes, password: bytes | None) -> tuple[list[bytes], list[crypto.PrivateKey]]:
    """A certificate, a degenerate SignedData, or a key as PKCS#8 or PKCS#1."""
    children = ber.read(data).children
    first = children[0] if children else None
    if first is not None and (first.tag == der.INTEGER or _is_algorithm(first)):
        return [], [_der_key(data, password)]
    return cms.certificates_in(data), []


def _is_algorithm(node: ber.Node) -> bool:
    """As an EncryptedPrivateKeyInfo begins; a certificate does not (RFC 5208 6)."""
    return node.tag == der.SEQUENCE and [child.tag for child in node.children[:1]] == [der.OID]


def _der_key(data: bytes, password: bytes | None) -> crypto.PrivateKey:
    children = ber.read(data).children
    if not children or not _is_algorithm(children[0]):
        key = crypto.open_key(data, False, None)
        if key is None:
            raise ber.BerError("its private key is damaged, or of a kind that is not known")
        return _rsa(key)
    rare = pbe.demand(data).rare
    if password is None:
        raise fail("import-password-missing")
    return _usable(crypto.open_key(data, False, password), rare)


def _pkcs12(data: bytes, password: bytes | None) -> tuple[list[bytes], list[crypto.PrivateKey]]:
    from agent.scep import pkcs12  # loaded by the worker

    rare = pbe.demand(data).rare
    contents = pkcs12.opened(_with_mac(data, password), password)
    if contents is None and password is None:
        raise fail("import-password-missing")
    key, ders = contents or (_usable(None, rare), [])
    return ders, [] if key is None else [_rsa(key)]


def _with_mac(data: bytes, password: bytes | None) -> bytes:
    """The same with a MAC when it has none: without one, OpenSSL 3.0 forgets the password.

    One round of the derivation of RFC 7292 B.2 is one digest, since the key of an HMAC-SHA-256 is
    as long as it.
    """
    fields = ber.read(data).expect(der.SEQUENCE).children
    if len(fields) != 2 or password is None:
        return data
    safe = ber.Fields(fields[1])
    if safe.take().oid() != oids.DATA:
        return data
    content = ber.Fields(safe.take(der.explicit(0)), der.explicit(0)).take().octet_string()
    salt, text = bytes(8), (password.decode() + "\0").encode("utf-16-be")
    size = -(-len(text) // _HASHED) * _HASHED
    filled = (text * (size // len(text) + 1))[:size]
    key = crypto.digest("sha-256", b"\x03" * _HASHED + bytes(_HASHED) + filled)
    info = der.sequence(
        cms_writer.algorithm(oids.DIGESTS["sha-256"]),
        der.octet_string(crypto.hmac_sha256(key, content)),
    )
    mac = der.sequence(info, der.octet_string(salt))  # one round is the default
    return der.sequence(fields[0].raw, fields[1].raw, mac)


# -- keys ------------------------------------------------------------------------------------------


def _usable(key: object | None, rare: str) -> crypto.PrivateKey:
    """The key that a password has opened; the library does not say why it opened none."""
    if key is None:
        refused = f", or this system no longer reads its old encryption ({rare})" if rare else ""
        raise fail("import-password", rare=refused)
    return _rsa(key)


def _rsa(key: object) -> crypto.PrivateKey:
    if not isinstance(key, crypto.PrivateKey):
        raise fail("import-key-refused", reason="it is no RSA key")
    if not limits.KEY_BITS[0] <= key.key_size <= limits.KEY_BITS[1]:
        raise fail("import-key-refused", reason=f"it has {key.key_size} bits")
    return key
