"""Object identifiers that the protocol core knows, by the names of their documents."""

# CMS and PKCS#9 (RFC 5652, RFC 2985)
from __future__ import annotations

DATA = "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
ENVELOPED_DATA = "1.2.840.113549.1.7.3"
ENCRYPTED_DATA = "1.2.840.113549.1.7.6"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"
CHALLENGE_PASSWORD = "1.2.840.113549.1.9.7"  # noqa: S105  # the name of an attribute
EXTENSION_REQUEST = "1.2.840.113549.1.9.14"

# SCEP attributes (RFC 8894 3.2.1), failInfoText (8894 3.2.1.4), Microsoft's HRESULT
MESSAGE_TYPE = "2.16.840.1.113733.1.9.2"
PKI_STATUS = "2.16.840.1.113733.1.9.3"
FAIL_INFO = "2.16.840.1.113733.1.9.4"
SENDER_NONCE = "2.16.840.1.113733.1.9.5"
RECIPIENT_NONCE = "2.16.840.1.113733.1.9.6"
TRANSACTION_ID = "2.16.840.1.113733.1.9.7"
FAIL_INFO_TEXT = "1.3.6.1.5.5.7.24.1"
HRESULT = "1.3.6.1.4.1.311.21.33"

# keys and key transport
RSA = "1.2.840.113549.1.1.1"
RSA_OAEP = "1.2.840.113549.1.1.7"
RSA_PSS = "1.2.840.113549.1.1.10"
MGF1 = "1.2.840.113549.1.1.8"
P_SPECIFIED = "1.2.840.113549.1.1.9"
EC = "1.2.840.10045.2.1"

# digest -> object identifier; the names are those of the console
DIGESTS = {
    "md5": "1.2.840.113549.2.5",
    "sha1": "1.3.14.3.2.26",
    "sha-224": "2.16.840.1.101.3.4.2.4",
    "sha-256": "2.16.840.1.101.3.4.2.1",
    "sha-384": "2.16.840.1.101.3.4.2.2",
    "sha-512": "2.16.840.1.101.3.4.2.3",
    "sha-512-256": "2.16.840.1.101.3.4.2.6",
    "sha3-224": "2.16.840.1.101.3.4.2.7",
    "sha3-256": "2.16.840.1.101.3.4.2.8",
    "sha3-384": "2.16.840.1.101.3.4.2.9",
    "sha3-512": "2.16.840.1.101.3.4.2.10",
}
DIGEST_NAMES = {dotted: name for name, dotted in DIGESTS.items()}

# signature -> (scheme, digest); rsaEncryption leaves the digest to the place around it
SIGNATURES = {
    RSA: ("rsa", ""),
    "1.2.840.113549.1.1.4": ("rsa", "md5"),
    "1.2.840.113549.1.1.5": ("rsa", "sha1"),
    "1.3.14.3.2.29": ("rsa", "sha1"),  # the older name of OIW
    "1.2.840.113549.1.1.14": ("rsa", "sha-224"),
    "1.2.840.113549.1.1.11": ("rsa", "sha-256"),
    "1.2.840.113549.1.1.12": ("rsa", "sha-384"),
    "1.2.840.113549.1.1.13": ("rsa", "sha-512"),
    "1.2.840.113549.1.1.16": ("rsa", "sha-512-256"),
    "2.16.840.1.101.3.4.3.13": ("rsa", "sha3-224"),
    "2.16.840.1.101.3.4.3.14": ("rsa", "sha3-256"),
    "2.16.840.1.101.3.4.3.15": ("rsa", "sha3-384"),
    "2.16.840.1.101.3.4.3.16": ("rsa", "sha3-512"),
    "1.2.840.10045.4.1": ("ecdsa", "sha1"),
    "1.2.840.10045.4.3.1": ("ecdsa", "sha-224"),
    "1.2.840.10045.4.3.2": ("ecdsa", "sha-256"),
    "1.2.840.10045.4.3.3": ("ecdsa", "sha-384"),
    "1.2.840.10045.4.3.4": ("ecdsa", "sha-512"),
    "2.16.840.1.101.3.4.3.9": ("ecdsa", "sha3-224"),
    "2.16.840.1.101.3.4.3.10": ("ecdsa", "sha3-256"),
    "2.16.840.1.101.3.4.3.11": ("ecdsa", "sha3-384"),
    "2.16.840.1.101.3.4.3.12": ("ecdsa", "sha3-512"),
    "1.3.101.112": ("ed25519", "sha-512"),  # RFC 8410; its digest as RFC 8419 has it
}
# Signatures that are met and not verified here, by the names that people know.
UNVERIFIED = {
    "1.2.840.113549.1.1.2": "md2WithRSAEncryption",
    RSA_PSS: "RSASSA-PSS with an unknown digest",
    "1.2.840.10040.4.3": "dsa-with-SHA1",
    "2.16.840.1.101.3.4.3.2": "dsa_with_SHA256",
    "1.3.101.113": "ED448",
    "1.3.6.1.5.5.7.6.30": "RSASSA-PSS with SHAKE128",
    "1.3.6.1.5.5.7.6.31": "RSASSA-PSS with SHAKE256",
    "2.16.840.1.101.3.4.3.17": "ML-DSA-44",
    "2.16.840.1.101.3.4.3.18": "ML-DSA-65",
    "2.16.840.1.101.3.4.3.19": "ML-DSA-87",
    "1.2.156.10197.1.501": "SM2-with-SM3",
    "1.2.643.7.1.1.3.2": "GOST R 34.10-2012",
}
RSA_SIGNATURES = {
    "md5": "1.2.840.113549.1.1.4",
    "sha1": "1.2.840.113549.1.1.5",
    "sha-256": "1.2.840.113549.1.1.11",
    "sha-384": "1.2.840.113549.1.1.12",
    "sha-512": "1.2.840.113549.1.1.13",
}

# content ciphers, all in CBC mode
CIPHERS = {
    "des": "1.3.14.3.2.7",
    "3des": "1.2.840.113549.3.7",
    "aes128": "2.16.840.1.101.3.4.1.2",
    "aes192": "2.16.840.1.101.3.4.1.22",
    "aes256": "2.16.840.1.101.3.4.1.42",
}
CIPHER_NAMES = {dotted: name for name, dotted in CIPHERS.items()}

# certificate extensions (RFC 5280 4.2)
SUBJECT_KEY_IDENTIFIER = "2.5.29.14"
KEY_USAGE = "2.5.29.15"
SUBJECT_ALT_NAME = "2.5.29.17"
ISSUER_ALT_NAME = "2.5.29.18"
BASIC_CONSTRAINTS = "2.5.29.19"
CRL_NUMBER = "2.5.29.20"
CRL_REASON = "2.5.29.21"
DELTA_CRL = "2.5.29.27"
ISSUING_DISTRIBUTION_POINT = "2.5.29.28"
NAME_CONSTRAINTS = "2.5.29.30"
CRL_DISTRIBUTION_POINTS = "2.5.29.31"
CERTIFICATE_POLICIES = "2.5.29.32"
AUTHORITY_KEY_IDENTIFIER = "2.5.29.35"
EXTENDED_KEY_USAGE = "2.5.29.37"
AUTHORITY_INFORMATION_ACCESS = "1.3.6.1.5.5.7.1.1"
# Those of RFC 5280 4.2, which whoever verifies a certificate knows.
EXTENSIONS = frozenset(
    {
        SUBJECT_KEY_IDENTIFIER, KEY_USAGE, SUBJECT_ALT_NAME, ISSUER_ALT_NAME, BASIC_CONSTRAINTS,
        NAME_CONSTRAINTS, CRL_DISTRIBUTION_POINTS, CERTIFICATE_POLICIES, "2.5.29.33",
        AUTHORITY_KEY_IDENTIFIER, "2.5.29.36", EXTENDED_KEY_USAGE, "2.5.29.54",
        AUTHORITY_INFORMATION_ACCESS,
    }
)  # fmt: skip

# extended key usages
SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"
IPSEC_IKE = "1.3.6.1.5.5.7.3.17"  # RFC 4945 5.1.3.12
ANY_PURPOSE = "2.5.29.37.0"
CMC_RA = "1.3.6.1.5.5.7.3.28"  # RFC 6402 2.10
ENROLLMENT_AGENT = "1.3.6.1.4.1.311.20.2.1"  # both RA certificates of NDES bear it
RA_PURPOSES = frozenset({CMC_RA, ENROLLMENT_AGENT})

# attributes of names -> the short form that people know, in the order of a subject
NAME_ATTRIBUTES = {
    "2.5.4.6": "C",
    "2.5.4.8": "ST",
    "2.5.4.7": "L",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.3": "CN",
    "2.5.4.5": "serialNumber",
    "1.2.840.113549.1.9.1": "emailAddress",
    "1.2.840.113549.1.9.2": "unstructuredName",
    "1.2.840.113549.1.9.8": "unstructuredAddress",
    "0.9.2342.19200300.100.1.25": "DC",
    "0.9.2342.19200300.100.1.1": "UID",
    "2.5.4.4": "SN",
    "2.5.4.42": "GN",
    "2.5.4.12": "title",
    "2.5.4.46": "dnQualifier",
}
