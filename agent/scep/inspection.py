"""The job `inspect`: certificates, requests and CRLs as text for people and as maps for programs.

One that cannot be read costs neither the job nor the others: its text is a line that says so, and
its map holds `error` alone.
"""

from __future__ import annotations

from collections.abc import Callable

from agent.scep import certificate, crl, crypto, describe, encodings, names, oids, request
from agent.scep.certmap import summary
from agent.scep.jobmap import Answer, Job, items, one_of
from agent.scep.text import clean


def run(job: Job) -> Answer:
    """{kind: certificate | request | crl, ders} -> {texts, items}

    What is shown may come from a file, so each may be encoded: the first object of it counts.
    """
    name = one_of(job, "kind", _KINDS)
    texts, maps = [], []
    for data in items(job, "ders", bytes):
        text, fields = _shown(name, data)
        texts.append(text)
        maps.append(fields)
    return {"texts": texts, "items": maps}


def _shown(kind: str, data: bytes) -> tuple[str, Answer]:
    title, show = _KINDS[kind]
    try:
        found = encodings.first(data)
        text, fields = show(found)
    except ValueError as error:
        line = f"{title}: {len(data)} bytes that cannot be read ({clean(str(error))})"
        return line, {"error": line}
    prints = {name: crypto.digest(digest, found).hex() for name, digest in _PRINTS.items()}
    return text, {**fields, **prints}


_PRINTS = {"sha1": "sha1", "sha256": "sha-256"}


def _certificate(data: bytes) -> tuple[str, Answer]:
    cert = certificate.read(data)
    fields = {name: value for name, value in summary(cert).items() if name != "der"}
    usages = _usages(cert.spki, cert.signature, cert.extensions)
    return describe.certificate_text(cert), {**fields, **usages, "is_ca": cert.is_ca}


def _request(data: bytes) -> tuple[str, Answer]:
    pkcs10 = request.read(data)
    return describe.request_text(pkcs10), {
        "subject": names.shown(pkcs10.subject),
        **_usages(pkcs10.spki, pkcs10.signature, pkcs10.extensions),
        "challenge_password": oids.CHALLENGE_PASSWORD in pkcs10.attributes,
    }


def _usages(
    spki: bytes, signature: certificate.Signature, extensions: dict[str, certificate.Extension]
) -> Answer:
    usage = certificate.read_key_usage(extensions.get(oids.KEY_USAGE)) or ()
    purposes = certificate.read_purposes(extensions.get(oids.EXTENDED_KEY_USAGE)) or ()
    alternative = certificate.read_alternative_names(extensions.get(oids.SUBJECT_ALT_NAME))
    return {
        "key": describe.key_name(spki),
        "signature": signature.name,
        "subject_alternative_names": [names.shown_names([entry]) for entry in alternative],
        "key_usage": [name for name in certificate.KEY_USAGES if name in usage],
        "extended_key_usage": sorted(map(describe.purpose, purposes)),
    }


def _crl(data: bytes) -> tuple[str, Answer]:
    revocations = crl.read(data)
    revoked = [
        {
            "serial": describe.hexadecimal(entry.serial),
            "revoked_s": entry.revoked_s,
            "reason": entry.reason,
        }
        for entry in revocations.revoked
    ]
    return describe.crl_text(revocations), {
        "issuer": names.shown(revocations.issuer),
        "signature": revocations.signature.name,
        "this_update_s": revocations.this_update_s,
        "next_update_s": revocations.next_update_s,
        "revoked_count": revocations.total,
        "revoked": revoked,
    }


_KINDS: dict[str, tuple[str, Callable[[bytes], tuple[str, Answer]]]] = {
    "certificate": ("Certificate", _certificate),
    "request": ("Request", _request),
    "crl": ("CRL", _crl),
}
