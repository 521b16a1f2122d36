"""The next CA, believed because the pinned one signed it (RFC 8894 4.7.1).

Fault model. GetNextCACert is as unprotected as GetCACert, and what it brings will be trusted for
years. Nothing counts but the signature of a CA that stands at or below the pin, over the content of
the message. The certificates beside it in the outer SignedData are not signed by anything; they can
only help to find the signer's own chain. An RA's signature is not enough: an RA that was taken over
must not name the CA of the years to come.

The message is kept, and each job that needs a derived pin follows the chain of messages again, from
the certificate that the operator's fingerprint names.
"""

from collections.abc import Sequence
from typing import NamedTuple

from agent.errors import fail
from agent.scep import ber, caset, certificate, cms, names
from agent.scep.border import reading
from agent.scep.caset import Fingerprint, Rules
from agent.scep.certificate import Certificate


class Link(NamedTuple):
    """A CA certificate that was pinned, and the message in which it named the next one."""

    certificate: bytes
    message: bytes


def members(link: Link, rules: Rules, notes: list[str]) -> list[Certificate]:
    """The certificates of the next CA, verified; each weakness that was let pass is in `notes`.

    `rules` without a time: the CA may have ended.
    """
    with reading("next-ca-malformed", link.message):
        message = cms.read_signed(link.message)
        if len(message.signers) != 1:
            raise ber.BerError("not exactly one signer")
        pinned = certificate.read(link.certificate)
        notes += _check_signature(message, pinned, rules)
        if not message.content:
            raise ber.BerError("the certificates are not in what was signed")
        found = caset.readable(cms.read_signed(message.content).certificates)
    if not found:
        raise fail("next-ca-none", reason="there is no certificate in what was signed")
    return found


def _check_signature(message: cms.SignedData, pinned: Certificate, rules: Rules) -> list[str]:
    signer = message.signers[0]
    ders, pin = [pinned.der, *message.certificates], caset.digits("sha256", pinned)
    known = caset.load(ders, pin, rules)
    who = signer.identifier.find([a.certificate for a in known.authorities])
    if who is None:
        raise fail("next-ca-signer", subject=names.shown(pinned.subject))
    if signer.digest == "md5" and "md5" not in rules.weak:
        raise fail("next-ca-signature", reason="it is made with md5")
    fault = cms.verify(message, signer, who.spki)
    if fault:
        raise fail("next-ca-signature", reason=fault)
    weak = ["the signature of the next CA's certificates uses md5, which `weak-algorithm` allows"]
    return known.weak_links() + (weak if signer.digest == "md5" else [])


def follow(lineage: Sequence[Link], pin: str, anchor: Fingerprint, weak: frozenset[str]) -> None:
    """From the certificate with the operator's fingerprint to the pin, message by message."""
    rules = Rules(None, weak)
    with reading("next-ca-malformed", b""):
        before = [certificate.read(link.certificate) for link in lineage]
    pins = [*(caset.digits("sha256", one) for one in before[1:]), pin]
    begun, got = False, "none"
    for link, one, following in zip(lineage, before, pins, strict=True):
        got = caset.digits(anchor.algorithm, one)
        begun = begun or got == anchor.digits
        if not begun:
            continue
        named = [c for c in members(link, rules, []) if c.is_ca]  # told when it was fetched
        if following not in [caset.digits("sha256", c) for c in named]:
            raise fail("ca-pin-mismatch", algorithm="sha256", wanted="one that follows it", got=pin)
    if not begun:
        raise fail("ca-pin-mismatch", algorithm=anchor.algorithm, wanted=anchor.digits, got=got)
