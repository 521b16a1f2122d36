"""A certificate revocation list (RFC 5280 5), read with our own reader.

Fault model. A list comes from a network and may name a hundred thousand certificates, or claim to.
It is walked entry by entry: all are counted, a capped number is kept, and the memory that it takes
does not grow with it.
"""

from __future__ import annotations

from agent import limits
from agent.scep import ber, certificate, der, names, oids
from hal.named import NamedTuple

_TIMES = (der.UTC_TIME, der.GENERALIZED_TIME)
REASONS = (
    "unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded",
    "cessationOfOperation", "certificateHold", "", "removeFromCRL", "privilegeWithdrawn",
    "aACompromise",
)  # fmt: skip


class Revoked(NamedTuple):
    """One entry: serial number, Unix time, and a name of REASONS or nothing."""

    serial: int
    revoked_s: int
    reason: str


class Crl(NamedTuple):
    """The fields of one list: the first entries, and the number of all; `tbs` is the signed part
    and `entries` are all of them, as bytes of the wire."""

    tbs: bytes
    entries: bytes
    version: int
    issuer: names.Name
    this_update_s: int
    next_update_s: int | None
    revoked: list[Revoked]
    total: int
    extensions: dict[str, certificate.Extension]
    signature: certificate.Signature
    signature_value: bytes

    def entry_of(self, serial: int) -> Revoked | None:
        """The entry of this serial number, if there is one; the last one counts."""
        verdict = None
        for piece in ber.pieces(ber.content(self.entries, der.SEQUENCE)):
            entry = _entry(ber.read(piece))
            if entry.serial == serial:
                verdict = entry
        return verdict

    def signed_by(self, spki: bytes) -> bool:
        return self.signature.holds(spki, self.signature_value, self.tbs)


def read(data: bytes) -> Crl:
    """The list that these bytes are; BerError when they are none."""
    outer = list(ber.pieces(ber.content(data, der.SEQUENCE)))
    if len(outer) != 3:
        raise ber.BerError("not a signed list")
    fields = list(ber.pieces(ber.content(outer[0], der.SEQUENCE)))
    version = ber.read(fields.pop(0)).integer() + 1 if _starts(fields, der.INTEGER) else 1
    if len(fields) < 3:
        raise ber.BerError("a field is missing")
    algorithm, issuer, this_update = map(ber.read, fields[:3])
    del fields[:3]
    following = ber.read(fields.pop(0)).time_s() if _starts(fields, *_TIMES) else None
    entries = fields.pop(0) if _starts(fields, der.SEQUENCE) else b"\x30\x00"
    wrapper = ber.read(fields.pop(0)) if _starts(fields, der.explicit(0)) else None
    if fields:
        raise ber.BerError("more fields than there should be")
    if ber.read(outer[1]).raw != algorithm.raw:  # RFC 5280 5.1.1.2
        raise ber.BerError("two different signature algorithms")
    revoked, count = _entries(entries)
    return Crl(
        outer[0],
        entries,
        version,
        names.read(issuer),
        this_update.time_s(),
        following,
        revoked,
        count,
        {} if wrapper is None else _extensions(wrapper),
        certificate.algorithm(algorithm),
        ber.read(outer[2]).bit_bytes(),
    )


def _starts(fields: list[bytes], *tags: int) -> bool:
    return bool(fields) and fields[0][0] in tags


def _extensions(wrapper: ber.Node) -> dict[str, certificate.Extension]:
    fields = ber.Fields(wrapper, der.explicit(0))
    extensions = fields.take()
    fields.end()
    return certificate.read_extensions(extensions)


def _entries(data: bytes) -> tuple[list[Revoked], int]:
    shown: list[Revoked] = []
    count = 0
    for piece in ber.pieces(ber.content(data, der.SEQUENCE)):
        count += 1
        if count <= limits.CRL_SHOWN:
            shown.append(_entry(ber.read(piece)))
    return shown, count


def _entry(node: ber.Node) -> Revoked:
    fields = ber.Fields(node)
    serial, moment = fields.take().integer(), fields.take().time_s()
    extensions = fields.maybe(der.SEQUENCE)
    parsed = certificate.read_extensions(extensions) if extensions else {}
    return Revoked(serial, moment, _reason(parsed.get(oids.CRL_REASON)))


def _reason(extension: certificate.Extension | None) -> str:
    if extension is None:
        return ""
    number = ber.read(extension.value).integer()
    return REASONS[number] if 0 <= number < len(REASONS) else f"reason {number:x}"
