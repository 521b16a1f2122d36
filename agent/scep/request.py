"""A PKCS#10 request as it is shown, read with our own reader (RFC 2986)."""

from __future__ import annotations

from agent.scep import ber, certificate, der, names, oids
from hal.named import NamedTuple


class Pkcs10(NamedTuple):
    """The fields of one request; `attributes` without the requested extensions."""

    version: int
    subject: names.Name
    spki: bytes
    attributes: dict[str, ber.Node]  # identifier -> its first value
    extensions: dict[str, certificate.Extension]
    signature: certificate.Signature
    signature_value: bytes


def read(data: bytes) -> Pkcs10:
    """The request that these bytes are; BerError when they are none."""
    outer = ber.Fields(ber.read(data))
    body, algorithm, value = ber.Fields(outer.take()), outer.take(), outer.take()
    outer.end()
    version, subject, spki = body.take().integer(), body.take(), body.take(der.SEQUENCE)
    certificate.public_bits(spki)  # there is a key, whatever its kind
    wrapper = body.maybe(der.explicit(0))
    body.end()
    attributes = dict(_attribute(node) for node in (wrapper.children if wrapper else ()))
    wanted = attributes.pop(oids.EXTENSION_REQUEST, None)
    return Pkcs10(
        version + 1,
        names.read(subject),
        spki.raw,
        attributes,
        {} if wanted is None else certificate.read_extensions(wanted),
        certificate.algorithm(algorithm),
        value.bit_bytes(),
    )


def _attribute(node: ber.Node) -> tuple[str, ber.Node]:
    fields = ber.Fields(node)
    kind, values = fields.take().oid(), fields.take(der.SET).children
    fields.end()
    if not values:
        raise ber.BerError("an attribute without a value")
    return kind, values[0]
