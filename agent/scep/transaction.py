"""PKCSReq, RenewalReq and CertPoll (RFC 8894 3.3): one message to the CA, its reply judged.

The request is built anew from the job each time and comes out the same: the job holds everything
that it depends on, and the agent has stored that before the first byte leaves.
"""

import os

from agent import limits
from agent.errors import fail
from agent.scep import (
    caset,
    certificate,
    crypto,
    der,
    discovery,
    messages,
    names,
    oids,
    trust,
    vault,
)
from agent.scep.border import reading
from agent.scep.jobmap import Answer, Job, field, items, one_of, submap, text_or_none
from hal.ports import Link

_NONCE_BYTES = 16  # RFC 8894 3.2.1.5
_HTTP_METHODS = {"get": False, "post": True}
_CIPHERS = {"aes128": "aes128", "aes256": "aes256", "3des": "3des"}
_SUBJECT_MATCHES = {"strict": "", "standard": "", "key-only": ""}
_WEAK_DIGESTS = ("md5", "sha1")


def enrol(job: Job, device_key: bytes, link: Link) -> Answer:
    """Sends PKCSReq or RenewalReq: {status: issued, certificate, chain, notes}, {status: pending,
    notes}. `renewal` None: signed by a certificate made for it; else {message_type, certificate,
    key, with_password}."""
    found = _renewal(job)
    with_password = found is None or field(found, "with_password", bool)
    kind = messages.PKCS_REQ if found is None else field(found, "message_type", int)
    if kind not in (messages.PKCS_REQ, messages.RENEWAL_REQ):
        raise fail("job-request", field="message_type")
    return _Transaction(job, device_key, with_password).run(kind, link)


def poll(job: Job, device_key: bytes, link: Link) -> Answer:
    """Asks for the outcome of an earlier request; answers like `enrol`."""
    return _Transaction(job, device_key, with_password=False).run(messages.CERT_POLL, link)


def offline(job: Job, device_key: bytes) -> Answer:
    """{entity, key_usage, digest, key, password} -> {request}: the PKCS#10 of `enrol`, alone."""
    sealed = text_or_none(job, "password")
    password = None if sealed is None else vault.unseal_password(device_key, sealed)
    request = _shaped(job, "", 0, password)  # the PKCS#10 itself has no transaction and no time
    key = load_key(submap(job, "key"), device_key)
    return {"request": messages.certification_request(request, key)}


class _Transaction:
    """One exchange: the fields of its job, checked, and what the answer must fit."""

    def __init__(self, job: Job, device_key: bytes, with_password: bool) -> None:
        self._job = job
        self._ra = field(job, "ra", bool)
        self._caps = {cap.casefold() for cap in items(job, "caps", str)}
        self._now_s = field(job, "now_s", int) if field(job, "clock_trusted", bool) else None
        self._notes: list[str] = []
        pair, ca = submap(job, "key"), submap(job, "ca")
        rules = caset.Rules(self._now_s, frozenset(items(job, "weak", str)))
        ders, pin = items(ca, "certificates", bytes), field(ca, "pin", str)
        self._ca = caset.load(ders, pin, rules, _fingerprint(job))
        self._spki = field(pair, "spki", bytes)
        self._key = load_key(pair, device_key)
        password = self._password(device_key) if with_password else None
        self._request = _request(job, password)
        self._signer, self._signer_key = self._signing(device_key)
        self._nonce = os.urandom(_NONCE_BYTES)

    def _password(self, device_key: bytes) -> str | None:
        sealed = text_or_none(self._job, "password")
        if sealed is None:
            return None
        plain = vault.unseal_password(device_key, sealed)
        if not names.is_printable_string(plain):
            self._notes.append("the password has characters that some CAs (NDES) do not take")
        return plain

    def _signing(self, device_key: bytes) -> tuple[certificate.Certificate, crypto.PrivateKey]:
        """Who signs: the certificate in use, or one that is made for this request (2.3)."""
        found = _renewal(self._job)
        if found is None:
            return messages.signer_certificate(self._request, self._key), self._key
        key = load_key(submap(found, "key"), device_key)
        data = field(found, "certificate", bytes)
        with reading("issued-malformed", data):
            signer = certificate.read(data)
        if signer.public_bits != certificate.public_bits(der.read(crypto.public_der(key))):
            raise fail("key-mismatch", other="the certificate in use")
        return signer, key

    def run(self, kind: int, link: Link) -> Answer:
        message = self.message(kind)
        exchange = discovery.exchange_of(self._job, link)
        expected = self._expected()
        data = exchange.send(message, self._post(), limits.CERTREP_BYTES)
        reply = trust.accept(data, expected)
        if reply.status == str(messages.PENDING):
            return {"status": "pending", "notes": self._notes}
        found = trust.issued(reply, expected)
        return {
            "status": "issued",
            "certificate": discovery.summary(found.certificate),
            "chain": found.chain,
            "notes": self._notes,
        }

    def message(self, kind: int) -> bytes:
        request, recipient = self._request, self._ca.recipient(self._ra)
        if request.digest in _WEAK_DIGESTS:
            self._notes.append(f"the request is signed with {request.digest}")
        if not self._ra and self._ca.registration_authorities():
            self._notes.append("the CA set has RA certificates; `ra` in `enrollment-url` uses them")
        if kind == messages.CERT_POLL:
            content = messages.poll_content(self._ca.issuing(self._ra).subject_der, request)
        else:
            content = messages.certification_request(request, self._key)
        out = messages.Outgoing(
            self._signer, self._signer_key, recipient, self._cipher(), self._nonce, self._now_s
        )
        try:
            return messages.pki_message(kind, content, request, out)
        except ValueError as error:
            subject = names.shown(recipient.subject)
            raise fail("ca-cannot-encrypt", subject=subject, reason=error) from None

    def _cipher(self) -> str:
        """The realm's cipher, lowered only for a CA that lists what it can and not AES."""
        cipher = one_of(self._job, "cipher", _CIPHERS)
        if cipher == "3des" or not self._caps or self._caps & {"aes", "scepstandard"}:
            return cipher
        self._notes.append(f"3des instead of {cipher}: the CA does not list AES")
        return "3des"

    def _post(self) -> bool:
        method = text_or_none(self._job, "http")
        if method is not None:
            return one_of(self._job, "http", _HTTP_METHODS) == "post"
        return bool(self._caps & {"postpkioperation", "scepstandard"})

    def _expected(self) -> trust.Expected:
        return trust.Expected(
            self._ca,
            self._ra,
            self._request,
            self._nonce,
            self._signer,
            self._signer_key,
            self._spki,
            one_of(self._job, "subject_match", _SUBJECT_MATCHES),
            frozenset(items(self._job, "compatibility", str)),
            self._notes,
        )


def _renewal(job: Job) -> Job | None:
    return None if job.get("renewal") is None else submap(job, "renewal")


def _fingerprint(job: Job) -> caset.Fingerprint | None:
    """{algorithm, hex}; absent or None when the realm has none."""
    if job.get("fingerprint") is None:
        return None
    given = submap(job, "fingerprint")
    algorithm = one_of(given, "algorithm", caset.FINGERPRINTS)
    return caset.Fingerprint(algorithm, field(given, "hex", str))


def _request(job: Job, password: str | None) -> messages.Request:
    transaction = field(job, "transaction", str)
    if len(transaction) != 2 * _NONCE_BYTES or not set(transaction) <= set(
        "0123456789abcdefABCDEF"
    ):
        raise fail("job-request", field="transaction")
    return _shaped(job, transaction, field(job, "request_time_s", int), password)


def _shaped(job: Job, transaction: str, time_s: int, password: str | None) -> messages.Request:
    return messages.Request(
        transaction,
        time_s,
        one_of(job, "digest", oids.RSA_SIGNATURES),
        submap(job, "entity"),
        items(job, "key_usage", str),
        password,
    )


def load_key(pair: Job, device_key: bytes) -> crypto.PrivateKey:
    """The private key of {name, generation, sealed, spki}."""
    name, generation = field(pair, "name", str), field(pair, "generation", int)
    sealed, spki = field(pair, "sealed", bytes), field(pair, "spki", bytes)
    return vault.load(device_key, name, generation, sealed, spki)
