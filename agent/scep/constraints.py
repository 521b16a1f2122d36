"""Name constraints of a CA (RFC 5280 4.2.1.10), and whether the names of a certificate obey them.

Judged are DNS names, mail addresses, IP addresses and directory names, as OpenSSL judges them. A
critical constraint on another kind of name cannot be obeyed by who cannot judge it, so that its CA
is refused by `read`; a constraint that is not critical says nothing then (RFC 5280 4.2).

Fault model. The CA is genuine, but whoever runs it may want to issue beyond its constraints, and
both sides of a comparison may be long: subtrees and names are capped, since each is compared with
each. What cannot be read is a BerError, as everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from agent import limits
from agent.scep import ber, der, names, oids
from agent.scep.certificate import Certificate
from hal.named import NamedTuple

_KINDS = {
    0: "otherName", names.RFC822: "rfc822Name", names.DNS: "dNSName", 3: "x400Address",
    names.DIRECTORY: "directoryName", 5: "ediPartyName", names.URI: "uniformResourceIdentifier",
    names.IP: "iPAddress", 8: "registeredID",
}  # fmt: skip
_NUMBER = 0x1F  # of a context tag
_EMAIL_ADDRESS = "1.2.840.113549.1.9.1"

Value = str | bytes | tuple[frozenset[tuple[str, str]], ...]


class Entry(NamedTuple):
    """A name or the base of a subtree: number of its kind (RFC 5280 4.2.1.6), and its value: text
    in lower case, octets of an address (a subtree: and of its mask), or the key of a Name."""

    kind: int
    value: Value


class Constraints(NamedTuple):
    """The subtrees of one CA."""

    permitted: tuple[Entry, ...]
    excluded: tuple[Entry, ...]

    def fault(self, subject: Certificate) -> str:
        """The name of a certificate that these subtrees forbid, or ""."""
        subject_names = list(_names(subject))
        if len(subject_names) > limits.CONSTRAINED_NAMES:
            return f"it has more than {limits.CONSTRAINED_NAMES} names"
        for name in subject_names:
            bases = [base.value for base in self.permitted if base.kind == name.kind]
            within = _WITHIN[name.kind]
            if bases and not any(within(name.value, base) for base in bases):
                return f"no permitted {_KINDS[name.kind]} holds a name of it"
            forbidden = (base.value for base in self.excluded if base.kind == name.kind)
            if any(within(name.value, base) for base in forbidden):
                return f"a {_KINDS[name.kind]} of it is excluded"
        return ""


NONE = Constraints((), ())


def read(authority: Certificate) -> Constraints:
    """The constraints of a CA certificate; BerError when they cannot be read or obeyed."""
    extension = authority.extensions.get(oids.NAME_CONSTRAINTS)
    if extension is None:
        return NONE
    fields = ber.Fields(ber.read(extension.value))
    subtrees = [fields.maybe(der.explicit(number)) for number in (0, 1)]
    fields.end()
    if sum(len(some.children) for some in subtrees if some) > limits.NAME_SUBTREES:
        raise ber.BerError("too many name constraints")
    permitted, excluded = (tuple(_bases(some, extension.critical)) for some in subtrees)
    return Constraints(permitted, excluded)


def _bases(subtrees: ber.Node | None, critical: bool) -> Iterator[Entry]:
    for subtree in subtrees.children if subtrees else ():
        fields = ber.Fields(subtree)
        base, minimum = fields.take(), fields.maybe(der.context(0))
        if fields.maybe(der.context(1)) is not None or (minimum and minimum.content != b"\0"):
            raise ber.BerError("name constraints with a minimum or a maximum")
        fields.end()
        kind = base.tag & _NUMBER
        if kind in _WITHIN:
            yield _entry(base)
        elif critical:
            what = _KINDS.get(kind, f"names of kind {kind}")
            raise ber.BerError(f"critical name constraints on {what}, which are not judged here")


def _entry(node: ber.Node) -> Entry:
    kind = node.tag & _NUMBER
    if kind == names.DIRECTORY:
        return Entry(kind, names.key(names.read(node.expect(der.explicit(kind)).inner())))
    content = node.expect(der.context(kind)).content
    if kind == names.IP:
        return Entry(kind, content)
    return Entry(kind, content.decode("ascii", "replace").lower())


def _names(subject: Certificate) -> Iterator[Entry]:
    """The names that are judged: alternative ones, subject, its mail addresses (6.1.3 b)."""
    if subject.subject:
        yield Entry(names.DIRECTORY, names.key(subject.subject))
    for relative in subject.subject:
        for attribute in relative:
            if attribute.kind == _EMAIL_ADDRESS:
                yield Entry(names.RFC822, attribute.value.lower())
    extension = subject.extensions.get(oids.SUBJECT_ALT_NAME)
    if extension is not None:
        for node in ber.read(extension.value).expect(der.SEQUENCE).children:
            if node.tag & _NUMBER in _WITHIN:
                yield _entry(node)


# -- whether a name lies within a subtree ----------------------------------------------------------


def _dns(name: Value, base: Value) -> bool:
    """Labels may be added to the left; with a leading dot, as many CAs write it, they must be."""
    host, domain = str(name).rstrip("."), str(base).rstrip(".")
    if not domain or domain.startswith("."):
        return host.endswith(domain)
    return host == domain or host.endswith(f".{domain}")


def _mail(name: Value, base: Value) -> bool:
    """A mailbox, all of a host, or (`.domain`) all of the hosts below a domain."""
    address, wanted = str(name), str(base)
    host = address.rpartition("@")[2]
    if "@" in wanted:
        return address == wanted
    return host.endswith(wanted) if wanted.startswith(".") else host == wanted


def _address(name: Value, base: Value) -> bool:
    if not isinstance(name, bytes) or not isinstance(base, bytes) or len(base) != 2 * len(name):
        return False
    network, mask = base[: len(name)], base[len(name) :]
    return all((a ^ b) & m == 0 for a, b, m in zip(name, network, mask, strict=True))


def _directory(name: Value, base: Value) -> bool:
    return name[: len(base)] == base


_WITHIN: dict[int, Callable[[Value, Value], bool]] = {
    names.RFC822: _mail,
    names.DNS: _dns,
    names.DIRECTORY: _directory,
    names.IP: _address,
}
