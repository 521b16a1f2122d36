"""Lies of the envelope: for whom it is, its cipher, and the message inside it."""

import pytest
from asn1crypto import cms
from cryptography.hazmat.primitives.asymmetric import padding

from tests.helpers import labca_client as client
from tests.helpers.labca_client import element
from tests.helpers.labca_seen import SIGNED_DATA, Lab, Seen, asn1parse, prove
from tools.lab_ca import hostile


def enveloped(lab: Lab) -> cms.EnvelopedData:
    return cms.ContentInfo.load(lab.enrol().content)["content"]


def text_of(lab: Lab) -> bytes | None:
    found: bytes | None = enveloped(lab)["encrypted_content_info"]["encrypted_content"].native
    return found


def wrapped(lab: Lab) -> bytes:
    key: bytes = enveloped(lab)["recipient_infos"][0].chosen["encrypted_key"].native
    return key


def unwrapped(lab: Lab) -> int:
    """How many octets the content key has; 0 when it cannot be told."""
    try:
        return len(client.rsa_key(0).decrypt(wrapped(lab), padding.PKCS1v15()))
    except ValueError:
        return 0


def opens(lab: Lab) -> bool:
    try:
        inside(lab)
    except AssertionError:
        return False
    return True


def inside(lab: Lab) -> bytes:
    return client.decrypted(lab.enrol().content or b"", client.rsa_key(0))


def for_us(lab: Lab) -> bool:
    device = lab.device()
    return lab.enrol(device=device).recipient_serial == device.signer.serial_number


ENVELOPES = {
    "recipient": Seen(lambda lab: not for_us(lab)),
    "recipient-ca": Seen(
        lambda lab: lab.enrol().recipient_serial == lab.ca.serial_number
    ),
    "recipients-none": Seen(lambda lab: len(enveloped(lab)["recipient_infos"]) == 0),
    "recipients-many": Seen(lambda lab: len(enveloped(lab)["recipient_infos"]) == 200),
    "key-length": Seen(lambda lab: unwrapped(lab) == 5),
    "key-broken": Seen(lambda lab: len(wrapped(lab)) == 256 and not opens(lab)),
    "key-short": Seen(lambda lab: len(wrapped(lab)) == 255),
    "key-huge": Seen(lambda lab: len(wrapped(lab)) == 150_000),
    "padding": Seen(
        lambda lab: unwrapped(lab) == 16 and len(text_of(lab) or b"") % 16 == 0
        and not opens(lab)
    ),
    "block-cut": Seen(lambda lab: len(text_of(lab) or b"") % 16 == 15),
    "text-empty": Seen(lambda lab: text_of(lab) == b""),
    "text-absent": Seen(lambda lab: text_of(lab) is None),
    "iv-short": Seen(
        lambda lab: enveloped(lab)["encrypted_content_info"]["content_encryption_algorithm"][
            "parameters"].native == b"1234"
    ),
    "inner-kind": Seen(
        lambda lab: enveloped(lab)["encrypted_content_info"]["content_type"].native == "signed_data"
    ),
    "inner-garbage": Seen(lambda lab: inside(lab) == b"certificate: yes"),
    "inner-other": Seen(lambda lab: b"pkcs7-digestData" in asn1parse(inside(lab))),
    "inner-empty": Seen(lambda lab: inside(lab) == b""),
    "inner-trailing": Seen(lambda lab: element(body := inside(lab), 0)[2] == len(body) - 2),
    "inner-huge": Seen(lambda lab: inside(lab) == client.tlv(4, bytes(150_000))),
    "plain": Seen(lambda lab: SIGNED_DATA in (lab.enrol().content or b"")),
}  # fmt: skip


@pytest.mark.parametrize("name", ENVELOPES)
def test_a_lie_is_what_it_says(name: str) -> None:
    prove(ENVELOPES[name], hostile.HOSTILE[name])
