"""Revocation lists: by HTTP from a distribution point, by SCEP's GetCRL, or from a file.

RFC 8894 2.7 and 4.6: a distribution point comes first, GetCRL only where there is none, since a CA
signs a reply for each GetCRL and many refuse it. The realm's `cdp-url` says where the list is, else
the certificate in use or, `from-ca`, that of the CA. Lists are judged alike, however they came
(`crl_check`). The job that reads one from HTTP has no device key.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from agent import limits
from agent.errors import AgentError, fail
from agent.scep import (
    ber,
    ca_query,
    certificate,
    cms_writer,
    crl_check,
    der,
    messages,
    names,
    oids,
    refusals,
    text,
    transport,
    trust,
    webfile,
)
from agent.scep.border import reading
from agent.scep.caset import CaSet
from agent.scep.certificate import Certificate
from agent.scep.jobmap import Answer, Job, field, one_of, text_or_none
from agent.scep.keys import Hands
from agent.scep.pki_operation import Conversation, Question, signing, transaction_of
from agent.scep.stored import ca_of
from hal.ports import Link

_BY_SCEP = "scep"
_PLACES, _PLACE_CHARACTERS = 3, 80  # of a certificate that an error shows
_NOT_OFFERED = (
    *refusals.UNKNOWN_OPERATION, "ca-badAlg", "ca-badCertId", "ca-badRequest", "ca-failure",
)  # fmt: skip


def fetch(job: Job, link: Link) -> Answer:
    """{cdp_url, from_ca, certificate, before_s, ca, source, ...}; `crl-no-place` when neither the
    realm nor a certificate says where a list is."""
    ca, in_use = ca_of(job), _held(job)
    url = text_or_none(job, "cdp_url")
    if url is None:
        url = _place(ca.issuing() if field(job, "from_ca", bool) else in_use)
    notes = ca.weak_links()
    found = webfile.fetched({**job, "url": url}, link, limits.CRL_PEM_BYTES, "crl-unreachable")
    data = crl_check.der_of(found)
    return _answer(job, ca, data, url, notes)


def from_file(job: Job) -> Answer:
    """{name, data, before_s, ca, ...}: of device storage, where somebody has put it."""
    ca = ca_of(job)
    notes = ca.weak_links()
    data = crl_check.der_of(field(job, "data", bytes))
    return _answer(job, ca, data, f"file {field(job, 'name', str)}", notes)


def get(job: Job, hands: Hands, link: Link) -> Answer:
    """GetCRL for the issuer of the certificate in use, which signs it:
    {signer: {certificate, key}, digest, transaction, before_s, ca, ...}"""
    conversation = Conversation(job)
    signer, key = signing(job, "signer", hands)
    digest = one_of(job, "digest", oids.RSA_SIGNATURES)
    request = messages.Request(transaction_of(job), 0, digest, {}, (), None)
    content = cms_writer.issuer_and_serial(signer.issuer_der, signer.serial)
    question = Question(messages.GET_CRL, content, request, signer, key, signer.spki)
    reply, expected = _asked(conversation, question, link)
    if reply.status != str(messages.SUCCESS):
        raise fail("certrep-status", received=str(reply.status))
    lists = trust.opened(reply, expected).lists
    if len(lists) != 1:
        raise fail("crl-malformed", reason=f"the reply holds {len(lists)} lists", page="-")
    return _answer(job, conversation.ca, lists[0], _BY_SCEP, conversation.notes)


def _asked(
    conversation: Conversation, question: Question, link: Link
) -> tuple[messages.CertRep, trust.Expected]:
    try:
        return conversation.ask(question, link)
    except AgentError as error:
        if error.code not in _NOT_OFFERED:
            raise
        raise fail("crl-not-offered", reason=error.what) from None


def _held(job: Job, name: str = "certificate") -> Certificate | None:
    """The certificate in use, or the one that waits, if there is one."""
    if job.get(name) is None:
        return None
    data = field(job, name, bytes)
    with reading("issued-malformed", data):
        return certificate.read(data)


def _answer(job: Job, ca: CaSet, data: bytes, source: str, notes: list[str]) -> Answer:
    """`revoked`: of the certificate in use and of the one that waits, why it is on the list."""
    crl = crl_check.accept(data, ca, notes)
    fault = crl_check.dates_fault(crl, ca_query.moment(job))
    if fault:
        raise fail("crl-outdated", reason=fault)
    if job.get("before_s") is not None and crl.this_update_s < field(job, "before_s", int):
        raise fail("crl-outdated", reason="the stored one is newer")
    held = [_held(job), _held(job, "waiting")]
    revoked = [crl_check.reason_of(one, crl, ca) if one else "" for one in held]
    if revoked[0]:
        realm = field(job, "realm", str)
        notes.append(
            "the certificate in use is on the list: it was revoked; to replace it type"
            f" `pki delete-certificate local realm {realm}` and apply again"
        )
    return {
        "crl": data,
        "issuer": names.shown(crl.issuer),
        "this_update_s": crl.this_update_s,
        "next_update_s": crl.next_update_s,
        "count": crl.total,
        "source": source,
        "revoked": revoked,
        "notes": notes,
    }


def _place(cert: Certificate | None) -> str:
    """The first distribution point that can be reached by http; `crl-no-place` names the others."""
    others = []
    for url in _named(cert):
        try:
            if not transport.server(url).secure:
                return url
        except AgentError:  # of another scheme, or with a character that no URL has
            pass
        others.append(text.clean(url, _PLACE_CHARACTERS))
    shown = f"; the certificate names {', '.join(others[:_PLACES])}" if others else ""
    raise fail("crl-no-place", others=shown)


def _named(cert: Certificate | None) -> Iterator[str]:
    """The URIs of all distribution points (RFC 5280 4.2.1.13). One that cannot be read, or whose
    name is relative to its issuer, costs none of the others."""
    extension = None if cert is None else cert.extensions.get(oids.CRL_DISTRIBUTION_POINTS)
    if extension is None:
        return
    with reading("crl-malformed", extension.value):
        points = ber.read(extension.value).expect(der.SEQUENCE).children
    for point in points:
        with suppress(ber.BerError):
            for found in certificate.distribution_point(point):
                yield from (name.value for name in found if name.kind == "URI")
