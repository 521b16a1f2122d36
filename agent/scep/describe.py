"""Certificates, requests and CRLs as text, in the layout that users know from `openssl ... -text`.

Every extension has a row in one table; one that is unknown or malformed is shown as hexadecimal, so
that it never costs the text. Bytes that cannot be read at all are a BerError, in `text` one line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from agent.scep import ber, certificate, der, names, oids
from agent.scep.certificate import Certificate, Extension
from agent.scep.crl import Crl
from agent.scep.request import Pkcs10
from agent.scep.text import clean, gmt
from agent.visible import row

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
_ATTRIBUTES = {
    oids.CHALLENGE_PASSWORD: "challengePassword",
    "1.2.840.113549.1.9.2": "unstructuredName",
    "1.2.840.113549.1.9.8": "unstructuredAddress",
}
_ACCESS = {"1.3.6.1.5.5.7.48.1": "OCSP", "1.3.6.1.5.5.7.48.2": "CA Issuers"}
_CURVES = {
    "1.2.840.10045.3.1.7": "P-256",
    "1.3.132.0.34": "P-384",
    "1.3.132.0.35": "P-521",
}


def certificate_text(cert: Certificate) -> str:
    """Lines without a line feed at the end."""
    return "\n".join(_lines(cert))


def request_text(request: Pkcs10) -> str:
    """The same for a PKCS#10; its challenge password is masked."""
    return "\n".join(_request_lines(request))


def crl_text(crl: Crl) -> str:
    """The same for a CRL: the first entries, and how many more there are."""
    return "\n".join(_crl_lines(crl))


def purpose(dotted: str) -> str:
    """An extended key usage in OpenSSL's words."""
    return _PURPOSES.get(dotted, dotted)


def key_name(spki: bytes) -> str:
    """`rsa 2048`, `ec P-256`, or the object identifier of another kind of key."""
    node = ber.read(spki)
    kind, parameters = certificate.algorithm_identifier(ber.Fields(node).take())
    if kind == oids.RSA:
        modulus = ber.Fields(ber.read(certificate.public_bits(node))).take().integer()
        return f"rsa {modulus.bit_length()}"
    if kind == oids.EC and parameters is not None and parameters.tag == der.OID:
        return f"ec {_CURVES.get(parameters.oid(), parameters.oid())}"
    return kind


def _lines(cert: Certificate) -> Iterable[str]:
    yield "Certificate:"
    yield "    Data:"
    yield f"        Version: {_version(cert.version)}"
    yield from _serial(cert.serial)
    yield f"        Signature Algorithm: {cert.signature.name}"
    yield row("        Issuer: ", names.shown(cert.issuer))
    yield "        Validity"
    yield f"            Not Before: {gmt(cert.not_before_s)}"
    yield f"            Not After : {gmt(cert.not_after_s)}"
    yield row("        Subject: ", names.shown(cert.subject))
    yield "        Subject Public Key Info:"
    yield from ("            " + line for line in _public_key(cert.spki))
    if cert.extensions:
        yield "        X509v3 extensions:"
    yield from _extensions(cert.extensions, "            ")
    yield from _signature(cert.signature, cert.signature_value)


def _extensions(extensions: dict[str, Extension], indent: str) -> Iterable[str]:
    for kind, extension in extensions.items():
        yield from (indent + line for line in _extension(kind, extension))


def _signature(signature: certificate.Signature, value: bytes) -> Iterable[str]:
    yield f"    Signature Algorithm: {signature.name}"
    yield "    Signature Value:"
    yield from _octets(value, 8, _PER_LINE_SHORT)


# -- requests and CRLs -----------------------------------------------------------------------------


def _request_lines(request: Pkcs10) -> Iterable[str]:
    yield "Certificate Request:"
    yield "    Data:"
    yield f"        Version: {_version(request.version)}"
    yield row("        Subject: ", names.shown(request.subject))
    yield "        Subject Public Key Info:"
    yield from ("            " + line for line in _public_key(request.spki))
    yield "        Attributes:"
    if not request.attributes and not request.extensions:
        yield "            (none)"
    for kind, value in request.attributes.items():
        yield f"            {_ATTRIBUTES.get(kind, kind):<25}:{_attribute(kind, value)}"
    if request.extensions:
        yield "            Requested Extensions:"
    yield from _extensions(request.extensions, "                ")
    yield from _signature(request.signature, request.signature_value)


def _attribute(kind: str, value: ber.Node) -> str:
    if kind == oids.CHALLENGE_PASSWORD:
        return "******"
    return clean(value.text()) if value.is_text() else clean(value.raw.hex())


def _crl_lines(crl: Crl) -> Iterable[str]:
    yield "Certificate Revocation List (CRL):"
    yield f"        Version {_version(crl.version)}"
    yield f"        Signature Algorithm: {crl.signature.name}"
    yield row("        Issuer: ", names.shown(crl.issuer))
    yield f"        Last Update: {gmt(crl.this_update_s)}"
    yield f"        Next Update: {'NONE' if crl.next_update_s is None else gmt(crl.next_update_s)}"
    if crl.extensions:
        yield "        CRL extensions:"
    yield from _extensions(crl.extensions, "            ")
    yield f"Revoked Certificates: {crl.total}" if crl.total else "No Revoked Certificates."
    for entry in crl.revoked:
        digits = hexadecimal(entry.serial).upper()
        yield f"    Serial Number: {digits.zfill(len(digits) + len(digits) % 2)}"
        yield f"        Revocation Date: {gmt(entry.revoked_s)}"
        if entry.reason:
            yield f"        X509v3 CRL Reason Code: {entry.reason}"
    if crl.total > len(crl.revoked):
        yield f"    ... and {crl.total - len(crl.revoked)} more"
    yield from _signature(crl.signature, crl.signature_value)


# -- their parts -----------------------------------------------------------------------------------


def _version(version: int) -> str:
    return f"{version} (0x{version - 1:x})"


def _serial(serial: int) -> Iterable[str]:
    if 0 <= serial < 1 << 63:
        yield f"        Serial Number: {serial} (0x{serial:x})"
        return
    size = (abs(serial).bit_length() + 7) // 8
    sign = " (Negative)" if serial < 0 else ""
    yield f"        Serial Number:{sign}"
    yield f"            {_colons(abs(serial).to_bytes(size, 'big')[:_SHOWN_BYTES])}"


def hexadecimal(number: int) -> str:
    """A serial number of any length, cut at what is shown of a value."""
    return f"{number:x}"[: 2 * _SHOWN_BYTES]


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
    node = ber.read(spki)
    kind, parameters = certificate.algorithm_identifier(node.children[0])
    bits = certificate.public_bits(node)
    if kind == oids.RSA:
        fields = ber.Fields(ber.read(bits))
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
        lines = list(render(ber.read(extension.value)))
    except ValueError:
        pass  # malformed: shown as it is
    yield from ("    " + line for line in lines) if lines else _octets(extension.value, 4, 18)


def _unknown(_: ber.Node) -> Iterable[str]:
    return ()


def _basic_constraints(node: ber.Node) -> Iterable[str]:
    fields = ber.Fields(node)
    is_ca, length = fields.maybe(der.BOOLEAN), fields.maybe(der.INTEGER)
    path = f", pathlen:{length.integer()}" if length is not None else ""
    yield f"CA:{'TRUE' if is_ca is not None and is_ca.boolean() else 'FALSE'}{path}"


def _key_usage(node: ber.Node) -> Iterable[str]:
    yield ", ".join(_USAGES[name] for name in certificate.named_bits(node, certificate.KEY_USAGES))


def _purposes(node: ber.Node) -> Iterable[str]:
    purposes = (child.oid() for child in node.expect(der.SEQUENCE).children)
    yield ", ".join(map(purpose, purposes))


def _alternative_names(node: ber.Node) -> Iterable[str]:
    yield names.shown_names(names.general_names(node))


def _key_identifier(node: ber.Node) -> Iterable[str]:
    yield _colons(node.octet_string()).upper()


def _authority_key(node: ber.Node) -> Iterable[str]:
    for child in node.expect(der.SEQUENCE).children:
        if child.tag == der.context(0):
            yield "keyid:" + _colons(child.content).upper()
        elif child.tag == der.explicit(1):
            yield names.shown_names(names.general_names_of(child))
        elif child.tag == der.context(2):
            sign = 1 if child.content[:1] == b"\0" and len(child.content) > 1 else 0
            yield "serial:" + _colons(child.content[sign:]).upper()


def _distribution_points(node: ber.Node) -> Iterable[str]:
    for found in certificate.distribution_points(node):
        yield "Full Name: " + names.shown_names(found)


def _information_access(node: ber.Node) -> Iterable[str]:
    for description in node.expect(der.SEQUENCE).children:
        fields = ber.Fields(description)
        method = fields.take().oid()
        where = names.shown_names([names.general_name(fields.take())])
        yield f"{_ACCESS.get(method, method)} - {where}"


def _integer(node: ber.Node) -> Iterable[str]:
    yield _number(node.integer())


def _policies(node: ber.Node) -> Iterable[str]:
    for policy in node.expect(der.SEQUENCE).children:
        yield f"Policy: {ber.Fields(policy).take().oid()}"


_EXTENSIONS: dict[str, tuple[str, Callable[[ber.Node], Iterable[str]]]] = {
    oids.BASIC_CONSTRAINTS: ("X509v3 Basic Constraints", _basic_constraints),
    oids.KEY_USAGE: ("X509v3 Key Usage", _key_usage),
    oids.EXTENDED_KEY_USAGE: ("X509v3 Extended Key Usage", _purposes),
    oids.SUBJECT_ALT_NAME: ("X509v3 Subject Alternative Name", _alternative_names),
    oids.ISSUER_ALT_NAME: ("X509v3 Issuer Alternative Name", _alternative_names),
    oids.SUBJECT_KEY_IDENTIFIER: ("X509v3 Subject Key Identifier", _key_identifier),
    oids.AUTHORITY_KEY_IDENTIFIER: ("X509v3 Authority Key Identifier", _authority_key),
    oids.CRL_NUMBER: ("X509v3 CRL Number", _integer),
    oids.DELTA_CRL: ("X509v3 Delta CRL Indicator", _integer),
    oids.CRL_DISTRIBUTION_POINTS: ("X509v3 CRL Distribution Points", _distribution_points),
    oids.AUTHORITY_INFORMATION_ACCESS: ("Authority Information Access", _information_access),
    oids.CERTIFICATE_POLICIES: ("X509v3 Certificate Policies", _policies),
}
