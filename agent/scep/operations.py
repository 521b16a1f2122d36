"""The jobs of the protocol: one function for each operation, a map in, a map out.

What comes from the CA is checked by `trust`; the job itself comes from our own agent. A function
raises PeerError or LocalError and nothing else. Its hands hold what it has beside the map: where
nothing comes from a CA, the device key as the first descriptor; else whoever keeps the keys
(`keys.py`), and the staging files of `activate`.
"""

from __future__ import annotations

from collections.abc import Callable

from agent import limits, pem
from agent.errors import fail
from agent.scep import (
    ber,
    ca_query,
    certificate,
    crl_fetch,
    enrol,
    exports,
    getcert,
    imports,
    inspection,
    login,
    nextca,
    prospects,
    served,
    validation,
    vault,
    webfile,
)
from agent.scep.border import reading
from agent.scep.jobmap import Answer, Job, field, submap, text_or_none
from agent.scep.keys import Hands, write
from hal.ports import Link


def generate_key(job: Job, hands: Hands, _link: Link) -> Answer:
    """{name, generation, bits} -> {sealed, spki, bits}"""
    bits = field(job, "bits", int)
    if not limits.KEY_BITS[0] <= bits <= limits.KEY_BITS[1]:
        raise fail("job-request", field="bits")
    name, generation = field(job, "name", str), field(job, "generation", int)
    sealed, spki = vault.generate(hands.device_key, name, generation, bits)
    return {"sealed": sealed, "spki": spki, "bits": bits}


def seal(job: Job, hands: Hands, _link: Link) -> Answer:
    """{plain, before} -> {sealed}: the text form of a password; `before`, a sealed form or None,
    is given back when it holds the same password"""
    key, before = hands.device_key, text_or_none(job, "before")
    return {"sealed": vault.seal_again(key, field(job, "plain", str), before)}


def check_sealed(job: Job, hands: Hands, _link: Link) -> Answer:
    """{sealed} -> {}, or the error `sealed-foreign`"""
    vault.unseal_password(hands.device_key, field(job, "sealed", str))
    return {}


def hash_password(job: Job, _hands: Hands, _link: Link) -> Answer:
    """{plain, before} -> {hash}: one word for a configuration; `before` as in `seal`"""
    return {"hash": login.hashed(field(job, "plain", str), text_or_none(job, "before"))}


def check_password(job: Job, _hands: Hands, _link: Link) -> Answer:
    """{plain, hash} -> {matches}, or the error `hash-unreadable`"""
    return {"matches": login.matches(field(job, "plain", str), field(job, "hash", str))}


def fetch_ca(job: Job, _hands: Hands, link: Link) -> Answer:
    """{url, ca_id, source, ra, stored, ...} -> {caps, certificates, notes}"""
    return ca_query.fetch(job, link)


def first(job: Job, hands: Hands, link: Link) -> Answer:
    """-> {status: issued, certificate, chain, ra_proven, notes} or {status: pending, notes}"""
    return enrol.enrol(job, hands, link)


def poll(job: Job, hands: Hands, link: Link) -> Answer:
    """The map of `enrol`, and its answers"""
    return enrol.poll(job, hands, link)


def get_cert(job: Job, hands: Hands, link: Link) -> Answer:
    """The map of `enrol` and {serial}; its answer when it was issued"""
    return getcert.get(job, hands, link)


def next_ca(job: Job, _hands: Hands, link: Link) -> Answer:
    """-> {certificates, message, via, notes}: the CA that follows, as the pinned one says"""
    return nextca.fetch(job, link)


def fetch_crl(job: Job, _hands: Hands, link: Link) -> Answer:
    """-> {crl, issuer, this_update_s, next_update_s, count, source, notes}: by HTTP"""
    return crl_fetch.fetch(job, link)


def get_crl(job: Job, hands: Hands, link: Link) -> Answer:
    """The answers of `fetch-crl`: by SCEP, signed with the certificate in use"""
    return crl_fetch.get(job, hands, link)


def import_crl(job: Job, _hands: Hands, _link: Link) -> Answer:
    """{name, data, ...} -> the answers of `fetch-crl`: from a file of device storage"""
    return crl_fetch.from_file(job)


def fetch_file(job: Job, _hands: Hands, link: Link) -> Answer:
    """{url, source, ...} -> {data}: whatever stands at the URL, unread"""
    return {"data": webfile.fetched(job, link, limits.IMPORT_BYTES, "file-unreachable")}


def request(job: Job, hands: Hands, _link: Link) -> Answer:
    """{entity, key_usage, digest, key, password} -> {request}: a PKCS#10 for somebody to carry"""
    return enrol.offline(job, hands.device_key)


def inspect(job: Job, _hands: Hands, _link: Link) -> Answer:
    """{kind, ders} -> {texts, items}"""
    return inspection.run(job)


def diagnose(job: Job, _hands: Hands, _link: Link) -> Answer:
    """{ca, ra, caps, digest, ...} -> {recipient, notes}"""
    return prospects.run(job)


def validate(job: Job, _hands: Hands, _link: Link) -> Answer:
    """{kind, certificate, chain, ca, ...} -> {rows, chain}"""
    return validation.run(job)


def import_(job: Job, hands: Hands, _link: Link) -> Answer:
    """{kind, format, data, password, key, name, generation} -> what the kind brings"""
    return imports.run(job, hands)


def export(job: Job, hands: Hands, _link: Link) -> Answer:
    """{kind, format, certificate, ca, key, password, ...} -> {data}"""
    return exports.run(job, hands)


def activate(job: Job, hands: Hands, _link: Link) -> Answer:
    """{key, certificate, chain, ca, ...} -> {chain, ca, notes}; writes PEM into the files.

    They are cert.pem, chain.pem, ca.pem and bundle.pem, new and empty. Whoever holds the key has
    written it into key.pem, and at the beginning of bundle.pem; it never comes here, where
    certificates are read that came from a CA. `chain` and `ca` of the answer are what was written,
    as DER.
    """
    spki, data = field(submap(job, "key"), "spki", bytes), field(job, "certificate", bytes)
    with reading("issued-malformed", data):
        ours = certificate.read(data).public_bits
    if ours != certificate.public_bits(ber.read(spki)):
        raise fail("key-mismatch", other="the certificate")
    trust = served.of(job, data)
    own, chain, ca = (pem.encode("CERTIFICATE", d) for d in ([data], trust.chain, trust.ca))
    hands.held.ready()
    for descriptor, text in zip(hands.files, (own, chain, ca, own + chain), strict=True):
        write(descriptor, text)
    notes = [trust.note] if trust.note else []
    return {"chain": trust.chain, "ca": trust.ca, "notes": notes}


OPS: dict[str, Callable[[Job, Hands, Link], Answer]] = {
    "generate-key": generate_key,
    "seal": seal,
    "check-sealed": check_sealed,
    "hash-password": hash_password,
    "check-password": check_password,
    "fetch-ca": fetch_ca,
    "enrol": first,
    "poll": poll,
    "get-cert": get_cert,
    "next-ca": next_ca,
    "fetch-crl": fetch_crl,
    "get-crl": get_crl,
    "import-crl": import_crl,
    "fetch-file": fetch_file,
    "request": request,
    "inspect": inspect,
    "diagnose": diagnose,
    "validate": validate,
    "import": import_,
    "export": export,
    "activate": activate,
}
