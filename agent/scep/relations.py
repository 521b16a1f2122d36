"""The relations between certificates of a set that has arrived, for the agent to choose from.

The agent reads no certificate: which one becomes the pin is its decision
(`agent/enrolment/pins.py`), and what that one vouches for is found out here, for each that might be
chosen. Nothing here is trust: each job that uses a stored set, or writes it for consumers, works it
out again from the pin.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.errors import AgentError
from agent.scep import caset, certmap, path, ra
from agent.scep.caset import Rules
from agent.scep.certificate import Certificate
from agent.scep.jobmap import Answer
from agent.scep.ra import RaRules


def described(
    certificates: Sequence[Certificate],
    rules: Rules,
    ra_rules: RaRules,
    stored: Sequence[bytes] = (),
) -> list[Answer]:
    """A map for each: the fields of `certmap.record`, and as indexes into this list

    below: the CAs and RAs that it vouches for, were it pinned, and the RAs that the operator has
    named; generations: those of them that are this CA again, with the same key; above: who has
    signed it, upwards to a self-signed one, which may be anybody's. `self_signed`; `sent`: it is
    none of `stored`, which were held here already.
    """
    places = {subject.der: index for index, subject in enumerate(certificates)}

    def indexes(members: Sequence[Certificate]) -> list[int]:
        return sorted({places[subject.der] for subject in members})

    return [
        {
            **certmap.record(subject),
            "below": indexes(_below(subject, certificates, rules, ra_rules)),
            "generations": indexes([c for c in certificates if path.is_generation(c, subject)]),
            "above": [places[c.der] for c in _above(subject, certificates)],
            "self_signed": subject.issued_by(subject),
            "sent": subject.der not in stored,
        }
        for subject in certificates
    ]


def _below(
    pinned: Certificate, certificates: Sequence[Certificate], rules: Rules, ra_rules: RaRules
) -> list[Certificate]:
    if not pinned.is_ca:
        return []
    try:
        ca_set = caset.under(pinned, certificates, rules)
    except AgentError:  # it has ended
        return []
    return [*(a.certificate for a in ca_set.authorities[1:]), *ra.kept(ca_set, ra_rules)]


def _above(subject: Certificate, certificates: Sequence[Certificate]) -> list[Certificate]:
    chain = [subject]
    while not chain[-1].issued_by(chain[-1]):
        others = (c for c in certificates if c.is_ca and c not in chain)
        parent = next((c for c in others if chain[-1].issued_by(c)), None)
        if parent is None:
            break
        chain.append(parent)
    return chain[1:]
