"""A certificate as a map of an answer: what the agent keeps and shows of it beside its bytes."""

from __future__ import annotations

from agent.scep import caset, names
from agent.scep.certificate import Certificate
from agent.scep.jobmap import Answer


def record(subject: Certificate) -> Answer:
    """A certificate of a CA set: `summary`, is_ca, key_usage, md5, sha1, sha256."""
    prints = {name: caset.digits(name, subject) for name in caset.FINGERPRINTS}
    usage = sorted(subject.key_usage or ())
    return {**summary(subject), "is_ca": subject.is_ca, "key_usage": usage, **prints}


def summary(subject: Certificate) -> Answer:
    """The fields of a certificate that the agent keeps beside its bytes."""
    return {
        "der": subject.der,
        "subject": names.shown(subject.subject),
        "issuer": names.shown(subject.issuer),
        "serial": f"{subject.serial:x}",
        "not_before_s": subject.not_before_s,
        "not_after_s": subject.not_after_s,
    }
