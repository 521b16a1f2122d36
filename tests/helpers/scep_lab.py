"""A miniature CA on asn1crypto for the tests of the protocol core: shares no code with it.

Here are its certificates and the messages that it can make; `scep_ca.py` answers requests.
"""

import functools
import os
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from asn1crypto import algos, cms, core, keys, pem, x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from agent.scep import crypto
from agent.scep.keys import OwnKey

NOW_S = 1_800_000_000
DAY_S = 86_400
HASHES = {
    "md5": hashes.MD5, "sha1": hashes.SHA1, "sha256": hashes.SHA256, "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}  # fmt: skip
ATTRIBUTES = {
    "2.16.840.1.113733.1.9.2": ("message_type", core.PrintableString),
    "2.16.840.1.113733.1.9.3": ("pki_status", core.PrintableString),
    "2.16.840.1.113733.1.9.4": ("fail_info", core.PrintableString),
    "2.16.840.1.113733.1.9.5": ("sender_nonce", core.OctetString),
    "2.16.840.1.113733.1.9.6": ("recipient_nonce", core.OctetString),
    "2.16.840.1.113733.1.9.7": ("transaction_id", core.PrintableString),
    "1.3.6.1.5.5.7.24.1": ("fail_info_text", core.UTF8String),
    "1.3.6.1.4.1.311.21.33": ("hresult", core.PrintableString),
}


GIVEN: dict[str, rsa.RSAPrivateKey] = {}  # keys that were made elsewhere, by name


def _register() -> None:
    for oid, (name, kind) in ATTRIBUTES.items():
        cms.CMSAttributeType._map[oid] = name
        many = type(f"SetOf{name}", (core.SetOf,), {"_child_spec": kind})
        cms.CMSAttribute._oid_specs[name] = many


_register()


@functools.cache
def key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """One key for each name and process: keys are slow, and these are nobody's."""
    if name in GIVEN:
        return GIVEN[name]
    return rsa.generate_private_key(65537, 1024 if name == "1024 bits" else bits)


@functools.cache
def own(name: str, *bits: int) -> OwnKey:
    """The same key as the product holds one."""
    return OwnKey(key(name, *bits))


def private_der(name: str) -> bytes:
    return key(name).private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def public_der(name: str) -> bytes:
    return (
        key(name)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def sign(name: str, data: bytes, digest: str) -> bytes:
    return key(name).sign(data, padding.PKCS1v15(), HASHES[digest]())


class Party(NamedTuple):
    """A certificate with the name of its key."""

    key: str
    cert: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.cert.dump()


def pem_of(*parties: Party) -> bytes:
    return b"".join(pem.armor("CERTIFICATE", party.der) for party in parties)


def certificate(subject: Any, key_name: str, issuer: Party | None, **how: Any) -> Party:
    """A certificate; `how`: ca, path, usage, purposes, sans, digest, serial, days, start_s, spki,
    version, issuer_key, issuer_name, more: (identifier, critical, DER) of further extensions."""
    name = subject if isinstance(subject, x509.Name) else x509.Name.build(subject)
    digest = how.get("digest", "sha256")
    start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=how.get("start_s", NOW_S - DAY_S))
    algorithm = {"algorithm": f"{digest}_rsa"}
    spki = how.get("spki") or public_der(key_name)
    fields: dict[str, Any] = {
        "version": how.get("version", "v3"),
        "serial_number": how.get("serial", int.from_bytes(os.urandom(8), "big")),
        "signature": algorithm,
        "issuer": how.get("issuer_name") or (issuer.cert.subject if issuer else name),
        "validity": {
            "not_before": x509.Time({"utc_time": start}),
            "not_after": x509.Time({"utc_time": start + timedelta(days=how.get("days", 365))}),
        },
        "subject": name,
        "subject_public_key_info": keys.PublicKeyInfo.load(spki),
    }
    if fields["version"] == "v3":
        fields["extensions"] = _extensions(how)
    tbs = x509.TbsCertificate(fields)
    signer = how.get("issuer_key") or (issuer.key if issuer else key_name)
    made = x509.Certificate(
        {
            "tbs_certificate": tbs,
            "signature_algorithm": algorithm,
            "signature_value": sign(signer, tbs.dump(), digest),
        }
    )
    return Party(key_name, x509.Certificate.load(made.dump()))


def _extensions(how: dict[str, Any]) -> list[Any]:
    constraints: dict[str, Any] = {"ca": how.get("ca", False)}
    if "path" in how:
        constraints["path_len_constraint"] = how["path"]
    found: list[Any] = [
        {"extn_id": "basic_constraints", "critical": True, "extn_value": constraints}
    ]
    if "usage" in how:
        found.append({"extn_id": "key_usage", "critical": True, "extn_value": how["usage"]})
    if "purposes" in how:
        found.append({"extn_id": "extended_key_usage", "extn_value": how["purposes"]})
    if "sans" in how:
        found.append({"extn_id": "subject_alt_name", "critical": False, "extn_value": how["sans"]})
    for dotted, critical, value in how.get("more", ()):
        flag = core.Boolean(True).dump() if critical else b""
        raw = core.ObjectIdentifier(dotted).dump() + flag + tlv(4, value)
        found.append(x509.Extension.load(tlv(0x30, raw)))
    if "key_id" in how:
        found.append({"extn_id": "key_identifier", "critical": False, "extn_value": how["key_id"]})
    return found


@functools.cache
def root() -> Party:
    return certificate({"country_name": "DE", "common_name": "Lab Root"}, "root", None, ca=True,
                       usage={"key_cert_sign", "crl_sign"})  # fmt: skip


@functools.cache
def sub() -> Party:
    return certificate({"common_name": "Lab Sub"}, "sub", root(), ca=True, path=0)


@functools.cache
def ra_pair() -> tuple[Party, Party]:
    """(for encryption, for signatures), as NDES has them: both for enrollment agents."""
    agent = {"purposes": ["1.3.6.1.4.1.311.20.2.1"]}
    return (
        certificate(
            {"common_name": "RA enc"}, "ra-enc", root(), usage={"key_encipherment"}, **agent
        ),
        certificate(
            {"common_name": "RA sig"}, "ra-sig", root(), usage={"digital_signature"}, **agent
        ),
    )


def stored(*parties: Party, pin: Party | None = None, roots: tuple[Party, ...] = ()) -> Any:
    """A stored CA as jobs carry it; the first one is pinned unless told otherwise."""
    digest = (pin or parties[0]).cert.sha256.hex()
    return {
        "certificates": [party.der for party in parties],
        "pin": digest,
        "anchor": {"algorithm": "sha256", "hex": digest},
        "lineage": [],
        "roots": [{"algorithm": "sha256", "hex": root.cert.sha256.hex()} for root in roots],
    }


# By which rules a job judges, when nothing weak is allowed and the clock is right.
JUDGED: dict[str, Any] = {"weak": [], "now_s": NOW_S, "clock_trusted": True}


# -- messages --------------------------------------------------------------------------------------

_CIPHER_OIDS = {
    "des": "1.3.14.3.2.7", "3des": "1.2.840.113549.3.7", "aes128": "2.16.840.1.101.3.4.1.2",
    "aes192": "2.16.840.1.101.3.4.1.22", "aes256": "2.16.840.1.101.3.4.1.42",
}  # fmt: skip


DATA = core.ObjectIdentifier("1.2.840.113549.1.7.1").dump()


def degenerate(certificates: list[bytes]) -> bytes:
    """Certificates in the order given, not sorted, as real CAs send them."""
    body = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [],
            "encap_content_info": {"content_type": "data"},
            "signer_infos": [],
        }
    ).dump()
    head = cms.SignedData.load(body)
    parts = b"".join(field.dump() for field in (head["version"], head["digest_algorithms"],
                                                 head["encap_content_info"]))  # fmt: skip
    tail = head["signer_infos"].dump()
    inner = tlv(0x30, parts + tlv(0xA0, b"".join(certificates)) + tail)
    return tlv(0x30, core.ObjectIdentifier("1.2.840.113549.1.7.2").dump() + tlv(0xA0, inner))


def tlv(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 128:
        return bytes((tag, length)) + content
    size = (length.bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + length.to_bytes(size, "big") + content


def seal(plain: bytes, recipient: x509.Certificate, cipher: str = "aes128", **how: Any) -> bytes:
    """EnvelopedData; how: constructed, oaep, label, spki, content_key, serial, broken."""
    content_key = how.get("content_key") or os.urandom(crypto.KEY_BYTES[cipher])
    iv = os.urandom(crypto.block_bytes(cipher))
    secret = crypto.encrypt_cbc(cipher, content_key, iv, plain)
    if "broken" in how:
        secret = secret[:-1] + bytes((secret[-1] ^ 1,))
    spki = serialization.load_der_public_key(how.get("spki") or recipient.public_key.dump())
    scheme: padding.AsymmetricPadding = padding.PKCS1v15()
    transport: Any = {"algorithm": "rsaes_pkcs1v15"}
    if "oaep" in how:
        label = how.get("label")
        scheme = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), label or None)
        transport = {
            "algorithm": "rsaes_oaep",
            "parameters": {
                "hash_algorithm": {"algorithm": "sha256"},
                "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": "sha256"}},
            },
        }
        if label is not None:
            transport["parameters"] = _spelt_out(transport["parameters"], label)
    recipient_info = cms.KeyTransRecipientInfo(
        {
            "version": "v0",
            "rid": cms.IssuerAndSerialNumber(
                {
                    "issuer": recipient.issuer,
                    "serial_number": how.get("serial", recipient.serial_number),
                }
            ),
            "key_encryption_algorithm": transport,
            "encrypted_key": spki.encrypt(content_key, scheme),
        }
    )
    # micromdm sends [0] constructed around one OCTET STRING
    body = tlv(0xA0, tlv(4, secret)) if "constructed" in how else tlv(0x80, secret)
    algorithm = tlv(0x30, core.ObjectIdentifier(_CIPHER_OIDS[cipher]).dump() + tlv(4, iv))
    info = tlv(0x30, core.ObjectIdentifier("1.2.840.113549.1.7.1").dump() + algorithm + body)
    inner = tlv(0x30, b"\x02\x01\x00" + tlv(0x31, recipient_info.dump()) + info)
    return tlv(0x30, core.ObjectIdentifier("1.2.840.113549.1.7.3").dump() + tlv(0xA0, inner))


def _spelt_out(parameters: dict[str, Any], label: bytes) -> algos.RSAESOAEPParams:
    """Parameters with their pSourceAlgorithm, which DER leaves out when the label is empty."""
    named = core.ObjectIdentifier("1.2.840.113549.1.1.9").dump() + tlv(4, label)
    content = algos.RSAESOAEPParams(parameters).contents
    return algos.RSAESOAEPParams.load(tlv(0x30, content + tlv(0xA2, tlv(0x30, named))))


def signed(content: bytes | None, attributes: dict[str, Any], signer: Party, **how: Any) -> bytes:
    """SignedData; how: digest, certificates, by_key_id, signature_algorithm, other_key, called (the
    last digit of eContentType, which is that of data)."""
    digest = how.get("digest", "sha256")
    hasher = hashes.Hash(HASHES[digest]())
    hasher.update(content or b"")
    values = {"content_type": "data", "message_digest": hasher.finalize(), **attributes}
    attrs = cms.CMSAttributes(
        [{"type": name, "values": [value]} for name, value in values.items() if value is not None]
    )
    signature = sign(how.get("other_key", signer.key), attrs.dump(), digest)
    sid: Any = cms.IssuerAndSerialNumber(
        {"issuer": signer.cert.issuer, "serial_number": signer.cert.serial_number}
    )
    if "by_key_id" in how:
        sid = core.OctetString(signer.cert.key_identifier, implicit=("context", 0))
    encap: dict[str, Any] = {"content_type": "data"}
    if content is not None:
        encap["content"] = content
    body: dict[str, Any] = {
        "version": "v1",
        "digest_algorithms": [{"algorithm": digest}],
        "encap_content_info": encap,
        "signer_infos": [
            {
                "version": "v1",
                "sid": cms.SignerIdentifier({"subject_key_identifier": sid})
                if "by_key_id" in how
                else cms.SignerIdentifier({"issuer_and_serial_number": sid}),
                "digest_algorithm": {"algorithm": digest},
                "signed_attrs": attrs,
                "signature_algorithm": {
                    "algorithm": how.get("signature_algorithm", "rsassa_pkcs1v15")
                },
                "signature": signature,
            }
        ],
    }
    certificates = how.get("certificates", [signer.cert])
    if certificates:
        body["certificates"] = certificates
    made: bytes = cms.ContentInfo({"content_type": "signed_data", "content": body}).dump()
    return made.replace(DATA, DATA[:-1] + bytes((how.get("called", DATA[-1]),)), 1)
