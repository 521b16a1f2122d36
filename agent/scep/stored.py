"""The stored CA of a job, judged anew: pin, lineage and what the operator vouches for.

A job is told which CA is trusted by an agent that reads no certificate, and that was told by an
earlier job, which read what nobody had signed. So no earlier job is taken at its word: the pinned
certificate is compared with what the operator has typed or confirmed (`anchor`, and `fingerprint`
as it is configured now), and what the pin vouches for is worked out here.
"""

from __future__ import annotations

from agent.scep import ca_query, caset, crl, path, succession
from agent.scep.caset import CaSet
from agent.scep.crl import Crl
from agent.scep.jobmap import Job, field, items, submap
from agent.scep.succession import RollOver


def ca_of(job: Job) -> CaSet:
    """{ca: {certificates, pin, anchor, lineage, roots}, fingerprint, weak, revocation, ...}

    Errors: those of `caset.load`, `ca-pin-mismatch`, and those of a lineage that does not hold.
    """
    ca = submap(job, "ca")
    ders, pin = items(ca, "certificates", bytes), field(ca, "pin", str)
    roots = (
        [ca_query.fingerprint(root) for root in items(ca, "roots", dict)] if "roots" in ca else []
    )
    ca_set = caset.load(ders, pin, rules_of(job), roots)
    lineage = [_link(link) for link in items(ca, "lineage", dict)] if "lineage" in ca else []
    for holder, name in ((ca, "anchor"), (job, "fingerprint")):
        if holder.get(name) is not None:
            succession.check(ca_set, lineage, ca_query.fingerprint(submap(holder, name)))
    return ca_set


def undated(job: Job) -> Job:
    """The same with a clock that is not trusted: a wrong one must not take from what is served,
    and consumers judge dates by clocks of their own."""
    return {**job, "clock_trusted": False}


def rules_of(job: Job) -> path.Rules:
    """{weak, now_s, clock_trusted, revocation}"""
    weak = frozenset(items(job, "weak", str))
    return path.Rules(ca_query.moment(job), weak, _list(job))


def _list(job: Job) -> Crl | None:
    """The stored revocation list, where the realm wants it looked at; who has signed it is found
    out where it is used. One that cannot be read says nothing, as one that is missing."""
    if job.get("revocation") is None:
        return None
    revocation = submap(job, "revocation")
    if revocation.get("check") == ["none"] or revocation.get("crl") is None:
        return None
    data = field(revocation, "crl", bytes)
    try:
        return crl.read(data)
    except ValueError:
        return None


def _link(fields: Job) -> RollOver:
    certificate, message = field(fields, "certificate", bytes), field(fields, "message", bytes)
    return RollOver(certificate, message, tuple(items(fields, "via", bytes)))
