"""Lies about the CA: capabilities, its certificates, the next ones."""

from collections.abc import Callable

import pytest
from asn1crypto import cms
from asn1crypto import x509 as asn1

from tests.helpers import labca_client as client
from tests.helpers.labca_client import CertRep
from tests.helpers.labca_http import Answer
from tests.helpers.labca_seen import Base, Lab, Seen, issued_here, names_signer, prove
from tools.lab_ca import hostile
from tools.lab_ca.authority import Plan

FOLLOWED = Base(following=True)


def caps(test: Callable[[bytes], bool]) -> Seen:
    return Seen(lambda lab: test(lab.get("GetCACaps").body))


def ca_body(test: Callable[[Lab, bytes], bool]) -> Seen:
    return Seen(lambda lab: test(lab, lab.get("GetCACert").body))


def next_answer(lab: Lab) -> Answer:
    return lab.get("GetNextCACert")


def next_signed(lab: Lab) -> CertRep:
    return client.read_reply(next_answer(lab).body)


def next_certificates(lab: Lab) -> list[asn1.Certificate]:
    inner = cms.ContentInfo.load(next_signed(lab).content)["content"]
    return [choice.chosen for choice in inner["certificates"] or ()]


def next_by(test: Callable[[Lab, asn1.Certificate], bool]) -> Seen:
    """Signed well, but by such a certificate instead of the CA of today."""

    def true(lab: Lab) -> bool:
        reply = next_signed(lab)
        who = names_signer(reply)
        return reply.verifies(who) and not reply.verifies(lab.ca) and test(lab, who)

    return Seen(true, FOLLOWED)


CA_SETS = {
    "caps-downgrade": caps(lambda found: found == b"DES\nMD5\n"),
    "caps-nothing": caps(lambda found: not {b"AES", b"SHA-256"} & set(found.split())),
    "caps-huge": caps(lambda found: found == b"A" * 1_000_000),
    "caps-lines": caps(lambda found: found.count(b"\n") == 250_000),
    "caps-binary": caps(lambda found: found == bytes(range(256))),
    "ca-impostor": ca_body(
        lambda lab, found: asn1.Certificate.load(found).subject == lab.ca.subject
        and found != lab.ca.dump()
    ),
    "ca-appended": Seen(
        lambda lab: len(found := lab.ca_set()) == 2 and found[0].dump() == lab.ca.dump()
        and found[1].subject != lab.ca.subject
    ),
    "ca-prepended": Seen(
        lambda lab: len(found := lab.ca_set()) == 2 and found[1].dump() == lab.ca.dump()
        and found[0].subject == lab.ca.subject
    ),
    "ca-impostor-appended": Seen(
        lambda lab: len(found := lab.ca_set()) == 2 and found[0].dump() == lab.ca.dump()
        and found[1].subject == lab.ca.subject
    ),
    "ca-crowd": Seen(
        lambda lab: len(found := lab.ca_set()) == 15 and found[14].dump() == lab.ca.dump()
        and len({one.dump() for one in found}) == 15
    ),
    "ca-older": Seen(lambda lab: older(lab), FOLLOWED),
    "ca-device": Seen(
        lambda lab: len(found := lab.ca_set()) == 2 and issued_here(lab, found[0])
        and found[1].dump() == lab.ca.dump()
    ),
    "ca-device-alone": Seen(
        lambda lab: len(found := lab.ca_set()) == 2 and issued_here(lab, found[0])
        and found[0].extended_key_usage_value is None and found[1].dump() == lab.ca.dump(),
        Base(Plan(ra=True)),
    ),
    "ca-none": Seen(lambda lab: lab.ca_set() == []),
    "ca-many": Seen(lambda lab: len(lab.ca_set()) == 300),
    "ca-garbage": ca_body(lambda lab, found: found == bytes(len(lab.ca.dump()))),
    "ca-cut": ca_body(lambda lab, found: found == lab.ca.dump()[:-1]),
    "next-stranger": next_by(lambda lab, who: who.subject != lab.ca.subject and who.ca),
    "next-impostor": next_by(
        lambda lab, who: who.subject == lab.ca.subject and not is_next(lab, who)
    ),
    "next-itself": next_by(lambda lab, who: is_next(lab, who)),
    "next-device": next_by(lambda lab, who: issued_here(lab, who) and not who.ca),
    "next-below": next_by(lambda lab, who: issued_here(lab, who) and bool(who.ca)),
    "next-broken": Seen(lambda lab: not next_signed(lab).verifies(lab.ca), FOLLOWED),
    "next-none": Seen(
        lambda lab: next_signed(lab).verifies(lab.ca) and next_certificates(lab) == [], FOLLOWED
    ),
    "next-device-as-ca": Seen(
        lambda lab: next_signed(lab).verifies(lab.ca) and not next_certificates(lab)[0].ca, FOLLOWED
    ),
}  # fmt: skip


def is_next(lab: Lab, certificate: asn1.Certificate) -> bool:
    return certificate.dump() == lab.authority.next_set()[0].dump()


def older(lab: Lab) -> bool:
    """Whether after a roll-over the CA of before is told, and it alone."""
    before = lab.ca.dump()
    lab.authority.roll_over()
    return [one.dump() for one in lab.ca_set()] == [before]


@pytest.mark.parametrize("name", CA_SETS)
def test_a_lie_is_what_it_says(name: str) -> None:
    prove(CA_SETS[name], hostile.HOSTILE[name])
