"""Name constraints: which names they allow, compared with openssl, and what cannot be judged."""

import ipaddress
import subprocess
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import limits
from agent.scep import certificate, constraints, der
from agent.scep.ber import BerError
from agent.scep.names import DIRECTORY, DNS, IP, RFC822, URI
from agent.scep.ra import RaRules, candidates
from tests.helpers import scep_lab as lab
from tests.scep.test_caset import issued, load, read

OID = "2.5.29.30"
NET = ipaddress.ip_network("10.1.0.0/16")
MASKED = NET.network_address.packed + NET.netmask.packed


def base(kind: int, value: bytes) -> bytes:
    tag = der.explicit(kind) if kind == DIRECTORY else der.context(kind)
    return der.tlv(tag, value)


def subtrees(*bases: bytes) -> bytes:
    return b"".join(der.sequence(one) for one in bases)


def extension(
    permitted: tuple[bytes, ...] = (), excluded: tuple[bytes, ...] = (), *, critical: bool = True
) -> tuple[str, bool, bytes]:
    parts = [
        der.tlv(der.explicit(at), subtrees(*bases))
        for at, bases in ((0, permitted), (1, excluded))
        if bases
    ]
    return OID, critical, der.sequence(*parts)


def bound(*more: tuple[str, bool, bytes]) -> lab.Party:
    """A CA below the root with these extensions."""
    return lab.certificate({"common_name": "Bound"}, "sub", lab.root(), ca=True, more=more)


def general(kind: str, value: Any) -> x509.GeneralName:
    return x509.GeneralName(kind, value)


def leaf(ca: lab.Party, *sans: x509.GeneralName, subject: Any = None) -> lab.Party:
    names = x509.GeneralNames(list(sans))
    how = {"sans": names} if sans else {}
    return lab.certificate(subject or {"common_name": "r1"}, "dev", ca, **how)


def fault(ca: lab.Party, found: lab.Party) -> str:
    """Why the CA may not have issued it; "" when it may."""
    known = load(lab.root(), ca)
    if known.issuer_of(read(found)) is not None:
        return ""
    return known.fault_of(read(found)) or known.fault_of(read(ca))


# (kind of the base, its value, kind of a name, a name inside, a name outside)
KINDS = [
    (DNS, b"example.com", "dns_name", "a.b.example.com", "badexample.com"),
    (DNS, b".example.com", "dns_name", "a.example.com", "a.example.org"),
    (DNS, b"Example.com", "dns_name", "EXAMPLE.com", "com"),
    (RFC822, b"example.com", "rfc822_name", "me@example.com", "me@a.example.com"),
    (RFC822, b".example.com", "rfc822_name", "me@a.example.com", "me@example.com"),
    (RFC822, b"me@example.com", "rfc822_name", "me@example.com", "you@example.com"),
    (IP, MASKED, "ip_address", "10.1.2.3", "10.2.2.3"),
    (IP, MASKED, "ip_address", "10.1.255.255", "2001:db8::1"),
]


@pytest.mark.parametrize(("kind", "value", "name", "inside", "outside"), KINDS)
def test_names_within_and_without(
    kind: int, value: bytes, name: str, inside: str, outside: str, tmp_path: Path
) -> None:
    permits = bound(extension(permitted=(base(kind, value),)))
    excludes = bound(extension(excluded=(base(kind, value),)))
    for ca, text, good in (
        (permits, inside, True), (permits, outside, False),
        (excludes, inside, False), (excludes, outside, True),
    ):  # fmt: skip
        found = leaf(ca, general(name, text))
        assert (fault(ca, found) == "") is good, text
        assert openssl_takes(tmp_path, ca, found) is good, text


def openssl_takes(folder: Path, ca: lab.Party, found: lab.Party) -> bool:
    paths = {"root": lab.root(), "ca": ca, "leaf": found}
    for name, party in paths.items():
        (folder / name).write_bytes(lab.pem_of(party))
    words = ("-no_check_time", "-CAfile", str(folder / "root"), "-untrusted", str(folder / "ca"))
    done = subprocess.run(
        ["openssl", "verify", *words, str(folder / "leaf")], capture_output=True, timeout=120
    )
    return done.returncode == 0


def test_subjects_and_their_mail_addresses() -> None:
    inside = x509.Name.build({"country_name": "DE", "organization_name": "Lab"})
    ca = bound(extension(permitted=(base(DIRECTORY, inside.dump()),)))
    assert fault(ca, leaf(ca, subject={"country_name": "de", "organization_name": "LAB",
                                       "common_name": "x"})) == ""  # fmt: skip
    assert "directoryName" in fault(ca, leaf(ca, subject={"common_name": "x"}))
    mail = bound(extension(permitted=(base(RFC822, b"example.com"),)))
    bad = {"common_name": "x", "email_address": "me@evil.example"}
    assert "rfc822Name" in fault(mail, leaf(mail, subject=bad))
    assert fault(mail, leaf(mail, subject={**bad, "email_address": "me@example.com"})) == ""


def test_they_bind_cas_and_ras_below_as_well_but_not_a_new_key_of_the_same_ca() -> None:
    inside = x509.Name.build({"organization_name": "Lab"})
    ca = bound(extension(permitted=(base(DIRECTORY, inside.dump()),)))
    below = lab.certificate({"common_name": "Else"}, "third", ca, ca=True)
    rekeyed = lab.certificate({"common_name": "Bound"}, "other", ca, ca=True)
    known = [a.certificate.der for a in load(lab.root(), ca, below, rekeyed).authorities]
    assert below.der not in known
    assert rekeyed.der in known
    ra = issued(ca, purposes=["1.3.6.1.5.5.7.3.28"])
    assert candidates(load(lab.root(), ca, ra), RaRules()) == []
    grandchild = lab.certificate({"common_name": "r1"}, "dev", rekeyed)
    assert load(lab.root(), ca, rekeyed).issuer_of(read(grandchild)) is None


def test_those_of_all_cas_on_the_way_count() -> None:
    wide = bound(extension(permitted=(base(DNS, b"example.com"),)))
    narrow = lab.certificate({"common_name": "Narrow"}, "third", wide, ca=True,
                             more=[extension(excluded=(base(DNS, b"x.example.com"),))])  # fmt: skip
    for name, good in (("a.example.com", True), ("x.example.com", False), ("b.org", False)):
        found = leaf(narrow, general("dns_name", name))
        assert (load(lab.root(), wide, narrow).issuer_of(read(found)) is not None) is good


def test_what_cannot_be_judged_ends_the_way_by_name_if_it_is_critical() -> None:
    uri = base(URI, b"example.com")
    for critical, good in ((True, False), (False, True)):
        ca = bound(extension(permitted=(uri,), critical=critical))
        assert (fault(ca, leaf(ca)) == "") is good
    ca = bound(extension(excluded=(uri,)))
    assert "uniformResourceIdentifier" in fault(ca, leaf(ca))
    assert ca.der in load(ca).served()  # the way out: pin that CA


@pytest.mark.parametrize(
    "value",
    [
        b"\x30\x03\xa0\x01\x30",
        der.sequence(der.tlv(der.explicit(0), der.sequence())),
        der.sequence(der.tlv(der.explicit(0), der.sequence(
            base(DNS, b"a"), der.tlv(der.context(0), b"\x01")))),
        der.sequence(der.tlv(der.explicit(0), der.sequence(
            base(DNS, b"a"), der.tlv(der.context(1), b"\x01")))),
        der.sequence(der.tlv(der.explicit(0), subtrees(
            *(base(DNS, b"a") for _ in range(limits.NAME_SUBTREES + 1))))),
    ],
)  # fmt: skip
def test_what_cannot_be_read_ends_the_way(value: bytes) -> None:
    ca = bound((OID, True, value))
    with pytest.raises(BerError):
        constraints.read(certificate.read(ca.der))
    assert load(lab.root(), ca).served() == [lab.root().der]


def test_more_names_than_are_judged() -> None:
    ca = bound(extension(permitted=(base(DNS, b"a.example"),)))
    many = [general("dns_name", "a.example")] * limits.CONSTRAINED_NAMES
    assert "more than" in fault(ca, leaf(ca, *many))


LABELS = st.sampled_from(["a", "b", "ab", "example", "com", ""])
HOSTS = st.lists(LABELS, min_size=1, max_size=4).map(".".join)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(HOSTS, HOSTS)
def test_a_domain_holds_itself_and_what_ends_in_a_dot_and_it(name: str, domain: str) -> None:
    """By the letter of RFC 5280 4.2.1.10: labels may be added to the left."""
    within = constraints._dns(name, domain)
    labels, wanted = name.rstrip(".").split("."), domain.strip(".").split(".")
    if domain.strip("."):
        assert not within or labels[-len(wanted) :] == wanted or domain.startswith(".")
    if name and domain and not domain.startswith("."):
        assert constraints._dns(f"x.{name}", name)
        assert not constraints._dns(f"x{domain.strip('.')}y", domain.strip("."))
