"""Quirks about requests: what is refused that others take."""

from collections.abc import Callable

import pytest
from asn1crypto import core, csr
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from tests.helpers import labca_client as client
from tests.helpers.labca_client import CertRep, Device, Shape, pkcs10
from tests.helpers.labca_seen import (
    CHALLENGE,
    Base,
    Lab,
    Seen,
    enrolled,
    fails,
    goes,
    prove,
    succeeded,
)
from tools.lab_ca import quirks
from tools.lab_ca.authority import DAY_S

LOCKED = Base(challenge=CHALLENGE)


def resigned(message: csr.CertificationRequest, device: Device) -> bytes:
    """A PKCS#10 that was changed, signed again."""
    information = message["certification_request_info"].dump()
    signature = device.key.sign(information, padding.PKCS1v15(), hashes.SHA256())
    message["signature"] = core.OctetBitString(signature)
    der: bytes = message.dump(force=False)
    return der


def unsorted(lab: Lab) -> CertRep:
    """The attributes of the PKCS#10 in the wrong order."""
    device = lab.device()
    san = x509.SubjectAlternativeName([x509.DNSName("dev1.example")])
    good = pkcs10(device.key, "dev1", CHALLENGE, ((san, False),))
    attributes = csr.CertificationRequest.load(good)["certification_request_info"]["attributes"]
    first, second = (item.dump() for item in attributes)
    swapped = good.replace(first + second, second + first)
    assert swapped != good
    request = csr.CertificationRequest.load(swapped)
    return device.ask(lab.send, client.PKCS_REQ, resigned(request, device))


def printable_challenge(lab: Lab) -> CertRep:
    device = lab.device()
    builder = x509.CertificateSigningRequestBuilder().subject_name(client.dn("dev1"))
    builder = builder.add_attribute(
        x509.oid.AttributeOID.CHALLENGE_PASSWORD,
        CHALLENGE.encode(),
        _tag=x509.name._ASN1Type.PrintableString,
    )
    der = builder.sign(device.key, hashes.SHA256()).public_bytes(client.serialization.Encoding.DER)
    return device.ask(lab.send, client.PKCS_REQ, der)


def with_extension(extension: x509.ExtensionType) -> Callable[[Lab], bool]:
    def enrol(lab: Lab) -> bool:
        device = lab.device()
        csr_der = pkcs10(device.key, "dev1", None, ((extension, False),))
        return succeeded(device.ask(lab.send, client.PKCS_REQ, csr_der))

    return enrol


def with_long_serial(lab: Lab) -> CertRep:
    device = lab.device()
    tbs = device.signer["tbs_certificate"]
    tbs["serial_number"] = 1 << 200
    signature = device.key.sign(tbs.dump(), padding.PKCS1v15(), hashes.SHA256())
    algorithm = {"algorithm": "sha256_rsa"}
    fields = {
        "tbs_certificate": tbs,
        "signature_algorithm": algorithm,
        "signature_value": signature,
    }
    device.signer = asn1.Certificate.load(asn1.Certificate(fields).dump())
    return device.enrol(lab.send)


def with_id(transaction_id: str) -> Callable[[Lab], CertRep]:
    def enrol(lab: Lab) -> CertRep:
        device = lab.device()
        device.transaction_id = transaction_id
        return device.enrol(lab.send)

    return enrol


def twice(lab: Lab) -> CertRep:
    device = lab.device()
    device.enrol(lab.send)
    return device.enrol(lab.send)


def two_devices(lab: Lab) -> CertRep:
    lab.enrol()
    return lab.enrol(device=lab.device("dev2", 1))


def another_subject(lab: Lab) -> CertRep:
    device = lab.device()
    device.name = "dev2"
    return device.enrol(lab.send)


SID = x509.UniformResourceIdentifier("tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-4")
TEMPLATE = x509.UnrecognizedExtension(
    x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2"), core.BMPString("Router").dump()
)
REQUESTS = {
    "printable-challenge": Seen(
        fails(Lab.enrol, client.BAD_REQUEST), LOCKED, goes(printable_challenge)
    ),
    "sorted-sets": Seen(fails(unsorted, client.BAD_MESSAGE_CHECK), spares=enrolled),
    "plain-id": Seen(fails(with_id("a+b/c="), client.BAD_REQUEST), spares=enrolled),
    "id-once": Seen(fails(twice, client.BAD_REQUEST), spares=enrolled),
    "signer-subject": Seen(fails(another_subject, client.BAD_REQUEST), spares=enrolled),
    "serial-limit": Seen(fails(with_long_serial, client.BAD_REQUEST), spares=enrolled),
    "clock-checked": Seen(fails(Lab.enrol, "3"), Base(offset_s=30 * DAY_S)),
    "old-algorithms": Seen(
        fails(Lab.enrol, client.BAD_MESSAGE_CHECK),
        spares=goes(lambda lab: lab.enrol(Shape(cipher="3des", digest="sha1"))),
    ),
    "weak-refused": Seen(
        fails(lambda lab: lab.enrol(Shape(cipher="des")), client.BAD_ALG), spares=enrolled
    ),
    "template-wanted": Seen(fails(Lab.enrol, client.BAD_REQUEST), spares=with_extension(TEMPLATE)),
    "sid-wanted": Seen(
        fails(Lab.enrol, client.BAD_REQUEST),
        spares=with_extension(x509.SubjectAlternativeName([SID])),
    ),
    "challenge-once": Seen(fails(two_devices, client.BAD_REQUEST), LOCKED),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_quirk_does_what_it_says(name: str) -> None:
    prove(REQUESTS[name], quirks.QUIRKS[name])
