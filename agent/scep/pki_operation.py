"""One pkiMessage to the CA of a job, and its reply judged: what all operations have in common.

The fields of a job that say which CA it is, how it is reached and by which rules it is judged are
read here; what is asked (`Question`) comes from the operation.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from agent import limits
from agent.errors import AgentError, fail
from agent.scep import ber, ca_query, certificate, messages, names, ra, trust
from agent.scep.border import reading
from agent.scep.certificate import Certificate
from agent.scep.jobmap import Job, field, items, one_of, submap, text_or_none
from agent.scep.keys import Hands, HeldKey, Key
from agent.scep.stored import ca_of
from hal.named import NamedTuple
from hal.ports import Link

_TRANSACTION_CHARACTERS = 32
_HTTP_METHODS = {"get": False, "post": True}
_CIPHERS = {"aes128": "aes128", "aes256": "aes256", "3des": "3des"}
_DEFAULT_CIPHER = "aes128"
_SUBJECT_MATCHES = {"strict": "", "standard": "", "key-only": ""}
_WEAK_DIGESTS = ("md5", "sha1")
_TRANSACTION_DIGITS = frozenset("0123456789abcdefABCDEF")


class Question(NamedTuple):
    """messageType and content, the request that they belong to, who signs, and for which key."""

    kind: int
    content: bytes
    request: messages.Request
    signer: Certificate
    key: Key
    spki: bytes


class Conversation:
    """With the CA of a job: {url, source, caps, ca, fingerprint, ra, cipher, http, weak, ...}.

    `ra`: by what its RA is known, None where it has none.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self.ra = ra.rules_of(job)
        self.now_s = ca_query.moment(job)
        self.ca = ca_of(job)
        self.notes = self.ca.weak_links(ra.candidates(self.ca, self.ra) if self.ra else ())
        self._caps = {cap.casefold() for cap in items(job, "caps", str)}

    def ask(self, question: Question, link: Link) -> tuple[messages.CertRep, trust.Expected]:
        """Sends it; the reply, accepted (SUCCESS or PENDING), and what it had to fit."""
        nonce = self._nonce()
        message = self.message(question, nonce)
        expected = self.expected(question, nonce)
        exchange = ca_query.exchange_of(self._job, link)
        try:
            data = exchange.send(message, self._post(), limits.CERTREP_BYTES)
        except AgentError as error:
            raise self._told(question.kind, error) from None
        return trust.accept(data, expected), expected

    def _told(self, kind: int, error: AgentError) -> AgentError:
        """An RA that cannot open what was encrypted for its CA has no better word (step-ca); nor
        has a server to a question that it does not know."""
        asked_for = kind not in (messages.GET_CERT, messages.GET_CRL)
        unasked = asked_for and self.ra is None and ra.likely(self.ca)
        if error.code in ("http-failed", "http-refused") and unasked:
            return fail("ra-not-asked", what=error.what)
        return error

    def message(self, question: Question, nonce: bytes) -> bytes:
        recipient, cipher = self.receiver(question.request.digest)
        out = messages.Outgoing(question.signer, question.key, recipient, cipher, nonce, self.now_s)
        with encrypting(recipient):
            return messages.pki_message(question.kind, question.content, question.request, out)

    def receiver(self, digest: str) -> tuple[Certificate, str]:
        """For whom a request with this digest is encrypted, and with which cipher; each weakness
        becomes a note. Errors: those of `ra.recipient`."""
        recipient = ra.recipient(self.ca, self.ra)
        if digest in _WEAK_DIGESTS:
            self.notes.append(f"the request is signed with {digest}")
        if self.ra is None and ra.likely(self.ca):
            self.notes.append("the CA set has RA certificates; `ra` in `enrollment-url` uses them")
        return recipient, self._cipher()

    def _cipher(self) -> str:
        """The cipher that the operator has typed; else AES, lowered for a CA whose list has others
        and not AES. Nobody signs that list, so a typed cipher is a floor."""
        if self._job.get("cipher") is not None:
            return one_of(self._job, "cipher", _CIPHERS)
        if not self._caps or self._caps & {"aes", "scepstandard"}:
            return _DEFAULT_CIPHER
        self.notes.append(f"3des instead of {_DEFAULT_CIPHER}: the CA does not list AES")
        return "3des"

    def _nonce(self) -> bytes:
        """senderNonce: fresh for each job, drawn by the agent."""
        nonce = field(self._job, "nonce", bytes)
        if len(nonce) != limits.NONCE_BYTES:
            raise fail("job-request", field="nonce")
        return nonce

    def _post(self) -> bool:
        method = text_or_none(self._job, "http")
        if method is not None:
            return one_of(self._job, "http", _HTTP_METHODS) == "post"
        return bool(self._caps & {"postpkioperation", "scepstandard"})

    def expected(self, question: Question, nonce: bytes) -> trust.Expected:
        return trust.Expected(
            self.ca,
            self.ra,
            question.request,
            nonce,
            question.signer,
            question.key,
            question.spki,
            one_of(self._job, "subject_match", _SUBJECT_MATCHES),
            frozenset(items(self._job, "compatibility", str)),
            self.notes,
        )


@contextmanager
def encrypting(recipient: Certificate) -> Iterator[None]:
    """A key that cannot encrypt is `ca-cannot-encrypt`."""
    try:
        yield
    except ValueError as error:
        subject = names.shown(recipient.subject)
        raise fail("ca-cannot-encrypt", subject=subject, reason=error) from None


def transaction_of(job: Job) -> str:
    """transactionID: 32 hexadecimal digits, drawn by the agent."""
    transaction = field(job, "transaction", str)
    if len(transaction) != _TRANSACTION_CHARACTERS or not set(transaction) <= _TRANSACTION_DIGITS:
        raise fail("job-request", field="transaction")
    return transaction


def signing(job: Job, name: str, hands: Hands) -> tuple[Certificate, HeldKey]:
    """A certificate of ours with its private key, of the field {certificate, key} of this name."""
    holder = submap(job, name)
    key, data = hands.key(f"{name}.key", submap(holder, "key")), field(holder, "certificate", bytes)
    with reading("issued-malformed", data):
        signer = certificate.read(data)
    if signer.public_bits != certificate.public_bits(ber.read(key.spki)):
        raise fail("key-mismatch", other="the certificate in use")
    return signer, key
