"""The rows of the catalogue for what answers a request: the CertRep, a refusal by the CA, and the
certificate that was issued."""

from __future__ import annotations

from agent.catalogue.row import LATER, OPERATOR, PEER, Row

REPLY: dict[str, Row] = {
    # -- the reply of the CA (CertRep) -----------------------------------------------------------
    "certrep-malformed": Row(PEER, LATER, "the reply cannot be read: {reason}",
        "the server answered with something other than a SCEP reply: {page}",
        "check `enrollment-url`; ask the CA's operator"),
    "certrep-signer": Row(PEER, LATER, "the reply's signer is not trusted: {reason}",
        "the CA or its RA has new certificates, or someone answers in its place",
        "ask the CA's operator; with an RA in front, type `enrollment-url ... ra`; when the CA has"
        " changed since the request, `pki abort-request realm ...` and apply again"),
    "certrep-signature": Row(PEER, LATER, "the reply's signature is wrong: {reason}",
        "the reply was changed on its way, or the CA is faulty",
        "try again; ask the CA's operator if it persists"),
    "certrep-weak-signature": Row(PEER, LATER, "the reply is signed with {digest}",
        "an old CA, or one that repeats the digest of the request",
        "type `enrollment-request signature message-digest-method sha-256`, or ask for SHA-256 at"
        " the CA; `weak-algorithm {digest}` in the realm view allows it, but then anyone on the"
        " path can forge a reply"),
    "certrep-transaction": Row(PEER, LATER, "the reply belongs to another transaction ({received})",
        "an old reply was sent again, or the CA mixes up its clients",
        "try again; ask the CA's operator if it persists"),
    "certrep-nonce": Row(PEER, LATER, "the recipientNonce of the reply is not ours",
        "an old reply was sent again",
        "try again; ask the CA's operator if it persists"),
    "certrep-nonce-short": Row(PEER, LATER, "the recipientNonce of the reply is cut to {size}"
        " octets", "the CA shortens it (Dogtag)",
        "type `compatibility short-nonce` in the realm view, if the CA's operator says so"),
    "certrep-empty": Row(PEER, LATER, "the CA says SUCCESS and sends no certificate",
        "the request waits for a person there (Dogtag says SUCCESS meanwhile)",
        "ask the CA's operator, then apply again: that first asks about the same request"),
    "certrep-type": Row(PEER, LATER, "the reply has messageType {received} instead of 3 (CertRep)",
        "the server does not speak SCEP as RFC 8894 has it",
        "check `enrollment-url`; ask the CA's operator"),
    "certrep-status": Row(PEER, LATER, "the reply has the unknown pkiStatus {received}",
        "the server does not speak SCEP as RFC 8894 has it",
        "check `enrollment-url`; ask the CA's operator"),
    "certrep-weak-cipher": Row(PEER, LATER, "the reply is encrypted with single DES, which is"
        " not allowed",
        "an old CA, or one whose software always uses DES (micromdm, step-ca's"
        " default)",
        "have the CA use AES; `weak-algorithm des` in the realm view allows it,"
        " but a 56-bit key can be broken by anyone who records the reply"),
    "certrep-cipher": Row(PEER, LATER, "the reply has an unknown encryption: {algorithm}",
        "the CA uses an algorithm that SCEP does not name",
        "ask the CA's operator for AES-128 or AES-256 in CBC mode"),
    "certrep-password": Row(PEER, LATER, "the CA wrapped the key of its reply"
        " with the challenge password",
        "the CA takes this for a key that cannot decrypt (RFC 8894 3.1), or is set up so",
        "ask the CA's operator for replies that are encrypted for the RSA key"),
    "cannot-decrypt": Row(PEER, LATER, "the reply cannot be decrypted",
        "it was encrypted for another key, damaged, or made by a server that cannot do AES (NDES"
        " before 2012)",
        "try again; check that `rsa local-key-pair` was not changed meanwhile; for an old server"
        " type `enrollment-request encryption-algorithm 3des`"),
    "ca-badAlg": Row(PEER, OPERATOR, "the CA refused: badAlg{text}",
        "it does not take the digest or the cipher of the request",
        "try `enrollment-request signature message-digest-method` or"
        " `enrollment-request encryption-algorithm` with another value"),
    "ca-badMessageCheck": Row(PEER, OPERATOR, "the CA refused: badMessageCheck{text}",
        "it could not decrypt or verify the request: an RA answers there or has new certificates,"
        " it cannot do AES or SHA-2, or (UCM) the challenge password is wrong",
        "type `pki get-certificate ca realm ...` and try again; try `enrollment-url ... ra`; check"
        " `password cipher`, for a renewal (UCM) `compatibility renew-with-password`; for a CA from"
        " before 2010 type `enrollment-request encryption-algorithm 3des` and `enrollment-request"
        " signature message-digest-method sha1`"),
    "ca-badRequest": Row(PEER, OPERATOR, "the CA refused: badRequest{text}",
        "usually a challenge password that is wrong, used up or too old; else a subject that the CA"
        " does not allow, or (Dogtag) a person has not approved it yet",
        "get a new challenge and type `password cipher` in the realm view; check the entity; if"
        " the CA issued the certificate anyway, import it: `pki import-certificate local realm ..."
        " pem filename FILENAME`"),
    "ca-denied": Row(PEER, OPERATOR, "{what}; it was pending",
        "a person there has refused it, or it was issued and the server fails to say so (OmniTrust"
        " ILM)",
        "ask the CA's operator: what was issued comes by `pki get-certificate local realm ..."
        " serial-number ...` or `pki import-certificate local realm ... pem filename FILENAME`;"
        " else apply again"),
    "ca-renewal-refused": Row(PEER, OPERATOR, "{what}; it was a renewal {with_or_without} the"
        " challenge password",
        "the CA wants the password each time (micromdm, step-ca, UCM), does not renew this early"
        " (micromdm: 14 days before the end), has a new key, has revoked the one in use, or (NDES)"
        " wants the previous names",
        "the certificate in use stays: type `compatibility renew-with-password` or `compatibility"
        " renew-by-pkcsreq`, beside the keywords that it has, in the realm view, and `password"
        " cipher` if there is none; or apply again nearer its end"),
    "ca-badTime": Row(PEER, OPERATOR, "the CA refused: badTime{text}",
        "this clock and that of the CA are too far apart",
        "check `display clock`; type `clock datetime HH:MM:SS YYYY-MM-DD` in the user view"),
    "ca-badCertId": Row(PEER, OPERATOR, "the CA refused: badCertId{text}",
        "it does not know the transaction or the certificate that was asked for",
        "apply again; the CA may have forgotten the request"),
    "ca-failure": Row(PEER, OPERATOR, "the CA refused without a reason that SCEP knows{text}",
        "a challenge that is wrong or used up, or a rule of the CA",
        "ask the CA's operator to look at its log; check `password cipher`"),
    # -- the certificate that was issued ---------------------------------------------------------
    "issued-malformed": Row(PEER, OPERATOR, "the issued certificate cannot be used: {reason}",
        "a fault in the CA", "ask the CA's operator"),
    "issued-key": Row(PEER, OPERATOR, "{count} of the issued certificates are for our key, not one",
        "the CA answered with the certificate of another device, or mixed them up",
        "ask the CA's operator; nothing was installed"),
    "issued-ca": Row(PEER, OPERATOR, "the CA issued a CA certificate to this device",
        "a wrong profile at the CA", "ask the CA's operator; nothing was installed"),
    "issued-issuer": Row(PEER, OPERATOR, "the certificate is not from the pinned CA: {reason}",
        "the CA signs with another certificate, or someone answers in its place",
        "compare `display pki certificate ca` with the CA's operator"),
    "issued-path": Row(PEER, OPERATOR, "the CA was not allowed to issue this certificate: {reason}",
        "a fault in the CA, or a CA below the pinned one that goes beyond what it may",
        "ask the CA's operator; a CA that is itself pinned with `fingerprint` is not bound by what"
        " stands in its own certificate"),
    "issued-unverifiable": Row(PEER, OPERATOR,
        "the signature of the certificate cannot be verified: {reason}",
        "the CA signs with an algorithm that this device does not know",
        "ask the CA's operator to sign with sha256WithRSAEncryption, RSASSA-PSS, ECDSA or Ed25519,"
        " for devices and for each CA and RA below the pinned one; nothing was installed"),
    "issued-dates": Row(PEER, OPERATOR, "the certificate is not valid now: {reason}",
        "this clock or that of the CA is wrong",
        "check `display clock`; ask the CA's operator; what came by an application is kept, and"
        " comes into use when the clock is within its dates"),
    "issued-subject": Row(PEER, OPERATOR, "the certificate is not what was asked for: {reason}",
        "the CA changed the names",
        "correct the entity, or allow it with `subject-match key-only` in the realm view"),
    "issued-old": Row(PEER, OPERATOR,
        "the answer holds the certificate {serial} that is in use already",
        "an old answer was played again, or the CA does not renew this early",
        "apply again; if it comes back, ask the CA's operator to revoke or to renew"),
    "issued-older": Row(PEER, OPERATOR,
        "the issued certificate is not newer than the one in use: {reason}",
        "the CA is near its own end, has a shorter profile now, or an old certificate came",
        "ask the CA's operator; if it is wanted anyway, type `pki delete-certificate local"
        " realm ...` and apply again"),
    "issued-shorter": Row(PEER, OPERATOR,
        "the issued certificate is kept out of use: {reason}",
        "the CA grants a shorter life now; the certificate in use stays, and is renewed in the last"
        " part of it",
        "if it is wanted anyway, since a key is in the wrong hands, type `pki update-certificate"
        " realm ...` again and answer y"),
    "issued-weak": Row(PEER, OPERATOR, "the certificate is signed with {digest}",
        "an old CA",
        "ask for SHA-256; `weak-algorithm {digest}` in the realm view allows it, but"
        " others may then refuse the certificate, or forge one like it"),
}  # fmt: skip
