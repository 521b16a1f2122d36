"""What servers demand of a pkiMessage and of the PKCS#10 inside it."""

import re
from collections.abc import Callable

from asn1crypto import csr, x509

from tools.lab_ca import request as scep
from tools.lab_ca.hooks import Hooks, refuses
from tools.lab_ca.ledger import ISSUED
from tools.lab_ca.request import Asked, RefusedError

PRINTABLE_STRING = 0x13
ID_PATTERN = re.compile("[0-9A-Za-z]{1,64}")  # OpenXPKI's
SERIAL_OCTETS = 20  # RFC 5280 4.1.2.2
SKEW_S = 300
TEMPLATE = "1.3.6.1.4.1.311.20.2"
SID_URI = "tag:microsoft.com,2022-09-14:sid:"
OLD = frozenset({"des", "3des"})
WEAK_CIPHERS, WEAK_DIGESTS = frozenset({"des"}), frozenset({"md5"})

When = Callable[[Asked], bool]


def refused(when: When, fail_info: str, text: str) -> Callable[[Asked], Asked]:
    """For `judge`: a FAILURE when the condition holds."""
    return refuses(when, RefusedError, fail_info, text)


def _information(asked: Asked) -> csr.CertificationRequestInfo:
    der = asked.csr.der if asked.csr else b""
    return csr.CertificationRequest.load(der)["certification_request_info"]


def _attributes(asked: Asked) -> dict[str, csr.CRIAttribute]:
    return {item["type"].dotted: item for item in _information(asked)["attributes"]}


def _challenge_tag(asked: Asked) -> int | None:
    """The first octet of the challengePassword's value."""
    item = _attributes(asked).get("1.2.840.113549.1.9.7")
    return None if item is None else item["values"][0].chosen.dump()[0]


def _wrong_string(asked: Asked) -> bool:
    return asked.csr is not None and _challenge_tag(asked) not in (None, PRINTABLE_STRING)


def _unsorted(asked: Asked) -> bool:
    """DER's rule for SETs, in the attributes of the PKCS#10 and in those that are signed."""
    sets = [asked.case.message.signer_info["signed_attrs"]]
    if asked.csr is not None:
        sets.append(_information(asked)["attributes"])
    ordered = [[item.dump() for item in items] for items in sets]
    return any(items != sorted(items) for items in ordered)


def _extensions(asked: Asked) -> dict[str, x509.Extension]:
    groups = _attributes(asked).get("1.2.840.113549.1.9.14")
    found = groups["values"] if groups is not None else ()
    return {item["extn_id"].dotted: item for group in found for item in group}


def _without_template(asked: Asked) -> bool:
    return asked.csr is not None and TEMPLATE not in _extensions(asked)


def _without_sid(asked: Asked) -> bool:
    names = _extensions(asked).get("2.5.29.17") if asked.csr else None
    uris = [str(name.native) for name in names["extn_value"].parsed] if names is not None else []
    return asked.csr is not None and not any(uri.startswith(SID_URI) for uri in uris)


def _another_subject(asked: Asked) -> bool:
    return bool(asked.csr and not asked.renewal and asked.csr.subject != asked.case.signer.subject)


def _long_serial(asked: Asked) -> bool:
    octets: bytes = asked.case.signer["tbs_certificate"]["serial_number"].contents
    return len(octets) > SERIAL_OCTETS


def _wrong_time(asked: Asked) -> bool:
    """A signingTime or a signer's certificate that does not fit this CA's clock."""
    signer, now_s = asked.case.signer, asked.now_s
    begin_s, end_s = (int(t.timestamp()) for t in (signer.not_valid_before, signer.not_valid_after))
    attributes = scep.attributes_of(asked.case.message.signer_info)
    times = [int(value.native.timestamp()) for value in attributes.get("1.2.840.113549.1.9.5", [])]
    return not begin_s <= now_s <= end_s or any(abs(t - now_s) > SKEW_S for t in times)


def _too_new(asked: Asked) -> bool:
    return asked.case.cipher not in OLD or asked.case.message.digest not in ("md5", "sha1")


def _too_weak(asked: Asked) -> bool:
    return asked.case.cipher in WEAK_CIPHERS or asked.case.message.digest in WEAK_DIGESTS


def _id_taken(asked: Asked) -> bool:
    return asked.csr is not None and any(
        record.id == asked.case.message.transaction_id for record in asked.records()
    )


def _challenge_used(asked: Asked) -> bool:
    """A one-time challenge: good until a certificate was issued for another transaction."""
    own = asked.case.message.transaction_id
    return (asked.csr is not None and asked.csr.challenge is not None) and any(
        record.state == ISSUED and record.id != own for record in asked.records()
    )


REQUESTS: dict[str, Hooks] = {
    "printable-challenge": Hooks(
        "a challengePassword that is no PrintableString gets badRequest (NDES)",
        judge=refused(_wrong_string, "badRequest", "the challengePassword is no PrintableString"),
    ),
    "sorted-sets": Hooks(
        "attributes that are not in DER order get badMessageCheck (Ultimate CA Manager)",
        judge=refused(_unsorted, "badMessageCheck", "a SET is not in the order of DER"),
    ),
    "plain-id": Hooks(
        "a transactionID of other than 1 to 64 letters and digits gets badRequest (OpenXPKI)",
        judge=refused(
            lambda asked: not ID_PATTERN.fullmatch(asked.case.message.transaction_id),
            "badRequest", "invalid transactionID",
        ),
    ),
    "id-once": Hooks(
        "a second request under a transactionID gets badRequest, as a replay",
        judge=refused(_id_taken, "badRequest", "the transactionID was used before"),
    ),
    "signer-subject": Hooks(
        "a self-signed signer with another subject than the PKCS#10 gets badRequest (RFC 8894 2.3)",
        judge=refused(_another_subject, "badRequest", "the signer's subject is another one"),
    ),
    "serial-limit": Hooks(
        f"a signer whose serial number has more than {SERIAL_OCTETS} octets gets badRequest",
        judge=refused(_long_serial, "badRequest", "the signer's serial number is too long"),
    ),
    "clock-checked": Hooks(
        f"a signingTime {SKEW_S} s off, or a signer not in date, gets badTime",
        judge=refused(_wrong_time, "badTime", "the clocks differ"),
    ),
    "old-algorithms": Hooks(
        "a request with AES or SHA-2 gets badMessageCheck (servers before 2010, RFC 8894 3.5.2)",
        judge=refused(_too_new, "badMessageCheck", "the message cannot be read"),
    ),
    "weak-refused": Hooks(
        "a request with single DES or MD5 gets badAlg (AWS's connector, step-ca)",
        judge=refused(_too_weak, "badAlg", "the algorithm is too weak"),
    ),
    "template-wanted": Hooks(
        f"a PKCS#10 that does not ask for a certificate template ({TEMPLATE}) gets badRequest",
        judge=refused(_without_template, "badRequest", "no certificate template is named"),
    ),
    "sid-wanted": Hooks(
        "a PKCS#10 without the URI of a security identifier gets badRequest (Intune, KB5014754)",
        judge=refused(_without_sid, "badRequest", "no strong mapping"),
    ),
    "challenge-once": Hooks(
        "a challenge is good for one certificate (NDES, Fleet)",
        judge=refused(_challenge_used, "badRequest", "the challenge password was used before"),
    ),
}  # fmt: skip
