"""The job `export`: certificates, and a private key under a password, as a file for others."""

from __future__ import annotations

from agent import limits, pem
from agent.errors import fail
from agent.scep import crypto, pbe, served, vault
from agent.scep.container import FORMATS
from agent.scep.jobmap import Answer, Job, field, one_of, submap, text_or_none
from agent.scep.keys import Hands
from agent.scep.stored import ca_of, undated
from agent.scep.text import clean

_KINDS = {"ca": "", "local": "", "key": ""}


def run(job: Job, hands: Hands) -> Answer:
    """{kind, format, certificate, ca, key, password, ...} -> {data}

    `certificate`: the local one, None of kind ca or key; `ca`: the stored CA as `stored.ca_of`
    takes it, or None; `chain`: the stored chain of a certificate that this CA has not issued. DER
    is the first certificate alone. With a `key` map its private key goes along, encrypted; of kind
    key there must be one.
    """
    kind, form = one_of(job, "kind", _KINDS), one_of(job, "format", FORMATS)
    ders, password = _certificates(job, kind), text_or_none(job, "password")
    key = None
    if job.get("key") is not None or kind == "key":
        key = _private(submap(job, "key"), hands, password)
    if form == "pem":
        return {"data": _pem(ders, key, password or "")}
    if form == "der":
        return {"data": _der(ders, key)}
    return {"data": _pkcs12(ders, key, password)}


def _certificates(job: Job, kind: str) -> list[bytes]:
    """The local certificate and its chain, or what may be trusted, the pinned CA first."""
    if kind == "key":
        return []
    if kind == "local":
        own = field(job, "certificate", bytes)
        return [own, *served.of(job, own).chain]
    ca = ca_of(undated(job))
    return list(dict.fromkeys([ca.pin.der, *ca.served()]))


def _private(pair: Job, hands: Hands, password: str | None) -> crypto.PrivateKey:
    if not password:
        raise fail("export-password-missing")
    return vault.load_pair(pair, hands.device_key)


def _pem(ders: list[bytes], key: crypto.PrivateKey | None, password: str) -> bytes:
    shrouded = [] if key is None else [pbe.shroud(crypto.private_der(key), password)]
    return pem.encode("ENCRYPTED PRIVATE KEY", shrouded) + pem.encode("CERTIFICATE", ders)


def _der(ders: list[bytes], key: crypto.PrivateKey | None) -> bytes:
    if key is not None:
        raise fail("export-format")
    return ders[0]


def _pkcs12(ders: list[bytes], key: crypto.PrivateKey | None, password: str | None) -> bytes:
    from agent.scep import pkcs12  # loaded by the worker

    secret = password.encode() if password else None
    try:
        return pkcs12.made(key, ders, secret, limits.EXPORT_KDF_ROUNDS)
    except ValueError as error:
        raise fail("export-refused", reason=clean(str(error))) from None
