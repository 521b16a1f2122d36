"""The job `export`: certificates, and a private key under a password, as a file for others."""

from collections.abc import Sequence

from agent import limits, pem
from agent.errors import fail
from agent.scep import conversation, crypto, pbe, vault
from agent.scep.container import FORMATS
from agent.scep.jobmap import Answer, Job, items, one_of, submap, text_or_none
from agent.scep.text import clean

_KINDS = {"ca": "", "local": "", "key": ""}


def run(job: Job, files: Sequence[int]) -> Answer:
    """{kind, format, certificates: [der, own first], key, password} -> {data}

    DER is the first certificate alone. With a `key` map its private key goes along, encrypted; of
    kind key there must be one.
    """
    kind, form = one_of(job, "kind", _KINDS), one_of(job, "format", FORMATS)
    ders, password = items(job, "certificates", bytes), text_or_none(job, "password")
    key = None
    if job.get("key") is not None or kind == "key":
        key = _private(submap(job, "key"), files, password)
    if form == "pem":
        return {"data": _pem(ders, key, password or "")}
    if form == "der":
        return {"data": _der(ders, key)}
    return {"data": _pkcs12(ders, key, password)}


def _private(pair: Job, files: Sequence[int], password: str | None) -> crypto.PrivateKey:
    if not password:
        raise fail("export-password-missing")
    return conversation.load_key(pair, vault.device_key(files[0]))


def _pem(ders: list[bytes], key: crypto.PrivateKey | None, password: str) -> bytes:
    shrouded = [] if key is None else [pbe.shroud(crypto.private_der(key), password)]
    return pem.encode("ENCRYPTED PRIVATE KEY", shrouded) + pem.encode("CERTIFICATE", ders)


def _der(ders: list[bytes], key: crypto.PrivateKey | None) -> bytes:
    if key is not None:
        raise fail("export-format")
    if not ders:
        raise fail("job-request", field="certificates")
    return ders[0]


def _pkcs12(ders: list[bytes], key: crypto.PrivateKey | None, password: str | None) -> bytes:
    secret = password.encode() if password else None
    try:
        return crypto.make_pkcs12(key, ders, secret, limits.EXPORT_KDF_ROUNDS)
    except ValueError as error:
        raise fail("export-refused", reason=clean(str(error))) from None
