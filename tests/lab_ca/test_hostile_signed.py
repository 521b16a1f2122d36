"""Lies of the outer layer: who signs a CertRep, its attributes, its content."""

import hashlib
from collections.abc import Callable

import pytest
from asn1crypto import cms, core
from asn1crypto import x509 as asn1
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.helpers import labca_client as client
from tests.helpers.labca_client import CertRep, element
from tests.helpers.labca_seen import (
    CHALLENGE,
    Base,
    Lab,
    Seen,
    issued_here,
    names_signer,
    now,
    prove,
)
from tools.lab_ca import hostile

LOCKED = Base(challenge=CHALLENGE)
STATUS, FAIL_INFO, RECIPIENT_NONCE, TRANSACTION, TYPE = (
    f"{client.SCEP}{number}" for number in (3, 4, 6, 7, 2)
)
DIGEST, CONTENT_TYPE = "1.2.840.113549.1.9.4", "1.2.840.113549.1.9.3"


def signed(lab: Lab) -> cms.SignedData:
    return cms.ContentInfo.load(lab.body())["content"]


def values(lab: Lab, oid: str) -> list[list[bytes]]:
    """The DER of the values of each attribute of a type, whatever their types are."""
    (info,) = signed(lab)["signer_infos"]
    named = core.ObjectIdentifier(oid).dump()
    inside = [element(item.dump(), 0)[1] for item in info["signed_attrs"]]
    return [elements(element(i, len(named))[1]) for i in inside if i.startswith(named)]


def elements(octets: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(octets):
        end = element(octets, at)[2]
        found.append(octets[at:end])
        at = end
    return found


def counts(oid: str, *expected: int) -> Seen:
    """How many values each attribute of this type has."""
    return Seen(lambda lab: [len(item) for item in values(lab, oid)] == list(expected))


def is_value(oid: str, der: bytes) -> Seen:
    return Seen(lambda lab: values(lab, oid) == [[der]])


def signed_by_a_liar(test: Callable[[Lab, asn1.Certificate], bool]) -> Seen:
    """The signature is good, but not of the CA's key, and of such a certificate."""

    def true(lab: Lab) -> bool:
        reply = lab.enrol()
        certificate = names_signer(reply)
        return reply.verifies(certificate) and not reply.verifies(lab.ca) and test(lab, certificate)

    return Seen(true)


def in_date(certificate: asn1.Certificate) -> bool:
    return bool(certificate.not_valid_before <= now() <= certificate.not_valid_after)


def enveloped_status(status: str) -> Seen:
    return Seen(lambda lab: (reply := lab.enrol()).status == status and bool(reply.content))


def fail_info_huge(lab: Lab) -> bool:
    return values(lab, FAIL_INFO) == [[core.PrintableString("9" * 1000).dump()]]


SIGNERS = {
    "signature": Seen(lambda lab: not lab.enrol().verifies(lab.ca)),
    "signature-empty": Seen(lambda lab: lab.enrol().signer_info["signature"].native == b""),
    "signer": signed_by_a_liar(
        lambda lab, who: who.subject == lab.ca.subject and who.dump() != lab.ca.dump()
    ),
    "signer-key": Seen(
        lambda lab: (
            not (reply := lab.enrol()).verifies(lab.ca)
            and names_signer(reply).dump() == lab.ca.dump()
        )
    ),
    "signer-device": signed_by_a_liar(lambda lab, who: issued_here(lab, who) and in_date(who)),
    "signer-expired": signed_by_a_liar(lambda lab, who: issued_here(lab, who) and not in_date(who)),
    "signer-unknown": Seen(
        lambda lab: (
            not (reply := lab.enrol()).verifies(lab.ca)
            and reply.signed["certificates"].native is None
        )
    ),
    "signers-none": Seen(lambda lab: len(signed(lab)["signer_infos"]) == 0),
    "signers-two": Seen(lambda lab: len(signed(lab)["signer_infos"]) == 2),
    "digest-md5": Seen(
        lambda lab: lab.enrol().signer_info["digest_algorithm"]["algorithm"].native == "md5",
        spares=lambda lab: lab.enrol().verifies(lab.ca),
    ),
    "digest-mixed": Seen(
        lambda lab: lab.enrol().signer_info["signature_algorithm"]["algorithm"].native == "md5_rsa",
        spares=lambda lab: lab.enrol().verifies(lab.ca),
    ),
}

ATTRIBUTES = {
    "transaction": is_value(TRANSACTION, core.PrintableString("0" * 32).dump()),
    "no-transaction": counts(TRANSACTION),
    "transaction-twice": counts(TRANSACTION, 1, 1),
    "transaction-values": counts(TRANSACTION, 2),
    "transaction-type": Seen(lambda lab: values(lab, TRANSACTION)[0][0][0] == 0x04),
    "nonce": Seen(
        lambda lab: (
            (reply := lab.enrol(device=(dev := lab.device()))).attributes["6"] != dev.nonce
            and len(bytes(reply.attributes["6"])) == 16
        )  # type: ignore[call-overload]
    ),
    "no-nonce": counts(RECIPIENT_NONCE),
    "nonce-empty": is_value(RECIPIENT_NONCE, b"\x04\x00"),
    "nonce-long": Seen(
        lambda lab: len(element(values(lab, RECIPIENT_NONCE)[0][0], 0)[1]) == 16 + 4096
    ),
    "nonce-twice": counts(RECIPIENT_NONCE, 1, 1),
    "nonce-type": is_value(RECIPIENT_NONCE, b"\x02\x01\x07"),
    "nonce-no-value": counts(RECIPIENT_NONCE, 0),
    "message-type": is_value(TYPE, core.PrintableString("19").dump()),
    "no-message-type": counts(TYPE),
    "message-type-unknown": is_value(TYPE, core.PrintableString("99").dump()),
    "no-status": counts(STATUS),
    "status-unknown": is_value(STATUS, core.PrintableString("1").dump()),
    "status-twice": counts(STATUS, 1, 1),
    "status-huge": is_value(STATUS, core.PrintableString("0" * 1000).dump()),
    "fail-info-huge": Seen(fail_info_huge),
    "no-digest": counts(DIGEST),
    "digest-wrong": is_value(DIGEST, core.OctetString(bytes(32)).dump()),
    "digest-twice": counts(DIGEST, 1, 1),
    "content-type": is_value(CONTENT_TYPE, core.ObjectIdentifier("1.2.840.113549.1.7.3").dump()),
    "attributes-none": Seen(
        lambda lab: signed(lab)["signer_infos"][0]["signed_attrs"].native is None
    ),
    "attributes-many": Seen(
        lambda lab: len(signed(lab)["signer_infos"][0]["signed_attrs"]) > 500,
        spares=lambda lab: lab.enrol().verifies(lab.ca),
    ),
}


def attributes_verify(lab: Lab, reply: CertRep) -> bool:
    """The signature over the attributes alone, whatever the content is."""
    info = reply.signer_info
    key = client.serialization.load_der_public_key(lab.ca.public_key.dump())
    assert isinstance(key, rsa.RSAPublicKey)
    covered = info["signed_attrs"].untag().dump()
    try:
        key.verify(info["signature"].native, covered, padding.PKCS1v15(), client.HASHES["sha256"])
    except InvalidSignature:
        return False
    return True


def digest_differs(lab: Lab) -> bool:
    reply = lab.enrol()
    digest = hashlib.sha256(reply.content or b"").digest()
    return attributes_verify(lab, reply) and reply.attributes[DIGEST] != digest


CONTENTS = {
    "content-swapped": Seen(digest_differs),
    "content-kind": Seen(
        lambda lab: signed(lab)["encap_content_info"]["content_type"].native == "enveloped_data"
    ),
    "success-empty": Seen(
        lambda lab: (reply := lab.enrol()).status == client.SUCCESS and reply.content is None
    ),
    "failure-envelope": enveloped_status(client.FAILURE),
    "pending-envelope": enveloped_status(client.PENDING),
    "pending-always": Seen(
        lambda lab: (reply := lab.enrol()).status == client.PENDING and reply.content is None
    ),
    "success-always": Seen(
        lambda lab: (reply := lab.refused()).status == client.SUCCESS and reply.content is None,
        LOCKED,
    ),
    "text-escapes": Seen(
        lambda lab: "\x1b[2J" in (text := str(lab.enrol().text)) and len(text) > 60_000
    ),
}


PROVED: dict[str, Seen] = SIGNERS | ATTRIBUTES | CONTENTS


@pytest.mark.parametrize("name", PROVED)
def test_a_lie_is_what_it_says(name: str) -> None:
    prove(PROVED[name], hostile.HOSTILE[name])
