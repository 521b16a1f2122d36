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
from agent.scep.keys import Hands

Seal = Callable[[crypto.PrivateKey], Answer]


def run(job: Job, hands: Hands) -> Answer:
    """{kind, format, data, password, key, name, generation}; the answer depends on the kind.

    ca: {certificates: maps as `fetch-ca` gives them}. local: {certificate, chain: [der], key: None
    or {sealed, spki, bits}}; None too when the key in the file is the realm's own. key: {sealed,
    spki, bits, certificates}. `name` and `generation` are those of a key that comes in; without a
    name it is `import-other-key`.
    """
    kind = one_of(job, "kind", _KINDS)
    if job.get("format") is not None:  # typed; the octets decide (`container`)
        one_of(job, "format", container.FORMATS)
    password = text_or_none(job, "password")
    contents = container.read(field(job, "data", bytes), password, keys=kind != "ca")

    def sealed(key: crypto.PrivateKey) -> Answer:
        if job.get("name") is None:
            raise fail("import-other-key")
        name, generation = field(job, "name", str), field(job, "generation", int)
        sealed, spki = vault.seal_key(hands.device_key, name, generation, key)
        return {"sealed": sealed, "spki": spki, "bits": key.key_size}

    return _KINDS[kind](job, contents, sealed)


def _ca(job: Job, contents: Contents, _sealed: Seal) -> Answer:
    keys_bits = [_bits(crypto.public_der(key)) for key in contents.keys]
    others = [member for member in contents.certificates if member.public_bits not in keys_bits]
    members = ca_query.with_anchors(others, job)
    if not any(member.is_ca for member in members):
        raise fail("import-no-ca", left_out=contents.left_out)
    return {"certificates": ca_query.arrived(members, job)}


def _key(_job: Job, contents: Contents, sealed: Seal) -> Answer:
    if len(contents.keys) != 1:
        raise fail("import-keys", count=len(contents.keys))
    maps = [certmap.record(member) for member in contents.certificates]
    return {**sealed(contents.keys[0]), "certificates": maps}


def _local(job: Job, contents: Contents, sealed: Seal) -> Answer:
    if len(contents.keys) > 1:
        raise fail("import-keys", count=len(contents.keys))
    realm_spki = None if job.get("key") is None else field(submap(job, "key"), "spki", bytes)
    file_spki = crypto.public_der(contents.keys[0]) if contents.keys else None
    spki = file_spki or realm_spki
    if spki is None:
        raise fail("import-no-key")
    what = "the private key in it" if file_spki else "the realm's key pair"
    leaf = _own(contents, _bits(spki), what)
    comes_in = file_spki is not None and file_spki != realm_spki
    return {
        "certificate": certmap.summary(leaf),
        "chain": _chain(leaf, contents.certificates),
        "key": sealed(contents.keys[0]) if comes_in else None,
    }


def _own(contents: Contents, bits: bytes, what: str) -> Certificate:
    """The certificate of this key; of several (a renewal with the same key) the latest. In its form
    it is judged as one that the CA sends."""
    leaves = [leaf for leaf in contents.certificates if leaf.public_bits == bits]
    if not leaves:
        count, left_out = len(contents.certificates), contents.left_out
        raise fail("import-mismatch", count=count, key=what, left_out=left_out)
    newest = max(leaves, key=lambda leaf: (leaf.not_before_s, leaf.not_after_s))
    if len(newest.der) > limits.CERTIFICATE_BYTES:
        raise fail("import-too-large", size=len(newest.der), cap=limits.CERTIFICATE_BYTES)
    if fault := certificate.form_fault(newest):
        raise fail("issued-malformed", reason=fault)
    return newest


def _bits(spki: bytes) -> bytes:
    return certificate.public_bits(ber.read(spki))


def _chain(leaf: Certificate, others: Sequence[Certificate]) -> list[bytes]:
    """DER of the issuers upwards, as far as the file goes."""
    chain = [leaf]
    while not chain[-1].issued_by(chain[-1]):
        last, above = (
            chain[-1],
            (candidate for candidate in others if candidate.is_ca and candidate not in chain),
        )
        parent = next((candidate for candidate in above if last.issued_by(candidate)), None)
        if parent is None:
            break
        chain.append(parent)
    return [candidate.der for candidate in chain[1:]]


_KINDS: dict[str, Callable[[Job, Contents, Seal], Answer]] = {
    "ca": _ca,
    "local": _local,
    "key": _key,
}
