"""CertReps and certificate sets going out (RFC 8894 3.3.2, 3.4, 4.2).

A `Reply` is a plain record of what is to be said and in which shape, with an edit for each layer on
its way out; the tables of switches change the record, `encode` writes it down. Certificate sets
keep their order, against DER's rule for SETs: real servers send theirs unsorted, and the RA's order
is part of what `--ra` promises.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from asn1crypto import cms, core, crl, x509

from tools.lab_ca import algorithms, ber, password
from tools.lab_ca import request as scep
from tools.lab_ca.algorithms import Identity
from tools.lab_ca.authority import Authority
from tools.lab_ca.edits import same

SUCCESS, FAILURE, PENDING = "SUCCESS", "FAILURE", "PENDING"
STATUS = {SUCCESS: "0", FAILURE: "2", PENDING: "3"}
FAIL_INFO = {"badAlg": "0", "badMessageCheck": "1", "badRequest": "2", "badTime": "3",
             "badCertId": "4"}  # fmt: skip

Fields = dict[str, Any]
Attributes = tuple[tuple[str, tuple[bytes, ...]], ...]  # OID, and the DER of each of its values
Certificates = tuple[x509.Certificate, ...]
Octets = Callable[[bytes], bytes]


class Reply(NamedTuple):
    """One CertRep. What is None is left out."""

    asked: str  # the messageType that it answers
    authority: Authority
    challenge: str | None  # that the authority wants
    status: str
    transaction_id: str
    recipient_nonce: bytes | None
    sender_nonce: bytes | None
    digest: str
    cipher: str
    signer: Identity
    certificates: Certificates  # of the outer SignedData, in this order
    recipient: x509.Certificate | None = None  # None: there is no envelope
    issued: Certificates = ()
    crls: tuple[crl.CertificateList, ...] = ()
    fail_info: str | None = None
    fail_info_text: str | None = None
    message_type: str = scep.CERT_REP
    transport: str = algorithms.PKCS1
    password: str | None = None  # wrap the content key by this instead
    empty_content: bytes | None = None  # eContent where there is no envelope; None: absent
    # Edits, from the inside out.
    inner: Octets = same  # the degenerate SignedData, before it is encrypted
    enveloped: Callable[[Fields], Fields] = same  # the fields of EnvelopedData
    envelope: Octets = same  # its ContentInfo
    attributes: Callable[[Attributes], Attributes] = same  # before they are signed
    signer_info: Callable[[Fields], Fields] = same
    signed: Callable[[Fields], Fields] = same  # the fields of the outer SignedData
    outer: Octets = same  # the whole


def encode(reply: Reply) -> bytes:
    """The DER (or what the edits make of it) of a CertRep."""
    content = reply.empty_content
    if reply.recipient is not None:
        content = _envelope(reply, reply.recipient)
    digest = algorithms.digest_of(reply.digest, content or b"")
    attributes = reply.attributes(_attributes(reply, digest))
    signer_info = reply.signer_info(_signer_info(reply.signer, reply.digest, attributes))
    fields = reply.signed(_signed(content, reply.digest, signer_info))
    return reply.outer(_signed_data(fields, reply.certificates))


def degenerate(certificates: Certificates, crls: tuple[crl.CertificateList, ...] = ()) -> bytes:
    """A SignedData that only carries certificates and CRLs (RFC 8894 3.4)."""
    fields: Fields = {
        "version": "v1",
        "digest_algorithms": [],
        "encap_content_info": _content(None),
        "signer_infos": [],
    }
    if crls:
        fields["crls"] = [cms.RevocationInfoChoice("crl", item) for item in crls]
    return _signed_data(fields, certificates)


def signed_by(signer: Identity, content: bytes | None, certificates: Certificates) -> bytes:
    """A SignedData with SHA-256 that is no CertRep: nothing but its content is signed."""
    attributes = _cms_attributes(algorithms.digest_of("sha256", content or b""))
    signer_info = _signer_info(signer, "sha256", attributes)
    return _signed_data(_signed(content, "sha256", signer_info), certificates)


def issuer_and_serial(certificate: x509.Certificate) -> cms.IssuerAndSerialNumber:
    return cms.IssuerAndSerialNumber(
        {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
    )


def _signed(content: bytes | None, digest: str, signer_info: Fields) -> Fields:
    return {
        "version": "v1",
        "digest_algorithms": [algorithms.digest_algorithm(digest)],
        "encap_content_info": _content(content),
        "signer_infos": [signer_info],
    }


def _signed_data(fields: Fields, certificates: Certificates) -> bytes:
    if certificates:
        ders = b"".join(certificate.dump() for certificate in certificates)
        fields["certificates"] = cms.CertificateSet.load(ber.tlv(ber.SET, ders))
    der: bytes = cms.ContentInfo(
        {"content_type": "signed_data", "content": cms.SignedData(fields)}
    ).dump()
    return der


def _content(content: bytes | None) -> cms.ContentInfo:
    fields: Fields = {"content_type": "data"}
    if content is not None:
        fields["content"] = core.OctetString(content)
    return cms.ContentInfo(fields)


def _signer_info(signer: Identity, digest: str, attributes: Attributes) -> Fields:
    ders = sorted(_attribute(oid, values) for oid, values in attributes)
    signed = cms.CMSAttributes.load(ber.tlv(ber.SET, b"".join(ders)))
    return {
        "version": "v1",
        "sid": cms.SignerIdentifier(
            "issuer_and_serial_number", issuer_and_serial(signer.certificate)
        ),
        "digest_algorithm": algorithms.digest_algorithm(digest),
        "signed_attrs": signed,
        "signature_algorithm": {"algorithm": algorithms.PLAIN_RSA, "parameters": core.Null()},
        "signature": algorithms.sign(signer.key, signed.dump(), digest),
    }


def _cms_attributes(digest: bytes) -> Attributes:
    """What CMS demands as soon as anything is signed (RFC 5652 11)."""
    kind, octets = core.ObjectIdentifier("1.2.840.113549.1.7.1"), core.OctetString(digest)
    return (scep.CONTENT_TYPE, (kind.dump(),)), (scep.MESSAGE_DIGEST, (octets.dump(),))


def _attributes(reply: Reply, digest: bytes) -> Attributes:
    rows = (
        (scep.TRANSACTION_ID, core.PrintableString, reply.transaction_id),
        (scep.MESSAGE_TYPE, core.PrintableString, reply.message_type),
        (scep.PKI_STATUS, core.PrintableString, STATUS[reply.status]),
        (scep.FAIL_INFO, core.PrintableString, FAIL_INFO.get(reply.fail_info or "")),
        (scep.FAIL_INFO_TEXT, core.UTF8String, reply.fail_info_text),
        (scep.RECIPIENT_NONCE, core.OctetString, reply.recipient_nonce),
        (scep.SENDER_NONCE, core.OctetString, reply.sender_nonce),
    )
    told = ((oid, (kind(value).dump(),)) for oid, kind, value in rows if value is not None)
    return (*_cms_attributes(digest), *told)


def _attribute(oid: str, values: tuple[bytes, ...]) -> bytes:
    many = ber.tlv(ber.SET, b"".join(values))
    return ber.tlv(ber.SEQUENCE, core.ObjectIdentifier(oid).dump() + many)


def _envelope(reply: Reply, recipient: x509.Certificate) -> bytes:
    content = reply.inner(degenerate(reply.issued, reply.crls))
    key, iv, text = algorithms.encrypt(reply.cipher, content)
    fields: Fields = {
        "version": "v0" if reply.password is None else "v3",
        "recipient_infos": [_recipient_info(reply, recipient, key)],
        "encrypted_content_info": {
            "content_type": "data",
            "content_encryption_algorithm": algorithms.content_algorithm(reply.cipher, iv),
            "encrypted_content": text,
        },
    }
    enveloped = cms.EnvelopedData(reply.enveloped(fields))
    der: bytes = cms.ContentInfo({"content_type": "enveloped_data", "content": enveloped}).dump()
    return reply.envelope(der)


def _recipient_info(reply: Reply, recipient: x509.Certificate, key: bytes) -> cms.RecipientInfo:
    if reply.password is not None:
        return password.recipient(reply.password, key)
    to = algorithms.rsa_public(recipient.public_key.dump())
    fields: Fields = {
        "version": "v0",
        "rid": cms.RecipientIdentifier("issuer_and_serial_number", issuer_and_serial(recipient)),
        "key_encryption_algorithm": algorithms.transport_algorithm(reply.transport),
        "encrypted_key": algorithms.wrap(key, to, reply.transport),
    }
    return cms.RecipientInfo("ktri", fields)
