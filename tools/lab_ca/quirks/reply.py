"""CertReps of real servers: algorithms, attributes, certificates, encodings (RFC 8894 3)."""

from collections.abc import Callable

from asn1crypto import cms, core

from tools.lab_ca import algorithms, ber
from tools.lab_ca import request as scep
from tools.lab_ca.answer import HttpError
from tools.lab_ca.authority import Template
from tools.lab_ca.edits import then
from tools.lab_ca.hooks import Hooks, edit, refuses
from tools.lab_ca.reply import FAILURE, Attributes, Fields, Reply

SIGNING_TIME, ALGORITHM_PROTECTION = "1.2.840.113549.1.9.5", "1.2.840.113549.1.9.52"
UNKNOWN = "1.2.840.113549.1.9.25.3"  # randomNonce, in the RFC's own sample
DATA, ENVELOPED_DATA = (core.ObjectIdentifier(f"1.2.840.113549.1.7.{n}").dump() for n in (1, 3))
HRESULT, PARAMETER_WRONG = "1.3.6.1.4.1.311.21.33", "-2147024809"
SHORT_NONCE = 8
PIECE = 1000

Change = Callable[[Reply], Reply]


def when_failed(change: Change) -> Change:
    return lambda reply: change(reply) if reply.status == FAILURE else reply


def without(oid: str) -> Change:
    """Leaves a signed attribute out."""
    return edit("attributes", lambda rows: tuple(row for row in rows if row[0] != oid))


def replaced(oid: str, *ders: bytes) -> Change:
    """Gives a signed attribute other values, or adds it."""

    def change(rows: Attributes) -> Attributes:
        return (*(row for row in rows if row[0] != oid), (oid, ders))

    return edit("attributes", change)


def _leaf_first(reply: Reply) -> Reply:
    return reply._replace(certificates=(*reply.issued, *reply.certificates))


def _echoed(reply: Reply) -> Reply:
    return reply._replace(sender_nonce=reply.recipient_nonce)


def _named_digest(reply: Reply) -> Reply:
    algorithm = {"algorithm": f"{reply.digest}_rsa", "parameters": core.Null()}
    return edit("signer_info", lambda fields: {**fields, "signature_algorithm": algorithm})(reply)


def _inner_chain(reply: Reply) -> Reply:
    chain = reply.authority.published[::-1]
    return reply._replace(issued=(*chain, *reply.issued)) if reply.issued else reply


def _time(reply: Reply) -> Reply:
    der = cms.Time("utc_time", algorithms.asn1_time(reply.authority.now_s()).native).dump()
    nonce = core.OctetString(bytes(16)).dump()
    protection = ber.tlv(ber.SEQUENCE, algorithms.digest_algorithm(reply.digest).dump())
    rows = ((SIGNING_TIME, der), (UNKNOWN, nonce), (ALGORITHM_PROTECTION, protection))
    for oid, value in rows:
        reply = replaced(oid, value)(reply)
    return reply


def _key_identifier(reply: Reply) -> Reply:
    """RFC 5652 5.3: the signer and the recipient by subjectKeyIdentifier, where they have one."""
    signer = cms.SignerIdentifier("subject_key_identifier", reply.signer.certificate.key_identifier)
    fields = {"version": "v3", "sid": signer}
    return edit("signer_info", lambda found: {**found, **fields})(reply)


def _subject(template: Template) -> Template:
    """The CA puts its own O and OU around the requested common name."""
    rewritten = template.subject.native["common_name"]
    return template._replace(subject=type(template.subject).build({
        "country_name": "DE", "organization_name": "Lab", "organizational_unit_name": "Devices",
        "common_name": rewritten,
    }))  # fmt: skip


def _as_text(status: int, kind: str, text: str) -> Change:
    """A FAILURE that is no CertRep at all."""

    return refuses(lambda reply: reply.status == FAILURE, HttpError, status, text, kind)


def _named_content(reply: Reply) -> Reply:
    """eContentType and the attribute contentType name what the octets hold; those stay the same."""
    if reply.recipient is None:
        return reply
    reply = replaced(scep.CONTENT_TYPE, ENVELOPED_DATA)(reply)
    # eContentType is the first of them in SignedData.
    return edit("outer", lambda der: der.replace(DATA, ENVELOPED_DATA, 1))(reply)


def _garbled(reply: Reply) -> Reply:
    """Content that was encrypted under another key than the one that was sent along."""

    def change(fields: Fields) -> Fields:
        info = fields["encrypted_content_info"]
        text = algorithms.digest_of("sha256", info["encrypted_content"])
        blocks = len(info["encrypted_content"]) // len(text) + 1
        return {**fields, "encrypted_content_info": {**info, "encrypted_content": text * blocks}}

    return edit("enveloped", change)(reply) if reply.cipher.startswith("aes") else reply


def legacy(reply: Reply) -> Reply:
    """micromdm's: most of the rows below at once."""
    reply = _echoed(_leaf_first(reply))._replace(digest="sha1", cipher="des", empty_content=b"")
    return edit("envelope", ber.constructed_content)(_named_digest(reply))


ALGORITHMS: dict[str, Hooks] = {
    "legacy-reply": Hooks(
        "single DES, SHA-1 named as sha1WithRSA, leaf first, nonce echoed, content in pieces, an"
        " empty eContent (micromdm 2.1)",
        reply=legacy,
    ),
    "reply-des": Hooks(
        "replies are encrypted with single DES, whatever was asked (step-ca's default)",
        reply=lambda reply: reply._replace(cipher="des"),
    ),
    "reply-3des": Hooks(
        "replies are encrypted with 3DES, whatever was asked (jscep)",
        reply=lambda reply: reply._replace(cipher="3des"),
    ),
    "reply-aes256": Hooks(
        "replies are encrypted with AES-256, whatever was asked (OpenXPKI's default)",
        reply=lambda reply: reply._replace(cipher="aes256"),
    ),
    "reply-sha1": Hooks(
        "replies are signed with SHA-1, whatever was asked (jscep, NDES)",
        reply=lambda reply: reply._replace(digest="sha1"),
    ),
    "aes-garbled": Hooks(
        "what answers a request with AES cannot be decrypted (old NDES, RFC 8894 3.5.2)",
        reply=_garbled,
    ),
    "named-digest": Hooks(
        "SignerInfo names shaNWithRSA instead of rsaEncryption (micromdm)", reply=_named_digest
    ),
    "oaep": Hooks(
        "the content key comes by RSA-OAEP (Dogtag, OpenXPKI in FIPS mode)",
        reply=lambda reply: reply._replace(transport=algorithms.OAEP),
    ),
    "password-recipient": Hooks(
        "the content key comes wrapped by the challenge password (RFC 8894 3.1, OmniTrust ILM)",
        reply=lambda reply: reply._replace(password=reply.challenge or ""),
    ),
}

CERTIFICATES: dict[str, Hooks] = {
    "no-certificates": Hooks(
        "a CertRep carries no certificate of its signer (NDES)",
        reply=lambda reply: reply._replace(certificates=()),
    ),
    "leaf-first": Hooks(
        "the issued certificate comes first in the outer set too (micromdm, step-ca)",
        reply=_leaf_first,
    ),
    "inner-chain": Hooks(
        "the CA's chain comes before the leaf inside the envelope (Ultimate CA Manager)",
        reply=_inner_chain,
    ),
    "signer-key-id": Hooks(
        "the signer is named by its subjectKeyIdentifier (RFC 5652 5.3)", reply=_key_identifier
    ),
    "subject-rewritten": Hooks(
        "the CA puts its own names around the requested common name (EJBCA profiles)",
        certificate=_subject,
    ),
}

ATTRIBUTES: dict[str, Hooks] = {
    "more-attributes": Hooks(
        "signingTime, algorithm protection and an unknown attribute are signed too (jscep)",
        reply=_time,
    ),
    "no-content-type": Hooks(
        "the signed attributes lack contentType (OpenXPKI before 2020)",
        reply=without(scep.CONTENT_TYPE),
    ),
    "content-named": Hooks(
        "the signed content of a SUCCESS is called envelopedData, not data (XiPKI)",
        reply=_named_content,
    ),
    "no-sender-nonce": Hooks(
        "a CertRep has no senderNonce (the sample of RFC 8894)",
        reply=lambda reply: reply._replace(sender_nonce=None),
    ),
    "nonce-echoed": Hooks("senderNonce is the client's own (micromdm, step-ca)", reply=_echoed),
    "nonce-truncated": Hooks(
        f"recipientNonce is cut to {SHORT_NONCE} octets (Dogtag)",
        reply=lambda reply: reply._replace(
            recipient_nonce=(reply.recipient_nonce or b"")[:SHORT_NONCE]
        ),
    ),
    "hresult": Hooks(
        f"a FAILURE has Microsoft's HRESULT attribute, {PARAMETER_WRONG} (NDES)",
        reply=when_failed(replaced(HRESULT, core.PrintableString(PARAMETER_WRONG).dump())),
    ),
    "fail-info-missing": Hooks(
        "a FAILURE has no failInfo (old servers)",
        reply=when_failed(without(scep.FAIL_INFO)),
    ),
    "fail-info-unknown": Hooks(
        "a FAILURE has the failInfo 11 of an old draft (certmonger knows 13)",
        reply=when_failed(replaced(scep.FAIL_INFO, core.PrintableString("11").dump())),
    ),
}

SHAPES: dict[str, Hooks] = {
    "empty-content": Hooks(
        "FAILURE and PENDING have an eContent of no octets (micromdm, step-ca)",
        reply=lambda reply: reply._replace(empty_content=b""),
    ),
    "zero-content": Hooks(
        "FAILURE and PENDING have an eContent of one octet 00 (NDES)",
        reply=lambda reply: reply._replace(empty_content=b"\x00"),
    ),
    "constructed-content": Hooks(
        "encryptedContent is constructed, around one OCTET STRING (micromdm 2.1)",
        reply=edit("envelope", ber.constructed_content),
    ),
    "ber": Hooks(
        f"replies are BER: indefinite lengths, strings in pieces of {PIECE} octets (jscep)",
        reply=then(
            edit("envelope", lambda der: ber.streamed(der, PIECE)),
            edit("outer", lambda der: ber.streamed(der, PIECE)),
        ),
    ),
    "failure-500": Hooks(
        "a FAILURE is HTTP 500 with a line of text (micromdm)",
        reply=_as_text(500, "text/plain", "pkcs7: cannot verify"),
    ),
    "failure-json": Hooks(
        "a FAILURE is HTTP 500 with JSON (OmniTrust ILM)",
        reply=_as_text(500, "application/json", '{"status": 500, "error": "Internal Error"}'),
    ),
    "failure-400": Hooks(
        "a FAILURE is HTTP 400 with a page of HTML (Tomcat)",
        reply=_as_text(400, "text/html", "<h1>HTTP Status 400 - Bad Request</h1>"),
    ),
    "queries-500": Hooks(
        "GetCert and GetCRL get HTTP 500 (micromdm, step-ca)",
        reply=refuses(
            lambda reply: reply.asked in (scep.GET_CERT, scep.GET_CRL),
            HttpError,
            500,
            "not implemented",
        ),
    ),
}

REPLIES: dict[str, Hooks] = ALGORITHMS | CERTIFICATES | ATTRIBUTES | SHAPES
