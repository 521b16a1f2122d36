"""The CA that follows, believed because the pinned one signed it: two ways, each judged anew.

It names its successor in a message (GetNextCACert, RFC 8894 4.7.1), or is renewed under its own
name and key, so that the key which is pinned has signed the certificate of the years to come.

Fault model. GetNextCACert is as unprotected as GetCACert, and what it brings will be trusted for
years. Nothing counts but the signature of the pinned CA, or of the CA below it that issues here,
over the content of the message; and that CA is known from the stored set, never from the message.
An RA's is not enough: an RA that was taken over must not name the CA of the years to come.

The message is kept, and each job that needs a derived pin follows the chain of messages again, from
the certificate that the operator has named.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.errors import fail
from agent.scep import ber, caset, certificate, cms, encodings, names, path
from agent.scep.border import reading
from agent.scep.caset import CaSet, Fingerprint, Rules
from agent.scep.certificate import Certificate
from hal.named import NamedTuple


class RollOver(NamedTuple):
    """A CA certificate that was pinned, and how it named the one that was pinned next.

    `message`: the signed answer; empty for a CA that was renewed with its name and key. `via`: DER
    of the CAs from the one that signed the message up to the pinned one, without that.
    """

    certificate: bytes
    message: bytes
    via: tuple[bytes, ...] = ()


def signer(message: bytes, ca: CaSet, issuing: Certificate) -> path.Authority:
    """The signer of a next set: the pinned CA, or the CA of the stored set that issues to us."""
    with reading("next-ca-malformed", message):
        identifier = _only_signer(cms.read_signed(encodings.single(message))).identifier
        candidates = [ca.pin, issuing]
        author = identifier.find(candidates)
    if author is None:
        raise fail("next-ca-signer", subject=names.shown(ca.pin.subject))
    return next(a for a in ca.authorities if a.certificate == author)


def members(link: RollOver, rules: Rules, notes: list[str]) -> list[Certificate]:
    """The certificates of the next CA, verified; each weakness that was let pass is in `notes`.

    `rules` without a time: the CA may have ended.
    """
    with reading("next-ca-malformed", link.message):
        message = cms.read_signed(encodings.single(link.message))
        _only_signer(message)
        pinned = certificate.read(link.certificate)
        notes += _check_signature(message, pinned, link.via, rules)
        if not message.content:
            raise ber.BerError("the certificates are not in what was signed")
        certificates = caset.readable(cms.read_signed(message.content).certificates)
    if not certificates:
        raise fail("next-ca-none", reason="there is no certificate in what was signed")
    return certificates


def _only_signer(message: cms.SignedData) -> cms.Signer:
    if len(message.signers) != 1:
        raise ber.BerError("not exactly one signer")
    return message.signers[0]


def _check_signature(
    message: cms.SignedData, pinned: Certificate, via: Sequence[bytes], rules: Rules
) -> list[str]:
    info = message.signers[0]
    ca_set = caset.under(pinned, caset.readable([pinned.der, *via]), rules)
    author = info.identifier.find([a.certificate for a in ca_set.authorities])
    if author is None:
        raise fail("next-ca-signer", subject=names.shown(pinned.subject))
    if info.digest == "md5" and "md5" not in rules.weak:
        raise fail("next-ca-signature", reason="it is made with md5")
    fault = cms.verify(message, info, author.spki)
    if fault:
        raise fail("next-ca-signature", reason=fault)
    weak = ["the signature of the next CA's certificates uses md5, which `weak-algorithm` allows"]
    return ca_set.weak_links() + (weak if info.digest == "md5" else [])


def check(ca: CaSet, lineage: Sequence[RollOver], anchor: Fingerprint) -> None:
    """`ca-pin-mismatch` unless the pinned certificate is the one that the operator has named, or
    one that has followed it, link by link."""
    if not lineage or caset.digits(anchor.algorithm, ca.named) == anchor.digits:
        caset.check_fingerprint(ca.named, anchor)
    else:
        follow(lineage, ca.named, anchor, ca.rules.weak)


def follow(
    lineage: Sequence[RollOver], pinned: Certificate, anchor: Fingerprint, weak: frozenset[str]
) -> None:
    """From the certificate with the operator's fingerprint to the pin, link by link."""
    rules = Rules(None, weak)
    with reading("next-ca-malformed", b""):
        predecessors = [certificate.read(link.certificate) for link in lineage]
    is_anchored, print_ = False, "none"
    for link, predecessor, successor in zip(
        lineage, predecessors, [*predecessors[1:], pinned], strict=True
    ):
        print_ = caset.digits(anchor.algorithm, predecessor)
        is_anchored = is_anchored or print_ == anchor.digits
        if is_anchored and not _leads(link, predecessor, successor, rules):
            pin = caset.digits("sha256", pinned)
            raise fail("ca-pin-mismatch", algorithm="sha256", wanted="one that follows it", got=pin)
    if not is_anchored:
        raise fail("ca-pin-mismatch", algorithm=anchor.algorithm, wanted=anchor.digits, got=print_)


def _leads(link: RollOver, predecessor: Certificate, successor: Certificate, rules: Rules) -> bool:
    if not link.message:
        return path.is_generation(successor, predecessor)
    next_set = members(link, rules, [])  # each weakness was told when it was fetched
    return successor.der in [c.der for c in next_set if c.is_ca]
