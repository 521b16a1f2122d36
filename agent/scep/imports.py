"""The job `import`: what a file brings, as records of a realm or of a key pair.

What a file says of itself is not believed: which certificate is the local one is told by the key,
and which of the others are its issuers by their signatures. Whether they chain to the realm's pin
is another question (`validation`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent import limits
from agent.errors import fail
from agent.scep import ber, ca_query, certificate, certmap, container, crypto, vault
from agent.scep.certificate import Certificate
from agent.scep.container import Contents
from agent.scep.jobmap import Answer, Job, field, one_of, submap, text_or_none

Seal = Callable[[crypto.PrivateKey], Answer]


def run(job: Job, files: Sequence[int]) -> Answer:
    """{kind, format, data, password, key, name, generation}; the answer depends on the kind.

    ca: {certificates: maps as `fetch-ca` gives them}. local: {certificate, chain: [der], key: None
    or {sealed, spki, bits}}; None too when the key in the file is the realm's own. key: {sealed,
    spki, bits, certificates}. `name` and `generation` are those of a key that comes in; without a
    name it is `import-other-key`.
    """
    kind = one_of(job, "kind", _KINDS)
    form = None if job.get("format") is None else one_of(job, "format", container.FORMATS)
    password = text_or_none(job, "password")
    found = container.read(field(job, "data", bytes), form, password, keys=kind != "ca")

    def sealed(key: crypto.PrivateKey) -> Answer:
        if job.get("name") is None:
            raise fail("import-other-key")
        name, generation = field(job, "name", str), field(job, "generation", int)
        sealed, spki = vault.seal_key(vault.device_key(files[0]), name, generation, key)
        return {"sealed": sealed, "spki": spki, "bits": key.key_size}

    return _KINDS[kind](job, found, sealed)


def _ca(job: Job, found: Contents, _sealed: Seal) -> Answer:
    own = [_bits(crypto.public_der(key)) for key in found.keys]
    members = [one for one in found.certificates if one.public_bits not in own]
    if not any(one.is_ca for one in members):
        raise fail("import-no-ca")
    return {"certificates": ca_query.arrived(members, job)}


def _key(_job: Job, found: Contents, sealed: Seal) -> Answer:
    if len(found.keys) != 1:
        raise fail("import-keys", count=len(found.keys))
    maps = [certmap.record(one) for one in found.certificates]
    return {**sealed(found.keys[0]), "certificates": maps}


def _local(job: Job, found: Contents, sealed: Seal) -> Answer:
    if len(found.keys) > 1:
        raise fail("import-keys", count=len(found.keys))
    realm = None if job.get("key") is None else field(submap(job, "key"), "spki", bytes)
    inside = crypto.public_der(found.keys[0]) if found.keys else None
    spki = inside or realm
    if spki is None:
        raise fail("import-no-key")
    what = "the private key in it" if inside else "the realm's key pair"
    own = _own(found.certificates, _bits(spki), what)
    comes_in = inside is not None and inside != realm
    return {
        "certificate": certmap.summary(own),
        "chain": _chain(own, found.certificates),
        "key": sealed(found.keys[0]) if comes_in else None,
    }


def _own(certificates: Sequence[Certificate], bits: bytes, what: str) -> Certificate:
    """The certificate of this key; of several (a renewal with the same key) the latest."""
    ours = [one for one in certificates if one.public_bits == bits]
    if not ours:
        raise fail("import-mismatch", count=len(certificates), key=what)
    own = max(ours, key=lambda one: (one.not_before_s, one.not_after_s))
    if len(own.der) > limits.CERTIFICATE_BYTES:
        raise fail("import-too-large", size=len(own.der), cap=limits.CERTIFICATE_BYTES)
    return own


def _bits(spki: bytes) -> bytes:
    return certificate.public_bits(ber.read(spki))


def _chain(own: Certificate, others: Sequence[Certificate]) -> list[bytes]:
    """DER of the issuers upwards, as far as the file goes."""
    chain = [own]
    while not chain[-1].issued_by(chain[-1]):
        last, above = chain[-1], (one for one in others if one.is_ca and one not in chain)
        parent = next((one for one in above if last.issued_by(one)), None)
        if parent is None:
            break
        chain.append(parent)
    return [one.der for one in chain[1:]]


_KINDS: dict[str, Callable[[Job, Contents, Seal], Answer]] = {
    "ca": _ca,
    "local": _local,
    "key": _key,
}
