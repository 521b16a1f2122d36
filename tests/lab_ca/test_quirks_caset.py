"""Quirks of the certificates of a CA, of its RA, and of the next CA."""

import base64
import datetime

import pytest
from asn1crypto import cms, pem
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.helpers import labca_client as client
from tests.helpers.labca_bench import public_key
from tests.helpers.labca_client import CertRep, openssl
from tests.helpers.labca_seen import Base, Lab, Seen, enrolled, fails, prove, words
from tools.lab_ca import quirks
from tools.lab_ca.authority import ANY_PURPOSE, CMC_RA, Plan

WITH_RA, CHAINED = Base(Plan(ra=True)), Base(Plan(chain=True))
FOLLOWED = Base(following=True)
SIGNS = {"key_cert_sign", "crl_sign"}


def to_the_old_ra(lab: Lab) -> CertRep:
    """Encrypted to a certificate of the key that the RA had at first."""
    device = lab.device()
    key = client.serialization.load_pem_private_key((lab.home / "ra-enc.key").read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    old = client.self_signed(key, "old")
    if public_key(device.to) != public_key(old):
        device.to = old
    return device.enrol(lab.send)


def usage(certificate: asn1.Certificate) -> object:
    value = certificate.key_usage_value
    return None if value is None else value.native


def purposes(certificate: asn1.Certificate) -> list[str] | None:
    """Of the extendedKeyUsage, as object identifiers."""
    value = certificate.extended_key_usage_value
    return None if value is None else [purpose.dotted for purpose in value]


def order(lab: Lab) -> str:
    """Letters as in the names of the switches: e encrypts, s signs, c is the CA."""
    letters = []
    for certificate in lab.ca_set():
        name = certificate.subject.native["common_name"]
        letters.append("e" if "encipherment" in name else "s" if "signature" in name else "c")
    return "".join(letters)


def next_info(lab: Lab) -> cms.SignedData:
    return cms.ContentInfo.load(lab.get("GetNextCACert").body)["content"]


CA_SETS = {
    **{
        f"ra-order-{letters}": Seen(
            lambda lab, letters=letters: order(lab) == letters,  # type: ignore[misc]
            WITH_RA,
            enrolled,
        )
        for letters in ("ecs", "sec", "sce", "ces", "cse")
    },
    "ca-usage-signs-only": Seen(lambda lab: usage(lab.ca_set()[0]) == SIGNS),
    "ca-usage-one-bit": Seen(
        lambda lab: usage(lab.ca_set()[0]) == {"digital_signature", *SIGNS}
    ),
    "ca-usage-none": Seen(lambda lab: usage(lab.ca_set()[0]) is None, spares=enrolled),
    "ra-usage-none": Seen(
        lambda lab: [usage(item) for item in lab.ca_set()[:2]] == [None, None], WITH_RA, enrolled
    ),
    **{
        f"ra-purpose-{name}": Seen(
            lambda lab, wanted=wanted: [purposes(c) for c in lab.ca_set()[:2]] == [wanted] * 2,  # type: ignore[misc]
            WITH_RA,
            enrolled,
        )
        for name, wanted in (("none", None), ("any", [ANY_PURPOSE]), ("cmc", [CMC_RA]))
    },
    "ra-decrypter": Seen(
        lambda lab: order(lab) == "ec" and lab.enrol().verifies(lab.ca), WITH_RA, enrolled
    ),
    "ra-renewed": Seen(fails(to_the_old_ra, client.BAD_MESSAGE_CHECK), WITH_RA, enrolled),
    "issuer-short": Seen(
        lambda lab: lab.ca_set()[0].not_valid_after
        < datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=2)
        < lab.ca_set()[1].not_valid_after,
        CHAINED,
    ),
    "root-absent": Seen(lambda lab: len(lab.ca_set()) == 1, CHAINED, enrolled),
    "root-first": Seen(lambda lab: lab.ca_set()[0].self_signed == "maybe", CHAINED, enrolled),
    "ca-generations": Seen(lambda lab: generations(lab), spares=enrolled),
    "ca-crossed": Seen(lambda lab: crossed(lab), spares=enrolled),
    "single-as-set": Seen(
        lambda lab: b"BEGIN CERTIFICATE"
        in (openssl("pkcs7", "-inform", "DER", "-print_certs", stdin=lab.get("GetCACert").body)
        if lab.get("GetCACert").kind.endswith("ra-cert") else b"")
    ),
    "set-typed-single": Seen(
        lambda lab: lab.get("GetCACert").kind == "application/x-x509-ca-cert"
        and len(lab.ca_set()) == 2,
        CHAINED,
    ),
    "single-typed-set": Seen(
        lambda lab: lab.get("GetCACert").kind == "application/x-x509-ca-ra-cert"
        and lab.get("GetCACert").body == lab.ca.dump()
    ),
    "ca-pem": Seen(lambda lab: pem.detect(lab.get("GetCACert").body)),
    "ca-base64": Seen(lambda lab: lab.get("GetCACert").body == base64.encodebytes(lab.ca.dump())),
    "ca-white-space": Seen(lambda lab: lab.get("GetCACert").body == b" \r\n" + lab.ca.dump()),
    "next-listed-404": Seen(
        lambda lab: "GetNextCACert" in words(lab) and lab.get("GetNextCACert").status == 404,
        FOLLOWED,
    ),
    "next-listed-early": Seen(
        lambda lab: "GetNextCACert" in words(lab) and lab.get("GetNextCACert").status == 404
    ),
    "next-unsigned": Seen(lambda lab: len(next_info(lab)["signer_infos"]) == 0, FOLLOWED),
    "next-outside": Seen(
        lambda lab: next_info(lab)["encap_content_info"]["content"].native is None
        and len(next_info(lab)["signer_infos"]) == 1,
        FOLLOWED,
    ),
    "next-type": Seen(
        lambda lab: lab.get("GetNextCACert").kind == "application/x-x509-ca-ra-cert", FOLLOWED
    ),
}  # fmt: skip


def generations(lab: Lab) -> bool:
    """Whether a CA that was renewed with its key is told with the certificate of before."""
    before = lab.ca
    lab.authority.renew()
    found = lab.ca_set()
    same = [one for one in found if one.public_key.dump() == before.public_key.dump()]
    return len(found) == len(same) == 2 and found[0].dump() == lab.ca.dump() != before.dump()


def crossed(lab: Lab) -> bool:
    """Whether after a roll-over there are two keys, and each has signed the other."""
    lab.authority.prepare()
    lab.authority.roll_over()
    found = lab.ca_set()
    if len(found) != 4:
        return False
    old, new_by_old, old_by_new, new = found
    same = new_by_old.public_key.dump() == new.public_key.dump()
    return same and signed_by(new_by_old, old) and signed_by(old_by_new, new)


def signed_by(certificate: asn1.Certificate, issuer: asn1.Certificate) -> bool:
    loaded = x509.load_der_x509_certificate(certificate.dump())
    try:
        loaded.verify_directly_issued_by(x509.load_der_x509_certificate(issuer.dump()))
    except InvalidSignature:
        return False
    return True


@pytest.mark.parametrize("name", CA_SETS)
def test_a_quirk_does_what_it_says(name: str) -> None:
    prove(CA_SETS[name], quirks.QUIRKS[name])
