"""CMS as SCEP uses it (RFC 5652): SignedData, EnvelopedData, and the degenerate SignedData.

Fault model. What is read here was made by a stranger until its signature has been verified, and its
envelope is an oracle for whoever may ask often: so reading never touches a key, verifying works on
the bytes of the wire, and opening an envelope has one outcome for every fault. A content key that
does not come out right is replaced by a random one and the work goes on, so that neither the answer
nor its time tells a wrong padding of RSA from a wrong padding of the cipher.

Signed attributes are verified in the order in which they were sent, under the tag of SET (5.4).
What is written is DER.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from agent import limits
from agent.errors import fail
from agent.scep import ber, certificate, crypto, der, names, oids
from agent.scep.certificate import Certificate
from hal.named import NamedTuple

_ISSUER_AND_SERIAL = 1  # CMSVersion of SignerInfo, RFC 5652 5.3
# RFC 8894 3.2 and 4.7.1 want data; XiPKI names what is in the octets, the same octets otherwise.
_SIGNED_TYPES = (oids.DATA, oids.ENVELOPED_DATA, oids.SIGNED_DATA)
_PASSWORD_RECIPIENT = der.explicit(3)  # RFC 5652 6.2
_KEY_IDENTIFIER_TAGS = (der.context(0), der.explicit(0))


class Identifier(NamedTuple):
    """Who signed: issuer and serial number, or the subject key identifier (5.3)."""

    issuer: names.Name | None
    serial: int | None
    key_identifier: bytes | None

    def find(self, candidates: Sequence[Certificate]) -> Certificate | None:
        """The certificate that is named, whatever its place in the set."""
        if self.issuer is None:
            return next((c for c in candidates if c.key_identifier == self.key_identifier), None)
        same_serial = [c for c in candidates if c.serial == self.serial]
        issuer = names.key(self.issuer) if same_serial else ()
        return next((c for c in same_serial if names.key(c.issuer) == issuer), None)


class Signer(NamedTuple):
    """One SignerInfo; `attributes`: identifier -> values, `signed`: the bytes that were signed."""

    identifier: Identifier
    digest: str
    scheme: str
    attributes: dict[str, list[ber.Node]]
    signed: bytes
    signature: bytes


class SignedData(NamedTuple):
    """Type and octets of the content (empty when absent), certificates and revocation lists as
    their own bytes in the order sent, signers."""

    kind: str
    content: bytes
    certificates: list[bytes]
    lists: list[bytes]
    signers: list[Signer]


class Envelope(NamedTuple):
    """An EnvelopedData for RSA recipients: (serial number, OAEP digests or None, wrapped key)."""

    recipients: list[tuple[int | None, tuple[str, str] | None, bytes]]
    cipher: str
    iv: bytes
    secret: bytes


# -- reading ---------------------------------------------------------------------------------------


def content_of(data: bytes, kind: str) -> ber.Node:
    """What a ContentInfo of this type holds."""
    fields = ber.Fields(ber.read(data))
    if fields.take().oid() != kind:
        raise ber.BerError("another type of content")
    return fields.only().expect(der.explicit(0)).inner()


def read_signed(data: bytes, most: int = limits.CA_SET_CERTIFICATES) -> SignedData:
    """A SignedData in BER or DER; BerError when it is none, or has more certificates."""
    fields = ber.Fields(content_of(data, oids.SIGNED_DATA))
    fields.take(der.INTEGER)
    fields.take(der.SET)
    kind, content = _encapsulated(ber.Fields(fields.take()))
    certificates = fields.maybe(der.explicit(0))
    lists = fields.maybe(der.explicit(1))
    signers = fields.take(der.SET).children
    fields.end()
    found = [node.raw for node in certificates.children] if certificates else []
    if len(found) > most:
        raise ber.BerError("too many certificates")
    listed = [node.raw for node in lists.children] if lists else []
    return SignedData(kind, content, found, listed, [_signer(node) for node in signers])


def certificates_in(data: bytes) -> list[bytes]:
    """DER of the certificates in this: one certificate, or a degenerate SignedData; BerError."""
    node = ber.read(data)
    if node.children and node.children[0].tag == der.OID:
        return read_signed(data).certificates
    return [certificate.from_node(node).der]


def _encapsulated(fields: ber.Fields) -> tuple[str, bytes]:
    kind = fields.take().oid()
    if kind not in _SIGNED_TYPES:
        raise ber.BerError("signed content that is no data")
    wrapper = fields.maybe(der.explicit(0))
    fields.end()
    if wrapper is None:
        return kind, b""
    return kind, wrapper.inner().octet_string()


def _signer(node: ber.Node) -> Signer:
    fields = ber.Fields(node)
    fields.take(der.INTEGER)
    identifier = _identifier(fields.take(der.SEQUENCE, *_KEY_IDENTIFIER_TAGS))
    digest_oid, _ = certificate.algorithm_identifier(fields.take())
    attributes = fields.take(der.explicit(0))
    signature_algorithm = certificate.algorithm(fields.take())
    signature = fields.take().octet_string()
    fields.maybe(der.explicit(1))
    fields.end()
    digest = oids.DIGEST_NAMES.get(digest_oid, "")
    if not digest or signature_algorithm.digest not in ("", digest):
        raise ber.BerError("a digest that is unknown, or differs from that of the signature")
    return Signer(
        identifier,
        digest,
        signature_algorithm.scheme,
        _attributes(attributes),
        der.tlv(der.SET, *(child.der() for child in attributes.children)),
        signature,
    )


def _identifier(node: ber.Node) -> Identifier:
    if node.tag in _KEY_IDENTIFIER_TAGS:
        return Identifier(None, None, node.octets())
    fields = ber.Fields(node)
    found = Identifier(names.read(fields.take()), fields.take().integer(), None)
    fields.end()
    return found


def _attributes(node: ber.Node) -> dict[str, list[ber.Node]]:
    found: dict[str, list[ber.Node]] = {}
    if len(node.children) > limits.CMS_ATTRIBUTES:
        raise ber.BerError("too many attributes")
    for child in node.children:
        fields = ber.Fields(child)
        kind, values = fields.take().oid(), fields.take(der.SET)
        fields.end()
        if kind in found:
            raise ber.BerError("an attribute twice")
        found[kind] = values.children
    return found


def read_envelope(data: bytes) -> Envelope:
    """An EnvelopedData; BerError when it is none, PeerError for a cipher that is unknown, and for
    a key that was wrapped with a password alone."""
    fields = ber.Fields(content_of(data, oids.ENVELOPED_DATA))
    fields.take(der.INTEGER)
    fields.maybe(der.explicit(0))
    recipients = _recipients(fields.take(der.SET))
    content = ber.Fields(fields.take())
    fields.maybe(der.explicit(1))  # attributes that nobody signed
    fields.end()
    if content.take().oid() != oids.DATA:  # RFC 8894 3.2.2
        raise ber.BerError("encrypted content that is no data")
    cipher_oid, parameters = certificate.algorithm_identifier(content.take())
    cipher = oids.CIPHER_NAMES.get(cipher_oid)
    if cipher is None:
        raise fail("certrep-cipher", algorithm=cipher_oid)
    if parameters is None:
        raise ber.BerError("a cipher without its initial vector")
    secret = content.take(der.context(0), der.explicit(0)).octets()
    content.end()
    return Envelope(recipients, cipher, parameters.octet_string(), secret)


def _recipients(infos: ber.Node) -> list[tuple[int | None, tuple[str, str] | None, bytes]]:
    """Those by RSA; of the other ways to hand a key over, a password is the one that SCEP knows."""
    if len(infos.children) > limits.CMS_RECIPIENTS:
        raise ber.BerError("too many recipients")
    found = [_recipient(node) for node in infos.children if node.tag == der.SEQUENCE]
    if not found and any(node.tag == _PASSWORD_RECIPIENT for node in infos.children):
        raise fail("certrep-password")
    return found


def _recipient(node: ber.Node) -> tuple[int | None, tuple[str, str] | None, bytes]:
    fields = ber.Fields(node)
    fields.take(der.INTEGER)
    identifier = _identifier(fields.take(der.SEQUENCE, *_KEY_IDENTIFIER_TAGS))
    transport, parameters = certificate.algorithm_identifier(fields.take())
    if transport not in (oids.RSA, oids.RSA_OAEP):
        raise fail("certrep-cipher", algorithm=transport)
    oaep = _oaep(parameters) if transport == oids.RSA_OAEP else None
    wrapped = fields.take().octet_string()
    fields.end()
    return identifier.serial, oaep, wrapped


def _oaep(parameters: ber.Node | None) -> tuple[str, str]:
    """Digests of RSAES-OAEP (RFC 4055 4.1): SHA-1 unless they are named."""
    digest, mask_digest = "sha1", "sha1"
    for field in parameters.expect(der.SEQUENCE).children if parameters else []:
        kind, inner = certificate.algorithm_identifier(ber.Fields(field, field.tag).take())
        if field.tag == der.explicit(0):
            digest = oids.DIGEST_NAMES.get(kind, "")
        elif field.tag == der.explicit(1) and kind == oids.MGF1 and inner is not None:
            mask_digest = oids.DIGEST_NAMES.get(certificate.algorithm_identifier(inner)[0], "")
        elif field.tag == der.explicit(2) and kind == oids.P_SPECIFIED and _is_empty(inner):
            continue  # the default, spelt out
        else:
            raise fail("certrep-cipher", algorithm=f"RSA-OAEP with {kind}")
    if not digest or not mask_digest:
        raise fail("certrep-cipher", algorithm="RSA-OAEP with an unknown digest")
    return digest, mask_digest


def _is_empty(label: ber.Node | None) -> bool:
    return label is not None and label.octet_string() == b""


# -- verifying and opening -------------------------------------------------------------------------


def verify(message: SignedData, signer: Signer, spki: bytes) -> str:
    """Why the signature does not hold (RFC 5652 5.6), or "" when it does."""
    kinds = signer.attributes.get(oids.CONTENT_TYPE, [])
    digests = signer.attributes.get(oids.MESSAGE_DIGEST, [])
    if len(kinds) != 1 or kinds[0].oid() != message.kind:
        return "contentType is missing or is not that of the content"
    if len(digests) != 1:
        return "messageDigest is missing"
    if digests[0].octet_string() != crypto.digest(signer.digest, message.content):
        return "messageDigest does not fit the content"
    if not crypto.verify(spki, signer.scheme, signer.digest, signer.signature, signer.signed):
        return "it was not made with the signer's key"
    return ""


def decrypt(envelope: Envelope, key: crypto.PrivateKey, serial: int) -> bytes | None:
    """The content for the one recipient with this serial number, or None, whatever was wrong."""
    size = crypto.KEY_BYTES[envelope.cipher]
    spare = os.urandom(size)
    ours = [(wrapped, oaep) for number, oaep, wrapped in envelope.recipients if number == serial]
    unwrapped = crypto.unwrap(key, *ours[0]) if len(ours) == 1 else None
    content_key = unwrapped if unwrapped is not None and len(unwrapped) == size else spare
    return crypto.decrypt_cbc(envelope.cipher, content_key, envelope.iv, envelope.secret)


# -- writing ---------------------------------------------------------------------------------------


def algorithm(dotted: str) -> bytes:
    """AlgorithmIdentifier with NULL, as RSA and the digests have it (RFC 3370, RFC 5754)."""
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
    key: crypto.PrivateKey,
    digest: str,
) -> bytes:
    """SignedData over the content with one signer, whose certificate comes along."""
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
        der.octet_string(crypto.sign(key, der.tlv(der.SET, *signed), digest)),
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
    """EnvelopedData for one RSA recipient; ValueError when its key cannot encrypt."""
    content_key, iv = os.urandom(crypto.KEY_BYTES[cipher]), os.urandom(crypto.block_bytes(cipher))
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
