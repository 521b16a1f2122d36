"""PKCS#12 (RFC 7292) that the library does not open, read with our own reader.

The library opens a file as a whole: one certificate with a name, a date or a version that it does
not take, and it says that the password is wrong. Here locks and contents are two things. The MAC
tells whether the password is right; then each bag is taken by itself, certificates as they are.

Fault model. That of `container`: the file is a stranger's. Its rounds are counted before (`pbe`),
those behind a lock once it is open; bags are capped by the elements that `ber` reads.
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.errors import fail
from agent.scep import ber, der, oids, pbe
from agent.scep.certificate import algorithm_identifier
from hal.named import NamedTuple

_KEY_BAG, _SHROUDED_BAG = "1.2.840.113549.1.12.10.1.1", "1.2.840.113549.1.12.10.1.2"
_CERTIFICATE_BAG, _NESTED_BAG = "1.2.840.113549.1.12.10.1.3", "1.2.840.113549.1.12.10.1.6"
_X509 = "1.2.840.113549.1.9.22.1"
_BAGS = 64  # of one file; a chain with its key has six
_DEEPEST = 4  # bags of bags


class Bags(NamedTuple):
    """Private keys as PKCS#8 in DER, which may be encrypted; certificates in DER, unread."""

    keys: list[bytes]
    certificates: list[bytes]


def is_pfx(node: ber.Node) -> bool:
    """A version, whichever it is, and a ContentInfo; behind it no key, which PKCS#8 would have."""
    tags = [child.tag for child in node.children]
    begins = tags[:2] == [der.INTEGER, der.SEQUENCE] and tags[2:] in ([], [der.SEQUENCE])
    return begins and [child.tag for child in node.children[1].children[:1]] == [der.OID]


def read(data: bytes, password: str | None) -> Bags:
    """The bags of a file; LocalError `import-password` where its MAC says so or a lock does not
    open, `import-password-missing`, `import-work`; ValueError."""
    fields = ber.Fields(ber.read(data))
    fields.take(der.INTEGER)
    safe = _content(fields.take(), oids.DATA).octet_string()
    mac = fields.maybe(der.SEQUENCE)
    if mac is not None and not _fits(ber.Fields(mac), safe, password):
        raise _refused(password)
    bags = Bags([], [])
    for place, bag in enumerate(_bags(safe, password)):
        if place == _BAGS:
            raise ber.BerError(f"more than {_BAGS} bags")
        _take(bag, bags)
    return bags


def _refused(password: str | None) -> Exception:
    return fail("import-password", rare="") if password else fail("import-password-missing")


def _content(info: ber.Node, kind: str) -> ber.Node:
    fields = ber.Fields(info)
    if (found := fields.take().oid()) != kind:
        raise ber.BerError(f"content of type {found} in a PKCS#12")
    return ber.Fields(fields.take(der.explicit(0)), der.explicit(0)).take()


def _fits(mac: ber.Fields, safe: bytes, password: str | None) -> bool:
    """Whether the MAC is made with this password; one by another algorithm says nothing. An empty
    password is two NULs to some tools, and nothing at all to others."""
    info, salt, rounds = ber.Fields(mac.take()), mac.take().octet_string(), mac.maybe(der.INTEGER)
    digest = oids.DIGEST_NAMES.get(algorithm_identifier(info.take())[0], "")
    if digest not in pbe.MAC_DIGESTS:
        return True
    wanted, count = info.take().octet_string(), rounds.integer() if rounds else 1
    texts = [password] if password else ["", None]
    return any(pbe.mac(digest, text, salt, count, safe) == wanted for text in texts)


def _bags(safe: bytes, password: str | None) -> Iterator[ber.Node]:
    """The bags of an AuthenticatedSafe (4.1), with the locks of its parts opened."""
    for info in ber.read(safe).expect(der.SEQUENCE).children:
        if ber.Fields(info).take().oid() == oids.ENCRYPTED_DATA:
            contents = _unlocked(_content(info, oids.ENCRYPTED_DATA), password)
        else:
            contents = _content(info, oids.DATA).octet_string()
        yield from _flat(ber.read(contents).expect(der.SEQUENCE), _DEEPEST)


def _unlocked(encrypted: ber.Node, password: str | None) -> bytes:
    fields = ber.Fields(encrypted)
    fields.take(der.INTEGER)
    content = ber.Fields(fields.take(der.SEQUENCE))
    content.take()
    algorithm = content.take(der.SEQUENCE)
    plain = pbe.opened(
        algorithm, content.take(der.context(0), der.explicit(0)).octets(), password or ""
    )
    if plain is None or plain[:1] != b"\x30":
        raise _refused(password)
    pbe.demand(plain)
    return plain


def _flat(contents: ber.Node, deepest: int) -> Iterator[ber.Node]:
    for bag in contents.children:
        fields = ber.Fields(bag)
        if fields.take().oid() == _NESTED_BAG and deepest:
            yield from _flat(fields.take(der.explicit(0)).inner(), deepest - 1)
        else:
            yield bag


def _take(bag: ber.Node, bags: Bags) -> None:
    fields = ber.Fields(bag)
    kind, value = fields.take().oid(), fields.take(der.explicit(0)).inner()
    if kind in (_KEY_BAG, _SHROUDED_BAG):
        bags.keys.append(value.raw)
    elif kind == _CERTIFICATE_BAG:
        certificate = ber.Fields(value)
        if certificate.take().oid() == _X509:
            bags.certificates.append(certificate.take(der.explicit(0)).inner().octet_string())
