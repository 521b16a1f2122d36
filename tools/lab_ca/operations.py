"""PKIOperation: what this CA checks and decides (RFC 8894 3.3, 4.3, 4.4).

The order is that of a careful CA: signature, envelope, proof of possession, right to ask, and only
then the transaction. What a transaction stands at is decided under the ledger's lock; a held
conversation waits outside it.
"""

import os
from collections.abc import Callable
from typing import NamedTuple

from asn1crypto import crl, x509

from tools.lab_ca import algorithms
from tools.lab_ca import crl as revocations
from tools.lab_ca import reply as replies
from tools.lab_ca import request as scep
from tools.lab_ca.authority import BACKDATE_S, YEAR_S, Authority, serial_of
from tools.lab_ca.hooks import PLAIN, Hooks
from tools.lab_ca.ledger import DENIED, ISSUED, PENDING, Ledger, Record
from tools.lab_ca.reply import Reply
from tools.lab_ca.request import Asked, Case, Csr, Message, RefusedError

Note = dict[str, object]  # the line of the log, filled in as far as the operation gets
Reach = Callable[[str], None]  # called at each point where a conversation may be held


class Policy(NamedTuple):
    """How this CA answers; None means: as the client asked."""

    challenge: str | None = None
    manual: bool = False
    life: tuple[int, int] = (BACKDATE_S, YEAR_S)  # backdated by, valid for, in seconds
    digest: str | None = None
    cipher: str | None = None
    hooks: Hooks = PLAIN


class Outcome(NamedTuple):
    """What a transaction came to: certificates or a CRL, or neither for PENDING."""

    certificates: tuple[x509.Certificate, ...] = ()
    reached: str | None = None  # the state that was newly recorded
    crls: tuple[crl.CertificateList, ...] = ()


class Responder:
    """Answers pkiMessages with CertReps."""

    def __init__(self, authority: Authority, ledger: Ledger, policy: Policy) -> None:
        self._authority, self._ledger, self._policy = authority, ledger, policy

    def answer(self, body: bytes, note: Note, reach: Reach) -> bytes:
        """The encoded CertRep; `scep.MalformedError` when the body is no pkiMessage."""
        message = scep.read_message(body)
        note |= _note_of(message)
        reply = self._base(message)
        try:
            outcome = self._act(message, note, reach)
        except RefusedError as refused:
            reply = reply._replace(fail_info=refused.fail_info, fail_info_text=refused.text)
        else:
            reply = self._granted(reply, message, outcome, str(note["cipher"]))
        reply = self._policy.hooks.reply(reply)
        note |= {
            "pkiStatus": reply.status,
            "failInfo": reply.fail_info,
            "failInfoText": reply.fail_info_text,
        }
        return replies.encode(reply)

    def _base(self, message: Message) -> Reply:
        known = message.digest if message.digest in algorithms.DIGESTS else "sha256"
        return Reply(
            asked=message.message_type,
            authority=self._authority,
            challenge=self._policy.challenge,
            status=replies.FAILURE,
            transaction_id=message.transaction_id,
            recipient_nonce=message.sender_nonce,
            sender_nonce=os.urandom(16),
            digest=self._policy.digest or known,
            cipher="aes128",
            signer=self._authority.signing,
            certificates=(self._authority.signing.certificate,),
        )

    def _granted(self, reply: Reply, message: Message, outcome: Outcome, cipher: str) -> Reply:
        if not outcome.certificates and not outcome.crls:
            return reply._replace(status=replies.PENDING)
        return reply._replace(
            status=replies.SUCCESS,
            issued=outcome.certificates,
            crls=outcome.crls,
            recipient=message.signer,
            cipher=self._policy.cipher or cipher,
        )

    def _act(self, message: Message, note: Note, reach: Reach) -> Outcome:
        signer = scep.verify(message)
        action = _ACTIONS.get(message.message_type)
        if action is None:
            raise RefusedError("badRequest", f"{note['messageType']} is not here yet")
        cipher, content = scep.open_envelope(message, self._authority.encryption)
        note["cipher"] = cipher
        outcome = action(self, Case(message, signer, cipher, content), note, reach)
        if outcome.reached is not None:
            reach(outcome.reached)
        return outcome

    def _request(self, case: Case, note: Note, reach: Reach) -> Outcome:
        """PKCSReq and RenewalReq."""
        note["csr_sha256"] = algorithms.sha256_hex(case.content)
        csr = scep.read_csr(case.content)
        reach("pkcsreq")
        renewal = self._is_renewal(case)
        self._judge(case, csr, renewal=renewal)
        if not renewal:
            self._may_enrol(case, csr)
        with self._ledger.lock():
            record = self._ledger.get(case.message.transaction_id)
            if record is None or not _repeats(record, case, csr, renewal=renewal):
                return self._open(_record(case, csr), csr)
            record = record._replace(requests=record.requests + 1)
            self._ledger.put(record)
            return self._follow(record)

    def _poll(self, case: Case, _note: Note, reach: Reach) -> Outcome:
        """CertPoll (RFC 8894 3.3.3)."""
        issuer, subject = scep.read_poll(case.content)
        reach("certpoll")
        self._judge(case, None, renewal=False)
        with self._ledger.lock():
            record = self._ledger.get(case.message.transaction_id)
            if record is None:
                raise RefusedError("badCertId", "no such transaction")
            if record.signer_spki_sha256 != _spki_sha256(case.signer):
                raise RefusedError(
                    "badMessageCheck", "signed with another key than the request was"
                )
            if issuer != self._authority.ca.certificate.subject:
                raise RefusedError("badRequest", "the issuer of the poll is not this CA")
            if subject != scep.read_csr(bytes.fromhex(record.csr)).subject:
                raise RefusedError("badRequest", "the subject of the poll is not the requested one")
            record = record._replace(polls=record.polls + 1)
            self._ledger.put(record)
            return self._follow(record)

    def _get_cert(self, case: Case, _note: Note, _reach: Reach) -> Outcome:
        """RFC 8894 3.3.4: a certificate that was issued here."""
        serial = self._named(case)
        try:
            return Outcome((self._authority.issued(f"{serial:032X}"),))
        except OSError as error:
            raise RefusedError("badCertId", "no such certificate") from error

    def _get_crl(self, case: Case, _note: Note, _reach: Reach) -> Outcome:
        """RFC 8894 3.3.5: the CRL of the CA that issued the named certificate."""
        self._named(case)
        return Outcome(crls=(revocations.current(self._authority),))

    def _named(self, case: Case) -> int:
        issuer, serial = scep.read_serial(case.content)
        if issuer != self._authority.ca.certificate.subject:
            raise RefusedError("badCertId", "the named issuer is not this CA")
        return serial

    def _judge(self, case: Case, csr: Csr | None, *, renewal: bool) -> None:
        """What the switches have against a message."""
        self._policy.hooks.judge(
            Asked(
                case=case,
                csr=csr,
                renewal=renewal,
                challenge=self._policy.challenge,
                records=self._ledger.records,
                issuer=self._authority.ca.certificate.subject,
                now_s=self._authority.now_s(),
            )
        )

    def _open(self, record: Record, csr: Csr) -> Outcome:
        self._ledger.put(record)
        return Outcome(reached="pending") if self._policy.manual else self._issue(record, csr)

    def _follow(self, record: Record) -> Outcome:
        """Where a known transaction stands now."""
        if record.state == DENIED:
            raise RefusedError("badRequest", "the operator denied the request")
        if record.state == ISSUED:
            return Outcome((self._authority.issued(str(record.serial)),))
        if record.state == PENDING and self._policy.manual:
            return Outcome()
        return self._issue(record, scep.read_csr(bytes.fromhex(record.csr)))

    def _issue(self, record: Record, csr: Csr) -> Outcome:
        certificate = self._authority.issue(
            csr.subject,
            csr.spki,
            csr.extensions,
            self._policy.life,
            self._policy.hooks.certificate,
        )
        serial = serial_of(certificate)
        self._ledger.put(record._replace(state=ISSUED, serial=serial))
        return Outcome((certificate,), "issued")

    def _may_enrol(self, case: Case, csr: Csr) -> None:
        """PKCSReq: the requested key signed the message, and the challenge is right."""
        if csr.spki != case.signer.public_key.dump():
            raise RefusedError(
                "badRequest", "the PKCS#10 holds another key than the one that signed"
            )
        challenge = self._policy.challenge
        if challenge is None:
            return
        if not scep.same_octets(challenge.encode(), (csr.challenge or "").encode()):
            raise RefusedError("badRequest", "the challenge password is wrong")

    def _is_renewal(self, case: Case) -> bool:
        """Signed with a certificate of this CA, in date: that is all that a renewal needs.

        Before RFC 8894 had RenewalReq, clients renewed with a PKCSReq that was signed so.
        """
        with scep.guard(RefusedError("badRequest", "the signer's certificate is unreadable")):
            vouched = self._authority.vouches_for(case.signer)
        if case.message.message_type == scep.RENEWAL_REQ and not vouched:
            raise RefusedError("badRequest", "the signer's certificate is not ours, or not in date")
        return vouched


_ACTIONS: dict[str, Callable[[Responder, Case, Note, Reach], Outcome]] = {
    scep.PKCS_REQ: Responder._request,
    scep.RENEWAL_REQ: Responder._request,
    scep.CERT_POLL: Responder._poll,
    scep.GET_CERT: Responder._get_cert,
    scep.GET_CRL: Responder._get_crl,
}


def _note_of(message: Message) -> Note:
    signer = message.signer
    return {
        "messageType": scep.MESSAGE_TYPES.get(message.message_type, message.message_type),
        "transactionID": message.transaction_id,
        "senderNonce": message.sender_nonce.hex(),
        "digest": message.digest,
        "signer_sha256": None if signer is None else algorithms.sha256_hex(signer.dump()),
    }


def _record(case: Case, csr: Csr) -> Record:
    return Record(
        id=case.message.transaction_id,
        state=PENDING,
        message_type=case.message.message_type,
        subject=csr.subject.human_friendly,
        spki_sha256=algorithms.sha256_hex(csr.spki),
        signer_sha256=algorithms.sha256_hex(case.signer.dump()),
        signer_spki_sha256=_spki_sha256(case.signer),
        csr=csr.der.hex(),
        requests=1,
    )


def _repeats(record: Record, case: Case, csr: Csr, *, renewal: bool) -> bool:
    """Whether this request is a known one again; `RefusedError` for another key under its id.

    Some clients derive the transactionID from the key: a renewal with the same key then comes
    under the id of the first request, and is told from it by its signer.
    """
    if record.spki_sha256 != algorithms.sha256_hex(csr.spki):
        raise RefusedError("badRequest", "the transactionID was used before, with another key")
    return not renewal or record.signer_sha256 == algorithms.sha256_hex(case.signer.dump())


def _spki_sha256(certificate: x509.Certificate) -> str:
    return algorithms.sha256_hex(certificate.public_key.dump())
