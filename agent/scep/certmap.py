"""A certificate as a map of an answer: what the agent keeps and shows of it beside its bytes."""

from __future__ import annotations

from agent.scep import caset, names
from agent.scep.certificate import Certificate
from agent.scep.jobmap import Answer


def record(found: Certificate) -> Answer:
    """A certificate of a CA set: `summary`, is_ca, key_usage, md5, sha1, sha256."""
    prints = {name: caset.digits(name, found) for name in caset.FINGERPRINTS}
    usage = sorted(found.key_usage or ())
    return {**summary(found), "is_ca": found.is_ca, "key_usage": usage, **prints}


def summary(found: Certificate) -> Answer:
    """The fields of a certificate that the agent keeps beside its bytes."""
    return {
        "der": found.der,
        "subject": names.shown(found.subject),
        "issuer": names.shown(found.issuer),
        "serial": f"{found.serial:x}",
        "not_before_s": found.not_before_s,
        "not_after_s": found.not_after_s,
    }
