"""Good messages to begin with: what the lab CA says with each of its quirks, in DER and in BER.

For each quirk one CA is asked for everything, over HTTP on loopback, by a device whose requests are
the product's own. What was asked stays with the answers (`World`), so that each can be judged
as the product judges it. Keys, nonces and dates are new in each corpus; it is kept in a file
(`kept`), so that a seed means the same inputs for as long as the file is there.
"""

import http.client
import io
import os
import pickle
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives import serialization

from agent.scep import ber, caset, cms, cms_writer, crypto, der, messages, oids, pkcs12, trust
from agent.scep.certificate import Certificate
from agent.scep.keys import OwnKey
from agent.scep.ra import RaRules
from tests.helpers.labca_seen import CHALLENGE, Base, Lab, serving
from tools.lab_ca.authority import Plan
from tools.lab_ca.ber import streamed
from tools.lab_ca.hooks import PLAIN, Hooks
from tools.lab_ca.quirks import QUIRKS
from tools.lab_ca.quirks.polling import POLLING

HTTP, CAPS, CA_SET, CERT_REP, ATTRIBUTES, ENVELOPE, INNER, CRL, NEXT_CA, REQUEST, LEAF, PKCS12 = (
    "http", "caps", "ca-set", "cert-rep", "attributes", "envelope", "inner", "crl", "next-ca",
    "request", "leaf", "pkcs12",
)  # fmt: skip
ENTITY = {
    "common_name": "dev1", "country": "DE", "organization": "Lab", "organization_unit": ["a", "b"],
    "fqdn": "dev1.example", "email": "a@b.example", "ip_addresses": ["192.0.2.1", "2001:db8::1"],
    "serial_number": "X-1",
}  # fmt: skip
ANSWERING = Base(Plan(chain=True, ra=True), CHALLENGE, following=True)
WAITING = Base(challenge=CHALLENGE, manual=True, following=True)
_WAITED = {"waiting", *POLLING}
_PLAINS = {"none": PLAIN, "waiting": PLAIN}
_MESSAGE_DIGEST = der.oid(oids.MESSAGE_DIGEST)
PIECE = 100  # of a streamed string
WEAK = frozenset({"md5", "sha1", "des"})  # so that what is weak is read as well


class World(NamedTuple):
    """One request: what was asked, of whom, and the keys of both ends as PKCS#8."""

    request: messages.Request
    nonce: bytes
    now_s: int
    certificates: tuple[bytes, ...]
    pin: str
    device_key: bytes
    ca_key: bytes
    ca: bytes

    def expected(self) -> trust.Expected:
        """What a reply has to fit, for a realm that allows everything that is weak."""
        key = OwnKey(crypto.load_own(self.device_key))
        ca = caset.load(self.certificates, self.pin, caset.Rules(self.now_s, WEAK))
        signer = messages.signer_certificate(self.request, key)
        return trust.Expected(
            ca, RaRules(any_purpose=True), self.request, self.nonce, signer, key,
            key.spki, "standard",
            frozenset(), [],
        )  # fmt: skip


class Sample(NamedTuple):
    """A message, of which quirk, and which request it belongs to."""

    kind: str
    quirk: str
    data: bytes
    world: int


class Corpus(NamedTuple):
    worlds: list[World]
    samples: list[Sample]

    def of(self, kind: str) -> list[Sample]:
        return [sample for sample in self.samples if sample.kind == kind]


class _Asking:
    """One CA with one quirk, asked for everything it has."""

    def __init__(self, lab: Lab, number: int, device_key: bytes) -> None:
        self._lab, self._number = lab, number
        private = crypto.load_own(device_key)
        self._private, self._key = private, OwnKey(private)
        authority = lab.authority
        ca_key = authority.ca.key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        self._now_s = int(time.time())
        self._recipient = _certificate(authority.encryption.certificate.dump())
        self._ca = authority.ca.certificate.dump()
        self._world = World(
            self._request(0),
            os.urandom(16),
            self._now_s,
            tuple(item.dump() for item in authority.published),
            caset.digits("sha256", _certificate(authority.published[-1].dump())),
            device_key,
            ca_key,
            self._ca,
        )

    def _request(self, number: int, password: str = CHALLENGE) -> messages.Request:
        transaction = f"{self._number:016x}{number:016x}"
        usage = ("ike", "ssl-client")
        return messages.Request(transaction, self._now_s, "sha-256", ENTITY, usage, password)

    def found(self) -> Iterator[tuple[World, str, bytes]]:
        """What came of each request: (request, kind, data), again and again."""
        yield from ((self._world, kind, data) for kind, data in self._published())
        good, refused = self._request(0), self._request(1, "wrong")
        ca = _certificate(self._ca)
        request = messages.certification_request(good, self._key)
        yield self._world, REQUEST, request
        for kind, content, asked in (
            (messages.PKCS_REQ, request, good),
            (messages.PKCS_REQ, messages.certification_request(refused, self._key), refused),
            (messages.CERT_POLL, messages.poll_content(ca.subject_der, good), good),
            (messages.GET_CRL, cms_writer.issuer_and_serial(ca.subject_der, 1), self._request(2)),
        ):
            world = self._world._replace(request=asked)
            octets = self._octets("PKIOperation", self._message(kind, content, asked))
            if asked is refused:
                yield world, HTTP, octets
            yield from ((world, kind, data) for kind, data in self._reply(_body(octets)))

    def _published(self) -> Iterator[tuple[str, bytes]]:
        """What anybody gets, as it came over HTTP, and what that held; and files of keys."""
        for operation, kind in (
            ("GetCACaps", CAPS), ("GetCACert", CA_SET), ("GetNextCACert", NEXT_CA),
        ):  # fmt: skip
            octets = self._octets(operation)
            yield HTTP, octets
            yield kind, _body(octets)
        yield PKCS12, pkcs12.made(self._private, [], b"pw", 10)

    def _octets(self, operation: str, message: bytes | None = None) -> bytes:
        return self._lab.octets(self._lab.request(f"operation={operation}", message))

    def _message(self, kind: int, content: bytes, request: messages.Request) -> bytes:
        signer = messages.signer_certificate(request, self._key)
        out = messages.Outgoing(
            signer, self._key, self._recipient, "aes128", self._world.nonce, self._now_s
        )
        return messages.pki_message(kind, content, request, out)

    def _reply(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        """A CertRep, and all of its layers that can be opened."""
        yield CERT_REP, data
        try:
            message = cms.read_signed(data)
            attributes = _field(ber.read(data), -1, 0, 3)
        except (ValueError, IndexError):
            return
        yield ATTRIBUTES, _of_nothing(attributes)
        if len(message.content) > 1:
            yield ENVELOPE, message.content
            yield from self._inside(message.content)

    def _inside(self, envelope: bytes) -> Iterator[tuple[str, bytes]]:
        try:
            opened = cms.read_envelope(envelope)
            recipient = next((number for number, _, _ in opened.recipients if number), 0)
            plain = cms.decrypt(opened, self._key, recipient) or b""
            found = cms.read_signed(plain)
        except Exception:  # this is no place to judge what a quirk does
            return
        yield INNER, plain
        for one in found.lists:
            yield CRL, one
        for one in found.certificates:
            yield LEAF, one
            own = _key_of(one) == self._key.spki
            yield PKCS12, pkcs12.made(self._private if own else None, [one], b"pw", 10)


def _key_of(data: bytes) -> bytes:
    """The key that a certificate is for, or nothing."""
    found = caset.readable([data])
    return found[0].spki if found else b""


def _of_nothing(attributes: ber.Node) -> bytes:
    """The signed attributes under the tag of SET, with the digest of no content."""
    kept = [one.der() for one in attributes.children if _MESSAGE_DIGEST not in one.raw]
    digest = der.octet_string(crypto.digest("sha-256", b""))
    return der.set_of([*kept, cms_writer.attribute(oids.MESSAGE_DIGEST, digest)])


def _field(node: ber.Node, *path: int) -> ber.Node:
    """A field of the SignedData in a ContentInfo."""
    node = node.children[1].children[0]
    for number in path:
        node = node.children[number]
    return node


class _Octets(io.BytesIO):
    """What `http.client` takes for a socket."""

    def makefile(self, *_mode: object) -> "_Octets":
        return self


def _body(octets: bytes) -> bytes:
    """The body of an HTTP answer, or nothing when it is none."""
    while octets.startswith(b"HTTP/1.1 1"):  # an interim answer
        octets = octets.partition(b"\r\n\r\n")[2]
    response = http.client.HTTPResponse(_Octets(octets))  # type: ignore[arg-type]
    try:
        response.begin()
        return response.read()
    except http.client.HTTPException:
        return b""


def _certificate(data: bytes) -> Certificate:
    (found,) = caset.readable([data])
    return found


def _streamed(kind: str, data: bytes) -> list[bytes]:
    """The message, and the same in the manner of BouncyCastle where it is a ContentInfo."""
    if kind not in (CERT_REP, ENVELOPE, INNER, NEXT_CA, CA_SET):
        return [data]
    try:
        return [data, streamed(data, PIECE)]
    except ValueError:
        return [data]


def made(quirks: dict[str, Hooks] = QUIRKS) -> Corpus:
    """The corpus of these quirks, and of CAs without any."""
    corpus = Corpus([], [])
    device_key = crypto.private_der(crypto.generate(2048))
    for name, quirk in (_PLAINS | quirks).items():
        with serving(WAITING if name in _WAITED else ANSWERING, quirk) as lab:
            _ask(corpus, name, _Asking(lab, len(corpus.worlds), device_key))
    return corpus


def _ask(corpus: Corpus, name: str, asking: _Asking) -> None:
    worlds: dict[str, int] = {}
    seen: set[tuple[str, bytes]] = set()
    for world, kind, data in asking.found():
        number = worlds.setdefault(world.request.transaction, len(corpus.worlds))
        if number == len(corpus.worlds):
            corpus.worlds.append(world)
        for one in _streamed(kind, data):
            if one and (kind, one) not in seen:
                seen.add((kind, one))
                corpus.samples.append(Sample(kind, name, one, number))


def kept(path: Path) -> Corpus:
    """The corpus of a file, which is made when it is not there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(f".{os.getpid()}")
        new.write_bytes(pickle.dumps(made()))
        new.replace(path)
    found: Corpus = pickle.loads(path.read_bytes())
    return found
