"""The jobs of the protocol: one function for each operation, a map in, a map out.

What comes from the CA is checked by `trust`; the job itself comes from our own agent. A function
raises PeerError or LocalError and nothing else. `files[0]` is the device key, open for reading;
`activate` gets its staging files after it.
"""

import base64
import os
from collections.abc import Callable, Sequence

from agent import limits
from agent.errors import fail
from agent.scep import certificate, crypto, der, describe, discovery, transaction, vault
from agent.scep.border import reading
from agent.scep.jobmap import Answer, Job, field, items, submap
from hal.ports import Link

_PEM_LINE = 64


def generate_key(job: Job, files: Sequence[int], _link: Link) -> Answer:
    """{name, generation, bits} -> {sealed, spki, bits}"""
    bits = field(job, "bits", int)
    if not limits.KEY_BITS[0] <= bits <= limits.KEY_BITS[1]:
        raise fail("job-request", field="bits")
    name, generation = field(job, "name", str), field(job, "generation", int)
    sealed, spki = vault.generate(vault.device_key(files[0]), name, generation, bits)
    return {"sealed": sealed, "spki": spki, "bits": bits}


def seal(job: Job, files: Sequence[int], _link: Link) -> Answer:
    """{plain} -> {sealed}: the text form of a password"""
    key = vault.device_key(files[0])
    return {"sealed": vault.seal_password(key, field(job, "plain", str))}


def check_sealed(job: Job, files: Sequence[int], _link: Link) -> Answer:
    """{sealed} -> {}, or the error `sealed-foreign`"""
    vault.unseal_password(vault.device_key(files[0]), field(job, "sealed", str))
    return {}


def fetch_ca(job: Job, _files: Sequence[int], link: Link) -> Answer:
    """{url, ca_id, source, ra} -> {caps, certificates, notes}"""
    return discovery.fetch(job, link)


def enrol(job: Job, files: Sequence[int], link: Link) -> Answer:
    """-> {status: issued, certificate, chain, notes} or {status: pending, notes}"""
    return transaction.enrol(job, vault.device_key(files[0]), link)


def poll(job: Job, files: Sequence[int], link: Link) -> Answer:
    """The map of `enrol`, and its answers"""
    return transaction.poll(job, vault.device_key(files[0]), link)


def inspect(job: Job, _files: Sequence[int], _link: Link) -> Answer:
    """{ders} -> {texts, items}"""
    ders = items(job, "ders", bytes)
    return {"texts": [describe.text(data) for data in ders], "items": [{} for _ in ders]}


def activate(job: Job, files: Sequence[int], _link: Link) -> Answer:
    """{key, certificate, chain, ca} -> {}; writes PEM into the files 1 to 5.

    They are cert.pem, chain.pem, ca.pem, key.pem and bundle.pem, new and empty. The agent never
    holds the private key: it is unsealed here, straight into the file.
    """
    key = transaction.load_key(submap(job, "key"), vault.device_key(files[0]))
    data = field(job, "certificate", bytes)
    with reading("issued-malformed", data):
        ours = certificate.read(data).public_bits
    if ours != certificate.public_bits(der.read(crypto.public_der(key))):
        raise fail("key-mismatch", other="the certificate")
    own, chain = _pem("CERTIFICATE", [data]), _pem("CERTIFICATE", items(job, "chain", bytes))
    secret = _pem("PRIVATE KEY", [crypto.private_der(key)])
    ca = _pem("CERTIFICATE", items(job, "ca", bytes))
    for descriptor, text in zip(
        files[1:], (own, chain, ca, secret, secret + own + chain), strict=True
    ):
        _write(descriptor, text)
    return {}


def _pem(label: str, ders: Sequence[bytes]) -> bytes:
    return "".join(_block(label, base64.b64encode(data).decode()) for data in ders).encode()


def _block(label: str, encoded: str) -> str:
    lines = [encoded[at : at + _PEM_LINE] for at in range(0, len(encoded), _PEM_LINE)]
    return "\n".join((f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""))


def _write(descriptor: int, data: bytes) -> None:
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError as error:
        raise fail("storage-failed", reason=error.strerror) from None


OPS: dict[str, Callable[[Job, Sequence[int], Link], Answer]] = {
    "generate-key": generate_key,
    "seal": seal,
    "check-sealed": check_sealed,
    "fetch-ca": fetch_ca,
    "enrol": enrol,
    "poll": poll,
    "inspect": inspect,
    "activate": activate,
}
