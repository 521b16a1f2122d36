"""A small SCEP client of the tests' own, which can also send what no honest client sends.

Certificates and PKCS#10 come from `cryptography`, envelopes from the openssl command, the outer
layer from asn1crypto: nothing of the lab CA judges itself here.
"""

import datetime
import functools
import hashlib
import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from asn1crypto import cms, core
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import AttributeOID, NameOID

TIMEOUT_S = 20
HASHES = {
    "md5": hashes.MD5(),
    "sha1": hashes.SHA1(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
LEGACY = ("-provider", "legacy", "-provider", "default")
CIPHER_OPTIONS = {
    "des": ("-des-cbc", *LEGACY),
    "3des": ("-des3",),
    "aes128": ("-aes128",),
    "aes192": ("-aes192",),
    "aes256": ("-aes256",),
    "camellia": ("-camellia128",),
}
SCEP = "2.16.840.1.113733.1.9."
PKCS_REQ, RENEWAL_REQ, CERT_POLL, GET_CERT, GET_CRL = "19", "17", "20", "21", "22"
SUCCESS, FAILURE, PENDING = "0", "2", "3"
BAD_ALG, BAD_MESSAGE_CHECK, BAD_REQUEST, BAD_CERT_ID = "0", "1", "2", "4"

Send = Callable[[bytes], bytes]


@functools.cache
def rsa_key(number: int) -> rsa.RSAPrivateKey:
    """Key pairs cost time: a few, by number, for a whole run."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def dn(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def pkcs10(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    common_name: str,
    challenge: str | None = None,
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = (),
) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(dn(common_name))
    if challenge is not None:
        builder = builder.add_attribute(AttributeOID.CHALLENGE_PASSWORD, challenge.encode())
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def self_signed(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, common_name: str
) -> asn1.Certificate:
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(dn(common_name))
        .issuer_name(dn(common_name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return asn1.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))


def pem_of(certificate: asn1.Certificate) -> bytes:
    loaded = x509.load_der_x509_certificate(certificate.dump())
    return loaded.public_bytes(serialization.Encoding.PEM)


def key_pem(key: rsa.RSAPrivateKey) -> bytes:
    """PKCS#1, as scepclient wants it."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def encrypted(content: bytes, to: asn1.Certificate, cipher: str = "aes128", *options: str) -> bytes:
    """EnvelopedData, made by openssl."""
    with tempfile.TemporaryDirectory() as folder:
        recipient = Path(folder, "to.pem")
        recipient.write_bytes(pem_of(to))
        choice = CIPHER_OPTIONS[cipher]
        command = ["cms", "-encrypt", "-binary", "-outform", "DER", *choice]
        return openssl(*command, "-recip", str(recipient), *options, stdin=content)


def decrypted(enveloped: bytes, key: rsa.RSAPrivateKey) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder, "key.pem")
        own.write_bytes(key_pem(key))
        command = ["cms", "-decrypt", "-binary", "-inform", "DER", *LEGACY, "-inkey", str(own)]
        return openssl(*command, stdin=enveloped)


def openssl(*arguments: str, stdin: bytes = b"") -> bytes:
    done = subprocess.run(
        ["openssl", *arguments], input=stdin, capture_output=True, timeout=TIMEOUT_S, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def to_ber(der: bytes, piece: int = 100) -> bytes:
    """The same in the manner of BouncyCastle: indefinite lengths, octet strings in pieces.

    Every primitive [0] is taken for an OCTET STRING, which holds for a pkiMessage's two layers.
    """
    out, at = b"", 0
    while at < len(der):
        tag, content, at = element(der, at)
        if tag & 0x20:
            out += bytes((tag, 0x80)) + to_ber(content, piece) + b"\0\0"
        elif tag in (0x04, 0x80):
            parts = [content[i : i + piece] for i in range(0, len(content), piece)]
            inner = b"".join(tlv(0x04, part) for part in parts)
            out += bytes((tag | 0x20, 0x80)) + inner + b"\0\0"
        else:
            out += tlv(tag, content)
    return out


def element(der: bytes, at: int) -> tuple[int, bytes, int]:
    """Tag, content and end of the DER element at an offset."""
    tag, size, start = der[at], der[at + 1], at + 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(der[at + 2 : start], "big")
    return tag, der[start : start + size], start + size


def issuer_and_serial(certificate: asn1.Certificate) -> bytes:
    """What a GetCert or GetCRL asks for: the content."""
    named = {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
    der: bytes = cms.IssuerAndSerialNumber(named).dump()
    return der


class CertRep(NamedTuple):
    """A reply, as it was sent; nothing of it was checked."""

    signed: cms.SignedData
    attributes: dict[str, object]  # by the last number of a SCEP OID, or by the whole OID
    content: bytes | None

    @property
    def status(self) -> object:
        return self.attributes.get("3")

    @property
    def fail_info(self) -> object:
        return self.attributes.get("4")

    @property
    def text(self) -> object:
        return self.attributes.get("1.3.6.1.5.5.7.24.1")

    @property
    def cipher(self) -> str:
        """asn1crypto's name of the envelope's content cipher."""
        enveloped = cms.ContentInfo.load(self.content)["content"]
        info = enveloped["encrypted_content_info"]["content_encryption_algorithm"]
        name: str = info["algorithm"].native
        return name

    @property
    def recipient_serial(self) -> int:
        """Serial number of the certificate that the envelope is for."""
        enveloped = cms.ContentInfo.load(self.content)["content"]
        rid = enveloped["recipient_infos"][0].chosen["rid"].chosen
        serial: int = rid["serial_number"].native
        return serial

    @property
    def signer_info(self) -> cms.SignerInfo:
        return self.signed["signer_infos"][0]

    @property
    def certificates(self) -> list[asn1.Certificate]:
        return [choice.chosen for choice in self.signed["certificates"]]

    def leaf(self, key: rsa.RSAPrivateKey) -> asn1.Certificate:
        """The certificate inside the envelope."""
        assert self.content, f"no certificate: {self.attributes}"
        (choice,) = cms.ContentInfo.load(decrypted(self.content, key))["content"]["certificates"]
        return choice.chosen

    def verifies(self, certificate: asn1.Certificate) -> bool:
        """Whether this certificate's key signed the attributes and these cover the content."""
        info = self.signer_info
        digest = info["digest_algorithm"]["algorithm"].native
        covered = hashlib.new(digest, self.content or b"").digest()
        if self.attributes["1.2.840.113549.1.9.4"] != covered:
            return False
        key = serialization.load_der_public_key(certificate.public_key.dump())
        assert isinstance(key, rsa.RSAPublicKey)
        try:
            key.verify(
                info["signature"].native,
                info["signed_attrs"].untag().dump(),
                padding.PKCS1v15(),
                HASHES[digest],
            )
        except InvalidSignature:
            return False
        return True


def read_reply(body: bytes) -> CertRep:
    signed = cms.ContentInfo.load(body, strict=True)["content"]
    (info,) = signed["signer_infos"]
    attributes = {
        item["type"].dotted.removeprefix(SCEP): item["values"][0].native
        for item in info["signed_attrs"]
    }
    return CertRep(signed, attributes, signed["encap_content_info"]["content"].native)


class Shape(NamedTuple):
    """How a message is made, where it differs from what an honest client would send."""

    cipher: str = "aes128"
    digest: str = "sha256"
    envelope: bytes | None = None  # instead of the content, encrypted
    sign_with: rsa.RSAPrivateKey | None = None
    with_certificate: bool = True
    wire: Send = bytes  # applied to the whole message


HONEST = Shape()


class Device:
    """One applicant: a key, a signer, a transaction. Every part of it can be changed."""

    def __init__(
        self, to: asn1.Certificate, ca: asn1.Certificate, name: str = "dev1", key: int = 0
    ) -> None:
        self.to, self.ca, self.name, self.key = to, ca, name, rsa_key(key)
        self.signer, self.signer_key = self_signed(self.key, name), self.key
        self.transaction_id = os.urandom(16).hex()
        self.nonce = os.urandom(16)

    def enrol(self, send: Send, challenge: str | None = None, shape: Shape = HONEST) -> CertRep:
        return self.ask(send, PKCS_REQ, pkcs10(self.key, self.name, challenge), shape)

    def poll(self, send: Send, subject: str | None = None) -> CertRep:
        name = asn1.Name.load(dn(subject or self.name).public_bytes())
        names = core.SequenceOf([self.ca.subject, name], spec=asn1.Name)
        return self.ask(send, CERT_POLL, names.dump())

    def renew(self, send: Send, old: asn1.Certificate, new_key: int) -> CertRep:
        """RenewalReq, signed with the certificate in use; the new key becomes the device's."""
        self.signer, self.signer_key = old, self.key
        self.key = rsa_key(new_key)
        return self.ask(send, RENEWAL_REQ, pkcs10(self.key, self.name))

    def ask(self, send: Send, message_type: str, content: bytes, shape: Shape = HONEST) -> CertRep:
        return read_reply(send(shape.wire(self.message(message_type, content, shape))))

    def message(self, message_type: str, content: bytes, shape: Shape = HONEST) -> bytes:
        """A pkiMessage in DER."""
        envelope = shape.envelope
        if envelope is None:
            envelope = encrypted(content, self.to, shape.cipher)
        digest = hashlib.new(shape.digest, envelope).digest()
        signed: dict[str, object] = {
            "version": "v1",
            "digest_algorithms": [{"algorithm": shape.digest}],
            "encap_content_info": {"content_type": "data", "content": envelope},
            "signer_infos": [self._signer_info(self._attributes(message_type, digest), shape)],
        }
        if shape.with_certificate:
            signed["certificates"] = [cms.CertificateChoices("certificate", self.signer)]
        content_info = {"content_type": "signed_data", "content": cms.SignedData(signed)}
        der: bytes = cms.ContentInfo(content_info).dump()
        return der

    def _signer_info(self, attributes: cms.CMSAttributes, shape: Shape) -> dict[str, object]:
        key = shape.sign_with or self.signer_key
        known = HASHES.get(shape.digest, hashes.SHA256())
        names = {"issuer": self.signer.issuer, "serial_number": self.signer.serial_number}
        return {
            "version": "v1",
            "sid": cms.SignerIdentifier("issuer_and_serial_number", names),
            "digest_algorithm": {"algorithm": shape.digest},
            "signed_attrs": attributes,
            "signature_algorithm": {"algorithm": "rsassa_pkcs1v15"},
            "signature": key.sign(attributes.dump(), padding.PKCS1v15(), known),
        }

    def _attributes(self, message_type: str, digest: bytes) -> cms.CMSAttributes:
        rows = {
            "1.2.840.113549.1.9.3": core.ObjectIdentifier("1.2.840.113549.1.7.1"),
            "1.2.840.113549.1.9.4": core.OctetString(digest),
            SCEP + "2": core.PrintableString(message_type),
            SCEP + "5": core.OctetString(self.nonce),
            SCEP + "7": core.PrintableString(self.transaction_id),
        }
        ders = [
            tlv(0x30, core.ObjectIdentifier(oid).dump() + tlv(0x31, value.dump()))
            for oid, value in rows.items()
        ]
        return cms.CMSAttributes.load(tlv(0x31, b"".join(sorted(ders))))
