"""Each quirk of the lab CA does what its sentence says: seen with it, and not without."""

import base64
import datetime
from collections.abc import Callable

import pytest
from asn1crypto import cms, core, csr, pem
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.helpers import labca_client as client
from tests.helpers.labca_bench import public_key
from tests.helpers.labca_client import CertRep, Device, Shape, openssl, pkcs10
from tests.helpers.labca_http import http_request
from tests.helpers.labca_seen import CHALLENGE, Base, Lab, Seen, prove
from tools.lab_ca import quirks
from tools.lab_ca.authority import ANY_PURPOSE, CMC_RA, DAY_S, Plan

LOCKED = Base(challenge=CHALLENGE)
WITH_RA, CHAINED = Base(Plan(ra=True)), Base(Plan(chain=True))
MANUAL, FOLLOWED = Base(manual=True), Base(following=True)
YEAR = Base(life_s=365 * DAY_S)
SIGNS = {"key_cert_sign", "crl_sign"}
HRESULT = "1.3.6.1.4.1.311.21.33"
ENVELOPED_DATA = bytes.fromhex("2a864886f70d010703")
BASE64URL = str.maketrans("+/", "-_")


def called_data(body: bytes) -> bytes:
    """With the eContentType that every reader knows; it is signed only as an attribute."""
    return body.replace(ENVELOPED_DATA, ENVELOPED_DATA[:-1] + b"\x01", 1)


def words(lab: Lab) -> list[str]:
    return lab.get("GetCACaps").body.decode().splitlines()


def caps_are(test: Callable[[bytes], bool]) -> Seen:
    return Seen(lambda lab: test(lab.get("GetCACaps").body))


# -- requests that are odd -------------------------------------------------------------------------


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


def to_the_old_ra(lab: Lab) -> CertRep:
    """Encrypted to a certificate of the key that the RA had at first."""
    device = lab.device()
    key = client.serialization.load_pem_private_key((lab.home / "ra-enc.key").read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    old = client.self_signed(key, "old")
    if public_key(device.to) != public_key(old):
        device.to = old
    return device.enrol(lab.send)


# -- what answers tell -----------------------------------------------------------------------------


def succeeded(reply: CertRep) -> bool:
    return reply.status == client.SUCCESS


def fails(make: Callable[[Lab], CertRep], fail_info: str) -> Callable[[Lab], bool]:
    def true(lab: Lab) -> bool:
        reply = make(lab)
        return (reply.status, reply.fail_info) == (client.FAILURE, fail_info)

    return true


def goes(make: Callable[[Lab], CertRep]) -> Callable[[Lab], bool]:
    return lambda lab: succeeded(make(lab))


def enrolled(lab: Lab) -> bool:
    return succeeded(lab.enrol())


def status_of(lab: Lab, query: str, body: bytes | None = None, **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return http_request(lab.url, query, body, named).status


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


def fields(lab: Lab) -> list[str]:
    return [line.partition(":")[0] for line in lab.head("GetCACert")]


def oids(reply: CertRep) -> set[str]:
    return set(reply.attributes)


def parsed(octets: bytes) -> str:
    return openssl("asn1parse", "-inform", "DER", stdin=octets).decode()


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


def once(status: int, body: bytes) -> Callable[[Lab], bool]:
    """The first PKIOperation is answered so, the second one well."""

    def true(lab: Lab) -> bool:
        message = lab.message()
        first, second = lab.post(message), lab.post(message)
        good = client.read_reply(second.body).status == client.SUCCESS
        return (first.status, first.body) == (status, body) and good

    return true


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


def poll_status(lab: Lab) -> int:
    device = lab.device()
    names = core.SequenceOf([lab.ca.subject, lab.ca.subject], spec=asn1.Name)
    return lab.post(device.message(client.CERT_POLL, names.dump())).status


def next_info(lab: Lab) -> cms.SignedData:
    return cms.ContentInfo.load(lab.get("GetNextCACert").body)["content"]


CAPABILITIES = {
    "caps-none": Seen(lambda lab: lab.get("GetCACaps").status == 404),
    "caps-closed": Seen(lambda lab: lab.octets(lab.request("operation=GetCACaps")) == b""),
    "caps-html": caps_are(lambda body: body.startswith(b"<html>")),
    "caps-empty": caps_are(lambda body: body == b""),
    "caps-type": Seen(lambda lab: lab.get("GetCACaps").kind == "application/x-x509-ca-cert"),
    "caps-crlf": caps_are(lambda body: body.count(b"\r\n") >= 5 and body[-1:].isalpha()),
    "caps-no-newline": caps_are(lambda body: b"\n" in body and body[-1:] != b"\n"),
    "caps-lower-case": caps_are(lambda body: body == body.lower()),
    "caps-standard-only": Seen(lambda lab: words(lab) == ["SCEPStandard"]),
    "caps-more": Seen(lambda lab: {"SHA-224", "SHA-384", "AES"} <= set(words(lab))),
    "caps-micromdm": Seen(lambda lab: words(lab)[0] == "Renewal" and len(words(lab)) == 7),
    "caps-old-ndes": Seen(lambda lab: not {"AES", "SHA-256", "SCEPStandard"} & set(words(lab))),
}

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

TRANSPORT = {
    "get-only": Seen(
        lambda lab: lab.post(b"x").status == 405 and "POSTPKIOperation" not in words(lab),
        spares=lambda lab: lab.by_get(lab.message()).status == 200,
    ),
    "post-only": Seen(lambda lab: lab.by_get(lab.message()).status == 405, spares=enrolled),
    "ca-name-wanted": Seen(
        lambda lab: {lab.get(op).status for op in ("GetCACaps", "GetCACert")} == {404},
        spares=lambda lab: lab.get("GetCACert", "&message=LabCA").status == 200,
    ),
    "message-refused": Seen(
        lambda lab: lab.get("GetCACert", "&message=CAIdentifier").status == 404,
        spares=lambda lab: lab.get("GetCACert").status == 200,
    ),
    "message-wanted": Seen(
        lambda lab: lab.get("GetCACert").status == 404,
        spares=lambda lab: lab.get("GetCACert", "&message=").status == 200,
    ),
    "path-mscep": Seen(
        lambda lab: lab.get("GetCACaps").status == 404,
        spares=lambda lab: http_request(
            lab.url.replace("/scep", "/certsrv/mscep/mscep.dll"), "operation=GetCACaps"
        ).status == 200,
    ),
    "query-wanted": Seen(
        lambda lab: lab.get("GetCACaps").status == 404,
        spares=lambda lab: status_of(lab, "tenant=lab&operation=GetCACaps") == 200,
    ),
    "query-limit": Seen(lambda lab: lab.by_get(lab.message()).status == 404, spares=enrolled),
    "host-wanted": Seen(
        lambda lab: b" 404 " in lab.octets(b"GET /scep?operation=GetCACaps HTTP/1.0\r\n\r\n"),
        spares=lambda lab: lab.get("GetCACaps").status == 200,
    ),
    "type-wanted": Seen(
        lambda lab: lab.post(lab.message(), {"Content-Type": "x/form"}).status == 400,
        spares=lambda lab: lab.post(
            lab.message(), {"Content-Type": "application/x-pki-message"}).status == 200,
    ),
    "base64url": Seen(
        lambda lab: lab.by_get(lab.message()).status == 400,
        spares=lambda lab: lab.by_get(
            lab.message(),
            lambda body: base64.b64encode(body).decode().translate(BASE64URL).rstrip("="),
        ).status == 200,
    ),
    "escapes-wanted": Seen(
        lambda lab: lab.by_get(
            lab.message(), lambda body: base64.b64encode(body).decode()).status == 400,
        spares=lambda lab: lab.by_get(lab.message()).status == 200,
    ),
    "der-only": Seen(
        lambda lab: lab.post(client.to_ber(lab.message())).status == 500, spares=enrolled
    ),
    "no-reason": Seen(lambda lab: lab.head("GetCACert")[0] == "HTTP/1.1 200 ", spares=enrolled),
    "chunked": Seen(lambda lab: "Transfer-Encoding" in fields(lab), spares=enrolled),
    "until-closed": Seen(lambda lab: "Content-Length" not in fields(lab), spares=enrolled),
    "http-1.0": Seen(lambda lab: lab.head("GetCACert")[0] == "HTTP/1.0 200 OK", spares=enrolled),
    "interim": Seen(
        lambda lab: [line.split()[1] for line in lab.octets(
            lab.request("operation=GetCACaps")).decode().split("\r\n")
            if line.startswith("HTTP/")] == ["100", "103", "200"],
    ),
    "type-charset": Seen(
        lambda lab: "Content-Type: text/plain;charset=UTF-8" in lab.head("GetCACaps")
    ),
    "type-html": Seen(lambda lab: lab.post(lab.message()).kind == "text/html", spares=enrolled),
    "type-missing": Seen(lambda lab: "Content-Type" not in fields(lab), spares=enrolled),
    "redirect-https": Seen(
        lambda lab: lab.head("GetCACert")[0].split()[1] == "302"
        and "Location: https://elsewhere.example/scep" in lab.head("GetCACert")
    ),
    "redirect-307": Seen(lambda lab: lab.post(lab.message()).status == 307),
    "empty-once": Seen(once(200, b"")),
    "busy-once": Seen(once(503, b"busy\n")),
}  # fmt: skip

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

POLLING = {
    "waiting-success": Seen(
        lambda lab: (reply := lab.enrol()).status == client.SUCCESS and reply.content is None,
        MANUAL,
        lambda lab: lab.polled(approve=True).content is not None,
    ),
    "waiting-failure": Seen(
        lambda lab: lab.enrol().status == client.FAILURE,
        MANUAL,
        lambda lab: succeeded(lab.polled(approve=True)),
    ),
    "poll-failure": Seen(
        lambda lab: (
            lab.polled(approve=True).status == client.FAILURE and len(lab.authority.shelf()) == 1
        ),
        MANUAL,
        lambda lab: lab.polled(approve=False).status == client.PENDING,
    ),
    "pending-chain": Seen(
        lambda lab: (
            (reply := lab.enrol()).status == client.PENDING and len(reply.certificates) == 2
        ),
        Base(Plan(chain=True), manual=True),
    ),
    "poll-500": Seen(lambda lab: poll_status(lab) == 500, MANUAL, lambda lab: bool(lab.enrol())),
    "poll-unknown": Seen(
        lambda lab: lab.polled(approve=False).fail_info == client.BAD_CERT_ID, MANUAL
    ),
}

RENEWALS = {
    "renewal-19": Seen(
        lambda lab: "Renewal" not in words(lab) and lab.renewed().fail_info == client.BAD_REQUEST,
        spares=lambda lab: succeeded(lab.renewed(client.PKCS_REQ)),
    ),
    "renewal-17": Seen(
        lambda lab: lab.renewed(client.PKCS_REQ).fail_info == client.BAD_REQUEST,
        spares=lambda lab: succeeded(lab.renewed()),
    ),
    "renewal-challenge": Seen(
        lambda lab: lab.renewed().fail_info == client.BAD_REQUEST,
        LOCKED,
        lambda lab: succeeded(lab.renewed(challenge=CHALLENGE)),
    ),
    "renewal-subject": Seen(
        lambda lab: lab.renewed(name="dev2").fail_info == client.BAD_REQUEST,
        spares=lambda lab: succeeded(lab.renewed()),
    ),
    "renewal-early": Seen(lambda lab: lab.renewed().fail_info == client.BAD_REQUEST, YEAR),
}


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


PROVED: dict[str, Seen] = (
    CAPABILITIES | CA_SETS | TRANSPORT | REQUESTS | REPLIES | POLLING | RENEWALS
)


def test_every_quirk_is_proved() -> None:
    assert set(PROVED) == set(quirks.QUIRKS)
    assert len(quirks.QUIRKS) == sum(len(table) for table in quirks.TABLES), "a name comes twice"


@pytest.mark.parametrize("name", quirks.QUIRKS)
def test_a_quirk_does_what_it_says(name: str) -> None:
    prove(PROVED[name], quirks.QUIRKS[name])
