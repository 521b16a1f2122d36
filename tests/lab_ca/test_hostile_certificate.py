"""Lies of the certificate that comes in a good CertRep."""

from collections.abc import Callable

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.helpers import labca_client as client
from tests.helpers.labca_bench import public_key
from tests.helpers.labca_seen import Lab, Seen, issued_here, now, prove
from tools.lab_ca import hostile


def leaf(test: Callable[[Lab, asn1.Certificate], bool]) -> Seen:
    """The one certificate inside a CertRep that is all right otherwise."""

    def true(lab: Lab) -> bool:
        reply = lab.enrol()
        assert reply.verifies(lab.ca)
        return test(lab, reply.leaf(client.rsa_key(0)))

    return Seen(true)


def extensions(certificate: asn1.Certificate) -> list[str]:
    found = certificate["tbs_certificate"]["extensions"]
    return [item["extn_id"].dotted for item in found]


def verifies(lab: Lab, certificate: asn1.Certificate) -> bool:
    issuer = x509.load_der_x509_certificate(lab.ca.dump()).public_key()
    assert isinstance(issuer, rsa.RSAPublicKey)
    digest = client.HASHES[certificate.hash_algo]
    covered = certificate["tbs_certificate"].dump()
    try:
        issuer.verify(certificate.signature, covered, padding.PKCS1v15(), digest)
    except InvalidSignature:
        return False
    return True


def serial(test: Callable[[int], bool]) -> Seen:
    return leaf(lambda _lab, found: test(found.serial_number))


def our_key(certificate: asn1.Certificate) -> bool:
    return public_key(certificate) == public_key(client.self_signed(client.rsa_key(0), "dev1"))


def the_first_again(lab: Lab) -> bool:
    first = lab.enrol().leaf(client.rsa_key(0))
    return lab.enrol().leaf(client.rsa_key(0)).dump() == first.dump()


def our_own_back(lab: Lab) -> bool:
    device = lab.device()
    return lab.enrol(device=device).leaf(device.key).dump() == device.signer.dump()


CERTIFICATES = {
    "key": leaf(lambda _, found: not our_key(found)),
    "subject": leaf(lambda _, found: found.subject.native["common_name"] == "somebody else"),
    "issuer": leaf(lambda lab, found: found.issuer != lab.ca.subject),
    "issuer-name": leaf(
        lambda lab, found: found.issuer == lab.ca.subject and not verifies(lab, found)
        and found.authority_key_identifier != lab.ca.key_identifier
    ),
    "ca-flag": leaf(lambda _, found: bool(found.ca)),
    "expired": leaf(lambda _, found: found.not_valid_after < now()),
    "not-yet": leaf(lambda _, found: found.not_valid_before > now()),
    "dates-backwards": leaf(lambda _, found: found.not_valid_after < found.not_valid_before),
    "leaf-signature": leaf(
        lambda lab, found: not verifies(lab, found)
        and found.authority_key_identifier == lab.ca.key_identifier
    ),
    "leaf-md5": leaf(lambda lab, found: found.hash_algo == "md5" and verifies(lab, found)),
    "leaf-sha1": leaf(lambda lab, found: found.hash_algo == "sha1" and verifies(lab, found)),
    "leaf-v1": leaf(lambda _, found: found["tbs_certificate"]["version"].native == "v1"),
    "serial-huge": serial(lambda number: number.bit_length() > 790),
    "serial-negative": serial(lambda number: number < 0),
    "serial-zero": serial(lambda number: number == 0),
    "unknown-critical": leaf(lambda _, found: "1.3.6.1.4.1.99999.1" in found.critical_extensions),
    "usage-twice": leaf(lambda _, found: extensions(found).count("2.5.29.15") == 2),
    "names": leaf(lambda _, found: "vpn.example" in found.valid_domains),
    "old": Seen(the_first_again),
    "other-device": leaf(lambda lab, found: issued_here(lab, found) and not our_key(found)),
    "ca-as-leaf": leaf(lambda lab, found: found.dump() == lab.ca.dump()),
    "self-signed": Seen(our_own_back),
    "leaf-none": Seen(lambda lab: lab.inside() == []),
    "leaf-twice": Seen(lambda lab: [our_key(found) for found in lab.inside()] == [True, True]),
    "leaf-many": Seen(
        lambda lab: [our_key(found) for found in lab.inside()] == [False] * 40 + [True]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CERTIFICATES)
def test_a_lie_is_what_it_says(name: str) -> None:
    prove(CERTIFICATES[name], hostile.HOSTILE[name])
