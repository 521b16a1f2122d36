"""Certificates and private keys in a file that an operator brings.

Fault model. The file was made by another system, was carried through a network or on a stick, and
may be damaged, cut, or made to wear this device out: it is capped in size, blocks, certificates and
in the work that its password asks for, and everything else about it is one of our errors. Nothing
of it is in the text of an error, since it may hold a key in plain.

What a block holds is told by its octets: its label, the ending of the file's name and the format
that was typed are what somebody believed. A certificate that cannot be read costs neither the
others nor the key; an error names it where it may be the one that is missed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from agent import limits
from agent.errors import fail
from agent.scep import ber, caset, cms, crypto, der, encodings, foreign, pbe, pfx
from agent.scep.certificate import Certificate
from agent.scep.encodings import Block
from agent.scep.text import clean
from hal.named import NamedTuple

FORMATS = {"pem": "", "der": "", "pkcs12": ""}
_OURS = (*encodings.CERTIFICATES, "PKCS12")
_KEY = "PRIVATE KEY"  # how the labels of all private keys end
_LOCKS = 2  # in a file that somebody has joined; each may cost its rounds
_CIPHERS_OF_PEM = (b"AES-", b"DES-")  # of DEK-Info (RFC 1421), those that OpenSSL writes


class Contents(NamedTuple):
    """Certificates of a file in its order, each once, and its private keys, each once; `left_out`:
    which certificates cannot be read and why, as the end of a sentence, or ""."""

    certificates: list[Certificate]
    keys: list[crypto.PrivateKey]
    left_out: str


Objects = tuple[list[crypto.PrivateKey], list[bytes]]  # private keys, certificates in DER


def read(data: bytes, password: str | None, keys: bool) -> Contents:
    """The contents of a file. Without `keys`, private keys of a PEM file are not looked at.

    Errors: `import-unreadable`, `import-foreign`, `import-too-large`, `import-password`,
    `import-password-missing`, `import-work`, `import-key-refused`, `import-keys`.
    """
    if len(data) > limits.IMPORT_BYTES:
        raise fail("import-too-large", size=len(data), cap=limits.IMPORT_BYTES)
    with _reading(data):
        blocks = encodings.blocks(data)
        wanted = [b for b in blocks if keys or not b.label.endswith(_KEY)]
        locked = [block for block in wanted if _is_lock(block)]
        if len(locked) > _LOCKS:
            raise fail("import-keys", count=len(locked))
        objects = [_objects(block, password or None, block in locked) for block in wanted]
        found = [key for some, _ in objects for key in some]
        ders = [one for _, some in objects for one in some]
        if not found and not ders:
            _refuse(blocks)
    certificates, left_out = _certificates(ders, found)
    return Contents(certificates, _distinct(found), left_out)


@contextmanager
def _reading(data: bytes) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        if (kind := foreign.of_text(data)) is not None:
            raise fail("import-foreign", name=kind.name, remedy=kind.remedy) from None
        raise fail("import-unreadable", reason=clean(str(error))) from None


def _refuse(blocks: Sequence[Block]) -> None:
    """The error of a file that holds nothing for this device."""
    for block in blocks:
        node = _node(block)
        kind = foreign.of_label(block.label) or (foreign.of_data(node.raw) if node else None)
        if kind is not None:
            raise fail("import-foreign", name=kind.name, remedy=kind.remedy)
    raise ber.BerError("no certificate and no private key is in it")


def _certificates(
    ders: list[bytes], keys: list[crypto.PrivateKey]
) -> tuple[list[Certificate], str]:
    readable, faults = caset.parted(ders)
    if not readable and not keys:
        raise fail("import-unreadable", reason="; ".join(faults))
    if len(readable) > limits.CA_SET_CERTIFICATES:
        raise fail("import-unreadable", reason=f"{len(readable)} certificates are in it")
    size = sum(len(certificate.der) for certificate in readable)
    if size > limits.CA_SET_DER_BYTES:
        raise fail("import-too-large", size=size, cap=limits.CA_SET_DER_BYTES)
    return readable, caset.left_out(faults)


def _distinct(keys: list[crypto.PrivateKey]) -> list[crypto.PrivateKey]:
    return list({crypto.public_der(key): key for key in keys}.values())


# -- one block -------------------------------------------------------------------------------------


def _is_lock(block: Block) -> bool:
    """A private key or a PKCS#12, by its label or its octets."""
    if block.label.endswith(_KEY):
        return True
    node = _node(block)
    return node is not None and (pfx.is_pfx(node) or _is_key(node))


def _node(block: Block) -> ber.Node | None:
    """The element of a block; None for one with a label of another kind that is none."""
    try:
        return ber.read(block.data())
    except ValueError:
        if block.label in _OURS:
            raise
        return None


def _is_key(node: ber.Node) -> bool:
    """As PKCS#8, PKCS#1 and an EncryptedPrivateKeyInfo begin; no certificate does."""
    tags = [child.tag for child in node.children]
    numbered = tags[:1] == [der.INTEGER] and tags != [der.INTEGER, der.INTEGER]
    return numbered or (
        tags == [der.SEQUENCE, der.OCTET_STRING] and _is_algorithm(node.children[0])
    )


def _is_algorithm(node: ber.Node) -> bool:
    return node.tag == der.SEQUENCE and [child.tag for child in node.children[:1]] == [der.OID]


def _objects(block: Block, password: str | None, locked: bool) -> Objects:
    if (kind := foreign.of_label(block.label)) is not None:
        if block.label.endswith(_KEY):
            raise fail("import-foreign", name=kind.name, remedy=kind.remedy)
        return [], []
    if block.encrypted:
        return [_pem_key(block, password)], []
    node = _node(block)
    if node is None:
        return [], []
    if locked and pfx.is_pfx(node):
        return _pkcs12(node.raw, password)
    if locked:
        return [_key(node, password)], []
    try:
        return [], cms.certificates_in(node.raw)
    except ber.BerError:
        if block.label in _OURS and foreign.of_data(node.raw) is None:
            raise
        return [], []


def _pem_key(block: Block, password: str | None) -> crypto.PrivateKey:
    """A traditional key, whose encryption stands in its headers."""
    cipher = block.headers.partition(b"DEK-Info:")[2].strip()
    if not cipher.startswith(_CIPHERS_OF_PEM):
        raise ber.BerError("its private key has an encryption that is not known here")
    if password is None:
        raise fail("import-password-missing")
    return _usable(crypto.open_key(block.canonical(), True, password.encode()), "")


def _key(node: ber.Node, password: str | None) -> crypto.PrivateKey:
    if not node.children or not _is_algorithm(node.children[0]):
        return _plain_key(node.raw)
    rare = pbe.demand(node.raw).rare
    if password is None:
        raise fail("import-password-missing")
    if rare:  # the library may know it, and does not say why it opens none
        return _usable(crypto.open_key(node.raw, False, password.encode()), rare)
    plain = pbe.opened(node.children[0], node.children[1].octet_string(), password)
    if plain is None or not _is_plain_key(plain):
        raise fail("import-password", rare="")
    return _plain_key(plain)


def _is_plain_key(plain: bytes) -> bool:
    try:
        return [child.tag for child in ber.read(plain).children[:1]] == [der.INTEGER]
    except ber.BerError:
        return False


def _plain_key(data: bytes) -> crypto.PrivateKey:
    key = crypto.open_key(data, False, None)
    if key is None:
        raise ber.BerError("its private key is damaged, or of a kind that is not known")
    return _rsa(key)


def _pkcs12(data: bytes, password: str | None) -> Objects:
    """By the library, which is quick; by our own reader where that opens nothing."""
    from agent.scep import pkcs12  # loaded by the worker

    pbe.demand(data)
    contents = pkcs12.opened(data, password.encode() if password else None)
    if contents is not None:
        key, ders = contents
        return [] if key is None else [_rsa(key)], ders
    bags = pfx.read(data, password)
    return [_key(ber.read(key), password) for key in bags.keys], bags.certificates


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
