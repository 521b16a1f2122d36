"""CertReps and certificate sets going out (RFC 8894 3.3.2, 3.4, 4.2).

A `Reply` is a plain record of what is to be said and in which shape; the tables of faults change
the record, `encode` writes it down. Certificate sets keep their order, against DER's rule for SETs:
real servers send theirs unsorted, and the RA's order is part of what `--ra` promises.
"""

from typing import NamedTuple

from asn1crypto import cms, core, x509

from tools.lab_ca import algorithms, ber
from tools.lab_ca import request as scep
from tools.lab_ca.algorithms import Identity

SUCCESS, FAILURE, PENDING = "SUCCESS", "FAILURE", "PENDING"
STATUS = {SUCCESS: "0", FAILURE: "2", PENDING: "3"}
FAIL_INFO = {"badAlg": "0", "badMessageCheck": "1", "badRequest": "2", "badTime": "3",
             "badCertId": "4"}  # fmt: skip


class Reply(NamedTuple):
    """One CertRep. What is None is left out."""

    status: str
    transaction_id: str
    recipient_nonce: bytes | None
    sender_nonce: bytes | None
    digest: str
    cipher: str
    signer: Identity
    certificates: tuple[x509.Certificate, ...]  # of the outer SignedData, in this order
    recipient: x509.Certificate | None = None
    issued: x509.Certificate | None = None
    fail_info: str | None = None
    fail_info_text: str | None = None
    message_type: str = scep.CERT_REP
    empty_content: bytes | None = None  # eContent where there is no envelope; None: absent
    named_digest: bool = False  # signatureAlgorithm shaNWithRSA instead of rsaEncryption
    constructed_content: bool = False  # encryptedContent as [0] around one OCTET STRING
    broken_signature: bool = False


def encode(reply: Reply) -> bytes:
    """The DER (or what the record asks for) of a CertRep."""
    content = reply.empty_content
    if reply.issued is not None and reply.recipient is not None:
        content = _envelope(reply, reply.recipient, degenerate((reply.issued,)))
    attributes = _signed_attributes(reply, algorithms.digest_of(reply.digest, content or b""))
    signature = algorithms.sign(reply.signer.key, attributes.dump(), reply.digest)
    if reply.broken_signature:
        signature = signature[:-1] + bytes((signature[-1] ^ 1,))
    signer_info = {
        "version": "v1",
        "sid": cms.SignerIdentifier(
            "issuer_and_serial_number", issuer_and_serial(reply.signer.certificate)
        ),
        "digest_algorithm": algorithms.digest_algorithm(reply.digest),
        "signed_attrs": attributes,
        "signature_algorithm": {
            "algorithm": f"{reply.digest}_rsa" if reply.named_digest else "rsassa_pkcs1v15",
            "parameters": core.Null(),
        },
        "signature": signature,
    }
    signed = {
        "version": "v1",
        "digest_algorithms": [algorithms.digest_algorithm(reply.digest)],
        "encap_content_info": _content(content),
        "signer_infos": [signer_info],
    }
    return _signed_data(signed, reply.certificates)


def degenerate(certificates: tuple[x509.Certificate, ...]) -> bytes:
    """A SignedData that only carries certificates (RFC 8894 3.4)."""
    signed = {
        "version": "v1",
        "digest_algorithms": [],
        "encap_content_info": _content(None),
        "signer_infos": [],
    }
    return _signed_data(signed, certificates)


def issuer_and_serial(certificate: x509.Certificate) -> cms.IssuerAndSerialNumber:
    return cms.IssuerAndSerialNumber(
        {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
    )


def _signed_data(fields: dict[str, object], certificates: tuple[x509.Certificate, ...]) -> bytes:
    if certificates:
        ders = b"".join(certificate.dump() for certificate in certificates)
        fields["certificates"] = cms.CertificateSet.load(ber.tlv(ber.SET, ders))
    der: bytes = cms.ContentInfo(
        {"content_type": "signed_data", "content": cms.SignedData(fields)}
    ).dump()
    return der


def _content(content: bytes | None) -> cms.ContentInfo:
    fields: dict[str, object] = {"content_type": "data"}
    if content is not None:
        fields["content"] = core.OctetString(content)
    return cms.ContentInfo(fields)


def _signed_attributes(reply: Reply, digest: bytes) -> cms.CMSAttributes:
    fail_info = FAIL_INFO.get(reply.fail_info or "")
    rows = (
        (scep.CONTENT_TYPE, core.ObjectIdentifier, "1.2.840.113549.1.7.1"),
        (scep.MESSAGE_DIGEST, core.OctetString, digest),
        (scep.TRANSACTION_ID, core.PrintableString, reply.transaction_id),
        (scep.MESSAGE_TYPE, core.PrintableString, reply.message_type),
        (scep.PKI_STATUS, core.PrintableString, STATUS[reply.status]),
        (scep.FAIL_INFO, core.PrintableString, fail_info),
        (scep.FAIL_INFO_TEXT, core.UTF8String, reply.fail_info_text),
        (scep.RECIPIENT_NONCE, core.OctetString, reply.recipient_nonce),
        (scep.SENDER_NONCE, core.OctetString, reply.sender_nonce),
    )
    ders = [_attribute(oid, kind(value)) for oid, kind, value in rows if value is not None]
    return cms.CMSAttributes.load(ber.tlv(ber.SET, b"".join(sorted(ders))))


def _attribute(oid: str, value: core.Asn1Value) -> bytes:
    values = ber.tlv(ber.SET, value.dump())
    return ber.tlv(ber.SEQUENCE, core.ObjectIdentifier(oid).dump() + values)


def _envelope(reply: Reply, recipient: x509.Certificate, content: bytes) -> bytes:
    key = algorithms.rsa_public(recipient.public_key.dump())
    wrapped, iv, text = algorithms.encrypt(reply.cipher, content, key)
    recipient_info = {
        "version": "v0",
        "rid": cms.RecipientIdentifier("issuer_and_serial_number", issuer_and_serial(recipient)),
        "key_encryption_algorithm": {
            "algorithm": "rsaes_pkcs1v15",
            "parameters": core.Null(),
        },
        "encrypted_key": wrapped,
    }
    enveloped = {
        "version": "v0",
        "recipient_infos": [cms.RecipientInfo("ktri", recipient_info)],
        "encrypted_content_info": {
            "content_type": "data",
            "content_encryption_algorithm": algorithms.content_algorithm(reply.cipher, iv),
            "encrypted_content": text,
        },
    }
    der: bytes = cms.ContentInfo(
        {"content_type": "enveloped_data", "content": cms.EnvelopedData(enveloped)}
    ).dump()
    return ber.constructed_content(der) if reply.constructed_content else der
