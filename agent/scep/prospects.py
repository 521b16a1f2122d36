"""The job `diagnose`: what only a reader of certificates can tell of an application before it is
sent. It goes the way of `pki_operation` up to the first byte, so that both say the same.
"""

from __future__ import annotations

from agent.errors import fail
from agent.scep import crypto, names, oids, ra
from agent.scep.caset import CaSet
from agent.scep.jobmap import Answer, Job, one_of
from agent.scep.pki_operation import Conversation, encrypting


def run(job: Job) -> Answer:
    """{ca, ra, ra_fingerprint, compatibility, weak, caps, cipher, digest, ...} -> {recipient,
    notes}: for whom a request would be encrypted, and with which cipher; each weakness on the way.

    Errors: those of `stored.ca_of` and of `ra.recipient`, `ca-cannot-encrypt`, and
    `issued-unverifiable` for a CA whose signatures nobody here could verify.
    """
    conversation = Conversation(job)
    ca = conversation.ca
    recipient, cipher = conversation.receiver(one_of(job, "digest", oids.RSA_SIGNATURES))
    with encrypting(recipient):
        crypto.wrap(recipient.spki, bytes(crypto.KEY_BYTES[cipher]))
    issuing = ra.issuing(ca, conversation.ra)
    if not crypto.can_verify(issuing.spki):
        reason = f"the key of the CA {names.shortly(issuing.subject)} is of an unknown kind"
        raise fail("issued-unverifiable", reason=reason)
    told = f"{names.shortly(recipient.subject)}, with {cipher}"
    return {"recipient": told, "notes": [*conversation.notes, *_unverifiable(ca)]}


def _unverifiable(ca: CaSet) -> list[str]:
    """Certificates of the set that count for nothing because of their algorithm or key."""
    trusted = [authority.certificate for authority in ca.authorities]
    others = [c for c in ca.certificates if c not in trusted]
    return [
        f"{names.shortly(one.subject)}: {reason}"
        for one in others
        if (reason := ca.unverifiable(one))
    ]
