"""Why a row has its outcome: the rule behind each code, and the reasons of what is accepted."""

RULES: dict[str, str] = {
    "http-empty": "an answer of the CA is never empty (RFC 8894 4)",
    "http-redirect": "a redirect is not followed: POST would become GET, and another host answer",
    "http-refused": "a status of 400 and above is no answer of SCEP",
    "http-denied": "the server wants a login that SCEP does not have",
    "http-not-found": "there is no SCEP at this place",
    "http-method": "the server does not take this method (RFC 9110 15.5.6)",
    "http-proxy": "a proxy stands between and wants a login",
    "http-failed": "the server says itself that it failed",
    "http-busy": "the server says itself that it cannot answer now",
    "http-malformed": "head and framing must be HTTP, once and clearly (RFC 9112), within caps",
    "http-too-large": "more octets than such an answer may have (`limits`)",
    "connection-reset": "an answer counts only when it is complete (RFC 9112 8)",
    "answer-timeout": "no read waits longer than `receive_s`",
    "answer-too-slow": "no exchange lasts longer than `exchange_s`, whatever arrives",
    "ca-set-malformed": "a certificate or a degenerate SignedData, bounded (RFC 8894 4.2)",
    "ca-set-too-large": "what is stored must fit into one transaction of the store",
    "ra-missing": "the realm says that there is an RA, and none came",
    "next-ca-malformed": "what follows the CA is inside signed content (RFC 8894 4.7.1)",
    "next-ca-signer": "only the pinned CA, or the one that issues here, names its successor (RFC"
    " 8894 4.7.1)",
    "next-ca-signature": "the signature is verified before anything is trusted (RFC 8894 4.7.1)",
    "next-ca-none": "a CA without a successor is no fault, and nothing changes",
    "ca-expired": "a CA that has ended vouches for nobody",
    "crl-malformed": "a list that cannot be read, or speaks of less than all, is none (RFC 5280 5)",
    "crl-unreachable": "a list that does not come leaves the stored one in place",
    "crl-too-large": "a list is stored whole, in one transaction of the store",
    "crl-issuer": "only a CA of the stored set speaks of its certificates (RFC 5280 6.3.3)",
    "crl-signature": "only its own signature makes a list believed (RFC 5280 6.3.3)",
    "crl-outdated": "a list out of date, or older than the stored one, could hide a revocation",
    "certrep-malformed": "BER within bounds, in the structure of CMS (RFC 5652, RFC 8894 3)",
    "certrep-signature": "the signature covers attributes and content, by the CA (RFC 5652 5.6)",
    "certrep-signer": "only a stored certificate of the CA or its RA signs, in date (RFC 8894 2.2)",
    "certrep-weak-signature": "MD5 can be forged; a realm must allow it (RFC 8894 2.9)",
    "certrep-transaction": "the transactionID must be ours (RFC 8894 3.2.1.1)",
    "certrep-nonce": "recipientNonce must be our senderNonce, or a reply is an old one (3.2.1.5)",
    "certrep-type": "a reply has messageType 3 (RFC 8894 3.2.1.2)",
    "certrep-status": "a pkiStatus that is unknown is an error (RFC 8894 3.2.1.3)",
    "certrep-empty": "a SUCCESS brings an envelope (RFC 8894 3.3.2.1)",
    "certrep-cipher": "an algorithm that SCEP does not name is not tried",
    "certrep-weak-cipher": "single DES must not be used (RFC 8894 2.9)",
    "certrep-password": "the key is wrapped by the challenge, which an RSA key need not have",
    "ca-badRequest": "a FAILURE says why, and nothing else of it is used (RFC 8894 3.3.2.2)",
    "ca-failure": "a failInfo that is unknown is an error (RFC 8894 3.2.1.4)",
    "cannot-decrypt": "every fault of decryption is the same fault, or it would be an oracle",
    "issued-malformed": "what was issued must be a certificate of RFC 5280 that peers take",
    "issued-critical": "an unknown critical extension must be refused, so peers do (RFC 5280 4.2)",
    "issued-key": "exactly one certificate must be for the requested key",
    "issued-ca": "a device is no CA",
    "issued-issuer": "a CA below the pin must have signed the certificate",
    "issued-path": "a CA may issue what RFC 5280 6.1 lets it",
    "issued-dates": "the certificate must be valid now",
    "issued-subject": "names must be those that were asked for, as `subject-match` says",
    "issued-weak": "a weak signature needs `weak-algorithm`",
}
NOTHING_DEPENDS = "accepted: nothing depends on it, and real servers differ in it"
ACCEPTED: dict[str, str] = {
    "issued": NOTHING_DEPENDS,
    "pending": "PENDING is read before any envelope; nothing of that is used (RFC 8894 3.3.2.3)",
    "ok": NOTHING_DEPENDS,
    # -- by name
    "honest": "the control: the same with nothing wrong is accepted",
    "next-honest": "the control",
    "crl-honest": "the control",
    "getcrl-honest": "the control",
    "pending-always": "the CA may take its time; the realm counts its polls",
    "leaf-twice": "identical copies are one certificate",
    "leaf-certificate-twice": "identical copies are one certificate",
    "inner-certificate-twice": "identical copies are one certificate",
    "envelope-one-of-two": "exactly one recipient is us; whom else it names is not our concern",
    "envelope-sixteen": "exactly one recipient is us, and their number is within its cap",
    "leaf-serial-longest": "the longest serial number that RFC 5280 4.1.2.2 allows",
    "leaf-critical-known": "a critical extension that verifiers know",
    "leaf-unknown-extension": "an unknown extension may be ignored when it is not critical",
    "leaf-extension-absent": "a device need not have basicConstraints",
    "leaf-ca-first": "more certificates may come along (RFC 8894 3.3.2.1)",
    "leaf-among-junk": "what cannot be read is nobody's; ours is there",
    "caps-downgrade": "a list is unprotected: it lowers AES to 3DES at most, never below",
    "caps-nothing": "a list is unprotected: it lowers AES to 3DES at most, never below",
    "ca-impostor": "nothing is trusted yet: the fingerprint refuses it",
    "ca-appended": "a stranger in the set is not below the pin, and gets nothing",
    "ca-prepended": "a stranger in the set is not below the pin, and gets nothing",
    "ca-device": "a device of the same CA is no RA by its certificate, and gets nothing",
    "caset-among-junk": "one odd certificate must not cost the set",
    "next-device-as-ca": "the CA signed it, but a certificate that is no CA's becomes no pin",
}
BAD_LIST = "a bad list is no list (RFC 8894 3.5.2); the floors of the realm hold all the same"


def why(outcome: str, name: str) -> str:
    """The reason of a row."""
    if outcome in RULES:
        return RULES[outcome]
    if name.startswith("caps-"):
        return ACCEPTED.get(name, BAD_LIST)
    return ACCEPTED.get(name, ACCEPTED[outcome])
