"""SCEP messages (RFC 8894 3): what we send, and the reply as a record.

A request must come out the same at every retry and every poll, also after a power failure: PKCS#10
and signer certificate depend on nothing but {transaction, request time, key, entity, key usage,
password, digest}. PKCS#1 v1.5 is deterministic, and no library chooses an order or a string type
for us. Only the outer message is new each time: nonce and content key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.scep import ber, certificate, cms, cms_writer, crypto, der, names, oids
from agent.scep.certificate import Certificate
from agent.scep.keys import Key
from agent.scep.text import clean
from hal.named import NamedTuple

PKCS_REQ, RENEWAL_REQ, CERT_POLL, GET_CERT, GET_CRL, CERT_REP = 19, 17, 20, 21, 22, 3
SUCCESS, FAILURE, PENDING = 0, 2, 3
FAIL_INFO = ("badAlg", "badMessageCheck", "badRequest", "badTime", "badCertId")

_DAY_S = 86_400
# Backdated for a CA whose clock is behind ours; a year outlasts any approval.
_SIGNER_BEFORE_S, _SIGNER_AFTER_S = _DAY_S, 365 * _DAY_S
_DIGITAL_SIGNATURE, _NON_REPUDIATION, _KEY_ENCIPHERMENT = 0, 1, 2
_TLS_BITS = (_DIGITAL_SIGNATURE, _KEY_ENCIPHERMENT)
# key-usage of the realm -> extended key usage, bits of keyUsage
KEY_USAGES = {
    "ike": (oids.IPSEC_IKE, (_DIGITAL_SIGNATURE, _NON_REPUDIATION, _KEY_ENCIPHERMENT)),
    "ssl-client": (oids.CLIENT_AUTH, _TLS_BITS),
    "ssl-server": (oids.SERVER_AUTH, _TLS_BITS),
}


class Request(NamedTuple):
    """The request of a transaction, to the byte; `transaction` is 32 hexadecimal digits."""

    transaction: str
    time_s: int
    digest: str
    entity: Mapping[str, object]
    key_usage: Sequence[str]
    password: str | None


# -- PKCS#10 and the self-signed signer ------------------------------------------------------------


def _signed(body: bytes, key: Key, digest: str) -> bytes:
    """SIGNED of X.509: body, algorithm, signature. Signed here because newer libraries refuse
    MD5 and SHA-1 in their own builders, which a realm may still ask for."""
    signature = key.sign(digest, crypto.digest(digest, body))
    algorithm = cms_writer.algorithm(oids.RSA_SIGNATURES[digest])
    return der.sequence(body, algorithm, der.bit_string(signature))


def _extension(kind: str, value: bytes, critical: bool = False) -> bytes:
    flag = (der.boolean(True),) if critical else ()
    return der.sequence(der.oid(kind), *flag, der.octet_string(value))


def requested_extensions(request: Request) -> bytes | None:
    """Extensions for extensionRequest: key usages and alternative names, or None for neither."""
    parts = []
    if request.key_usage:
        chosen = [KEY_USAGES[usage] for usage in KEY_USAGES if usage in request.key_usage]
        bits = {bit for _, bits in chosen for bit in bits}
        purposes = der.sequence(*(der.oid(purpose) for purpose, _ in chosen))
        parts.append(_extension(oids.KEY_USAGE, der.named_bits(bits), critical=True))
        parts.append(_extension(oids.EXTENDED_KEY_USAGE, purposes))
    alternative = names.alternative_names(request.entity)
    if alternative is not None:
        parts.append(_extension(oids.SUBJECT_ALT_NAME, alternative))
    return der.sequence(*parts) if parts else None


def certification_request(request: Request, key: Key) -> bytes:
    """The PKCS#10 (RFC 2986); attributes in the order of DER, which strict CAs insist on."""
    attributes = []
    if request.password is not None:
        value = names.directory_string(request.password)
        attributes.append(cms_writer.attribute(oids.CHALLENGE_PASSWORD, value))
    extensions = requested_extensions(request)
    if extensions is not None:
        attributes.append(cms_writer.attribute(oids.EXTENSION_REQUEST, extensions))
    body = der.sequence(
        der.integer(0),
        names.subject(request.entity),
        key.spki,
        der.set_of(attributes, der.explicit(0)),
    )
    return _signed(body, key, request.digest)


def signer_serial(transaction: str) -> int:
    """17 bytes, positive, one for each transaction; strict parsers refuse more than 20."""
    return int("1" + transaction, 16)


def signer_certificate(request: Request, key: Key) -> Certificate:
    """The self-signed certificate that signs the request (RFC 8894 2.3)."""
    subject = names.subject(request.entity)
    usage = der.named_bits((_DIGITAL_SIGNATURE, _KEY_ENCIPHERMENT))
    body = der.sequence(
        der.tlv(der.explicit(0), der.integer(2)),
        der.integer(signer_serial(request.transaction)),
        cms_writer.algorithm(oids.RSA_SIGNATURES[request.digest]),
        subject,
        der.sequence(
            der.time(request.time_s - _SIGNER_BEFORE_S), der.time(request.time_s + _SIGNER_AFTER_S)
        ),
        subject,
        key.spki,
        der.tlv(der.explicit(3), der.sequence(_extension(oids.KEY_USAGE, usage, critical=True))),
    )
    return certificate.read(_signed(body, key, request.digest))


# -- pkiMessage ------------------------------------------------------------------------------------


class Outgoing(NamedTuple):
    """The protection of a message: signer and key, recipient, content cipher, nonce, and the
    signing time when the clock is trusted (a CA refuses a wrong one with badTime)."""

    signer: Certificate
    key: Key
    recipient: Certificate
    cipher: str
    nonce: bytes
    signing_time_s: int | None


def pki_message(kind: int, content: bytes, request: Request, out: Outgoing) -> bytes:
    """A pkiMessage: the content encrypted for the recipient, then signed (RFC 8894 3.2).

    ValueError when the recipient's key cannot encrypt.
    """
    attributes = [
        cms_writer.attribute(oids.TRANSACTION_ID, der.string(der.PRINTABLE, request.transaction)),
        cms_writer.attribute(oids.MESSAGE_TYPE, der.string(der.PRINTABLE, str(kind))),
        cms_writer.attribute(oids.SENDER_NONCE, der.octet_string(out.nonce)),
    ]
    if out.signing_time_s is not None:
        attributes.append(cms_writer.attribute(oids.SIGNING_TIME, der.time(out.signing_time_s)))
    envelope = cms_writer.encrypt(content, out.recipient, out.cipher)
    return cms_writer.sign(envelope, attributes, out.signer, out.key, request.digest)


def poll_content(issuer_der: bytes, request: Request) -> bytes:
    """IssuerAndSubject of CertPoll (RFC 8894 3.3.3): the CA's subject, the requested subject."""
    return der.sequence(issuer_der, names.subject(request.entity))


# -- CertRep ---------------------------------------------------------------------------------------


class CertRep(NamedTuple):
    """The signed attributes of a reply; None where one is absent. `status` and `kind` as text."""

    transaction: str | None
    kind: str | None
    status: str | None
    fail_info: str | None
    fail_text: str
    recipient_nonce: bytes | None
    envelope: bytes  # empty, or one zero byte at NDES, unless the status is SUCCESS


def cert_rep(message: cms.SignedData, signer: cms.Signer) -> CertRep:
    """The reply as a record; BerError for attributes that are malformed."""
    nonce = _single(signer, oids.RECIPIENT_NONCE)
    return CertRep(
        _text(signer, oids.TRANSACTION_ID),
        _text(signer, oids.MESSAGE_TYPE),
        _text(signer, oids.PKI_STATUS),
        _text(signer, oids.FAIL_INFO),
        _explanation(signer),
        None if nonce is None else nonce.octet_string(),
        message.content,
    )


def _single(signer: cms.Signer, kind: str) -> ber.Node | None:
    values = signer.attributes.get(kind)
    if values is None:
        return None
    if len(values) != 1:
        raise ber.BerError("an attribute with more or less than one value")
    return values[0]


def _text(signer: cms.Signer, kind: str) -> str | None:
    value = _single(signer, kind)
    return None if value is None else value.text()


def _explanation(signer: cms.Signer) -> str:
    """Words of the CA for people: failInfoText, and the HRESULT of Microsoft's servers."""
    text = _text(signer, oids.FAIL_INFO_TEXT) or ""
    code = _text(signer, oids.HRESULT)
    return clean(f"{text} (HRESULT {code})" if code else text)
