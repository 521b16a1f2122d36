"""CertReps: the lies of the lab CA, and what can be wrong with each element of each layer."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from asn1crypto import cms, core

from tests.vectors import desk, trees
from tests.vectors.bench import Bench
from tests.vectors.expected import LIES
from tests.vectors.row import Row, parts_of
from tests.vectors.rules import why
from tests.vectors.trees import FAULTS, Place
from tools.lab_ca import algorithms, authority, ber, hooks, hostile
from tools.lab_ca import request as scep
from tools.lab_ca.edits import Edit
from tools.lab_ca.hooks import Hooks, edit
from tools.lab_ca.hostile.caset import CA_SETS
from tools.lab_ca.hostile.transport import TRANSPORT

ENROL, PKI = "enrol", "PKIOperation"
STRICT = {"subject_match": "strict"}


def _row(name: str, outcome: str, says: str, body: bytes, **job: Any) -> Row:
    return Row(name, ENROL, PKI, outcome, says, why(outcome, name), parts_of(body), None, job)


def lies(bench: Bench) -> Iterator[Row]:
    """One for each `--hostile` of the lab CA that changes a CertRep, and the honest reply."""
    good = bench.reply(hooks.PLAIN)
    yield _row("honest", "issued", "nothing is wrong", good)
    for name, hook in hostile.HOSTILE.items():
        if name in TRANSPORT or name in CA_SETS:
            continue
        job = STRICT if name == "names" else {}
        yield _row(name, LIES[name], hook.says, bench.reply(hook), **job)


# -- elements of each layer ------------------------------------------------------------------------


class Layer(NamedTuple):
    """One layer of a CertRep: its elements, the usual outcome, what differs from it.

    `other` goes by element and fault; a None there: the element is so in every honest reply.
    """

    prefix: str
    edit: str
    elements: Mapping[str, Place]
    usual: str
    other: dict[str, str | None]

    def rows(self, bench: Bench) -> Iterator[Row]:
        for element, place in self.elements.items():
            for fault, (says, _change) in FAULTS.items():
                outcome = self.other.get(f"{element}-{fault}", self.usual)
                if outcome is not None:
                    hook = Hooks("", reply=edit(self.edit, trees.broken(place, fault)))
                    sentence = f"{element.replace('-', ' ')} of the {self.prefix} {says}"
                    name = f"{self.prefix}-{element}-{fault}"
                    yield _row(name, outcome, sentence, bench.reply(hook))


SIGNER = (1, 0, 4, 0)
OUTER = Layer(
    "outer",
    "outer",
    {
        "content-info": (),
        "content-type": (0,),
        "content": (1,),
        "signed-data": (1, 0),
        "version": (1, 0, 0),
        "digest-algorithms": (1, 0, 1),
        "encapsulated-content": (1, 0, 2),
        "encapsulated-type": (1, 0, 2, 0),
        "encapsulated-wrapper": (1, 0, 2, 1),
        "encapsulated-octets": (1, 0, 2, 1, 0),
        "certificates": (1, 0, 3),
        "signer-infos": (1, 0, 4),
        "signer-info": SIGNER,
        "signer-version": (*SIGNER, 0),
        "signer-identifier": (*SIGNER, 1),
        "signer-issuer": (*SIGNER, 1, 0),
        "signer-serial": (*SIGNER, 1, 1),
        "signer-digest": (*SIGNER, 2),
        "signed-attributes": (*SIGNER, 3),
        "signature-algorithm": (*SIGNER, 4),
        "signature": (*SIGNER, 5),
    },
    "certrep-malformed",
    {
        "content-info-absent": "http-empty",
        "version-empty": "issued",
        "digest-algorithms-empty": "issued",
        "encapsulated-wrapper-absent": "certrep-signature",
        "encapsulated-octets-empty": "certrep-signature",
        "certificates-absent": "issued",
        "certificates-empty": "issued",
        "signer-version-empty": "issued",
        "signer-issuer-empty": "certrep-signer",
        "signed-attributes-empty": "certrep-signature",
        "signature-empty": "certrep-signature",
    },
)
ENVELOPE = Layer(
    "envelope",
    "envelope",
    {
        "content-info": (),
        "content-type": (0,),
        "content": (1,),
        "enveloped-data": (1, 0),
        "version": (1, 0, 0),
        "recipient-infos": (1, 0, 1),
        "recipient": (1, 0, 1, 0),
        "recipient-version": (1, 0, 1, 0, 0),
        "recipient-identifier": (1, 0, 1, 0, 1),
        "recipient-issuer": (1, 0, 1, 0, 1, 0),
        "recipient-serial": (1, 0, 1, 0, 1, 1),
        "key-algorithm": (1, 0, 1, 0, 2),
        "wrapped-key": (1, 0, 1, 0, 3),
        "content-info-inside": (1, 0, 2),
        "content-type-inside": (1, 0, 2, 0),
        "cipher": (1, 0, 2, 1),
        "cipher-identifier": (1, 0, 2, 1, 0),
        "initial-vector": (1, 0, 2, 1, 1),
        "encrypted-content": (1, 0, 2, 2),
    },
    "certrep-malformed",
    {
        "content-info-absent": "certrep-empty",
        "version-empty": "issued",
        "recipient-infos-empty": "cannot-decrypt",
        "recipient-absent": "cannot-decrypt",
        "recipient-twice": "cannot-decrypt",
        "recipient-null": "cannot-decrypt",
        "recipient-version-empty": "issued",
        "recipient-issuer-empty": "issued",
        "wrapped-key-empty": "cannot-decrypt",
        "initial-vector-empty": "cannot-decrypt",
        "encrypted-content-empty": "cannot-decrypt",
    },
)
INNER = Layer(
    "inner",
    "inner",
    {
        "content-info": (),
        "content-type": (0,),
        "content": (1,),
        "signed-data": (1, 0),
        "version": (1, 0, 0),
        "digest-algorithms": (1, 0, 1),
        "encapsulated-content": (1, 0, 2),
        "certificates": (1, 0, 3),
        "certificate": (1, 0, 3, 0),
        "signer-infos": (1, 0, 4),
    },
    "cannot-decrypt",
    {
        "version-empty": "issued",
        "digest-algorithms-empty": None,
        "certificates-absent": "issued-key",
        "certificates-empty": "issued-key",
        "certificate-absent": "issued-key",
        "certificate-twice": "issued",
        "certificate-empty": "issued-malformed",
        "certificate-null": "issued-malformed",
        "signer-infos-empty": None,
    },
)


def outer(bench: Bench) -> Iterator[Row]:
    return OUTER.rows(bench)


def envelopes(bench: Bench) -> Iterator[Row]:
    yield from ENVELOPE.rows(bench)
    for name, (outcome, says, change) in SEALED.items():
        yield _row(f"envelope-{name}", outcome, says, bench.reply(Hooks("", reply=change)))


def _enveloped(change: Callable[[Any], Any]) -> Edit:
    """A change to the fields of EnvelopedData."""
    return edit("enveloped", change)


def _recipients(fields: Any, *others: bytes, ours: int = 1) -> Any:
    """Further recipients, by the DER of their RecipientInfo, around those that are us."""
    own = [fields["recipient_infos"][0].dump()] * ours
    infos = cms.RecipientInfos.load(ber.tlv(ber.SET, b"".join((*others, *own))))
    return {**fields, "recipient_infos": infos}


def _other_key(fields: Any) -> Any:
    """The content key for another's public key, under our name."""
    info = fields["recipient_infos"][0].chosen
    info["encrypted_key"] = algorithms.wrap(bytes(16), desk.key("liar").public_key())
    return fields


def _archive() -> bytes:
    """Another recipient, as a CA that keeps copies would add."""
    made = cms.KeyTransRecipientInfo(
        {
            "version": "v0",
            "rid": cms.RecipientIdentifier(
                "issuer_and_serial_number",
                {"issuer": authority.name("Archive"), "serial_number": 4711},
            ),
            "key_encryption_algorithm": algorithms.transport_algorithm(algorithms.PKCS1),
            "encrypted_key": bytes(256),
        }
    )
    der: bytes = made.dump()
    return der


def _transport(algorithm: bytes) -> Edit:
    return edit("envelope", lambda der: der.replace(RSA, algorithm, 1))


RSA = bytes.fromhex("06092a864886f70d010101")
SEALED: dict[str, tuple[str, str, Edit]] = {
    "other-key": ("cannot-decrypt", "our name, but the content key is for another's key",
                  _enveloped(_other_key)),
    "two-of-us": ("cannot-decrypt", "the envelope names us twice",
                  _enveloped(lambda fields: _recipients(fields, ours=2))),
    "one-of-two": ("issued", "the envelope names somebody else before us",
                   _enveloped(lambda fields: _recipients(fields, _archive()))),
    "sixteen": ("issued", "the envelope names fifteen others before us",
                _enveloped(lambda fields: _recipients(fields, *[_archive()] * 15))),
    "seventeen": ("certrep-malformed", "the envelope names sixteen others before us",
                  _enveloped(lambda fields: _recipients(fields, *[_archive()] * 16))),
    "password": ("certrep-password", "the content key is wrapped with the challenge password",
                 lambda reply: reply._replace(password=desk.CHALLENGE)),
    "single-des": ("certrep-weak-cipher", "the content is encrypted with single DES",
                   lambda reply: reply._replace(cipher="des")),
    "kem": ("certrep-cipher", "a key transport that SCEP does not name",
            _transport(bytes.fromhex("06092a864886f70d01010a"))),
}  # fmt: skip


def inner(bench: Bench) -> Iterator[Row]:
    return INNER.rows(bench)


# -- signed attributes -----------------------------------------------------------------------------

ATTRIBUTES = {
    "transaction": scep.TRANSACTION_ID,
    "message-type": scep.MESSAGE_TYPE,
    "status": scep.PKI_STATUS,
    "nonce": scep.RECIPIENT_NONCE,
    "digest": scep.MESSAGE_DIGEST,
    "content-type": scep.CONTENT_TYPE,
}
Attribute = tuple[str, tuple[bytes, ...]]  # identifier, and the DER of each value


def attributes(bench: Bench) -> Iterator[Row]:
    """Each attribute that counts, with every fault that a SET OF values can have."""
    for name, oid in ATTRIBUTES.items():
        for fault, (says, change) in VALUES.items():
            outcome = _CHECK[name] if fault in _MEETS[name] else "certrep-malformed"
            hook = Hooks("", reply=edit("attributes", _changed(oid, change)))
            sentence = f"the signed attribute {name} {says}"
            yield _row(f"attribute-{name}-{fault}", outcome, sentence, bench.reply(hook))


def _changed(oid: str, change: Callable[[Attribute], list[Attribute]]) -> Edit:
    def apply(rows: tuple[Attribute, ...]) -> tuple[Attribute, ...]:
        found: list[Attribute] = []
        for row in rows:
            found += change(row) if row[0] == oid else [row]
        return tuple(found)

    return apply


VALUES: dict[str, tuple[str, Callable[[Attribute], list[Attribute]]]] = {
    "gone": ("is missing", lambda row: []),
    "doubled": ("comes twice", lambda row: [row, row]),
    "no-value": ("has no value", lambda row: [(row[0], ())]),
    "two-values": ("has its value twice", lambda row: [(row[0], row[1] * 2)]),
    "null": ("is a NULL", lambda row: [(row[0], (core.Null().dump(),))]),
    "sequence": ("is a SEQUENCE", lambda row: [(row[0], (b"\x30" + row[1][0][1:],))]),
    "void": ("has no octets", lambda row: [(row[0], (row[1][0][:1] + b"\x00",))]),
    "longer": ("has an octet more", lambda row: [(row[0], (_longer(row[1][0]),))]),
}
# Which check meets an attribute whose value is another one; CMS's own two belong to the signature.
_CHECK = {
    "transaction": "certrep-transaction",
    "message-type": "certrep-type",
    "status": "certrep-status",
    "nonce": "certrep-nonce",
    "digest": "certrep-signature",
    "content-type": "certrep-signature",
}
_MEETS = {
    **dict.fromkeys(_CHECK, ("gone", "void", "longer")),
    "digest": ("gone", "void", "longer", "no-value", "two-values"),
    "content-type": ("gone", "longer", "no-value", "two-values"),
}


def _longer(der: bytes) -> bytes:
    """One octet more; its length is below 127."""
    return der[:1] + bytes((der[1] + 1,)) + der[2:] + b"1"
