"""A certificate as text, in the layout that users know from `openssl x509 -text`.

Every extension has a row in one table; one that is unknown or malformed is shown as hexadecimal, so
that the text of a certificate never fails. A certificate that cannot be read at all is one line.
"""

from collections.abc import Callable, Iterable

from agent.scep import certificate, der, names, oids
from agent.scep.certificate import Certificate, Extension
from agent.scep.text import clean, utc

_PER_LINE, _PER_LINE_SHORT = 15, 18
_SHOWN_BYTES = 1024  # of one value; an RSA-4096 modulus has 513

_PURPOSES = {
    oids.SERVER_AUTH: "TLS Web Server Authentication",
    oids.CLIENT_AUTH: "TLS Web Client Authentication",
    oids.IPSEC_IKE: "IPsec IKE",
    "1.3.6.1.5.5.7.3.3": "Code Signing",
    "1.3.6.1.5.5.7.3.4": "E-mail Protection",
    "1.3.6.1.5.5.7.3.5": "IPsec End System",
    "1.3.6.1.5.5.7.3.6": "IPsec Tunnel",
    "1.3.6.1.5.5.7.3.7": "IPsec User",
    "1.3.6.1.5.5.7.3.8": "Time Stamping",
    "1.3.6.1.5.5.7.3.9": "OCSP Signing",
    "1.3.6.1.4.1.311.20.2.1": "Certificate Request Agent",
    "2.5.29.37.0": "Any Extended Key Usage",
}
_USAGES = dict(
    zip(
        certificate.KEY_USAGES,
        (
            "Digital Signature", "Non Repudiation", "Key Encipherment", "Data Encipherment",
            "Key Agreement", "Certificate Sign", "CRL Sign", "Encipher Only", "Decipher Only",
        ),
        strict=True,
    )
)  # fmt: skip
_ACCESS = {"1.3.6.1.5.5.7.48.1": "OCSP", "1.3.6.1.5.5.7.48.2": "CA Issuers"}
_CURVES = {
    "1.2.840.10045.3.1.7": "P-256",
    "1.3.132.0.34": "P-384",
    "1.3.132.0.35": "P-521",
}


def text(data: bytes) -> str:
    """The certificate in lines without a line feed at the end; never raises."""
    try:
        return "\n".join(_lines(certificate.read(data)))
    except ValueError as error:
        return f"Certificate: {len(data)} bytes that cannot be read ({clean(str(error))})"


def _lines(cert: Certificate) -> Iterable[str]:
    algorithm = _signature_name(cert.signature)
    yield "Certificate:"
    yield "    Data:"
    yield f"        Version: {cert.version} (0x{cert.version - 1:x})"
    yield from _serial(cert.serial)
    yield f"        Signature Algorithm: {algorithm}"
    yield f"        Issuer: {names.shown(cert.issuer)}"
    yield "        Validity"
    yield f"            Not Before: {utc(cert.not_before_s)}"
    yield f"            Not After : {utc(cert.not_after_s)}"
    yield f"        Subject: {names.shown(cert.subject)}"
    yield "        Subject Public Key Info:"
    yield from ("            " + line for line in _public_key(cert.spki))
    if cert.extensions:
        yield "        X509v3 extensions:"
    for kind, extension in cert.extensions.items():
        yield from ("            " + line for line in _extension(kind, extension))
    yield f"    Signature Algorithm: {algorithm}"
    yield "    Signature Value:"
    yield from _octets(cert.signature_value, 8, _PER_LINE_SHORT)


def _serial(serial: int) -> Iterable[str]:
    if 0 <= serial < 1 << 63:
        yield f"        Serial Number: {serial} (0x{serial:x})"
        return
    size = (abs(serial).bit_length() + 7) // 8
    sign = " (Negative)" if serial < 0 else ""
    yield f"        Serial Number:{sign}"
    yield f"            {_colons(abs(serial).to_bytes(size, 'big')[:_SHOWN_BYTES])}"


def _signature_name(signature: certificate.Signature) -> str:
    if not signature.digest:
        return signature.oid
    digest = signature.digest.replace("-", "")
    return f"{digest}WithRSAEncryption" if signature.scheme == "rsa" else f"ecdsa-with-{digest}"


def _colons(data: bytes) -> str:
    return data.hex(":")


def _octets(data: bytes, indent: int, per_line: int) -> Iterable[str]:
    shown = data[:_SHOWN_BYTES]
    for at in range(0, len(shown), per_line):
        more = ":" if at + per_line < len(shown) else ""
        yield " " * indent + _colons(shown[at : at + per_line]) + more
    if len(shown) < len(data):
        yield " " * indent + f"... {len(data)} bytes"


def _public_key(spki: bytes) -> Iterable[str]:
    node = der.read(spki)
    kind, parameters = certificate.algorithm_identifier(node.children[0])
    bits = certificate.public_bits(node)
    if kind == oids.RSA:
        fields = der.Fields(der.read(bits))
        modulus, exponent = fields.take().integer(), fields.take().integer()
        yield "Public Key Algorithm: rsaEncryption"
        yield f"    Public-Key: ({modulus.bit_length()} bit)"
        yield "    Modulus:"
        signed = modulus.to_bytes(modulus.bit_length() // 8 + 1, "big", signed=True)
        yield from _octets(signed, 8, _PER_LINE)
        yield f"    Exponent: {clean(_number(exponent))}"
        return
    curve = parameters.oid() if parameters is not None and parameters.tag == der.OID else ""
    name = "id-ecPublicKey" if kind == oids.EC else kind
    yield f"Public Key Algorithm: {name}"
    yield "    pub:"
    yield from _octets(bits, 8, _PER_LINE)
    if curve:
        yield f"    Curve: {_CURVES.get(curve, curve)}"


def _number(value: int) -> str:
    return f"{value} (0x{value:x})" if value.bit_length() <= 64 else f"0x{value:x}"


# -- extensions ------------------------------------------------------------------------------------


def _extension(kind: str, extension: Extension) -> Iterable[str]:
    title, render = _EXTENSIONS.get(kind, (kind, _unknown))
    yield f"{title}:{' critical' if extension.critical else ''}"
    lines: list[str] = []
    try:
        lines = list(render(der.read(extension.value)))
    except ValueError:
        pass  # malformed: shown as it is
    yield from ("    " + line for line in lines) if lines else _octets(extension.value, 4, 18)


def _unknown(_: der.Node) -> Iterable[str]:
    return ()


def _basic_constraints(node: der.Node) -> Iterable[str]:
    fields = der.Fields(node)
    is_ca, length = fields.maybe(der.BOOLEAN), fields.maybe(der.INTEGER)
    path = f", pathlen:{length.integer()}" if length is not None else ""
    yield f"CA:{'TRUE' if is_ca is not None and is_ca.boolean() else 'FALSE'}{path}"


def _key_usage(node: der.Node) -> Iterable[str]:
    yield ", ".join(_USAGES[name] for name in certificate.named_bits(node, certificate.KEY_USAGES))


def _purposes(node: der.Node) -> Iterable[str]:
    purposes = (child.oid() for child in node.expect(der.SEQUENCE).children)
    yield ", ".join(_PURPOSES.get(purpose, purpose) for purpose in purposes)


def _alternative_names(node: der.Node) -> Iterable[str]:
    yield names.shown_names(names.general_names(node))


def _key_identifier(node: der.Node) -> Iterable[str]:
    yield _colons(node.octet_string()).upper()


def _authority_key(node: der.Node) -> Iterable[str]:
    for child in node.expect(der.SEQUENCE).children:
        if child.tag == der.context(0):
            yield "keyid:" + _colons(child.content).upper()
        elif child.tag == der.explicit(1):
            yield names.shown_names(names.general_names_of(child))
        elif child.tag == der.context(2):
            yield "serial:" + _colons(child.content).upper()


def _distribution_points(node: der.Node) -> Iterable[str]:
    for point in node.expect(der.SEQUENCE).children:
        for name in point.children:
            if name.tag == der.explicit(0) and name.children[:1]:
                full = name.children[0].expect(der.explicit(0))
                yield "Full Name: " + names.shown_names(names.general_names_of(full))


def _information_access(node: der.Node) -> Iterable[str]:
    for description in node.expect(der.SEQUENCE).children:
        fields = der.Fields(description)
        method = fields.take().oid()
        where = names.shown_names([names.general_name(fields.take())])
        yield f"{_ACCESS.get(method, method)} - {where}"


def _policies(node: der.Node) -> Iterable[str]:
    for policy in node.expect(der.SEQUENCE).children:
        yield f"Policy: {der.Fields(policy).take().oid()}"


_EXTENSIONS: dict[str, tuple[str, Callable[[der.Node], Iterable[str]]]] = {
    oids.BASIC_CONSTRAINTS: ("X509v3 Basic Constraints", _basic_constraints),
    oids.KEY_USAGE: ("X509v3 Key Usage", _key_usage),
    oids.EXTENDED_KEY_USAGE: ("X509v3 Extended Key Usage", _purposes),
    oids.SUBJECT_ALT_NAME: ("X509v3 Subject Alternative Name", _alternative_names),
    oids.ISSUER_ALT_NAME: ("X509v3 Issuer Alternative Name", _alternative_names),
    oids.SUBJECT_KEY_IDENTIFIER: ("X509v3 Subject Key Identifier", _key_identifier),
    oids.AUTHORITY_KEY_IDENTIFIER: ("X509v3 Authority Key Identifier", _authority_key),
    oids.CRL_DISTRIBUTION_POINTS: ("X509v3 CRL Distribution Points", _distribution_points),
    oids.AUTHORITY_INFORMATION_ACCESS: ("Authority Information Access", _information_access),
    oids.CERTIFICATE_POLICIES: ("X509v3 Certificate Policies", _policies),
}
