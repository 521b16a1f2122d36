"""A certificate as the protocol needs it, read with our own reader (RFC 5280 4.1).

`cryptography` refuses to load certificates that OpenSSL and every browser take (unsorted names, odd
strings) and parses the rest lazily, so that a bad field raises long after loading. Here everything
is read once, at one place, and a certificate is whole or a `BerError`. The bytes stay as they were:
issuer, subject and the signed part are slices of the wire.
"""

from __future__ import annotations

from collections.abc import Iterator

from agent import limits
from agent.scep import ber, crypto, der, names, oids
from hal.named import NamedTuple

KEY_USAGES = (
    "digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
    "keyCertSign", "cRLSign", "encipherOnly", "decipherOnly",
)  # fmt: skip

_NAMES = {
    "rsa": "{}WithRSAEncryption",
    "pss": "rsassaPss with {}",
    "ecdsa": "ecdsa-with-{}",
    "ed25519": "ED25519",
}
_VERSIONS = (1, 2, 3)  # RFC 5280 4.1.2.1


class Extension(NamedTuple):
    critical: bool
    value: bytes


class Signature(NamedTuple):
    """An algorithm of signatures: a scheme of `crypto.verify` with a digest, both "" for one that
    we do not know. `pss`: of RSASSA-PSS, the digest of MGF1 and the length of the salt."""

    oid: str
    scheme: str
    digest: str
    pss: tuple[str, int] | None = None

    @property
    def name(self) -> str:
        """`sha256WithRSAEncryption`; of an algorithm that nobody here knows its identifier."""
        digest = self.digest.replace("-", "")
        named = _NAMES.get(self.scheme) if digest else None
        return named.format(digest) if named else oids.UNVERIFIED.get(self.oid, self.oid)

    def holds(self, spki: bytes, value: bytes, data: bytes) -> bool:
        """Whether a value is the signature of this public key over the data."""
        if not self.digest:
            return False
        key = _plain_rsa(spki) if self.scheme == "pss" else spki
        return crypto.verify(key, self.scheme, self.digest, value, data, self.pss)


class Certificate(NamedTuple):
    """The fields of one certificate; times are Unix seconds, names also as their wire bytes."""

    der: bytes
    tbs: bytes
    version: int
    serial: int
    issuer: names.Name
    issuer_der: bytes
    subject: names.Name
    subject_der: bytes
    not_before_s: int
    not_after_s: int
    spki: bytes
    public_bits: bytes
    extensions: dict[str, Extension]
    is_ca: bool
    path_length: int | None
    key_usage: frozenset[str] | None  # None: not restricted
    purposes: frozenset[str] | None  # extendedKeyUsage as object identifiers; None: not restricted
    alternative_names: tuple[names.Attribute, ...]
    key_identifier: bytes | None
    signature: Signature
    signature_value: bytes

    def usable_for(self, usage: str) -> bool:
        return self.key_usage is None or usage in self.key_usage

    def names_issuer(self, issuer: Certificate) -> bool:
        return names.key(self.issuer) == names.key(issuer.subject)

    def signed_by(self, spki: bytes) -> bool:
        return self.signature.holds(spki, self.signature_value, self.tbs)

    def issued_by(self, issuer: Certificate) -> bool:
        return self.names_issuer(issuer) and self.signed_by(issuer.spki)


def public_bits(spki: ber.Node) -> bytes:
    """The key itself without its algorithm, in whose parameters CAs differ (NULL or absent)."""
    fields = ber.Fields(spki)
    fields.take(der.SEQUENCE)
    bits = fields.take()
    fields.end()
    return bits.bit_bytes()


def form_fault(leaf: Certificate) -> str:
    """A fault in the form of a certificate for a device, or "" (RFC 5280 4.1).

    This device could live with it, but its peers may not: they would refuse the certificate in the
    middle of a handshake, far from the CA that made it.
    """
    if not 0 < leaf.serial < 1 << limits.SERIAL_BITS:  # 4.1.2.2
        return "its serial number is not positive, or has more than 20 octets"
    if leaf.version != 3 and leaf.extensions:  # 4.1.2.1
        return f"it is of version {leaf.version} and has extensions"
    return ""


def modulus_bytes(spki: bytes) -> int:
    """The length of the modulus of an RSA key of ours, and so of its signatures and blocks."""
    modulus = ber.Fields(ber.read(public_bits(ber.read(spki)))).take().integer()
    return (modulus.bit_length() + 7) // 8


def algorithm(node: ber.Node) -> Signature:
    """A signature's AlgorithmIdentifier; but for RSASSA-PSS its parameters are NULL or absent."""
    dotted, parameters = algorithm_identifier(node)
    if dotted == oids.RSA_PSS:
        return _pss(parameters)
    return Signature(dotted, *oids.SIGNATURES.get(dotted, ("", "")))


def _pss(parameters: ber.Node | None) -> Signature:
    """RSASSA-PSS-params (RFC 4055 3.1): by default SHA-1, its mask and 20 octets of salt."""
    digest, mask, salt, trailer = "sha1", "sha1", 20, 1
    for field in parameters.expect(der.SEQUENCE).children if parameters else []:
        inner = field.inner()
        if field.tag == der.explicit(0):
            digest = oids.DIGEST_NAMES.get(algorithm_identifier(inner)[0], "")
        elif field.tag == der.explicit(1):
            _function, of = algorithm_identifier(inner)
            mask = oids.DIGEST_NAMES.get(algorithm_identifier(of)[0], "") if of else ""
        elif field.tag == der.explicit(2):
            salt = inner.integer()
        else:
            trailer = inner.integer()
    if not digest or not mask or trailer != 1:
        return Signature(oids.RSA_PSS, "", "")
    return Signature(oids.RSA_PSS, "pss", digest, (mask, salt))


def _plain_rsa(spki: bytes) -> bytes:
    """An RSA key that is only for PSS (RFC 4055 1.2) as one of any RSA, which libraries know."""
    fields = ber.Fields(ber.read(spki))
    if algorithm_identifier(fields.take())[0] != oids.RSA_PSS:
        return spki
    return der.sequence(der.sequence(der.oid(oids.RSA), der.null()), fields.take().raw)


def algorithm_identifier(node: ber.Node) -> tuple[str, ber.Node | None]:
    """The identifier, and the parameters unless they are absent or NULL."""
    fields = ber.Fields(node)
    dotted = fields.take().oid()
    parameters = None if fields.maybe(der.NULL) is not None else fields.maybe()
    fields.end()
    return dotted, parameters


def read(data: bytes) -> Certificate:
    """The certificate that these bytes are; BerError when they are none."""
    return from_node(ber.read(data))


def from_node(node: ber.Node) -> Certificate:
    outer = ber.Fields(node)
    tbs_node, outer_algorithm, value = outer.take(der.SEQUENCE), outer.take(), outer.take()
    outer.end()
    tbs = ber.Fields(tbs_node)
    version = tbs.maybe(der.explicit(0))
    serial, inner_algorithm = tbs.take().integer(), tbs.take()
    if inner_algorithm.raw != outer_algorithm.raw:  # RFC 5280 4.1.1.2
        raise ber.BerError("two different signature algorithms")
    issuer, validity, subject = tbs.take(), tbs.take(der.SEQUENCE), tbs.take()
    spki = tbs.take(der.SEQUENCE)
    tbs.maybe(der.context(1), der.explicit(1))
    tbs.maybe(der.context(2), der.explicit(2))
    wrapper = tbs.maybe(der.explicit(3))
    extensions = {} if wrapper is None else read_extensions(wrapper.inner())
    tbs.end()
    times = ber.Fields(validity)
    begin, end = times.take(), times.only()
    number = 1 if version is None else version.inner().integer() + 1
    if number not in _VERSIONS:
        raise ber.BerError(f"it is of version {number}")
    is_ca, path_length = _basic_constraints(extensions.get(oids.BASIC_CONSTRAINTS))
    return Certificate(
        node.raw,
        tbs_node.raw,
        number,
        serial,
        names.read(issuer),
        issuer.raw,
        names.read(subject),
        subject.raw,
        begin.time_s(),
        end.time_s(),
        spki.raw,
        public_bits(spki),
        extensions,
        is_ca,
        path_length,
        read_key_usage(extensions.get(oids.KEY_USAGE)),
        read_purposes(extensions.get(oids.EXTENDED_KEY_USAGE)),
        read_alternative_names(extensions.get(oids.SUBJECT_ALT_NAME)),
        _octets(extensions.get(oids.SUBJECT_KEY_IDENTIFIER)),
        algorithm(outer_algorithm),
        value.bit_bytes(),
    )


def read_extensions(sequence: ber.Node) -> dict[str, Extension]:
    """Extensions by their identifiers, in order (RFC 5280 4.1)."""
    extensions: dict[str, Extension] = {}
    for node in sequence.expect(der.SEQUENCE).children:
        fields = ber.Fields(node)
        dotted, critical = fields.take().oid(), fields.maybe(der.BOOLEAN)
        if dotted in extensions:  # RFC 5280 4.2
            raise ber.BerError("an extension twice")
        value = fields.only().octet_string()
        extensions[dotted] = Extension(critical is not None and critical.boolean(), value)
    return extensions


def _basic_constraints(extension: Extension | None) -> tuple[bool, int | None]:
    if extension is None:
        return False, None
    fields = ber.Fields(ber.read(extension.value))
    is_ca, length = fields.maybe(der.BOOLEAN), fields.maybe(der.INTEGER)
    fields.end()
    return is_ca is not None and is_ca.boolean(), length.integer() if length else None


def read_key_usage(extension: Extension | None) -> frozenset[str] | None:
    """Names of KEY_USAGES, or None when nothing is restricted."""
    if extension is None:
        return None
    return frozenset(named_bits(ber.read(extension.value), KEY_USAGES))


def read_purposes(extension: Extension | None) -> frozenset[str] | None:
    """Object identifiers of extendedKeyUsage, or None when nothing is restricted."""
    if extension is None:
        return None
    return frozenset(node.oid() for node in ber.read(extension.value).expect(der.SEQUENCE).children)


def named_bits(node: ber.Node, meaning: tuple[str, ...]) -> list[str]:
    _, data = node.bits()
    set_bits = (data[n // 8] << n % 8 & 0x80 if n // 8 < len(data) else 0 for n in range(9))
    return [name for name, bit in zip(meaning, set_bits, strict=True) if bit]


def read_alternative_names(extension: Extension | None) -> tuple[names.Attribute, ...]:
    return () if extension is None else names.general_names(ber.read(extension.value))


def distribution_points(node: ber.Node) -> Iterator[tuple[names.Attribute, ...]]:
    """The names of each distribution point of a list (RFC 5280 4.2.1.13)."""
    for point in node.expect(der.SEQUENCE).children:
        yield from distribution_point(point)


def distribution_point(point: ber.Node) -> Iterator[tuple[names.Attribute, ...]]:
    """The names of one point, where it has some; BerError where they are relative to an issuer."""
    for name in point.children:
        if name.tag == der.explicit(0) and name.children[:1]:
            yield names.general_names_of(name.children[0].expect(der.explicit(0)))


def _octets(extension: Extension | None) -> bytes | None:
    return None if extension is None else ber.read(extension.value).octet_string()
