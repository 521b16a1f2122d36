"""Each lie of the lab CA does what its sentence says: seen with it, and not without."""

import datetime
import hashlib
import socket
from collections.abc import Callable

import pytest
from asn1crypto import cms, core
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.helpers import labca_client as client
from tests.helpers.labca_bench import public_key
from tests.helpers.labca_client import CertRep, element, openssl
from tests.helpers.labca_http import Answer
from tests.helpers.labca_seen import CHALLENGE, SIGNED_DATA, Base, Lab, Seen, prove
from tools.lab_ca import answer as answers
from tools.lab_ca import hostile
from tools.lab_ca.authority import Plan

LOCKED, FOLLOWED = Base(challenge=CHALLENGE), Base(following=True)
MIB = 1 << 20
SOON_S = 0.2  # what comes within it, comes at once

STATUS, FAIL_INFO, RECIPIENT_NONCE, TRANSACTION, TYPE = (
    f"{client.SCEP}{number}" for number in (3, 4, 6, 7, 2)
)
DIGEST, CONTENT_TYPE = "1.2.840.113549.1.9.4", "1.2.840.113549.1.9.3"


# -- the outer layer -------------------------------------------------------------------------------


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


def names_signer(reply: CertRep) -> asn1.Certificate:
    """The certificate that comes along; it must be the one that the SignerInfo names."""
    (certificate,) = reply.certificates
    sid = reply.signer_info["sid"].chosen
    assert sid["serial_number"].native == certificate.serial_number
    return certificate


def signed_by_a_liar(test: Callable[[Lab, asn1.Certificate], bool]) -> Seen:
    """The signature is good, but not of the CA's key, and of such a certificate."""

    def true(lab: Lab) -> bool:
        reply = lab.enrol()
        certificate = names_signer(reply)
        return reply.verifies(certificate) and not reply.verifies(lab.ca) and test(lab, certificate)

    return Seen(true)


def issued_here(lab: Lab, certificate: asn1.Certificate) -> bool:
    """openssl verifies it up to the CA, whatever the time."""
    path = lab.home / "liar.pem"
    path.write_bytes(client.pem_of(certificate))
    words = ("verify", "-no_check_time", "-CAfile", str(lab.home / "ca.pem"), str(path))
    try:
        return b"OK" in openssl(*words)
    except AssertionError:
        return False


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


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


# -- the envelope ----------------------------------------------------------------------------------


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


# -- the certificate -------------------------------------------------------------------------------


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


# -- the octets ------------------------------------------------------------------------------------


def asn1parse(octets: bytes) -> bytes:
    return openssl("asn1parse", "-inform", "DER", stdin=octets)


def body(test: Callable[[bytes], bool]) -> Seen:
    return Seen(lambda lab: test(lab.body()))


def starts(octets: bytes) -> Seen:
    return body(lambda found: found.startswith(octets))


def beyond(octets: bytes) -> int:
    """How many octets more there are than the outermost length says; negative: fewer."""
    size = int.from_bytes(octets[2 : 2 + (octets[1] & 0x7F)], "big")
    return len(octets) - size - 2 - (octets[1] & 0x7F)


def deep(octets: bytes) -> Seen:
    """50000 times, one inside another."""
    return body(lambda found: octets * 50_000 in found)


ENCODINGS = {
    "cut": body(lambda found: beyond(found) == -1),
    "cut-half": body(lambda found: beyond(found) < -100),
    "trailing": body(lambda found: beyond(found) == 2 and found.endswith(b"\x05\x00")),
    "doubled": body(lambda found: found[: len(found) // 2] == found[len(found) // 2 :]),
    "unclosed": body(
        lambda found: (
            found[:2] == b"\x30\x80"
            and b"envelopedData" not in asn1parse(found + b"\x00\x00")
            and unparsable(found)
        )
    ),
    "long-length": body(
        lambda found: found[:2] == b"\x30\x88" and b"signedData" in asn1parse(found)
    ),
    "length-claimed": starts(bytes.fromhex("3084ffffffff")),
    "length-reserved": starts(b"\x30\xff"),
    "length-many": starts(b"\x30\xfe"),
    "nesting": starts(b"\x30\x80" * 50_000),
    "nesting-sets": deep(b"\x31\x80"),
    "nesting-string": deep(b"\x24\x80"),
    "elements": body(lambda found: found.count(b"\x05\x00") >= 80_000),
    "integer-huge": body(lambda found: b"\x7f" * 200_000 in found),
    "oid-huge": body(lambda found: b"\xff" * 200_000 in found),
    "tag-high": starts(b"\x3f" + b"\xff" * 99),
    "null-octets": body(lambda found: found == bytes(1000)),
    "text": body(lambda found: found == b"SUCCESS\n"),
    "signed-empty": body(lambda found: len(found) == 17 and SIGNED_DATA in found),
}


def unparsable(octets: bytes) -> bool:
    try:
        cms.ContentInfo.load(octets, strict=True)
    except ValueError:
        return True
    return False


# -- certificates of the CA ------------------------------------------------------------------------


def caps(test: Callable[[bytes], bool]) -> Seen:
    return Seen(lambda lab: test(lab.get("GetCACaps").body))


def ca_body(test: Callable[[Lab, bytes], bool]) -> Seen:
    return Seen(lambda lab: test(lab, lab.get("GetCACert").body))


def next_answer(lab: Lab) -> Answer:
    return lab.get("GetNextCACert")


def next_signed(lab: Lab) -> CertRep:
    return client.read_reply(next_answer(lab).body)


def next_certificates(lab: Lab) -> list[asn1.Certificate]:
    inner = cms.ContentInfo.load(next_signed(lab).content)["content"]
    return [choice.chosen for choice in inner["certificates"] or ()]


def next_by(test: Callable[[Lab, asn1.Certificate], bool]) -> Seen:
    """Signed well, but by such a certificate instead of the CA of today."""

    def true(lab: Lab) -> bool:
        reply = next_signed(lab)
        who = names_signer(reply)
        return reply.verifies(who) and not reply.verifies(lab.ca) and test(lab, who)

    return Seen(true, FOLLOWED)


CA_SETS = {
    "caps-downgrade": caps(lambda found: found == b"DES\nMD5\n"),
    "caps-nothing": caps(lambda found: not {b"AES", b"SHA-256"} & set(found.split())),
    "caps-huge": caps(lambda found: found == b"A" * 1_000_000),
    "caps-lines": caps(lambda found: found.count(b"\n") == 250_000),
    "caps-binary": caps(lambda found: found == bytes(range(256))),
    "ca-impostor": ca_body(
        lambda lab, found: asn1.Certificate.load(found).subject == lab.ca.subject
        and found != lab.ca.dump()
    ),
    "ca-appended": Seen(
        lambda lab: len(found := lab.ca_set()) == 2 and found[0].dump() == lab.ca.dump()
        and found[1].subject != lab.ca.subject
    ),
    "ca-prepended": Seen(
        lambda lab: len(found := lab.ca_set()) == 2 and found[1].dump() == lab.ca.dump()
        and found[0].subject == lab.ca.subject
    ),
    "ca-impostor-appended": Seen(
        lambda lab: len(found := lab.ca_set()) == 2 and found[0].dump() == lab.ca.dump()
        and found[1].subject == lab.ca.subject
    ),
    "ca-crowd": Seen(
        lambda lab: len(found := lab.ca_set()) == 15 and found[14].dump() == lab.ca.dump()
        and len({one.dump() for one in found}) == 15
    ),
    "ca-older": Seen(lambda lab: older(lab), FOLLOWED),
    "ca-device": Seen(
        lambda lab: len(found := lab.ca_set()) == 2 and issued_here(lab, found[0])
        and found[1].dump() == lab.ca.dump()
    ),
    "ca-device-alone": Seen(
        lambda lab: len(found := lab.ca_set()) == 2 and issued_here(lab, found[0])
        and found[0].extended_key_usage_value is None and found[1].dump() == lab.ca.dump(),
        Base(Plan(ra=True)),
    ),
    "ca-none": Seen(lambda lab: lab.ca_set() == []),
    "ca-many": Seen(lambda lab: len(lab.ca_set()) == 300),
    "ca-garbage": ca_body(lambda lab, found: found == bytes(len(lab.ca.dump()))),
    "ca-cut": ca_body(lambda lab, found: found == lab.ca.dump()[:-1]),
    "next-stranger": next_by(lambda lab, who: who.subject != lab.ca.subject and who.ca),
    "next-impostor": next_by(
        lambda lab, who: who.subject == lab.ca.subject and not is_next(lab, who)
    ),
    "next-itself": next_by(lambda lab, who: is_next(lab, who)),
    "next-device": next_by(lambda lab, who: issued_here(lab, who) and not who.ca),
    "next-below": next_by(lambda lab, who: issued_here(lab, who) and bool(who.ca)),
    "next-broken": Seen(lambda lab: not next_signed(lab).verifies(lab.ca), FOLLOWED),
    "next-none": Seen(
        lambda lab: next_signed(lab).verifies(lab.ca) and next_certificates(lab) == [], FOLLOWED
    ),
    "next-device-as-ca": Seen(
        lambda lab: next_signed(lab).verifies(lab.ca) and not next_certificates(lab)[0].ca, FOLLOWED
    ),
}  # fmt: skip


def is_next(lab: Lab, certificate: asn1.Certificate) -> bool:
    return certificate.dump() == lab.authority.next_set()[0].dump()


# -- HTTP ------------------------------------------------------------------------------------------


def answered(lab: Lab, limit: int = 8 * MIB) -> bytes:
    """What comes after a good request, up to a limit."""
    return lab.octets(lab.request("operation=PKIOperation", lab.message()), limit)


def pours(head: bytes, inside: bytes) -> Seen:
    """More comes than anybody wants; how much in all, another test counts."""

    def true(lab: Lab) -> bool:
        found = answered(lab)
        return len(found) >= 8 * MIB and found.startswith(head) and inside in found[:MIB]

    return Seen(true)


def soon(line: socket.socket) -> bytes | None:
    """What comes at once: b"" at the end, None when nothing does."""
    line.settimeout(SOON_S)
    try:
        return line.recv(4096)
    except TimeoutError:
        return None


def arrives(test: Callable[[socket.socket], bool]) -> Seen:
    def true(lab: Lab) -> bool:
        with lab.line(lab.request("operation=PKIOperation", lab.message())) as line:
            line.recv(1, socket.MSG_PEEK) if test is not silent else None
            return test(line)

    return Seen(true)


def silent(line: socket.socket) -> bool:
    return soon(line) is None


def drips(line: socket.socket) -> bool:
    return [len(soon(line) or b"") for _ in range(3)] == [1, 1, 1]


def drips_lines(line: socket.socket) -> bool:
    found = [line.recv(4096) for _ in range(3)]
    return found[0].startswith(b"HTTP/1.1 200") and found[1].startswith(b"X-") and bool(found[2])


def sticks(line: socket.socket) -> bool:
    found = b""
    while piece := soon(line):
        found += piece
    return piece is None and found.startswith(b"HTTP/1.1 200")


def lengths(found: bytes) -> list[bytes]:
    head = found.partition(b"\r\n\r\n")[0].split(b"\r\n")
    return [line for line in head if line.startswith((b"Content-Length", b"Transfer-Encoding"))]


def frame(test: Callable[[bytes, list[bytes]], bool]) -> Seen:
    """The body of an answer, and the headers that tell its length."""

    def true(lab: Lab) -> bool:
        found = answered(lab)
        return test(found.partition(b"\r\n\r\n")[2], lengths(found))

    return Seen(true)


OK = b"HTTP/1.1 200 OK\r\n"
TRANSPORT = {
    "http-huge": pours(OK + b"\r\n", bytes(4096)),
    "http-huge-length": pours(OK + b"Content-Length: 419430400\r\n\r\n", bytes(4096)),
    "http-huge-chunk": pours(OK, b"\r\n19000000\r\n"),
    "http-chunk-size": pours(OK, b"\r\n\r\n" + b"0" * 65_536),
    "http-headers": pours(OK, b"X-Flood: y\r\n" * 1000),
    "http-header": pours(OK + b"X-Long: ", b"x" * 65_536),
    "http-interim": pours(b"HTTP/1.1 100 Continue\r\n\r\n" * 100, b"100"),
    "http-drip": arrives(drips),
    "http-drip-header": arrives(drips_lines),
    "http-never": arrives(silent),
    "http-stuck": arrives(sticks),
    "http-closed": Seen(lambda lab: answered(lab) == b""),
    "http-cut": frame(lambda found, said: said == [b"Content-Length: %d" % (len(found) + 100)]),
    "http-length-twice": frame(lambda _, said: said[0] == b"Content-Length: 4" and len(said) == 2),
    "http-length-chunked": frame(
        lambda found, said: said[0] == b"Transfer-Encoding: chunked" and found[:1] == b"\x30"
    ),
    "http-length-short": frame(
        lambda found, said: said == [b"Content-Length: 4"] and len(found) > 4
    ),
    "http-length-words": frame(lambda _, said: said == [b"Content-Length: many"]),
    "http-garbage": Seen(lambda lab: answered(lab)[::-1].startswith(OK)),
    "http-other": Seen(lambda lab: answered(lab).startswith(b"220 mail")),
}


def older(lab: Lab) -> bool:
    """Whether after a roll-over the CA of before is told, and it alone."""
    before = lab.ca.dump()
    lab.authority.roll_over()
    return [one.dump() for one in lab.ca_set()] == [before]


PROVED: dict[str, Seen] = (
    SIGNERS | ATTRIBUTES | CONTENTS | ENVELOPES | CERTIFICATES | ENCODINGS | CA_SETS | TRANSPORT
)


def test_every_lie_is_proved() -> None:
    assert set(PROVED) == set(hostile.HOSTILE)
    assert len(hostile.HOSTILE) == sum(len(t) for t in hostile.TABLES), "a name comes twice"


@pytest.mark.parametrize("name", hostile.HOSTILE)
def test_a_lie_is_what_it_says(name: str) -> None:
    prove(PROVED[name], hostile.HOSTILE[name])


@pytest.mark.parametrize(
    "name", [name for name in TRANSPORT if "400 MiB" in hostile.HOSTILE[name].says]
)
def test_what_pours_comes_to_an_end(name: str) -> None:
    answer = answers.Answer(answers.PKI, 1, 200, answers.PKI_MESSAGE, b"body")
    total = sum(map(len, answers.pieces(hostile.HOSTILE[name].answer(answer))))
    assert 399 * MIB < total < 401 * MIB
