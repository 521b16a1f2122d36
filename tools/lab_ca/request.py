"""pkiMessages coming in (RFC 8894 3.2), read with asn1crypto behind the BER normaliser.

Fault model: every byte is hostile. What is no pkiMessage at all raises `MalformedError` (the HTTP
layer answers 400, since there is no transaction to answer); what is one, but must be refused,
raises `RefusedError` with the failInfo. asn1crypto parses lazily and throws what it likes, so each
function touches all that it returns inside one guard. The caller's order: read, verify, open.
"""

import hmac
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

from asn1crypto import cms, core, csr, x509

from tools.lab_ca import algorithms, ber
from tools.lab_ca.algorithms import AlgorithmError, Identity
from tools.lab_ca.ledger import Record

_READING = threading.RLock()

PKCS_REQ, RENEWAL_REQ, CERT_POLL, CERT_REP = "19", "17", "20", "3"
GET_CERT, GET_CRL = "21", "22"
MESSAGE_TYPES = {
    CERT_REP: "CertRep",
    RENEWAL_REQ: "RenewalReq",
    PKCS_REQ: "PKCSReq",
    CERT_POLL: "CertPoll",
    GET_CERT: "GetCert",
    GET_CRL: "GetCRL",
}

# RFC 8894 3.2.1 and RFC 5652 11: the signed attributes.
MESSAGE_TYPE = "2.16.840.1.113733.1.9.2"
PKI_STATUS = "2.16.840.1.113733.1.9.3"
FAIL_INFO = "2.16.840.1.113733.1.9.4"
SENDER_NONCE = "2.16.840.1.113733.1.9.5"
RECIPIENT_NONCE = "2.16.840.1.113733.1.9.6"
TRANSACTION_ID = "2.16.840.1.113733.1.9.7"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
FAIL_INFO_TEXT = "1.3.6.1.5.5.7.24.1"

T = TypeVar("T")

COPIED_EXTENSIONS = ("subject_alt_name", "key_usage", "extended_key_usage")
TRANSACTION_CHARACTERS = 80  # a file is named after it; certmonger's have 77


class MalformedError(Exception):
    """No pkiMessage: there is nothing that a CertRep could answer."""


class RefusedError(Exception):
    """A pkiMessage that gets a FAILURE: the name of its failInfo, and a text for people."""

    def __init__(self, fail_info: str, text: str) -> None:
        super().__init__(text)
        self.fail_info, self.text = fail_info, text


class Message(NamedTuple):
    """The outer layer. Nothing of it is proved before `verify` has returned."""

    transaction_id: str
    message_type: str
    sender_nonce: bytes
    digest: str  # asn1crypto's name of the SignerInfo's digest algorithm, known here or not
    signer: x509.Certificate | None  # None: the certificate that signed is not in the message
    content: bytes | None  # the EnvelopedData, as it was sent
    signer_info: cms.SignerInfo


class Csr(NamedTuple):
    """A PKCS#10 whose signature was verified."""

    der: bytes
    subject: x509.Name
    spki: bytes
    challenge: str | None
    extensions: tuple[x509.Extension, ...]  # those that a certificate takes over


class Case(NamedTuple):
    """A message that passed the checks of its outer layers."""

    message: Message
    signer: x509.Certificate
    cipher: str
    content: bytes


class Asked(NamedTuple):
    """A PKCSReq, RenewalReq or CertPoll about to be decided, and what it is decided by."""

    case: Case
    csr: Csr | None  # None: a CertPoll
    renewal: bool  # signed with a certificate of this CA
    challenge: str | None  # that this CA wants
    records: Callable[[], list[Record]]  # of all transactions so far
    issuer: x509.Name  # of this CA
    now_s: int


@contextmanager
def guard(error: Exception) -> Iterator[None]:
    """Turns whatever asn1crypto throws at odd bytes into the one given error. One reader at a time:
    it prepares a class when that is used first, and another thread meets it half prepared."""
    try:
        with _READING:
            yield
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as cause:
        raise error from cause


def read_message(body: bytes) -> Message:
    """The outer SignedData of a pkiMessage; `MalformedError` when it is none."""
    with guard(MalformedError("no pkiMessage: the body is no CMS SignedData with SCEP attributes")):
        signed = _content(ber.to_der(body), "signed_data")
        (signer_info,) = signed["signer_infos"]
        attributes = attributes_of(signer_info)
        message = Message(
            transaction_id=_single(attributes, TRANSACTION_ID, str),
            message_type=_single(attributes, MESSAGE_TYPE, str),
            sender_nonce=_single(attributes, SENDER_NONCE, bytes),
            digest=signer_info["digest_algorithm"]["algorithm"].native,
            signer=_signer(signed, signer_info["sid"]),
            content=_octets(signed["encap_content_info"]),
            signer_info=signer_info,
        )
    if not 0 < len(message.transaction_id) <= TRANSACTION_CHARACTERS:
        raise MalformedError(f"transactionID is empty or over {TRANSACTION_CHARACTERS} characters")
    return message


def verify(message: Message) -> x509.Certificate:
    """The certificate whose key signed the message; `RefusedError` when it proves nothing."""
    if message.digest not in algorithms.DIGESTS:
        raise RefusedError("badAlg", f"digest algorithm {message.digest} is not served here")
    if message.signer is None:
        raise RefusedError("badMessageCheck", "the signer's certificate is not in the message")
    bad = RefusedError("badMessageCheck", "the signature of the message does not verify")
    try:
        with guard(bad):
            _check_signature(message, message.signer, bad)
    except AlgorithmError as error:
        raise RefusedError("badAlg", str(error)) from error
    return message.signer


def open_envelope(message: Message, identity: Identity) -> tuple[str, bytes]:
    """The cipher's name and what is inside the EnvelopedData, normalised to DER."""
    if not message.content:
        raise RefusedError("badRequest", "the message has no content")
    with guard(RefusedError("badMessageCheck", "the content is no EnvelopedData")):
        enveloped = _content(ber.enveloped_to_der(message.content), "enveloped_data")
        wrapped = _wrapped_key(enveloped["recipient_infos"], identity.certificate)
        info = enveloped["encrypted_content_info"]
        algorithm = info["content_encryption_algorithm"]
        name, iv = algorithm["algorithm"].native, algorithm["parameters"].native
        text = info["encrypted_content"].native
    if name not in algorithms.CIPHER_NAMES:
        raise RefusedError("badAlg", f"content cipher {name} is not served here")
    cipher = algorithms.CIPHER_NAMES[name]
    try:
        content = algorithms.decrypt(cipher, wrapped, iv, text, identity.key)
    except AlgorithmError as error:
        raise RefusedError("badMessageCheck", str(error)) from error
    with guard(RefusedError("badMessageCheck", "the decrypted content is no ASN.1")):
        return cipher, ber.to_der(content)


def read_csr(der: bytes) -> Csr:
    """A PKCS#10 and the proof that its sender holds the key (RFC 2986 4.2)."""
    with guard(RefusedError("badRequest", "the content is no PKCS#10")):
        request = csr.CertificationRequest.load(der, strict=True)
        info = request["certification_request_info"]
        values = {item["type"].native: item["values"] for item in info["attributes"]}
        passwords = values.get("challenge_password", ())
        wanted = [item for group in values.get("extension_request", ()) for item in group]
        found = Csr(
            der=der,
            subject=info["subject"],
            spki=info["subject_pk_info"].dump(),
            challenge=passwords[0].native if passwords else None,
            extensions=tuple(
                item for item in wanted if item["extn_id"].native in COPIED_EXTENSIONS
            ),
        )
        parse_fully(found.subject, *found.extensions)
        _check_csr_signature(request, found.spki)
    return found


def read_poll(der: bytes) -> tuple[x509.Name, x509.Name]:
    """IssuerAndSubject (RFC 8894 3.3.3): the CA's name and the requested subject."""
    with guard(RefusedError("badRequest", "the content is no IssuerAndSubject")):
        issuer, subject = core.SequenceOf.load(der, strict=True, spec=x509.Name)
        parse_fully(issuer, subject)
        return issuer, subject


def read_serial(der: bytes) -> tuple[x509.Name, int]:
    """IssuerAndSerialNumber of a GetCert or GetCRL (RFC 8894 3.3.4, 3.3.5)."""
    with guard(RefusedError("badRequest", "the content is no IssuerAndSerialNumber")):
        named = cms.IssuerAndSerialNumber.load(der, strict=True)
        parse_fully(named)
        return named["issuer"], named["serial_number"].native


def parse_fully(*values: core.Asn1Value) -> None:
    """Makes asn1crypto read now what it would otherwise read, and refuse, at its first use."""
    for value in values:
        _ = value.native


def same_octets(first: bytes, second: bytes) -> bool:
    """Equality whose time tells nothing about where they differ."""
    return hmac.compare_digest(first, second)


def _content(der: bytes, kind: str) -> core.Sequence:
    info = cms.ContentInfo.load(der, strict=True)
    if info["content_type"].native != kind:
        raise ValueError(f"not {kind}")
    return info["content"]


def _octets(info: core.Sequence) -> bytes | None:
    if info["content_type"].native != "data":
        raise ValueError("eContentType must be data (RFC 8894 3.2)")
    content = info["content"].native
    if content is not None and not isinstance(content, bytes):
        raise ValueError("eContent is no OCTET STRING")
    return content


def attributes_of(signer_info: cms.SignerInfo) -> dict[str, list[core.Asn1Value]]:
    """The values of each signed attribute, by OID; ValueError when one comes twice."""
    attributes = signer_info["signed_attrs"]
    found = {item["type"].dotted: list(item["values"]) for item in attributes}
    if len(found) != len(attributes):
        raise ValueError("an attribute comes twice")
    return found


def _single(attributes: dict[str, list[core.Asn1Value]], oid: str, kind: type[T]) -> T:
    (value,) = attributes[oid]
    if not isinstance(value.native, kind):
        raise TypeError("an attribute of another type")
    return value.native


def _signer(signed: cms.SignedData, sid: cms.SignerIdentifier) -> x509.Certificate | None:
    if sid.name != "issuer_and_serial_number":
        raise ValueError("a signer without issuer and serial number")
    for choice in signed["certificates"]:
        if choice.name == "certificate" and _names(sid.chosen, choice.chosen):
            return choice.chosen
    return None


def _names(wanted: cms.IssuerAndSerialNumber, certificate: x509.Certificate) -> bool:
    serial = wanted["serial_number"].native
    return bool(certificate.serial_number == serial and certificate.issuer == wanted["issuer"])


def _check_signature(message: Message, signer: x509.Certificate, bad: RefusedError) -> None:
    signer_info = message.signer_info
    named = signer_info["signature_algorithm"]["algorithm"].native
    if algorithms.signature_digest(named, message.digest) != message.digest:
        raise AlgorithmError("the signature algorithm belongs to another digest")
    attributes = attributes_of(signer_info)
    if _single(attributes, CONTENT_TYPE, str) != "data":
        raise bad
    digest = algorithms.digest_of(message.digest, message.content or b"")
    if not same_octets(_single(attributes, MESSAGE_DIGEST, bytes), digest):
        raise bad
    # RFC 5652 5.4: what is signed carries the tag of a SET, not the implicit [0].
    signed = signer_info["signed_attrs"].untag().dump()
    key = algorithms.rsa_public(signer.public_key.dump())
    if not algorithms.verifies(key, signer_info["signature"].native, signed, message.digest):
        raise bad


def _wrapped_key(recipients: cms.RecipientInfos, own: x509.Certificate) -> bytes:
    for recipient in recipients:
        info = recipient.chosen
        if recipient.name != "ktri" or info["rid"].name != "issuer_and_serial_number":
            continue
        if not _names(info["rid"].chosen, own):
            continue
        if info["key_encryption_algorithm"]["algorithm"].native != "rsaes_pkcs1v15":
            raise RefusedError("badAlg", "key transport other than PKCS#1 v1.5 is not served here")
        wrapped: bytes = info["encrypted_key"].native
        return wrapped
    raise RefusedError("badMessageCheck", "encrypted to another certificate than the one published")


def _check_csr_signature(request: csr.CertificationRequest, spki: bytes) -> None:
    try:
        key = algorithms.rsa_public(spki)
        named = request["signature_algorithm"]["algorithm"].native
        digest = algorithms.signature_digest(named, "sha256")
    except AlgorithmError as error:
        raise RefusedError("badAlg", str(error)) from error
    signed = request["certification_request_info"].dump()
    if not algorithms.verifies(key, request["signature"].native, signed, digest):
        raise RefusedError("badMessageCheck", "the signature of the PKCS#10 does not verify")
