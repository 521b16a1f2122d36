"""CMS as peers send it (RFC 5652): SignedData, EnvelopedData, and the degenerate SignedData.

A pkiMessage is encrypted, then signed (RFC 8894 3.1): SignedData over the octets of an
EnvelopedData, which in a reply holds a degenerate SignedData, one without content and signers
(3.4). So the signature can be verified without the private key, and protects a cipher (CBC) that
has no integrity of its own. Each layer is an OCTET STRING to the one around it and is read anew:
jscep writes BER in all of them. Trust has no place here. This file tells whether a signature holds
under a given key; whose key it may be is decided in `trust.py`. `cms_writer.py` writes.

Fault model. A message is that of a stranger until its signature has been verified, and its
envelope is an oracle for whoever may ask often: so reading never touches a key, verifying works on
the bytes of the wire, and opening an envelope has one outcome for every fault. A content key that
does not come out right is replaced by a random one and the work goes on, so that neither the answer
nor its time tells a wrong padding of RSA from a wrong padding of the cipher.

Signed attributes are verified in the order in which they were sent, under the tag of SET (5.4).
A sender that forgot to sort them has signed what it sent, and sorting would break its signature.
Versions and the list of digests before the signers are read over: tags and signers say the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent import limits
from agent.errors import fail
from agent.scep import ber, certificate, crypto, der, encodings, foreign, names, oids
from agent.scep.certificate import Certificate
from agent.scep.keys import Key, Oaep
from hal.named import NamedTuple

# RFC 8894 3.2 and 4.7.1 want data; XiPKI names what is in the octets, the same octets otherwise.
_SIGNED_TYPES = (oids.DATA, oids.ENVELOPED_DATA, oids.SIGNED_DATA)
_PASSWORD_RECIPIENT = der.explicit(3)  # RFC 5652 6.2
_KEY_IDENTIFIER_TAGS = (der.context(0), der.explicit(0))


class Identifier(NamedTuple):
    """The name of a signer: issuer and serial number, or the subject key identifier (5.3).

    Either the first two are there or the third. It is the claim of a stranger about himself.
    """

    issuer: names.Name | None
    serial: int | None
    key_identifier: bytes | None

    def find(self, candidates: Sequence[Certificate]) -> Certificate | None:
        """The certificate that is named, whatever its place in the set.

        Names are compared as RFC 5280 7.1 has it, since an issuer may be encoded in another string
        type here than there; that costs, so only where the number fits.
        """
        if self.issuer is None:
            return next((c for c in candidates if c.key_identifier == self.key_identifier), None)
        same_serial = [c for c in candidates if c.serial == self.serial]
        issuer = names.key(self.issuer) if same_serial else ()
        return next((c for c in same_serial if names.key(c.issuer) == issuer), None)


class Signer(NamedTuple):
    """One SignerInfo; `attributes`: identifier -> values, `signed`: the bytes that were signed.

    digest: a name of the console (sha-256), which `algorithm` names, too.
    """

    identifier: Identifier
    digest: str
    algorithm: certificate.Signature
    attributes: dict[str, list[ber.Node]]
    signed: bytes
    signature: bytes


class SignedData(NamedTuple):
    """Type and octets of the content (empty when absent), certificates and revocation lists as
    their own bytes in the order sent, signers.

    A signer signs the first two alone: certificates and lists are a claim of the sender.
    """

    kind: str
    content: bytes
    certificates: list[bytes]
    lists: list[bytes]
    signers: list[Signer]


class Envelope(NamedTuple):
    """An EnvelopedData for RSA recipients: (serial number, OAEP digests or None, wrapped key).

    OAEP digests: its own and that of MGF1; None: PKCS#1 v1.5. A recipient that is named by its key
    identifier has no number, and so is never us.
    """

    recipients: list[tuple[int | None, Oaep | None, bytes]]
    cipher: str
    iv: bytes
    secret: bytes


# -- reading ---------------------------------------------------------------------------------------


def content_of(data: bytes, kind: str) -> ber.Node:
    """The content of a ContentInfo of this type."""
    fields = ber.Fields(ber.read(data))
    if fields.take().oid() != kind:
        raise ber.BerError("another type of content")
    return fields.only().expect(der.explicit(0)).inner()


def read_signed(data: bytes, most: int = limits.CA_SET_CERTIFICATES) -> SignedData:
    """A SignedData in BER or DER; BerError when it is none, or has more certificates.

    Its certificates stay bytes: one odd certificate of a CA set must not cost the whole message.
    """
    fields = ber.Fields(content_of(data, oids.SIGNED_DATA))
    fields.take(der.INTEGER)
    fields.take(der.SET)
    kind, content = _encapsulated(ber.Fields(fields.take()))
    certificates = fields.maybe(der.explicit(0))
    lists = fields.maybe(der.explicit(1))
    signers = fields.take(der.SET).children
    fields.end()
    ders = [node.raw for node in certificates.children] if certificates else []
    if len(ders) > most:
        raise ber.BerError("too many certificates")
    crls = [node.raw for node in lists.children] if lists else []
    return SignedData(kind, content, ders, crls, [_signer(node) for node in signers])


def certificates_in(data: bytes) -> list[bytes]:
    """DER of the certificates in this: one certificate, or a degenerate SignedData; BerError.

    RFC 8894 4.2.1 tells the two by Content-Type, which servers confuse. A ContentInfo begins with
    an identifier and a certificate with a SEQUENCE. A certificate is not read here, as those of a
    SignedData are not.
    """
    node = ber.read(data)
    if node.children and node.children[0].tag == der.OID:
        return read_signed(data).certificates
    kind, tags = foreign.of_data(data), [child.tag for child in node.children]
    if kind not in (None, foreign.CERTIFICATE):
        raise ber.BerError(f"it is {kind.name}")
    if tags != [der.SEQUENCE, der.SEQUENCE, der.BIT_STRING]:
        raise ber.BerError("it is no certificate")
    return [node.raw]


def certificates_of(data: bytes) -> list[bytes]:
    """The same of a file or of an answer, however it is encoded; BerError where there is none.
    Blocks of PEM that are labelled as something else are passed over."""
    ders: list[bytes] = []
    for block in encodings.blocks(data):
        try:
            ders += certificates_in(block.data())
        except ValueError:
            if block.label in encodings.CERTIFICATES:
                raise
    if not ders:
        raise ber.BerError("no certificate is in it")
    return ders


def _encapsulated(fields: ber.Fields) -> tuple[str, bytes]:
    kind = fields.take().oid()
    if kind not in _SIGNED_TYPES:
        raise ber.BerError("signed content that is no data")
    wrapper = fields.maybe(der.explicit(0))
    fields.end()
    # FAILURE and PENDING have no content (RFC 8894 3.3.2.2, 3.3.2.3): servers leave it out, send an
    # empty string, or one zero byte (NDES). The digest is over what is there.
    if wrapper is None:
        return kind, b""
    return kind, wrapper.inner().octet_string()


def _signer(node: ber.Node) -> Signer:
    fields = ber.Fields(node)
    fields.take(der.INTEGER)
    identifier = _identifier(fields.take(der.SEQUENCE, *_KEY_IDENTIFIER_TAGS))
    digest_oid, _ = certificate.algorithm_identifier(fields.take())
    # Not optional here (RFC 8894 3.2). Without attributes a signature is over the content itself,
    # and a signature over the attributes of one message could be shown as one over content.
    attributes = fields.take(der.explicit(0))
    signature_algorithm = certificate.algorithm(fields.take())
    signature = fields.take().octet_string()
    fields.maybe(der.explicit(1))  # attributes that nobody signed
    fields.end()
    # rsaEncryption names no digest and sha256WithRSAEncryption does; both are sent (RFC 3370 3.2).
    digest = oids.DIGEST_NAMES.get(digest_oid, "")
    if signature_algorithm.scheme and not signature_algorithm.digest:
        signature_algorithm = signature_algorithm._replace(digest=digest)
    if not digest or signature_algorithm.digest not in ("", digest):
        raise ber.BerError("a digest that is unknown, or differs from that of the signature")
    return Signer(
        identifier,
        digest,
        signature_algorithm,
        _attributes(attributes),
        der.tlv(der.SET, *(child.der() for child in attributes.children)),
        signature,
    )


def _identifier(node: ber.Node) -> Identifier:
    if node.tag in _KEY_IDENTIFIER_TAGS:
        return Identifier(None, None, node.octets())
    fields = ber.Fields(node)
    identifier = Identifier(names.read(fields.take()), fields.take().integer(), None)
    fields.end()
    return identifier


def _attributes(node: ber.Node) -> dict[str, list[ber.Node]]:
    """Attributes by identifier; unknown ones stay, since most senders add some of their own.

    One that stands twice (RFC 5652 11.1, 11.2 forbid it) would mean another thing to each reader.
    """
    values_of: dict[str, list[ber.Node]] = {}
    if len(node.children) > limits.CMS_ATTRIBUTES:
        raise ber.BerError("too many attributes")
    for child in node.children:
        fields = ber.Fields(child)
        kind, values = fields.take().oid(), fields.take(der.SET)
        fields.end()
        if kind in values_of:
            raise ber.BerError("an attribute twice")
        values_of[kind] = values.children
    return values_of


def read_envelope(data: bytes) -> Envelope:
    """An EnvelopedData; BerError when it is none, PeerError for a cipher that is unknown, and for
    a key that was wrapped with a password alone.

    The CA chooses the cipher, and many choose without regard to the request (micromdm single DES,
    jscep 3DES). So every known one is read, and the realm decides which may be weak (`trust.py`).
    """
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
    # Its tag is IMPLICIT; micromdm and senders that stream write it constructed, in pieces.
    secret = content.take(der.context(0), der.explicit(0)).octets()
    content.end()
    return Envelope(recipients, cipher, parameters.octet_string(), secret)


def _recipients(infos: ber.Node) -> list[tuple[int | None, Oaep | None, bytes]]:
    """Those by RSA; of the other ways to hand a key over, a password is the one that SCEP knows.

    RFC 8894 3.1 has it for keys that cannot encrypt. Ours can, so a CA that uses it has taken our
    challenge for the key; a reply for that alone gets an error that says so.
    """
    if len(infos.children) > limits.CMS_RECIPIENTS:
        raise ber.BerError("too many recipients")
    recipients = [_recipient(node) for node in infos.children if node.tag == der.SEQUENCE]
    if not recipients and any(node.tag == _PASSWORD_RECIPIENT for node in infos.children):
        raise fail("certrep-password")
    return recipients


def _recipient(node: ber.Node) -> tuple[int | None, Oaep | None, bytes]:
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


def _oaep(parameters: ber.Node | None) -> Oaep:
    """Digests of RSAES-OAEP (RFC 4055 4.1): SHA-1 unless they are named.

    SHA-1 is no weakness here, since OAEP does not rest on collisions; some libraries name another
    digest for itself and leave that of MGF1 at the default.
    """
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
    """Why the signature does not hold (RFC 5652 5.6), or "" when it does.

    What is signed is the attributes alone; messageDigest ties the content to them, and contentType
    its meaning (11.1, 11.2). So both must be there, once, or the signature covers no content.
    """
    kinds = signer.attributes.get(oids.CONTENT_TYPE, [])
    digests = signer.attributes.get(oids.MESSAGE_DIGEST, [])
    if len(kinds) != 1 or kinds[0].oid() != message.kind:
        return "contentType is missing or is not that of the content"
    if len(digests) != 1:
        return "messageDigest is missing"
    # Over the octets of the string alone, without tag and length, its pieces joined (5.4).
    if digests[0].octet_string() != crypto.digest(signer.digest, message.content):
        return "messageDigest does not fit the content"
    if not signer.algorithm.digest:
        return f"{signer.algorithm.name}, which cannot be verified here"
    if not signer.algorithm.holds(spki, signer.signature, signer.signed):
        return "it was not made with the signer's key"
    return ""


def decrypt(envelope: Envelope, key: Key, serial: int) -> bytes | None:
    """The content for the one recipient with this serial number, or None, whatever was wrong.

    A key that is wrong inside gives another content key (RFC 3218 2.3.2, `keys.py`). One is drawn
    for what everybody sees who has the reply: no block for us, or one of another length than our
    modulus. Recipients are told by the number alone: to pick a wrong one costs a failure and no
    secret. Of two with our number neither is tried, so that a reply is one question to the key,
    never more.
    """
    size = crypto.KEY_BYTES[envelope.cipher]
    shares = [(wrapped, oaep) for number, oaep, wrapped in envelope.recipients if number == serial]
    if len(shares) == 1 and len(shares[0][0]) == certificate.modulus_bytes(key.spki):
        block, oaep = shares[0]
        content_key = key.unwrap(block, size, oaep)
    else:
        content_key = crypto.draw(size)
    return crypto.decrypt_cbc(envelope.cipher, content_key, envelope.iv, envelope.secret)
