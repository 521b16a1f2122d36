"""The files of a realm beside its own certificate: the CAs that consumers may trust, and the chain
that peers are shown. Worked out by the job that writes it, whatever an earlier job has said.

A CA that cannot be believed any more (its record was changed, its lineage does not hold) is left
out: the device goes on showing its own certificate, and trusts nobody for it.
"""

from __future__ import annotations

from agent.errors import AgentError
from agent.scep import certificate
from agent.scep.border import reading
from agent.scep.jobmap import Job, items
from agent.scep.stored import ca_of, undated
from hal.named import NamedTuple


class Served(NamedTuple):
    """DER of the issuers of the certificate upwards, DER of the CAs to trust, and a note or ""."""

    chain: list[bytes]
    ca: list[bytes]
    note: str


def of(job: Job, own: bytes) -> Served:
    """{ca: as `stored.ca_of` takes it or None, chain: as it was stored with the certificate}"""
    before = items(job, "chain", bytes)
    if job.get("ca") is None:
        return Served(before, [], "the realm has no CA certificate that it trusts: ca.pem is empty")
    try:
        ca = ca_of(undated(job))
    except AgentError as error:
        return Served(before, [], f"ca.pem is empty: {error.what}")
    with reading("issued-malformed", own):
        issuer = ca.issuer_of(certificate.read(own))
    return Served(before if issuer is None else ca.chain(issuer), ca.served(), "")
