"""The rows of the catalogue for the RA in front of a CA: who is none, and how to let it be one.

What a set that nobody has signed can bring about is `later`: one lie does not shut the RA out.
"""

from __future__ import annotations

from agent.catalogue.row import LATER, PEER, Row

RA: dict[str, Row] = {
    "ra-missing": Row(PEER, LATER, "the CA set holds no RA certificate of the pinned CA{others}",
        "`enrollment-url ... ra` is configured, but this server is a CA by itself, or its RA has a"
        " certificate like a device's, or one that has ended, or the server leaves out the CA that"
        " has issued it (step-ca: excludeIntermediate)",
        "type `enrollment-url` without `ra`, or check the URL; if one of the certificates is the"
        " RA's anyway, name it with `enrollment-url ... ra fingerprint sha256 HEX` in the realm"
        " view"),
    "ra-purpose": Row(PEER, LATER, "no certificate of the CA set names the purpose of an RA;"
        " without any purpose: {shown}",
        "the CA gave its RA a certificate without that purpose (step-ca, jscep, OpenXPKI), or"
        " another customer of the CA has put one of its own in its place",
        "compare SHA-256 with the RA's operator and type `enrollment-url ... ra fingerprint sha256"
        " {prints}` in the realm view; or, if this CA gives no customer such a certificate,"
        " `compatibility ra-any-purpose`, beside the keywords that it has"),
    "ra-purpose-lost": Row(PEER, LATER, "no certificate of the CA set names the purpose of an RA,"
        " as the previous RA did; without any purpose: {shown}",
        "another customer of the CA has put a certificate of its own in the RA's place, or the RA"
        " was renewed without its purpose",
        "compare SHA-256 with the RA's operator and type `enrollment-url ... ra fingerprint sha256"
        " {prints}` in the realm view; or forget what the RA was, and which CA is trusted, with"
        " `pki delete-certificate ca realm ...` in the system view"),
    "ra-pin-mismatch": Row(PEER, LATER, "no certificate of the CA set has the RA's {algorithm}"
        " fingerprint {wanted}; what arrived: {got}",
        "the RA was renewed, the fingerprint is wrong, or someone answers in its place",
        "compare with the RA's operator and type `enrollment-url ... ra fingerprint {algorithm}"
        " HEX` in the realm view"),
    "ra-unusable": Row(PEER, LATER, "the RA certificate sha256 {sha256} cannot be used,"
        " {reason}: {subject}",
        "the server leaves out a CA between the RA and the pinned one (step-ca:"
        " excludeIntermediate), or another CA has issued it, or nobody has renewed it",
        "type `pki get-certificate ca realm ...`, since the RA may have a new one; else ask the"
        " CA's operator to send the whole chain, and about the RA; compare `fingerprint`"),
    "ra-not-asked": Row(PEER, LATER, "{what}",
        "the CA set has RA certificates: an RA seems to answer, and it cannot open a request that"
        " was encrypted for the CA",
        "type `enrollment-url ... ra` in the realm view; if that is no RA, ask the CA's operator to"
        " look at its log"),
}  # fmt: skip
