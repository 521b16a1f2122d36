"""The miniature CA at work: it reads requests and answers them.

Every answer can be wrong in one chosen way: `cert_rep(received, ca, None, nonce=b"...")`.
"""

import os
from typing import Any, NamedTuple

from asn1crypto import cms, csr, x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from agent.scep import crypto
from tests.helpers.scep_lab import HASHES, Party, certificate, key, signed


class Received(NamedTuple):
    """A pkiMessage as this CA reads it; `content` is what the envelope held."""

    attributes: dict[str, Any]
    signer: x509.Certificate
    content: bytes
    envelope: cms.EnvelopedData
    message: cms.SignedData


def receive(data: bytes, recipient: Party) -> Received:
    """Reads and verifies a request; assertions say what is wrong with it."""
    message = cms.ContentInfo.load(data, strict=True)["content"]
    info = message["signer_infos"][0]
    attributes = {a["type"].native: a["values"][0].native for a in info["signed_attrs"]}
    signer = message["certificates"][0].chosen
    assert info["sid"].chosen["serial_number"].native == signer.serial_number
    digest = info["digest_algorithm"]["algorithm"].native
    content = message["encap_content_info"]["content"].native
    hasher = hashes.Hash(HASHES[digest]())
    hasher.update(content)
    assert attributes["message_digest"] == hasher.finalize()
    signed = b"\x31" + info["signed_attrs"].dump()[1:]
    loaded = serialization.load_der_public_key(signer.public_key.dump())
    loaded.verify(info["signature"].native, signed, padding.PKCS1v15(), HASHES[digest]())
    envelope = cms.ContentInfo.load(content, strict=True)["content"]
    return Received(attributes, signer, _open(envelope, recipient), envelope, message)


def _open(envelope: cms.EnvelopedData, recipient: Party) -> bytes:
    to = envelope["recipient_infos"][0].chosen
    assert to["rid"].chosen["serial_number"].native == recipient.cert.serial_number
    secret = key(recipient.key).decrypt(to["encrypted_key"].native, padding.PKCS1v15())
    info = envelope["encrypted_content_info"]
    algorithm = info["content_encryption_algorithm"]
    cipher = {"aes128_cbc": "aes128", "aes256_cbc": "aes256", "tripledes_3key": "3des"}[
        algorithm["algorithm"].native
    ]
    iv = algorithm["parameters"].native
    plain = crypto.decrypt_cbc(cipher, secret, iv, info["encrypted_content"].native)
    assert plain is not None
    return plain


def read_request(content: bytes) -> csr.CertificationRequest:
    """The PKCS#10, its own signature verified."""
    request = csr.CertificationRequest.load(content, strict=True)
    info = request["certification_request_info"]
    digest = request["signature_algorithm"].hash_algo
    spki = serialization.load_der_public_key(info["subject_pk_info"].dump())
    spki.verify(request["signature"].native, info.dump(), padding.PKCS1v15(), HASHES[digest]())
    return request


def cert_rep(received: Received, signer: Party, inner: bytes | None, **how: Any) -> bytes:
    """A CertRep around an envelope (SUCCESS) or without one; how: status, transaction, nonce, kind,
    fail_info, fail_info_text, hresult, content, and what `signed` takes."""
    attributes = {
        "transaction_id": how.pop("transaction", received.attributes["transaction_id"]),
        "message_type": how.pop("kind", "3"),
        "pki_status": how.pop("status", "0"),
        "recipient_nonce": how.pop("nonce", received.attributes["sender_nonce"]),
        "sender_nonce": how.pop("sender_nonce", os.urandom(16)),
        "fail_info": how.pop("fail_info", None),
        "fail_info_text": how.pop("fail_info_text", None),
        "hresult": how.pop("hresult", None),
    }
    attributes.update(how.pop("attributes", {}))
    return signed(inner, attributes, signer, **how)


def issue(request: csr.CertificationRequest, issuer: Party, **how: Any) -> bytes:
    """A certificate for a request: its subject, key and alternative names unless `how` differs."""
    info = request["certification_request_info"]
    spki = how.pop("spki", info["subject_pk_info"].dump())
    wanted = {e["extn_id"].native: e["extn_value"].parsed for e in requested_extensions(request)}
    if "subject_alt_name" in wanted:
        how.setdefault("sans", wanted["subject_alt_name"])
    subject = how.pop("subject", None) or info["subject"]
    return certificate(subject, "nobody", issuer, spki=spki, **how).der


def requested_extensions(request: csr.CertificationRequest) -> list[Any]:
    for attribute in request["certification_request_info"]["attributes"]:
        if attribute["type"].native == "extension_request":
            return list(attribute["values"][0])
    return []
