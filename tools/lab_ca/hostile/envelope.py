"""The envelope of a CertRep, wrong in one way, under a signature that is all right."""

from collections.abc import Callable
from typing import Any

from asn1crypto import cms

from tools.lab_ca import algorithms, ber
from tools.lab_ca.hooks import Hooks, edit
from tools.lab_ca.hostile import liars
from tools.lab_ca.reply import Fields, Reply, degenerate, issuer_and_serial

MANY = 200
KEY_BYTES = 5
FILL_BYTES = 150_000
# ContentInfo of type digestedData, with nothing that fits it.
OTHER_CONTENT = ber.tlv(ber.SEQUENCE, bytes.fromhex("06092a864886f70d010705a0023000"))


def _fields(change: Callable[[Fields], Fields]) -> Callable[[Reply], Reply]:
    return edit("enveloped", change)


def _info(change: Callable[[Fields], Fields]) -> Callable[[Reply], Reply]:
    """A change to EncryptedContentInfo."""

    def inside(found: Fields) -> Fields:
        return {**found, "encrypted_content_info": change(found["encrypted_content_info"])}

    return _fields(inside)


def _recipient(change: Callable[[Reply, Any], object]) -> Callable[[Reply], Reply]:
    """A change to the fields of the one KeyTransRecipientInfo."""

    def apply(reply: Reply) -> Reply:
        def inside(found: Fields) -> Fields:
            (info,) = found["recipient_infos"]
            change(reply, info.chosen)
            return found

        return _fields(inside)(reply)

    return apply


def _for_another(reply: Reply, info: Any) -> None:
    other = issuer_and_serial(liars.device(reply.authority).certificate)
    info["rid"] = cms.RecipientIdentifier("issuer_and_serial_number", other)


def _to_the_ca(reply: Reply) -> Reply:
    return reply._replace(recipient=reply.recipient and reply.authority.ca.certificate)


def _short_key(reply: Reply, info: Any) -> None:
    assert reply.recipient is not None
    to = algorithms.rsa_public(reply.recipient.public_key.dump())
    info["encrypted_key"] = algorithms.wrap(bytes(KEY_BYTES), to)


def _short_wrap(_reply: Reply, info: Any) -> None:
    info["encrypted_key"] = info["encrypted_key"].native[:-1]


def _huge_wrap(_reply: Reply, info: Any) -> None:
    info["encrypted_key"] = bytes(FILL_BYTES)


def _broken_wrap(_reply: Reply, info: Any) -> None:
    info["encrypted_key"] = algorithms.spoilt(info["encrypted_key"].native)


def _text(change: Callable[[bytes], bytes]) -> Callable[[Reply], Reply]:
    return _info(lambda info: {**info, "encrypted_content": change(info["encrypted_content"])})


def _short_iv(info: Fields) -> Fields:
    name = info["content_encryption_algorithm"]["algorithm"].native
    return {**info, "content_encryption_algorithm": {"algorithm": name, "parameters": b"1234"}}


def _unencrypted(reply: Reply) -> Reply:
    """The degenerate SignedData itself where the EnvelopedData belongs."""
    plain = degenerate(reply.issued)
    return edit("envelope", lambda _der: plain)(reply)


ENVELOPES: dict[str, Hooks] = {
    "recipient": Hooks(
        "the envelope names another device's certificate", reply=_recipient(_for_another)
    ),
    "recipient-ca": Hooks("the envelope is for the CA itself", reply=_to_the_ca),
    "recipients-none": Hooks(
        "the envelope is for nobody", reply=_fields(lambda found: {**found, "recipient_infos": []})
    ),
    "recipients-many": Hooks(
        f"the envelope names us {MANY} times",
        reply=_fields(lambda found: {**found, "recipient_infos": found["recipient_infos"] * MANY}),
    ),
    "key-length": Hooks(
        f"the content key has {KEY_BYTES} octets, whatever the cipher", reply=_recipient(_short_key)
    ),
    "key-broken": Hooks("the wrapped content key is broken", reply=_recipient(_broken_wrap)),
    "key-short": Hooks("the wrapped content key lacks its end", reply=_recipient(_short_wrap)),
    "key-huge": Hooks(
        f"the wrapped content key has {FILL_BYTES} octets", reply=_recipient(_huge_wrap)
    ),
    "padding": Hooks("the last block of the content is broken", reply=_text(algorithms.spoilt)),
    "block-cut": Hooks(
        "the content is no whole number of blocks", reply=_text(lambda text: text[:-1])
    ),
    "text-empty": Hooks("the encrypted content has no octets", reply=_text(lambda _text: b"")),
    "text-absent": Hooks(
        "the encrypted content is absent",
        reply=_info(lambda info: {k: v for k, v in info.items() if k != "encrypted_content"}),
    ),
    "iv-short": Hooks("the IV has 4 octets", reply=_info(_short_iv)),
    "inner-kind": Hooks(
        "the encrypted content is said to be signedData instead of data",
        reply=_info(lambda info: {**info, "content_type": "signed_data"}),
    ),
    "inner-garbage": Hooks(
        "there is text inside the envelope", reply=edit("inner", lambda _der: b"certificate: yes")
    ),
    "inner-other": Hooks(
        "there is a digestedData inside the envelope",
        reply=edit("inner", lambda _der: OTHER_CONTENT),
    ),
    "inner-empty": Hooks(
        "there is nothing inside the envelope", reply=edit("inner", lambda _der: b"")
    ),
    "inner-trailing": Hooks(
        "octets follow the certificates inside the envelope",
        reply=edit("inner", lambda der: der + b"\x05\x00"),
    ),
    "inner-huge": Hooks(
        f"{FILL_BYTES} octets of one string are inside the envelope",
        reply=edit("inner", lambda _der: ber.tlv(ber.OCTET_STRING, bytes(FILL_BYTES))),
    ),
    "plain": Hooks("the certificates come without an envelope", reply=_unencrypted),
}
