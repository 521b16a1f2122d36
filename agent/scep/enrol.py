"""PKCSReq, RenewalReq and CertPoll (RFC 8894 3.3): one message to the CA, its reply judged.

The request is built anew from the job each time and comes out the same: the job holds everything
that it depends on, and the agent has stored that before the first byte leaves.
"""

from __future__ import annotations

from agent.errors import AgentError, fail
from agent.scep import (
    certificate,
    certmap,
    crl_check,
    messages,
    names,
    oids,
    ra,
    trust,
    vault,
)
from agent.scep.jobmap import Answer, Job, field, items, one_of, submap, text_or_none
from agent.scep.keys import Hands, HeldKey, OwnKey
from agent.scep.pki_operation import Conversation, Question, signing, transaction_of
from hal.ports import Link


def enrol(job: Job, hands: Hands, link: Link) -> Answer:
    """Sends PKCSReq or RenewalReq: {status: issued, certificate, chain, ra_proven, doubt, notes},
    {status: pending, notes}. doubt: the error of one that is right but for its dates. `renewal`
    None: signed by a certificate made for it; else {message_type, certificate, key,
    with_password}."""
    renewal = _renewal(job)
    with_password = renewal is None or field(renewal, "with_password", bool)
    kind = messages.PKCS_REQ if renewal is None else field(renewal, "message_type", int)
    if kind not in (messages.PKCS_REQ, messages.RENEWAL_REQ):
        raise fail("job-request", field="message_type")
    transaction = Transaction(job, hands, with_password)
    return transaction.run(kind, transaction.certification_request(), link)


def poll(job: Job, hands: Hands, link: Link) -> Answer:
    """Asks for the outcome of an earlier request; answers like `enrol`."""
    transaction = Transaction(job, hands, with_password=False)
    content = messages.poll_content(transaction.issuer.subject_der, transaction.request)
    return transaction.run(messages.CERT_POLL, content, link)


def offline(job: Job, device_key: bytes) -> Answer:
    """{entity, key_usage, digest, key, password} -> {request}: the PKCS#10 of `enrol`, alone."""
    sealed = text_or_none(job, "password")
    password = None if sealed is None else vault.unseal_password(device_key, sealed)
    request = _shaped(job, "", 0, password)  # the PKCS#10 itself has no transaction and no time
    key = OwnKey(vault.load_pair(submap(job, "key"), device_key))
    return {"request": messages.certification_request(request, key)}


class Transaction:
    """One exchange: the fields of its job, checked, and what the answer must fit."""

    def __init__(self, job: Job, hands: Hands, with_password: bool) -> None:
        self._job, self._with = job, Conversation(job)
        self._key = hands.key("key", submap(job, "key"))
        self._check = crl_check.check_of(job, self._with.ca, self._with.now_s)
        password = self._password(hands) if with_password else None
        time_s = field(job, "request_time_s", int)
        self.request = _shaped(job, transaction_of(job), time_s, password)
        self._signer, self._signer_key = self._signing(hands)

    def _password(self, hands: Hands) -> str | None:
        plain = hands.held.password()
        if plain is not None and not names.is_printable_string(plain):
            text = "the password has characters that some CAs (NDES) do not take"
            self._with.notes.append(text)
        return plain

    def _signing(self, hands: Hands) -> tuple[certificate.Certificate, HeldKey]:
        """The signer: the certificate in use, or one that is made for this request (2.3)."""
        if _renewal(self._job) is None:
            return messages.signer_certificate(self.request, self._key), self._key
        return signing(self._job, "renewal", hands)

    @property
    def issuer(self) -> certificate.Certificate:
        """The CA that issues, as it is named to itself."""
        return ra.issuing(self._with.ca, self._with.ra)

    def certification_request(self) -> bytes:
        return messages.certification_request(self.request, self._key)

    def run(self, kind: int, content: bytes, link: Link) -> Answer:
        """Sends a pkiMessage of this type; {status, ...} as `enrol` answers."""
        notes = self._with.notes
        keys = self._signer_key, self._key.spki
        question = Question(kind, content, self.request, self._signer, *keys)
        reply, expected = self._asked(question, link)
        if reply.status == str(messages.PENDING):
            return {"status": "pending", "notes": notes}
        if not reply.envelope:
            raise fail("certrep-empty")
        issued = trust.issued(reply, expected, in_date=kind == messages.GET_CERT)
        self._check_revocation(issued.certificate)
        return {
            "status": "issued",
            "certificate": certmap.summary(issued.certificate),
            "chain": issued.chain,
            "ra_proven": ra.proves(self._with.ca, self._with.ra),
            "doubt": issued.doubt.as_map() if issued.doubt else None,
            "notes": notes,
        }

    def _asked(self, question: Question, link: Link) -> tuple[messages.CertRep, trust.Expected]:
        """badRequest is all that many a CA says; what it means depends on what it was asked."""
        try:
            return self._with.ask(question, link)
        except AgentError as error:
            if error.code != "ca-badRequest":
                raise
            raise self._refused(question.kind, error) from None

    def _refused(self, kind: int, error: AgentError) -> AgentError:
        if kind == messages.CERT_POLL:
            return fail("ca-denied", what=error.what)
        if kind == messages.GET_CERT or _renewal(self._job) is None:
            return error
        how = "with" if self.request.password else "without"
        return fail("ca-renewal-refused", what=error.what, with_or_without=how)

    def _check_revocation(self, leaf: certificate.Certificate) -> None:
        """A list that is missing is no verdict about the certificate: it can be asked for again."""
        check = self._check
        if check.revoked(leaf):
            raise fail("issued-revoked", reason=check.revoked(leaf))
        lack = check.lacking(leaf)
        if lack and check.required:
            raise fail("crl-missing", reason=lack)
        if lack and check.named:
            self._with.notes.append(f"revocation was not checked: {lack}")


def _renewal(job: Job) -> Job | None:
    return None if job.get("renewal") is None else submap(job, "renewal")


def _shaped(job: Job, transaction: str, time_s: int, password: str | None) -> messages.Request:
    return messages.Request(
        transaction,
        time_s,
        one_of(job, "digest", oids.RSA_SIGNATURES),
        submap(job, "entity"),
        items(job, "key_usage", str),
        password,
    )
