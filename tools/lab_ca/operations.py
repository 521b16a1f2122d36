"""PKIOperation: what this CA checks and decides (RFC 8894 3.3, 4.3, 4.4).

The order is that of a careful CA: signature, envelope, proof of possession, right to ask, and only
then the transaction. What a transaction stands at is decided under the ledger's lock; a held
conversation waits outside it.
"""

import os
from collections.abc import Callable
from typing import NamedTuple

from asn1crypto import x509

from tools.lab_ca import algorithms, faults
from tools.lab_ca import reply as replies
from tools.lab_ca import request as scep
from tools.lab_ca.authority import Authority, serial_of
from tools.lab_ca.ledger import DENIED, ISSUED, PENDING, Ledger, Record
from tools.lab_ca.reply import Reply
from tools.lab_ca.request import Csr, Message, RefusedError

Note = dict[str, object]  # the line of the log, filled in as far as the operation gets
Reach = Callable[[str], None]  # called at each point where a conversation may be held


class Policy(NamedTuple):
    """How this CA answers; None means: as the client asked."""

    challenge: str | None
    manual: bool
    life: tuple[int, int]  # backdated by, valid for, in seconds
    digest: str | None
    cipher: str | None
    misissue: str | None
    tamper: str | None
    legacy: bool


class Outcome(NamedTuple):
    """What a transaction came to: a certificate, or None for PENDING."""

    certificate: x509.Certificate | None
    reached: str | None = None  # the state that was newly recorded


class Case(NamedTuple):
    """A message that passed the checks of its outer layers."""

    message: Message
    signer: x509.Certificate
    content: bytes


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
            certificate = self._act(message, note, reach)
        except RefusedError as refused:
            reply = reply._replace(
                status=replies.FAILURE, fail_info=refused.fail_info, fail_info_text=refused.text
            )
        else:
            reply = reply._replace(
                status=replies.PENDING if certificate is None else replies.SUCCESS,
                issued=certificate,
                recipient=message.signer,
                cipher=self._policy.cipher or str(note["cipher"]),
            )
        note |= {
            "pkiStatus": reply.status,
            "failInfo": reply.fail_info,
            "failInfoText": reply.fail_info_text,
        }
        return replies.encode(self._shaped(reply))

    def _base(self, message: Message) -> Reply:
        known = message.digest if message.digest in algorithms.DIGESTS else "sha256"
        return Reply(
            status=replies.FAILURE,
            transaction_id=message.transaction_id,
            recipient_nonce=message.sender_nonce,
            sender_nonce=os.urandom(16),
            digest=self._policy.digest or known,
            cipher="aes128",
            signer=self._authority.signing,
            certificates=(self._authority.signing.certificate,),
        )

    def _shaped(self, reply: Reply) -> Reply:
        if self._policy.legacy:
            reply = faults.legacy(reply)
        if self._policy.tamper is not None:
            reply = faults.TAMPER[self._policy.tamper](reply)
        return reply

    def _act(self, message: Message, note: Note, reach: Reach) -> x509.Certificate | None:
        signer = scep.verify(message)
        action = _ACTIONS.get(message.message_type)
        if action is None:
            raise RefusedError("badRequest", f"{note['messageType']} is not here yet")
        note["cipher"], content = scep.open_envelope(message, self._authority.encryption)
        outcome = action(self, Case(message, signer, content), note, reach)
        if outcome.reached is not None:
            reach(outcome.reached)
        return outcome.certificate

    def _request(self, case: Case, note: Note, reach: Reach) -> Outcome:
        """PKCSReq and RenewalReq."""
        note["csr_sha256"] = algorithms.sha256_hex(case.content)
        csr = scep.read_csr(case.content)
        reach("pkcsreq")
        _RIGHTS[case.message.message_type](self, case, csr)
        with self._ledger.lock():
            record = self._ledger.get(case.message.transaction_id)
            if record is None or not _repeats(record, case, csr):
                return self._open(_record(case, csr), csr)
            record = record._replace(requests=record.requests + 1)
            self._ledger.put(record)
            return self._follow(record)

    def _poll(self, case: Case, _note: Note, reach: Reach) -> Outcome:
        """CertPoll (RFC 8894 3.3.3)."""
        issuer, subject = scep.read_poll(case.content)
        reach("certpoll")
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

    def _open(self, record: Record, csr: Csr) -> Outcome:
        self._ledger.put(record)
        return Outcome(None, "pending") if self._policy.manual else self._issue(record, csr)

    def _follow(self, record: Record) -> Outcome:
        """Where a known transaction stands now."""
        if record.state == DENIED:
            raise RefusedError("badRequest", "the operator denied the request")
        if record.state == ISSUED:
            return Outcome(self._authority.issued(str(record.serial)))
        if record.state == PENDING and self._policy.manual:
            return Outcome(None)
        return self._issue(record, scep.read_csr(bytes.fromhex(record.csr)))

    def _issue(self, record: Record, csr: Csr) -> Outcome:
        certificate = self._authority.issue(
            csr.subject,
            csr.spki,
            csr.extensions,
            self._policy.life,
            faults.MISISSUE.get(self._policy.misissue or "", lambda template: template),
        )
        serial = serial_of(certificate)
        self._ledger.put(record._replace(state=ISSUED, serial=serial))
        return Outcome(certificate, "issued")

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

    def _may_renew(self, case: Case, _csr: Csr) -> None:
        """RenewalReq: a certificate of this CA, in date, is all that is needed."""
        with scep.guard(RefusedError("badRequest", "the signer's certificate is unreadable")):
            vouched = self._authority.vouches_for(case.signer)
        if not vouched:
            raise RefusedError("badRequest", "the signer's certificate is not ours, or not in date")


_ACTIONS: dict[str, Callable[[Responder, Case, Note, Reach], Outcome]] = {
    scep.PKCS_REQ: Responder._request,
    scep.RENEWAL_REQ: Responder._request,
    scep.CERT_POLL: Responder._poll,
}
_RIGHTS: dict[str, Callable[[Responder, Case, Csr], None]] = {
    scep.PKCS_REQ: Responder._may_enrol,
    scep.RENEWAL_REQ: Responder._may_renew,
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


def _repeats(record: Record, case: Case, csr: Csr) -> bool:
    """Whether this request is a known one again; `RefusedError` for another key under its id.

    Some clients derive the transactionID from the key: a renewal with the same key then comes
    under the id of the first request, and is told from it by its type or by its signer.
    """
    if record.spki_sha256 != algorithms.sha256_hex(csr.spki):
        raise RefusedError("badRequest", "the transactionID was used before, with another key")
    if record.message_type != case.message.message_type:
        return False
    same_signer = record.signer_sha256 == algorithms.sha256_hex(case.signer.dump())
    return case.message.message_type == scep.PKCS_REQ or same_signer


def _spki_sha256(certificate: x509.Certificate) -> str:
    return algorithms.sha256_hex(certificate.public_key.dump())
