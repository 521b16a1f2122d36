"""The rows of the catalogue for what a CA gives without an application (revocation lists, the CA
that will follow it, certificates that it has issued already), and for what nobody should use."""

from __future__ import annotations

from agent.catalogue.row import LATER, LOCAL, OPERATOR, PEER, Row

PUBLISHED: dict[str, Row] = {
    "ca-untrusted": Row(LOCAL, OPERATOR, "realm {realm} has no CA certificate that it trusts",
        "none was fetched or imported yet, or `fingerprint` names another one now",
        "type `pki get-certificate ca realm {realm}`"),
    "crl-no-place": Row(LOCAL, OPERATOR, "nothing says where the revocation list is"
        "{others}",
        "neither `cdp-url` nor the certificate names a place for http, and without a certificate in"
        " use nobody can ask the CA by SCEP",
        "type `cdp-url http://...` in the realm view; or, with `certificate-check crl none` there,"
        " apply for a certificate first"),
    "crl-not-offered": Row(PEER, OPERATOR, "the CA gives no revocation list by SCEP: {reason}",
        "its software does not know GetCRL (micromdm, step-ca), or it keeps no list",
        "type `cdp-url http://...` in the realm view if the CA publishes a list; without one type"
        " `certificate-check none`"),
    "crl-unreachable": Row(PEER, LATER, "the revocation list does not come from {url}: {what}",
        "{cause}",
        "try again; in the realm view check `cdp-url`, which also replaces the place that the"
        " certificate names, or type `crl scep` to ask the CA itself"),
    "crl-malformed": Row(PEER, LATER, "the revocation list cannot be used: {reason}",
        "the URL leads to something else: {page}",
        "check `cdp-url`; ask the CA's operator for a complete list (no delta)"),
    "crl-too-large": Row(PEER, LATER, "the revocation list has {size} bytes, {cap} are allowed",
        "the CA has revoked many certificates, or the URL leads to something else",
        "ask the CA's operator for a list of this realm's certificates alone; without one type"
        " `certificate-check none`"),
    "crl-issuer": Row(PEER, LATER, "the revocation list is that of another CA: {issuer}",
        "`cdp-url` names the list of another CA, or the CA set has changed",
        "check `cdp-url`; type `pki get-certificate ca realm ...`"),
    "crl-signature": Row(PEER, LATER, "the signature of the revocation list is wrong: {reason}",
        "it was changed on its way, or the CA has a new key",
        "try again; type `pki get-certificate ca realm ...` if it persists"),
    "crl-unverifiable": Row(PEER, LATER, "the signature of the revocation list cannot be verified:"
        " it is {name}",
        "the CA signs its lists with an algorithm that this device does not know",
        "ask the CA's operator to sign lists with sha256WithRSAEncryption, RSASSA-PSS, ECDSA or"
        " Ed25519; without a list type `certificate-check none`"),
    "crl-outdated": Row(PEER, LATER, "the revocation list is out of date: {reason}",
        "the CA does not renew it, an old one was shown, or this clock is wrong",
        "check `display clock`; try again later, or ask the CA's operator"),
    "crl-missing": Row(LOCAL, OPERATOR, "revocation cannot be checked: {reason}",
        "`certificate-check crl` wants a revocation list that is in date",
        "type `pki get-crl realm ...`; or `certificate-check crl none` in the realm view, which"
        " accepts a certificate without a list"),
    "issued-revoked": Row(PEER, OPERATOR, "the issued certificate is no good: {reason}",
        "the CA has answered with an old certificate, or revoked this one at once",
        "ask the CA's operator; nothing was installed"),
    "getcert-serial": Row(LOCAL, OPERATOR, "realm {realm} has no certificate, so it is not known"
        " which one to ask for",
        "nothing was issued here, or it was deleted",
        "type `pki get-certificate local realm {realm} serial-number ...` with the number of the"
        " certificate, which the CA's operator knows; or, where `dir` in the user view shows its"
        " file, `pki import-certificate local realm {realm}`"),
    "getcert-unknown": Row(PEER, OPERATOR, "the CA knows no certificate {serial}: {reason}",
        "the number is wrong, another CA has issued it, or the CA does not keep what it issues",
        "compare the number with the CA's operator, or apply with `pki enroll-certificate realm"
        " {realm}`"),
    "getcert-refused": Row(PEER, OPERATOR, "the CA did not answer GetCert: {reason}",
        "many servers have no GetCert (micromdm, step-ca), or answer only whom they know",
        "ask the CA's operator for the certificate and type `pki import-certificate local realm"
        " {realm} pem filename FILENAME`, or apply with `pki enroll-certificate realm {realm}`"),
    "getcert-other": Row(PEER, OPERATOR, "the CA answered with certificate {got}, asked for was"
        " {wanted}",
        "a fault in the CA", "ask the CA's operator; nothing was installed"),
    "issued-critical": Row(PEER, OPERATOR, "the certificate has the critical extension {extension},"
        " which RFC 5280 does not know",
        "a wrong profile at the CA: peers would refuse the certificate",
        "ask the CA's operator to leave the extension out or to make it not critical; nothing was"
        " installed"),
    "next-ca-none": Row(PEER, LATER, "the CA has no successor to name: {reason}",
        "it has not made one yet, as most CAs do some months before their own end; or its software"
        " cannot name one (micromdm, step-ca)",
        "nothing is to be done now; type the command again when the CA's operator says so, or the"
        " new `fingerprint` when the CA has changed"),
    "next-ca-malformed": Row(PEER, LATER, "the certificates of the next CA cannot be used:"
        " {reason}",
        "the CA is faulty, or the URL leads to something else: {page}",
        "ask the CA's operator; `fingerprint` can name the next CA when its time has come"),
    "next-ca-signer": Row(PEER, LATER, "the next CA was not named by the pinned CA or a CA"
        " below it: {subject}",
        "another CA or an RA has signed it, or someone answers in the CA's place",
        "ask the CA's operator for the fingerprint of the next CA, and type it as `fingerprint`"
        " when the CA has changed"),
    "next-ca-signature": Row(PEER, LATER, "the signature about the next CA is wrong: {reason}",
        "it was changed on its way, or the CA is faulty",
        "try again; ask the CA's operator if it persists"),
}  # fmt: skip
