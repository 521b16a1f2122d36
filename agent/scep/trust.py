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

Two signatures, two questions. The outer one says that the CA (or its RA) has answered this message;
the one in the certificate says that a CA below the pin has issued it. An RA may give the first and
never the second, so the issuer is worked out from the pin, whoever signed the reply.

Two ranks of errors. FAILURE, and a certificate of the CA that cannot be used (`issued-...`), end
the transaction. Every other error leaves it open, since a stranger on the path can cause most of
them at will: the request is kept and the CA asked again (`agent/enrolment/verdicts.py`).
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
    encodings,
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
from agent.scep.keys import Key
from agent.scep.ra import RaRules
from hal.named import NamedTuple

# The shortest prefix of our nonce that `short-nonce` accepts: nobody guesses 64 bits in the one
# reply that a job reads.
SHORT_NONCE_BYTES = 8


class Expected(NamedTuple):
    """The demands on a reply: our request, our key, the CA set, and the realm's rules.

    `ra`: by what its RA is known; None: there is none. `nonce`: the senderNonce of this very
    message. `signer` signed the request with `key`, and the reply is encrypted for it; `spki` is
    the key that the request is for. The two differ when a certificate in use signs a renewal for a
    new key pair. `subject_match`: strict, standard or key-only. `notes` grows while a reply is
    judged.
    """

    ca: CaSet
    ra: RaRules | None
    request: messages.Request
    nonce: bytes
    signer: Certificate
    key: Key
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
    """A certificate that passed every check, and DER of its issuers upwards.

    The chain comes from the stored set alone: CAs that came inside the envelope are not in it.
    """

    certificate: Certificate
    chain: list[bytes]
    doubt: AgentError | None = None  # about its dates, where these need not hold


# -- the outer message -----------------------------------------------------------------------------


def accept(data: bytes, expected: Expected) -> messages.CertRep:
    """The reply when it is from the CA and answers our request; its status is 0 or 3.

    A FAILURE is raised as the error of its failInfo, every other fault as a PeerError. The result
    says nothing yet about a certificate: PENDING has none, and SUCCESS has it in the envelope.
    """
    with reading("certrep-malformed", data):
        message = cms.read_signed(encodings.single(data))
        # RFC 5652 5.1 allows any number, none included. With two it would be open which one has
        # signed the attributes that are read below; with none nobody has.
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
    # Certificates in the reply are not even read: any device of this CA could sign with its own.
    # micromdm and step-ca put the issued certificate first there, NDES none at all.
    candidate = signer.identifier.find(expected.ca.certificates)
    if candidate is None:
        raise fail("certrep-signer", reason="its certificate is not in the stored CA set")
    if signer.digest == "md5":
        expected.weak("md5", "certrep-weak-signature", "the signature of the reply")
    elif signer.digest == "sha1":
        # A note alone (RFC 8894 7.9): micromdm, jscep and NDES reply so, whatever the request used.
        # A forger knows our nonce only while the job waits for its reply.
        expected.notes.append("the signature of the reply uses sha1")
    fault = cms.verify(message, signer, candidate.spki)
    if fault:
        raise fail("certrep-signature", reason=fault)
    _check_signer(candidate, expected)


def _check_signer(signer: Certificate, expected: Expected) -> None:
    """Refuses a signer that may not answer for the CA.

    keyUsage is not asked for. RFC 8894 2.1.2 wants digitalSignature of a CA that signs replies, and
    the certificates of real ones (micromdm) have keyCertSign and cRLSign alone.
    """
    ca, who = expected.ca, names.shortly(signer.subject)
    if not path.in_date(signer, ca.rules.now_s):
        raise fail("certrep-signer", reason=f"the certificate of {who} is not in date")
    if any(signer.der == authority.certificate.der for authority in ca.authorities):
        return
    if ca.issuer_of(signer) is None:
        why = ca.fault_of(signer) or ca.unverifiable(signer) or "it does not chain to the pinned CA"
        raise fail("certrep-signer", reason=f"{why}: {who}")
    fault = ra.signer_fault(signer, ca, expected.ra)
    if fault:
        raise fail("certrep-signer", reason=fault)


def _check_attributes(reply: messages.CertRep, expected: Expected) -> None:
    """The signed attributes (RFC 8894 3.2.1); the first fault in this order is the one told.

    transactionID alone proves no freshness: all retries and polls of a request share it, so an old
    PENDING or FAILURE could be played again to hold up or end the request of today. The nonce is
    new in each message. senderNonce of the reply binds nothing (3.3.2: nonces are not chained over
    polls); the sample of the RFC has none and micromdm copies ours, so it is not read.
    """
    if reply.transaction != expected.request.transaction:
        received = text.clean(reply.transaction or "none", 64)
        raise fail("certrep-transaction", received=received)
    _check_nonce(reply.recipient_nonce, expected)
    if reply.kind != str(messages.CERT_REP):
        raise fail("certrep-type", received=text.clean(reply.kind or "none", 16))
    # 3.2.1.3: a status that is none of the three is an error, never a kind of success.
    statuses = (messages.SUCCESS, messages.FAILURE, messages.PENDING)
    if reply.status not in [str(status) for status in statuses]:
        raise fail("certrep-status", received=text.clean(reply.status or "none", 16))


def _check_nonce(received: bytes | None, expected: Expected) -> None:
    """recipientNonce is our senderNonce (3.2.1.5); Dogtag may cut it, which only a realm allows."""
    if received == expected.nonce:
        return
    size = len(received or b"")
    if size < SHORT_NONCE_BYTES or not expected.nonce.startswith(received or b""):
        raise fail("certrep-nonce")
    if "short-nonce" not in expected.compatibility:
        raise fail("certrep-nonce-short", size=size)
    expected.notes.append("the recipientNonce is shortened, which `short-nonce` allows")


def refusal(reply: messages.CertRep) -> AgentError:
    """The error of a FAILURE (RFC 8894 3.2.1.4), with the CA's own words in it.

    failInfoText is for people. Only Microsoft's texts and numbers are looked up in it, since NDES
    says badRequest to nearly everything; they choose an explanation. Whichever row that is, it is
    a verdict like failInfo itself. A failInfo that is missing or unknown is a refusal all the same.
    """
    words = f" ({reply.fail_text})" if reply.fail_text else ""
    number = reply.fail_info or ""
    reason = refusals.reason(reply.fail_text)
    if reason is not None:
        return fail(reason.code, words=_named(number) + words)
    if number in map(str, range(len(messages.FAIL_INFO))):
        return fail("ca-" + messages.FAIL_INFO[int(number)], text=words)
    return fail("ca-failure", text=f": {_named(number)}{words}")


def _named(number: str) -> str:
    if number in map(str, range(len(messages.FAIL_INFO))):
        return messages.FAIL_INFO[int(number)]
    return f"failInfo {text.clean(number, 16)}" if number else "no failInfo"


# -- the certificate inside ------------------------------------------------------------------------


def issued(reply: messages.CertRep, expected: Expected, *, in_date: bool = True) -> Issued:
    """Opens the envelope of an accepted SUCCESS and checks the certificate for our key.

    The key comes first, because it says which certificate of the envelope all other checks are
    about. No SCEP client that was measured looks at it; a certificate for another key would be
    installed and never work. Names come after the issuer: before it nobody vouches for them.
    """
    with reading("issued-malformed", b""):
        leaf = _ours(opened(reply, expected).certificates, expected)
        _check_form(leaf, expected)
        issuer = _issuer(leaf, expected)
        doubt = _doubt(leaf, expected)
        if doubt and in_date:
            raise doubt
        check_subject(leaf, expected)
        _note_usages(leaf, expected)
    return Issued(leaf, expected.ca.chain(issuer), doubt)


def opened(reply: messages.CertRep, expected: Expected) -> cms.SignedData:
    """The degenerate SignedData of a SUCCESS (RFC 8894 3.4); nothing in it is believed yet.

    An envelope that is malformed, or names an unknown cipher, has an error that says so. From there
    on there is one, `cannot-decrypt`: for another recipient, RSA padding, a length of the content
    key, padding of the cipher, and plain text that is no SignedData. Telling these apart would make
    the device an oracle (RFC 3218); `tests/scep/test_oracle.py` compares the calls.
    """
    with reading("certrep-malformed", reply.envelope):
        envelope = cms.read_envelope(reply.envelope)
    if envelope.cipher == "des":
        expected.weak("des", "certrep-weak-cipher", "the encryption of the reply")
    plain = cms.decrypt(envelope, expected.key, expected.signer.serial)
    try:
        # The cap on certificates is applied below, where it has an error that says so.
        contents = cms.read_signed(plain or b"", limits.DER_ELEMENTS)
    except ber.BerError:  # a wrong key may leave valid padding: the same error as all others
        raise fail("cannot-decrypt") from None
    if len(contents.certificates) > limits.CA_SET_CERTIFICATES:
        reason = f"it holds {len(contents.certificates)} certificates"
        raise fail("certrep-malformed", reason=reason, page="-")
    return contents


def _ours(ders: list[bytes], expected: Expected) -> Certificate:
    """The one certificate for our key, wherever it stands: RFC 8894 3.3.2.1 lets others come along,
    and UCM, which sorts the SET, has the CA first. Of two, nothing tells which one is meant.

    Keys are compared without the AlgorithmIdentifier, whose parameters CAs write in two ways (NULL
    or absent); its identifier is compared in `_check_form`.
    """
    public_bits = certificate.public_bits(ber.read(expected.spki))
    leaves = [c for c in caset.readable(ders) if c.public_bits == public_bits]
    if not leaves:  # ours may be among those that cannot be read: then that is the reason
        for data in ders:
            certificate.read(data)
    if len(leaves) != 1:
        raise fail("issued-key", count=len(leaves))
    if len(leaves[0].der) > limits.CERTIFICATE_BYTES:
        raise fail("issued-malformed", reason=f"it has {len(leaves[0].der)} bytes")
    return leaves[0]


def _check_form(leaf: Certificate, expected: Expected) -> None:
    fault = certificate.form_fault(leaf)
    # 4.1.2.7: the same bits under another identifier are another key to whoever reads them.
    if not fault and _key_algorithm(leaf.spki) != _key_algorithm(expected.spki):
        fault = "it names another algorithm for our key"
    if fault:
        raise fail("issued-malformed", reason=fault)
    for dotted, extension in leaf.extensions.items():
        if extension.critical and dotted not in oids.EXTENSIONS:  # RFC 5280 4.2
            raise fail("issued-critical", extension=dotted)


def _key_algorithm(spki: bytes) -> str:
    return certificate.algorithm_identifier(ber.Fields(ber.read(spki)).take())[0]


def _issuer(leaf: Certificate, expected: Expected) -> path.Authority:
    """The authority at or below the pin that has signed it under RFC 5280 6.1 (`path.py`)."""
    if leaf.is_ca:  # the key of a device is no place for a CA: who steals it would issue for all
        raise fail("issued-ca")
    # SHA-1 is an error here and only a note in a reply: a collision lets somebody prepare two
    # certificates for one signature, and it serves for years instead of for one message.
    if leaf.signature.digest in ("md5", "sha1"):
        expected.weak(leaf.signature.digest, "issued-weak", "the signature of the certificate")
    issuer = expected.ca.issuer_of(leaf)
    if issuer is None:
        # Four faults with four remedies: a signature that cannot be verified here, a CA that
        # oversteps its limits, a signature that does not hold, a CA that the set does not know.
        if unknown := expected.ca.unverifiable(leaf):
            raise fail("issued-unverifiable", reason=unknown)
        fault = expected.ca.fault_of(leaf)
        if fault:
            raise fail("issued-path", reason=fault)
        is_named = any(leaf.names_issuer(a.certificate) for a in expected.ca.authorities)
        what = "not signed by the CA that it names," if is_named else "its issuer is"
        raise fail("issued-issuer", reason=f"{what} {names.shortly(leaf.issuer)}")
    return issuer


def _doubt(leaf: Certificate, expected: Expected) -> AgentError | None:
    """The error of dates that are wrong unless this clock is; raised where no clock makes good."""
    now_s = expected.ca.rules.now_s
    if now_s is None:  # a clock that is not trusted calls nothing expired
        return None
    ended = fail("issued-dates", reason=f"it ended at {text.utc(leaf.not_after_s)}")
    if leaf.not_after_s <= max(leaf.not_before_s, limits.BUILD_S):
        raise ended
    begin = text.utc(leaf.not_before_s)
    if leaf.not_before_s > now_s + limits.AHEAD_S:
        return fail("issued-dates", reason=f"it begins at {begin}")
    if leaf.not_before_s > now_s:
        expected.notes.append(f"the certificate begins in the future, at {begin}")
    return ended if leaf.not_after_s <= now_s else None


def check_subject(leaf: Certificate, expected: Expected) -> None:
    """Names as the realm's `subject-match` wants them; any other difference becomes a note.

    A CA may change the subject by its policy, so equality is too much by default; but a certificate
    with the names of another device is worth nothing to the peers of this one. strict: equal.
    standard: the common names and all alternative names of the request are there, more may be.
    key-only: any names, where a CA names its devices itself.
    """
    entity, match = expected.request.entity, expected.subject_match
    subject = names.read(ber.read(names.subject(entity)))
    extension = names.alternative_names(entity)
    requested = names.folded_names(names.general_names(ber.read(extension)) if extension else ())
    issued_names = names.folded_names(leaf.alternative_names)
    same_subject = names.key(leaf.subject) == names.key(subject)
    same_names = requested == issued_names
    if same_subject and same_names:
        return
    issued_subject = names.shown(leaf.subject)
    if match == "strict":
        changed = f"its subject is {issued_subject}"
        reason = _difference(requested, issued_names) if same_subject else changed
        raise fail("issued-subject", reason=reason)
    if match != "key-only":
        _check_standard(subject, leaf, requested - issued_names)
    if not same_subject:
        expected.notes.append(f"the CA changed the subject to {issued_subject}")
    if not same_names:
        expected.notes.append("alternative names: " + _difference(requested, issued_names))


def _check_standard(subject: names.Name, leaf: Certificate, gaps: set[tuple[str, str]]) -> None:
    """`gaps`: alternative names of the request, as (kind, value), that the certificate lacks."""
    common_names = {names.folded(value) for value in names.common_names(leaf.subject)}
    if not common_names.issuperset(names.folded(value) for value in names.common_names(subject)):
        reason = f"the common name is not in its subject {names.shown(leaf.subject)}"
        raise fail("issued-subject", reason=reason)
    if gaps:
        raise fail("issued-subject", reason=_difference(gaps, set()))


def _note_usages(leaf: Certificate, expected: Expected) -> None:
    """Many CAs have a profile of their own for extendedKeyUsage (step-ca, micromdm).

    A note alone: which peer asks for which purpose is not known here.
    """
    purposes, key_usage = leaf.purposes, expected.request.key_usage
    if purposes is None or oids.ANY_PURPOSE in purposes:  # no restriction (RFC 5280 4.2.1.12)
        return
    rows = messages.KEY_USAGES.items()
    gaps = [usage for usage, (oid, _) in rows if usage in key_usage and oid not in purposes]
    if gaps:
        expected.notes.append(f"the CA left out of the `key-usage`: {', '.join(gaps)}")


def _difference(requested: set[tuple[str, str]], issued_names: set[tuple[str, str]]) -> str:
    parts = (("missing", requested - issued_names), ("added", issued_names - requested))
    listed = [f"{word} {', '.join(map(':'.join, sorted(some)))}" for word, some in parts if some]
    return text.clean("; ".join(listed), 2 * limits.PEER_TEXT_CHARACTERS)
