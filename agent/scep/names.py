"""Distinguished names and alternative names: built from an entity, read, compared, shown.

Names that came from a peer are compared by what they say (RFC 5280 7.1: string type, case and
white space do not matter) and handed on as the bytes that they were.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterable, Mapping

from agent import limits
from agent.scep import ber, der, oids
from agent.visible import brief, cut, quoted
from hal.named import NamedTuple

_ATTRIBUTE_OIDS = {short: dotted for dotted, short in oids.NAME_ATTRIBUTES.items()}
# Field of an entity -> attribute of the subject, in the order in which VRP shows a subject.
_SUBJECT = (
    ("country", "C"),
    ("state", "ST"),
    ("locality", "L"),
    ("organization", "O"),
    ("organization_unit", "OU"),
    ("common_name", "CN"),
    ("serial_number", "serialNumber"),
)
_PRINTABLE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?")
_NAME_CHARACTERS = 512
# A value must not bring along these: the beginning of another attribute, or of another name.
_SEPARATOR = re.compile(r"(?=(?:, | \+ )[A-Za-z0-9. ]+[=:])")

RFC822, DNS, DIRECTORY, URI, IP = 1, 2, 4, 6, 7
_KINDS = {RFC822: "email", DNS: "DNS", URI: "URI"}
_DIRECTORY = "DirName"


class Attribute(NamedTuple):
    """One attribute of a name: its type as a dotted identifier, its value as text."""

    kind: str
    value: str


Name = tuple[tuple[Attribute, ...], ...]  # relative distinguished names in order


def directory_string(text: str) -> bytes:
    """PrintableString where its characters suffice (NDES wants it), else UTF8String."""
    return der.string(der.PRINTABLE if is_printable_string(text) else der.UTF8, text)


def is_printable_string(text: str) -> bool:
    return _PRINTABLE.issuperset(text)


def subject(entity: Mapping[str, object]) -> bytes:
    """The subject Name of an entity, one attribute in each relative name."""
    parts = []
    for field, short in _SUBJECT:
        for value in _values(entity.get(field)):
            attribute = der.sequence(der.oid(_ATTRIBUTE_OIDS[short]), directory_string(value))
            parts.append(der.set_of([attribute]))
    return der.sequence(*parts)


def _values(field: object) -> list[str]:
    if isinstance(field, str):
        return [field] if field else []
    return [value for value in field if isinstance(value, str)] if isinstance(field, list) else []


def alternative_names(entity: Mapping[str, object]) -> bytes | None:
    """GeneralNames of an entity (addresses, name, mail: VRP's order), or None without any."""
    parts = [
        der.tlv(der.context(IP), ipaddress.ip_address(address).packed)
        for address in _values(entity.get("ip_addresses"))
    ]
    for field, kind in (("fqdn", DNS), ("email", RFC822)):
        parts += [der.tlv(der.context(kind), v.encode()) for v in _values(entity.get(field))]
    return der.sequence(*parts) if parts else None


def read(node: ber.Node) -> Name:
    """A Name as text; values that are no text are shown as hexadecimal."""
    return tuple(
        tuple(_attribute(attribute) for attribute in relative.expect(der.SET).children)
        for relative in node.expect(der.SEQUENCE).children
    )


def _attribute(node: ber.Node) -> Attribute:
    fields = ber.Fields(node)
    kind, value = fields.take().oid(), fields.only()
    return Attribute(kind, value.text() if value.is_text() else "#" + value.raw.hex())


def shown(name: Name) -> str:
    """`C=DE, O=Lab, CN=dev1` in the order of the certificate, safe for a terminal.

    Two names read the same only if they are, or are longer than anybody reads.
    """
    relatives = (
        " + ".join(f"{oids.NAME_ATTRIBUTES.get(a.kind, a.kind)}={_value(a)}" for a in relative)
        for relative in name
    )
    return cut(", ".join(relatives), _NAME_CHARACTERS)


def shortly(name: Name) -> str:
    """The same for an error or a note: less than a row of a terminal."""
    return brief(shown(name))


def _value(attribute: Attribute) -> str:
    """The value of one attribute, in which nothing looks like the beginning of another one."""
    if attribute.kind == _DIRECTORY:  # made by `shown`
        return attribute.value
    cap = limits.PEER_TEXT_CHARACTERS
    return _SEPARATOR.sub(r"\\", cut(quoted(attribute.value[: cap + 1]), cap))


def folded(text: str) -> str:
    """The form for comparing strings: RFC 4518 in short (compatibility form, case, white space).

    A string longer than any name is compared as it is (`limits.FOLDED_CHARACTERS`).
    """
    if len(text) > limits.FOLDED_CHARACTERS:
        return text
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def key(name: Name) -> tuple[frozenset[tuple[str, str]], ...]:
    """Two names are the same name when their keys are equal."""
    return tuple(frozenset((a.kind, folded(a.value)) for a in relative) for relative in name)


def common_names(name: Name) -> list[str]:
    wanted = _ATTRIBUTE_OIDS["CN"]
    return [a.value for relative in name for a in relative if a.kind == wanted]


def general_names(node: ber.Node) -> tuple[Attribute, ...]:
    """GeneralNames by the kinds of OpenSSL's text form: DNS, IP Address, email, URI, DirName."""
    return general_names_of(node.expect(der.SEQUENCE))


def general_names_of(node: ber.Node) -> tuple[Attribute, ...]:
    """The same under an implicit tag."""
    return tuple(general_name(child) for child in node.children)


def general_name(node: ber.Node) -> Attribute:
    number = node.tag & 0x1F
    if number in _KINDS and node.tag == der.context(number):
        return Attribute(_KINDS[number], node.content.decode("ascii", "replace"))
    if node.tag == der.context(IP) and len(node.content) in (4, 16):
        return Attribute("IP Address", str(ipaddress.ip_address(node.content)))
    if node.tag == der.explicit(DIRECTORY) and len(node.children) == 1:
        return Attribute(_DIRECTORY, shown(read(node.children[0])))
    return Attribute("othername", node.raw.hex())


def folded_names(general: Iterable[Attribute]) -> set[tuple[str, str]]:
    return {(a.kind, folded(a.value)) for a in general}


def shown_names(general: Iterable[Attribute]) -> str:
    """`DNS:dev1, IP Address:192.0.2.1`, safe for a terminal."""
    return cut(", ".join(f"{a.kind}:{_value(a)}" for a in general), _NAME_CHARACTERS)
