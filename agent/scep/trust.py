"""Why a reply is believed: every check from the first byte to the installed certificate.

Fault model. The reply came over plain HTTP: anyone on the path may have written it, replayed it or
changed it, and any device of the same CA may have signed it. The order is fixed, and nothing is
used before the step that protects it: outer signature, its signer up to the pinned CA,
transactionID, recipientNonce, messageType, pkiStatus; only then the private key is touched; and
only then the certificate inside is compared with what was asked for. Nothing inside an envelope is
believed because it could be decrypted: whoever has our public key can encrypt for us.

A signer is the pinned CA, a CA below it or, where the realm says `ra`, its RA (`ra.py`); its
certificate was stored before the request left. One that only the reply brings proves no more than
that this CA has customers.

Every weakness that a realm allows leaves a note; the agent logs it.
"""

from __future__ import annotations

from agent import limits
from agent.errors import AgentError, fail
from agent.scep import (
    ber,
    caset,
    certificate,
    cms,
    crypto,
    messages,
    names,
    oids,
    path,
    ra,
    refusals,
    text,
)
from agent.scep.border import reading
from agent.scep.caset import CaSet
from agent.scep.certificate import Certificate
from agent.scep.ra import RaRules
from hal.named import NamedTuple

FUTURE_S = 86_400  # a notBefore ahead of our clock that is accepted, with a note
SHORT_NONCE_BYTES = 8  # the shortest prefix of our nonce that `short-nonce` accepts


class Expected(NamedTuple):
    """What a reply must fit: our request, our key, the CA set, and the realm's rules.

    `ra`: by what its RA is known; None: there is none. `signer` signed the request with `key`, and
    the reply is encrypted for it; `spki` is the key that the request is for.
    """

    ca: CaSet
    ra: RaRules | None
    request: messages.Request
    nonce: bytes
    signer: Certificate
    key: crypto.PrivateKey
    spki: bytes
    subject_match: str
    compatibility: frozenset[str]
    notes: list[str]

    def weak(self, algorithm: str, code: str, use: str) -> None:
        """Lets a weak algorithm pass when the realm allows it, with a note; else an error."""
        if algorithm not in self.ca.rules.weak:
            raise fail(code, digest=algorithm)
        self.notes.append(f"{use} uses {algorithm}, which `weak-algorithm` allows")


class Issued(NamedTuple):
    """A certificate that passed every check, and DER of its issuers upwards."""

    certificate: Certificate
    chain: list[bytes]


# -- the outer message -----------------------------------------------------------------------------


def accept(data: bytes, expected: Expected) -> messages.CertRep:
    """The reply when it is from the CA and answers our request; its status is 0 or 3.

    A FAILURE is raised as the error of its failInfo, every other fault as a PeerError.
    """
    with reading("certrep-malformed", data):
        message = cms.read_signed(data)
        if len(message.signers) != 1:
            raise ber.BerError("not exactly one signer")
        signer = message.signers[0]
        _check_signature(message, signer, expected)
        reply = messages.cert_rep(message, signer)
    _check_attributes(reply, expected)
    if reply.status == str(messages.FAILURE):
        raise refusal(reply)
    return reply


def _check_signature(message: cms.SignedData, signer: cms.Signer, expected: Expected) -> None:
    # What the reply itself brings is not even read: any device of this CA could sign with its own.
    candidate = signer.identifier.find(expected.ca.certificates)
    if candidate is None:
        raise fail("certrep-signer", reason="its certificate is not in the stored CA set")
    if signer.digest == "md5":
        expected.weak("md5", "certrep-weak-signature", "the signature of the reply")
    elif signer.digest == "sha1":
        expected.notes.append("the signature of the reply uses sha1")
    fault = cms.verify(message, signer, candidate.spki)
    if fault:
        raise fail("certrep-signature", reason=fault)
    _check_signer(candidate, expected)


def _check_signer(signer: Certificate, expected: Expected) -> None:
    ca, who = expected.ca, names.shortly(signer.subject)
    if not path.in_date(signer, ca.rules.now_s):
        raise fail("certrep-signer", reason=f"the certificate of {who} is not in date")
    if any(signer.der == authority.certificate.der for authority in ca.authorities):
        return
    if ca.issuer_of(signer) is None:
        why = ca.fault_of(signer)
        reason = f"{why}: {who}" if why else f"it does not chain to the pinned CA: {who}"
        raise fail("certrep-signer", reason=reason)
    fault = ra.signer_fault(signer, ca, expected.ra)
    if fault:
        raise fail("certrep-signer", reason=fault)


def _check_attributes(reply: messages.CertRep, expected: Expected) -> None:
    if reply.transaction != expected.request.transaction:
        received = text.clean(reply.transaction or "none", 64)
        raise fail("certrep-transaction", received=received)
    _check_nonce(reply.recipient_nonce, expected)
    if reply.kind != str(messages.CERT_REP):
        raise fail("certrep-type", received=text.clean(reply.kind or "none", 16))
    known = (messages.SUCCESS, messages.FAILURE, messages.PENDING)
    if reply.status not in [str(status) for status in known]:
        raise fail("certrep-status", received=text.clean(reply.status or "none", 16))


def _check_nonce(received: bytes | None, expected: Expected) -> None:
    if received == expected.nonce:
        return
    size = len(received or b"")
    if size < SHORT_NONCE_BYTES or not expected.nonce.startswith(received or b""):
        raise fail("certrep-nonce")
    if "short-nonce" not in expected.compatibility:
        raise fail("certrep-nonce-short", size=size)
    expected.notes.append("the recipientNonce is shortened, which `short-nonce` allows")


def refusal(reply: messages.CertRep) -> AgentError:
    """The error of a FAILURE (RFC 8894 3.2.1.4), with the CA's own words in it."""
    words = f" ({reply.fail_text})" if reply.fail_text else ""
    number = reply.fail_info or ""
    found = refusals.reason(reply.fail_text)
    if found is not None:
        return fail(found.code, words=_named(number) + words)
    if number in map(str, range(len(messages.FAIL_INFO))):
        return fail("ca-" + messages.FAIL_INFO[int(number)], text=words)
    return fail("ca-failure", text=f": {_named(number)}{words}")


def _named(number: str) -> str:
    if number in map(str, range(len(messages.FAIL_INFO))):
        return messages.FAIL_INFO[int(number)]
    return f"failInfo {text.clean(number, 16)}" if number else "no failInfo"


# -- the certificate inside ------------------------------------------------------------------------


def issued(reply: messages.CertRep, expected: Expected) -> Issued:
    """Opens the envelope of an accepted SUCCESS and checks the certificate for our key."""
    with reading("issued-malformed", b""):
        found = _ours(opened(reply, expected).certificates, expected)
        _check_form(found, expected)
        issuer = _issuer(found, expected)
        _check_dates(found, expected)
        check_subject(found, expected)
        _note_usages(found, expected)
    return Issued(found, expected.ca.chain(issuer))


def opened(reply: messages.CertRep, expected: Expected) -> cms.SignedData:
    """The degenerate SignedData of a SUCCESS; nothing in it is believed yet."""
    with reading("certrep-malformed", reply.envelope):
        envelope = cms.read_envelope(reply.envelope)
    if envelope.cipher == "des":
        expected.weak("des", "certrep-weak-cipher", "the encryption of the reply")
    plain = cms.decrypt(envelope, expected.key, expected.signer.serial)
    try:
        found = cms.read_signed(plain or b"", limits.DER_ELEMENTS)
    except ber.BerError:  # a wrong key may leave valid padding: the same error as all others
        raise fail("cannot-decrypt") from None
    if len(found.certificates) > limits.CA_SET_CERTIFICATES:
        reason = f"it holds {len(found.certificates)} certificates"
        raise fail("certrep-malformed", reason=reason, page="-")
    return found


def _ours(ders: list[bytes], expected: Expected) -> Certificate:
    ours = certificate.public_bits(ber.read(expected.spki))
    found = [c for c in caset.readable(ders) if c.public_bits == ours]
    if not found:  # ours may be among those that cannot be read: then that is the reason
        for data in ders:
            certificate.read(data)
    if len(found) != 1:
        raise fail("issued-key", count=len(found))
    if len(found[0].der) > limits.CERTIFICATE_BYTES:
        raise fail("issued-malformed", reason=f"it has {len(found[0].der)} bytes")
    return found[0]


def _check_form(found: Certificate, expected: Expected) -> None:
    """What this device could live with, but whom it talks to may not (RFC 5280 4.1)."""
    faults = (
        (
            not 0 < found.serial < 1 << limits.SERIAL_BITS,
            "its serial number is not positive, or has more than 20 octets",
        ),
        (
            found.version != 3 and bool(found.extensions),
            f"it is of version {found.version} and has extensions",
        ),
        (
            _key_algorithm(found.spki) != _key_algorithm(expected.spki),
            "it names another algorithm for our key",
        ),
    )
    for wrong, reason in faults:
        if wrong:
            raise fail("issued-malformed", reason=reason)
    for dotted, extension in found.extensions.items():
        if extension.critical and dotted not in oids.EXTENSIONS:  # RFC 5280 4.2
            raise fail("issued-critical", extension=dotted)


def _key_algorithm(spki: bytes) -> str:
    return certificate.algorithm_identifier(ber.Fields(ber.read(spki)).take())[0]


def _issuer(found: Certificate, expected: Expected) -> path.Authority:
    if found.is_ca:
        raise fail("issued-ca")
    if not found.signature.digest:
        raise fail("issued-malformed", reason=f"unknown signature algorithm {found.signature.oid}")
    if found.signature.digest in ("md5", "sha1"):
        expected.weak(found.signature.digest, "issued-weak", "the signature of the certificate")
    issuer = expected.ca.issuer_of(found)
    if issuer is None:
        fault = expected.ca.fault_of(found)
        if fault:
            raise fail("issued-path", reason=fault)
        named = any(found.names_issuer(a.certificate) for a in expected.ca.authorities)
        what = "not signed by the CA that it names," if named else "its issuer is"
        raise fail("issued-issuer", reason=f"{what} {names.shortly(found.issuer)}")
    return issuer


def _check_dates(found: Certificate, expected: Expected) -> None:
    now_s = expected.ca.rules.now_s
    if now_s is None:
        return
    if found.not_after_s <= now_s:
        raise fail("issued-dates", reason=f"it ended at {text.utc(found.not_after_s)}")
    begin = text.utc(found.not_before_s)
    if found.not_before_s > now_s + FUTURE_S:
        raise fail("issued-dates", reason=f"it begins at {begin}")
    if found.not_before_s > now_s:
        expected.notes.append(f"the certificate begins in the future, at {begin}")


def check_subject(found: Certificate, expected: Expected) -> None:
    """Names as the realm's `subject-match` wants them; what else differs becomes a note."""
    entity, match = expected.request.entity, expected.subject_match
    wanted_subject = names.read(ber.read(names.subject(entity)))
    wanted_der = names.alternative_names(entity)
    wanted = names.folded_names(names.general_names(ber.read(wanted_der)) if wanted_der else ())
    present = names.folded_names(found.alternative_names)
    same_subject = names.key(found.subject) == names.key(wanted_subject)
    same_names = wanted == present
    if same_subject and same_names:
        return
    subject = names.shown(found.subject)
    if match == "strict" and not same_subject:
        raise fail("issued-subject", reason=f"its subject is {subject}")
    if match == "strict":
        raise fail("issued-subject", reason=_difference(wanted, present))
    if match != "key-only":
        _check_standard(wanted_subject, found, wanted - present)
    if not same_subject:
        expected.notes.append(f"the CA changed the subject to {subject}")
    if not same_names:
        expected.notes.append("alternative names: " + _difference(wanted, present))


def _check_standard(wanted: names.Name, found: Certificate, missing: set[tuple[str, str]]) -> None:
    here = {names.folded(value) for value in names.common_names(found.subject)}
    if not here.issuperset(names.folded(value) for value in names.common_names(wanted)):
        subject = names.shown(found.subject)
        raise fail("issued-subject", reason=f"the common name is not in its subject {subject}")
    if missing:
        raise fail("issued-subject", reason=_difference(missing, set()))


def _note_usages(found: Certificate, expected: Expected) -> None:
    """Many CAs have a profile of their own for extendedKeyUsage (step-ca, micromdm)."""
    may = found.purposes
    if may is None or oids.ANY_PURPOSE in may:
        return
    wanted = expected.request.key_usage
    rows = messages.KEY_USAGES.items()
    missing = [usage for usage, (purpose, _) in rows if usage in wanted and purpose not in may]
    if missing:
        expected.notes.append(f"the CA left out of the `key-usage`: {', '.join(missing)}")


def _difference(wanted: set[tuple[str, str]], present: set[tuple[str, str]]) -> str:
    parts = (("missing", wanted - present), ("added", present - wanted))
    listed = [f"{word} {', '.join(map(':'.join, sorted(some)))}" for word, some in parts if some]
    return text.clean("; ".join(listed), 2 * limits.PEER_TEXT_CHARACTERS)
