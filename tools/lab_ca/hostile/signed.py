"""The outer layer of a CertRep, wrong in one way: signer, attributes, content (RFC 8894 3.2)."""

from collections.abc import Callable

from asn1crypto import cms, core

from tools.lab_ca import algorithms
from tools.lab_ca import request as scep
from tools.lab_ca.algorithms import Identity
from tools.lab_ca.hooks import Hooks, edit
from tools.lab_ca.hostile import liars
from tools.lab_ca.quirks.reply import replaced, without
from tools.lab_ca.reply import FAILURE, PENDING, SUCCESS, Fields, Reply

MANY_ATTRIBUTES = 500
LONG_NONCE = 4096
ESCAPES = "\x1b[2J\x1b]0;owned\x07\r\nInfo: certificate installed\u202e" + "x" * 60_000

Change = Callable[[Reply], Reply]
printable, octets = core.PrintableString, core.OctetString


def flipped(data: bytes | None) -> bytes:
    return bytes(octet ^ 0xFF for octet in data or b"")


def _signer(choose: Callable[[Reply], Identity]) -> Change:
    """Another signer, whose certificate comes along."""

    def change(reply: Reply) -> Reply:
        signer = choose(reply)
        return reply._replace(signer=signer, certificates=(signer.certificate,))

    return change


def _signed(**fields: object) -> Change:
    """Other fields of the SignedData, after it was signed."""
    return edit("signed", lambda found: {**found, **fields})


def _signer_info(change: Callable[[Fields], Fields]) -> Change:
    return edit("signer_info", change)


def _twice(oid: str, other: bytes) -> Change:
    """A second attribute of the same type."""
    return edit("attributes", lambda rows: (*rows, (oid, (other,))))


def _two_values(oid: str, other: bytes) -> Change:
    def change(rows: tuple[tuple[str, tuple[bytes, ...]], ...]) -> object:
        return tuple((row[0], (*row[1], other)) if row[0] == oid else row for row in rows)

    return edit("attributes", change)


def _many(rows: tuple[object, ...]) -> tuple[object, ...]:
    value = octets(bytes(8)).dump()
    return (*rows, *((f"1.3.6.1.4.1.99999.2.{at}", (value,)) for at in range(MANY_ATTRIBUTES)))


def _other_content(fields: Fields) -> Fields:
    content = fields["encap_content_info"]["content"].native
    changed = {"content_type": "data", "content": octets(algorithms.spoilt(content or b"\x00"))}
    return {**fields, "encap_content_info": cms.ContentInfo(changed)}


def _retyped(der: bytes) -> bytes:
    """The OID of eContentType, which comes first after that of the whole."""
    data, enveloped = (core.ObjectIdentifier(f"1.2.840.113549.1.7.{n}").dump() for n in (1, 3))
    return der.replace(data, enveloped, 1)


def _failed(reply: Reply, text: str = "no") -> Reply:
    return reply._replace(status=FAILURE, fail_info="badRequest", fail_info_text=text)


def _impostor(reply: Reply) -> Identity:
    return liars.impostor(reply.signer.certificate)


SIGNERS: dict[str, Hooks] = {
    "signature": Hooks(
        "the signature is broken",
        reply=_signer_info(
            lambda found: {**found, "signature": algorithms.spoilt(found["signature"])}
        ),
    ),
    "signature-empty": Hooks(
        "the signature has no octets",
        reply=_signer_info(lambda found: {**found, "signature": b""}),
    ),
    "signer": Hooks(
        "signed by a certificate with the CA's name but another key", reply=_signer(_impostor)
    ),
    "signer-key": Hooks(
        "signed by another key, though the CA's certificate is named and comes along",
        reply=lambda reply: reply._replace(signer=Identity(reply.signer.certificate, liars.key())),
    ),
    "signer-device": Hooks(
        "signed by another device of the same CA",
        reply=_signer(lambda reply: liars.device(reply.authority)),
    ),
    "signer-expired": Hooks(
        "signed by an expired certificate of the same CA",
        reply=_signer(lambda reply: liars.expired(reply.authority)),
    ),
    "signer-unknown": Hooks(
        "signed by another device of the same CA, whose certificate does not come along",
        reply=lambda reply: reply._replace(signer=liars.device(reply.authority), certificates=()),
    ),
    "signers-none": Hooks("there is no SignerInfo", reply=_signed(signer_infos=[])),
    "signers-two": Hooks(
        "there are two SignerInfos",
        reply=edit("signed", lambda found: {**found, "signer_infos": found["signer_infos"] * 2}),
    ),
    "digest-md5": Hooks(
        "signed with MD5, whatever was asked", reply=lambda reply: reply._replace(digest="md5")
    ),
    "digest-mixed": Hooks(
        "the signature names another digest than the SignerInfo",
        reply=_signer_info(
            lambda found: {**found, "signature_algorithm": {"algorithm": "md5_rsa"}}
        ),
    ),
}

ATTRIBUTES: dict[str, Hooks] = {
    "transaction": Hooks(
        "the transactionID is another one",
        reply=lambda reply: reply._replace(transaction_id="0" * 32),
    ),
    "no-transaction": Hooks("there is no transactionID", reply=without(scep.TRANSACTION_ID)),
    "transaction-twice": Hooks(
        "there are two transactionIDs, the second one wrong",
        reply=_twice(scep.TRANSACTION_ID, printable("0" * 32).dump()),
    ),
    "transaction-values": Hooks(
        "the transactionID has two values",
        reply=_two_values(scep.TRANSACTION_ID, printable("0" * 32).dump()),
    ),
    "transaction-type": Hooks(
        "the transactionID is an OCTET STRING",
        reply=lambda reply: replaced(
            scep.TRANSACTION_ID, octets(reply.transaction_id.encode()).dump()
        )(reply),
    ),
    "nonce": Hooks(
        "recipientNonce is another one",
        reply=lambda reply: reply._replace(recipient_nonce=flipped(reply.recipient_nonce)),
    ),
    "no-nonce": Hooks(
        "there is no recipientNonce", reply=lambda reply: reply._replace(recipient_nonce=None)
    ),
    "nonce-empty": Hooks(
        "recipientNonce has no octets", reply=lambda reply: reply._replace(recipient_nonce=b"")
    ),
    "nonce-long": Hooks(
        f"recipientNonce is ours and {LONG_NONCE} octets more",
        reply=lambda reply: reply._replace(
            recipient_nonce=(reply.recipient_nonce or b"") + bytes(LONG_NONCE)
        ),
    ),
    "nonce-twice": Hooks(
        "there are two recipientNonces, the second one wrong",
        reply=_twice(scep.RECIPIENT_NONCE, octets(bytes(16)).dump()),
    ),
    "nonce-type": Hooks(
        "recipientNonce is an INTEGER",
        reply=replaced(scep.RECIPIENT_NONCE, core.Integer(7).dump()),
    ),
    "nonce-no-value": Hooks("recipientNonce has no value", reply=replaced(scep.RECIPIENT_NONCE)),
    "message-type": Hooks(
        "the messageType is PKCSReq",
        reply=lambda reply: reply._replace(message_type=scep.PKCS_REQ),
    ),
    "no-message-type": Hooks("there is no messageType", reply=without(scep.MESSAGE_TYPE)),
    "message-type-unknown": Hooks(
        "the messageType is 99", reply=lambda reply: reply._replace(message_type="99")
    ),
    "no-status": Hooks("there is no pkiStatus", reply=without(scep.PKI_STATUS)),
    "status-unknown": Hooks(
        "pkiStatus is 1", reply=replaced(scep.PKI_STATUS, printable("1").dump())
    ),
    "status-twice": Hooks(
        "there are two pkiStatus, SUCCESS and FAILURE",
        reply=_twice(scep.PKI_STATUS, printable("2").dump()),
    ),
    "status-huge": Hooks(
        "pkiStatus has a thousand digits",
        reply=replaced(scep.PKI_STATUS, printable("0" * 1000).dump()),
    ),
    "fail-info-huge": Hooks(
        "a FAILURE whose failInfo has a thousand digits",
        reply=lambda reply: replaced(scep.FAIL_INFO, printable("9" * 1000).dump())(_failed(reply)),
    ),
    "no-digest": Hooks("there is no messageDigest", reply=without(scep.MESSAGE_DIGEST)),
    "digest-wrong": Hooks(
        "messageDigest is not that of the content",
        reply=replaced(scep.MESSAGE_DIGEST, octets(bytes(32)).dump()),
    ),
    "digest-twice": Hooks(
        "there are two messageDigests, the second one wrong",
        reply=_twice(scep.MESSAGE_DIGEST, octets(bytes(32)).dump()),
    ),
    "content-type": Hooks(
        "the signed contentType is envelopedData",
        reply=replaced(scep.CONTENT_TYPE, core.ObjectIdentifier("1.2.840.113549.1.7.3").dump()),
    ),
    "attributes-none": Hooks(
        "there are no signed attributes",
        reply=_signer_info(
            lambda found: {name: value for name, value in found.items() if name != "signed_attrs"}
        ),
    ),
    "attributes-many": Hooks(
        f"there are {MANY_ATTRIBUTES} signed attributes more", reply=edit("attributes", _many)
    ),
}

CONTENTS: dict[str, Hooks] = {
    "content-swapped": Hooks(
        "the content was changed after it was signed", reply=edit("signed", _other_content)
    ),
    "content-kind": Hooks(
        "the content is said to be envelopedData instead of data",
        reply=edit("outer", _retyped),
    ),
    "success-empty": Hooks(
        "SUCCESS without an envelope", reply=lambda reply: reply._replace(recipient=None)
    ),
    "failure-envelope": Hooks("FAILURE with a good envelope", reply=_failed),
    "pending-envelope": Hooks(
        "PENDING with a good envelope", reply=lambda reply: reply._replace(status=PENDING)
    ),
    "pending-always": Hooks(
        "PENDING, for ever",
        reply=lambda reply: reply._replace(status=PENDING, recipient=None, issued=()),
    ),
    "success-always": Hooks(
        "SUCCESS and no certificate for whatever was asked, even for what is refused",
        reply=lambda reply: reply._replace(status=SUCCESS, recipient=None, fail_info=None),
    ),
    "text-escapes": Hooks(
        "a FAILURE whose failInfoText is 60 kB of terminal escapes and lies",
        reply=lambda reply: _failed(reply, ESCAPES)._replace(recipient=None),
    ),
}

SIGNED: dict[str, Hooks] = SIGNERS | ATTRIBUTES | CONTENTS
