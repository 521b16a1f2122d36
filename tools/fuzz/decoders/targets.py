"""The decoders, as the product calls them: bytes in, nothing out, or one of our two errors.

Each row takes the bytes and the conversation that they belong to (`Place`). A signature is no
shelter: what lies behind one is also called directly, or signed and encrypted again on the way.
"""

import socket
from collections.abc import Callable, Mapping
from typing import NamedTuple

from agent import limits, pem
from agent.scep import (
    ca_query,
    caset,
    certmap,
    cms,
    cms_writer,
    container,
    crl,
    crl_check,
    crypto,
    der,
    foreign,
    imports,
    inspection,
    messages,
    oids,
    pbe,
    pfx,
    ra,
    relations,
    succession,
    tls,
    transport,
    trust,
)
from agent.scep.border import reading
from agent.scep.certificate import Certificate
from agent.scep.keys import Hands, OwnKey
from hal.ports import Interface, LinkError, LinkNews, Source
from tools.fuzz.decoders import corpus
from tools.fuzz.decoders.corpus import World

SENT_BYTES = 200 * 1024  # what a pair of sockets takes before anybody reads
PASSWORD = "pw"
_LABELS = ("CERTIFICATE", "PKCS12", "RSA PRIVATE KEY", "DATA", "ENCRYPTED PRIVATE KEY")
_SOURCE = Source(None, None, False, None)


class Place(NamedTuple):
    """A conversation, made ready once: what a reply must fit, and how the CA signs."""

    template: trust.Expected
    ca: OwnKey
    signer: Certificate

    @classmethod
    def of(cls, world: World) -> "Place":
        (signer,) = caset.readable([world.ca])
        return cls(world.expected(), OwnKey(crypto.load_own(world.ca_key)), signer)

    @property
    def expected(self) -> trust.Expected:
        """With notes of its own: a decoder adds to them."""
        return self.template._replace(notes=[])


class _Line:
    """A link whose server has answered already, and sends nothing more."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def interfaces(self) -> list[Interface]:
        return []

    def connect(self, _host: str, _port: int, _source: Source, _timeout_s: int) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SENT_BYTES)
            theirs.sendall(self._octets[:SENT_BYTES])
            theirs.shutdown(socket.SHUT_WR)
            self._kept = socket.socket(fileno=theirs.detach())
        return ours

    def news(self) -> LinkNews:
        raise LinkError("other", "nothing ever changes here")

    def close(self) -> None:
        self._kept.close()


def http(data: bytes, _place: Place) -> None:
    line = _Line(data)
    server = transport.Server("ca.example", 80, "/scep")
    try:
        transport.Exchange(server, line, _SOURCE).get("GetCACert", None, limits.CA_SET_BYTES)
    finally:
        line.close()


def capabilities(data: bytes, _place: Place) -> None:
    found = ca_query.capabilities(data[: limits.CAPS_BYTES])
    told(*found)


def ca_set(data: bytes, place: Place) -> None:
    ders = ca_query.ca_certificates(data)
    pinned = place.expected.ca
    for record in relations.described(caset.readable(ders), pinned.rules, ra.RaRules()):
        told(str(record["subject"]), str(record["issuer"]))
    caset.load([*ders, pinned.pin.der], caset.digits("sha256", pinned.pin), pinned.rules)


def cert_rep(data: bytes, place: Place) -> None:
    trust.accept(data, place.expected)


def attributes(data: bytes, place: Place) -> None:
    """A reply whose signed attributes these are, signed by the CA."""
    info = der.sequence(
        der.integer(1),
        cms_writer.issuer_and_serial(place.signer.issuer_der, place.signer.serial),
        cms_writer.algorithm(oids.DIGESTS["sha-256"]),
        der.explicit(0).to_bytes(1, "big") + data[1:],
        cms_writer.algorithm(oids.RSA),
        der.octet_string(place.ca.sign("sha-256", crypto.digest("sha-256", data))),
    )
    body = der.sequence(
        der.integer(1),
        der.set_of([cms_writer.algorithm(oids.DIGESTS["sha-256"])]),
        der.sequence(der.oid(oids.DATA)),
        der.set_of([info]),
    )
    signed = der.sequence(der.oid(oids.SIGNED_DATA), der.tlv(der.explicit(0), body))
    with reading("certrep-malformed", signed):
        message = cms.read_signed(signed)
        reply = messages.cert_rep(message, message.signers[0])
        told(reply.fail_text)
        told(trust.refusal(reply).what)
    trust.accept(signed, place.expected)


def envelope(data: bytes, place: Place) -> None:
    trust.opened(_reply(data), place.expected)


def inner(data: bytes, place: Place) -> None:
    """What an envelope holds, judged without one: the certificates, in the order of `trust`."""
    with reading("issued-malformed", b""):
        ders = cms.read_signed(data).certificates
        for one in caset.readable(ders):
            trust.check_subject(one, place.expected._replace(subject_match="key-only"))
            place.expected.ca.issuer_of(one)
            certmap.record(one)


def sealed(data: bytes, place: Place) -> None:
    """The same inside an envelope that is for us."""
    whole = cms_writer.encrypt(data, place.expected.signer, "aes128")
    trust.issued(_reply(whole), place.expected)


def revocation_list(data: bytes, place: Place) -> None:
    found = crl_check.der_of(data)
    with reading("crl-malformed", found):
        listed = crl.read(found)
        listed.entry_of(5)
        crl_check.dates_fault(listed, place.expected.ca.rules.now_s)
    crl_check.accept(found, place.expected.ca, [])


def next_ca(data: bytes, place: Place) -> None:
    link = succession.RollOver(place.signer.der, data)
    succession.members(link, place.expected.ca.rules, [])


def shown(kind: str) -> Callable[[bytes, Place], None]:
    """What `display pki` makes of a file."""

    def show(data: bytes, _place: Place) -> None:
        found = inspection.run({"kind": kind, "ders": [data]})
        told(*(line for text in _texts(found) for line in text.split("\n")))

    return show


def _texts(found: Mapping[str, object]) -> list[str]:
    texts = found["texts"]
    assert isinstance(texts, list)
    return texts


def imported(data: bytes, _place: Place) -> None:
    """A file for `pki import-certificate ca`."""
    imports.run({"kind": "ca", "format": None, "data": data, "password": None}, Hands())


def brought(data: bytes, _place: Place) -> None:
    """A file for `pki import-certificate local` or `pki import rsa-key-pair`, and as text."""
    if len(data) % 2:
        data = pem.encode(_LABELS[len(data) % len(_LABELS)], [data])
    found = container.read(data, PASSWORD, keys=True)
    told(found.left_out)


def unlocked(data: bytes, _place: Place) -> None:
    """PKCS#12 by our own reader, which the library comes before."""
    with reading("import-unreadable", data):
        pbe.demand(data)
        for key in pfx.read(data, PASSWORD).keys:
            foreign.of_data(key)


def trust_file(data: bytes, _place: Place) -> None:
    """The file of `https ca-file`."""
    tls.context(data, "web.pem", check_dates=True)


def protected(data: bytes, _place: Place) -> None:
    """What a file with a password asks for, before a library sees it; the work itself is left."""
    with reading("import-unreadable", data):
        pbe.demand(data)


def _reply(data: bytes) -> messages.CertRep:
    return messages.CertRep(None, None, "0", None, "", None, data)


def told(*texts: str) -> None:
    """What people will read must be fit for a terminal."""
    for text in texts:
        if not text.isprintable():
            raise UnfitError(f"a text that is not printable: {text!r}")


class UnfitError(AssertionError):
    """Something came out that must not."""


class Target(NamedTuple):
    """A decoder, the kinds of messages to begin with, how often it has its turn, and the cap of
    what the product gives to it."""

    decode: Callable[[bytes, Place], None]
    kinds: tuple[str, ...]
    weight: int
    most: int
    text: bool = False


TARGETS: dict[str, Target] = {
    "http": Target(http, (corpus.HTTP,), 12, SENT_BYTES, text=True),
    "capabilities": Target(capabilities, (corpus.CAPS,), 4, limits.CAPS_BYTES, text=True),
    "ca-set": Target(ca_set, (corpus.CA_SET,), 12, limits.CA_SET_BYTES),
    "cert-rep": Target(cert_rep, (corpus.CERT_REP,), 16, limits.CERTREP_BYTES),
    "attributes": Target(attributes, (corpus.ATTRIBUTES,), 6, limits.CERTREP_BYTES),
    "envelope": Target(envelope, (corpus.ENVELOPE,), 12, limits.CERTREP_BYTES),
    "inner": Target(inner, (corpus.INNER,), 14, limits.CERTREP_BYTES),
    "sealed": Target(sealed, (corpus.INNER,), 2, limits.CERTREP_BYTES),
    "crl": Target(revocation_list, (corpus.CRL,), 8, limits.CRL_PEM_BYTES),
    "next-ca": Target(next_ca, (corpus.NEXT_CA,), 5, limits.NEXT_CA_BYTES),
    "import": Target(imported, (corpus.CA_SET, corpus.LEAF), 3, limits.IMPORT_BYTES),
    "brought": Target(brought, (corpus.PKCS12, corpus.LEAF, corpus.CA_SET), 3, limits.IMPORT_BYTES),
    "unlocked": Target(unlocked, (corpus.PKCS12,), 3, limits.IMPORT_BYTES),
    "trust-file": Target(trust_file, (corpus.CA_SET, corpus.LEAF), 2, limits.HTTPS_CA_BYTES),
    "protected": Target(protected, (corpus.PKCS12,), 3, limits.IMPORT_BYTES),
    "show-certificate": Target(shown("certificate"), (corpus.LEAF,), 4, limits.IMPORT_BYTES),
    "show-request": Target(shown("request"), (corpus.REQUEST,), 3, limits.IMPORT_BYTES),
    "show-crl": Target(shown("crl"), (corpus.CRL,), 2, limits.IMPORT_BYTES),
}
