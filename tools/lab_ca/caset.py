"""GetCACert and GetNextCACert: the certificates of a CA as they go out (RFC 8894 4.2, 4.7)."""

from collections.abc import Callable
from typing import NamedTuple

from asn1crypto import x509

from tools.lab_ca import answer, reply
from tools.lab_ca.algorithms import Identity
from tools.lab_ca.authority import Authority


class CaSet(NamedTuple):
    """What is published, before it is encoded."""

    operation: str
    certificates: tuple[x509.Certificate, ...]
    degenerate: bool  # a SignedData around them; else the first one alone
    kind: str  # Content-Type
    authority: Authority
    signer: Identity | None = None  # GetNextCACert: who signs it; None: nobody
    outside: bool = False  # GetNextCACert: in the SignedData itself, not in its content
    edit: Callable[[bytes], bytes] = bytes  # of the whole


def of_now(authority: Authority) -> CaSet:
    degenerate = authority.degenerate
    kind = answer.CA_SET if degenerate else answer.CA_CERTIFICATE
    return CaSet(answer.CERTIFICATES, authority.published, degenerate, kind, authority)


def of_next(authority: Authority) -> CaSet:
    """RFC 8894 4.7.1: signed by the CA of today."""
    certificates = authority.next_set()
    return CaSet(
        answer.NEXT, certificates, True, answer.NEXT_CA, authority, signer=authority.signing
    )


def encode(found: CaSet) -> bytes:
    if not found.degenerate:
        return found.edit(found.certificates[0].dump())
    body = reply.degenerate(found.certificates)
    if found.signer is not None:
        inside = None if found.outside else body
        beside = found.certificates if found.outside else (found.signer.certificate,)
        body = reply.signed_by(found.signer, inside, beside)
    return found.edit(body)
