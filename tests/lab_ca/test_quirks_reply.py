"""Quirks of a CertRep: its algorithms, its parts, its encoding, its status."""

import pytest
from asn1crypto import cms

from tests.helpers import labca_client as client
from tests.helpers.labca_client import CertRep, openssl, pkcs10
from tests.helpers.labca_seen import CHALLENGE, Base, Lab, Seen, asn1parse, enrolled, prove
from tools.lab_ca import quirks

LOCKED = Base(challenge=CHALLENGE)
HRESULT = "1.3.6.1.4.1.311.21.33"
ENVELOPED_DATA = bytes.fromhex("2a864886f70d010703")


def called_data(body: bytes) -> bytes:
    """With the eContentType that every reader knows; it is signed only as an attribute."""
    return body.replace(ENVELOPED_DATA, ENVELOPED_DATA[:-1] + b"\x01", 1)


def oids(reply: CertRep) -> set[str]:
    return set(reply.attributes)


def parsed(octets: bytes) -> str:
    return asn1parse(octets).decode()


def enveloped(lab: Lab) -> bytes:
    return lab.enrol().content or b""


def constructed(lab: Lab) -> bool:
    """encryptedContent as openssl sees it: [0] constructed, and it is the last field."""
    lines = parsed(enveloped(lab)).splitlines()
    return any("cons: cont [ 0 ]" in line for line in lines[-2:])


def garbled(lab: Lab) -> bool:
    try:
        lab.leaf()
    except (AssertionError, ValueError):
        return True
    return False


def by_password(lab: Lab) -> bool:
    """openssl opens the envelope with the challenge password alone."""
    content = enveloped(lab)
    if cms.ContentInfo.load(content)["content"]["recipient_infos"][0].name != "pwri":
        return False
    words = ("cms", "-decrypt", "-binary", "-inform", "DER", "-pwri_password", CHALLENGE)
    return b"dev1" in openssl(*words, stdin=content)


def failure_is(status: int, kind: str) -> Seen:
    def true(lab: Lab) -> bool:
        device = lab.device()
        answer = lab.post(device.message(client.PKCS_REQ, pkcs10(device.key, "dev1", "wrong")))
        return (answer.status, answer.kind) == (status, kind)

    return Seen(true, LOCKED, enrolled)


def query_status(lab: Lab) -> tuple[int, int]:
    device = lab.device()
    content = client.issuer_and_serial(lab.ca)
    both = (device.message(kind, content) for kind in (client.GET_CERT, client.GET_CRL))
    first, second = (lab.post(message).status for message in both)
    return first, second


REPLIES = {
    "legacy-reply": Seen(
        lambda lab: (
            constructed(lab)
            and lab.enrol().cipher == "des"
            and lab.enrol().signer_info["signature_algorithm"]["algorithm"].native == "sha1_rsa"
        ),
        spares=enrolled,
    ),
    "reply-des": Seen(lambda lab: lab.enrol().cipher == "des", spares=lambda lab: bool(lab.leaf())),
    "reply-3des": Seen(
        lambda lab: lab.enrol().cipher == "tripledes_3key", spares=lambda lab: bool(lab.leaf())
    ),
    "reply-aes256": Seen(
        lambda lab: lab.enrol().cipher == "aes256_cbc", spares=lambda lab: bool(lab.leaf())
    ),
    "reply-sha1": Seen(
        lambda lab: lab.enrol().signer_info["digest_algorithm"]["algorithm"].native == "sha1",
        spares=lambda lab: lab.enrol().verifies(lab.ca),
    ),
    "aes-garbled": Seen(garbled, spares=lambda lab: lab.enrol().verifies(lab.ca)),
    "named-digest": Seen(
        lambda lab: (
            lab.enrol().signer_info["signature_algorithm"]["algorithm"].native == "sha256_rsa"
        ),
        spares=lambda lab: lab.enrol().verifies(lab.ca),
    ),
    "oaep": Seen(
        lambda lab: "rsaesOaep" in parsed(enveloped(lab)), spares=lambda lab: bool(lab.leaf())
    ),
    "password-recipient": Seen(by_password, LOCKED),
    "no-certificates": Seen(
        lambda lab: lab.enrol().signed["certificates"].native is None, spares=enrolled
    ),
    "leaf-first": Seen(
        lambda lab: (
            lab.enrol().certificates[0].issuer.native["common_name"] == "Lab CA"
            and lab.enrol().certificates[0].dump() != lab.ca.dump()
        ),
        spares=lambda lab: lab.enrol().certificates[1].dump() == lab.ca.dump(),
    ),
    "inner-chain": Seen(
        lambda lab: [item.dump() for item in lab.inside()][:1] == [lab.ca.dump()],
        spares=lambda lab: len(lab.inside()) == 2,
    ),
    "signer-key-id": Seen(
        lambda lab: lab.enrol().signer_info["sid"].name == "subject_key_identifier",
        spares=lambda lab: lab.enrol().verifies(lab.ca),
    ),
    "subject-rewritten": Seen(
        lambda lab: lab.leaf().subject.native.get("organizational_unit_name") == "Devices",
        spares=lambda lab: lab.leaf().subject.native["common_name"] == "dev1",
    ),
    "more-attributes": Seen(
        lambda lab: (
            {"1.2.840.113549.1.9.5", "1.2.840.113549.1.9.52", "1.2.840.113549.1.9.25.3"}
            <= oids(lab.enrol())
        ),
        spares=lambda lab: lab.enrol().verifies(lab.ca),
    ),
    "no-content-type": Seen(
        lambda lab: "1.2.840.113549.1.9.3" not in oids(lab.enrol()),
        spares=lambda lab: lab.enrol().verifies(lab.ca),
    ),
    "content-named": Seen(
        lambda lab: ENVELOPED_DATA in lab.body()[:80],
        spares=lambda lab: client.read_reply(called_data(lab.body())).verifies(lab.ca),
    ),
    "no-sender-nonce": Seen(lambda lab: "5" not in oids(lab.enrol()), spares=enrolled),
    "nonce-echoed": Seen(
        lambda lab: (reply := lab.enrol()).attributes["5"] == reply.attributes["6"]
    ),
    "nonce-truncated": Seen(
        lambda lab: len(bytes(lab.enrol().attributes["6"])) == 8,  # type: ignore[call-overload]
        spares=enrolled,
    ),
    "hresult": Seen(
        lambda lab: lab.refused().attributes.get(HRESULT) == "-2147024809", LOCKED, enrolled
    ),
    "fail-info-missing": Seen(
        lambda lab: (reply := lab.refused()).status == client.FAILURE and reply.fail_info is None,
        LOCKED,
    ),
    "fail-info-unknown": Seen(lambda lab: lab.refused().fail_info == "11", LOCKED),
    "empty-content": Seen(lambda lab: lab.refused().content == b"", LOCKED, enrolled),
    "zero-content": Seen(lambda lab: lab.refused().content == b"\x00", LOCKED, enrolled),
    "constructed-content": Seen(constructed, spares=lambda lab: bool(lab.leaf())),
    "ber": Seen(
        lambda lab: (body := lab.body())[:2] == b"\x30\x80" and "l=inf" in parsed(body),
        spares=lambda lab: bool(lab.leaf()) and lab.enrol().verifies(lab.ca),
    ),
    "failure-500": failure_is(500, "text/plain"),
    "failure-json": failure_is(500, "application/json"),
    "failure-400": failure_is(400, "text/html"),
    "queries-500": Seen(lambda lab: query_status(lab) == (500, 500), spares=enrolled),
}


@pytest.mark.parametrize("name", REPLIES)
def test_a_quirk_does_what_it_says(name: str) -> None:
    prove(REPLIES[name], quirks.QUIRKS[name])
