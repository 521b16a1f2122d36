"""TLS to the CA's https server (RFC 8446, 5246), which never takes the place of the pin.

Whom to trust comes with the job, as the bytes of one file of device storage: the system's store of
a hundred CAs is left out, since a job child opens no file, and none of them vouches for a SCEP
server. A certificate of that file is an anchor whether it is a root or not.

Fault model. The server may be an impostor, or speak something else; its certificate may be expired,
for another name or too weak; the handshake may drip or hang. Promised: TLS 1.2 or newer, chain and
name checked before a byte of HTTP leaves, and each failure is a code of `CODES` or `REASONS`. The
dates are judged by the system's clock, and only when the agent trusts it. The caller's time-outs
and alarm hold here as well.
"""

from __future__ import annotations

import socket
import ssl

from agent.errors import AgentError, fail
from agent.scep import cms
from agent.scep.text import clean

_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME, not in the ssl module

# X509_V_ERR_*: what OpenSSL found wrong with a chain; the rest is `tls-certificate`.
CODES: dict[int, str] = {
    2: "tls-unknown-ca",  # no issuer
    7: "tls-unknown-ca",  # a CA of the same name with another key
    9: "tls-not-yet-valid",
    10: "tls-expired",
    18: "tls-unknown-ca",  # self-signed
    19: "tls-unknown-ca",  # a self-signed one at the end of the chain
    20: "tls-unknown-ca",  # no local issuer
    21: "tls-unknown-ca",  # only the leaf was sent
    62: "tls-name",  # a host name
    64: "tls-name",  # an IP address
    66: "tls-weak",  # the key of the server
    67: "tls-weak",  # the key of a CA
    68: "tls-weak",  # the digest of a CA
}
# The reason codes of OpenSSL; the rest is `tls-failed`.
REASONS: dict[str, str] = {
    "WRONG_VERSION_NUMBER": "tls-not-spoken",
    "HTTP_REQUEST": "tls-not-spoken",
    "PACKET_LENGTH_TOO_LONG": "tls-not-spoken",
    "RECORD_LAYER_FAILURE": "tls-not-spoken",
    "UNSUPPORTED_PROTOCOL": "tls-version",
    "NO_PROTOCOLS_AVAILABLE": "tls-version",
    "NO_SHARED_CIPHER": "tls-version",
    "DH_KEY_TOO_SMALL": "tls-version",
    "WRONG_SIGNATURE_TYPE": "tls-version",
    "TLSV1_ALERT_PROTOCOL_VERSION": "tls-version",
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": "tls-version",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "tls-version",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "tls-client-certificate",
    "TLSV1_UNRECOGNIZED_NAME": "tls-name",
    "UNEXPECTED_EOF_WHILE_READING": "connection-reset",
    "SSLEOFError": "connection-reset",  # the class, where OpenSSL gives no reason
    "SSLZeroReturnError": "connection-reset",  # Python before 3.11.3
}


def context(trust: bytes, name: str, check_dates: bool) -> ssl.SSLContext:
    """The context that judges a connection: the certificates of a file, in any encoding.

    LocalError `tls-trust-file`, which names the file.
    """
    made = bare()
    made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if not check_dates:
        made.verify_flags |= _NO_CHECK_TIME
    faults = []
    try:
        ders = cms.certificates_of(trust)
    except ValueError as error:
        ders, faults = [], [clean(str(error))]
    for one in ders:  # each by itself: an odd one must not cost the others
        try:
            made.load_verify_locations(cadata=one)
        except (ssl.SSLError, ValueError) as error:
            reason = str(getattr(error, "reason", None) or error)
            faults.append(clean(reason).replace("_", " ").lower())
    if len(faults) >= max(len(ders), 1):
        raise fail("tls-trust-file", name=name, reason=faults[0])
    return made


def bare() -> ssl.SSLContext:
    """A context that trusts nobody. The worker makes one before it forks, so that OpenSSL has read
    its configuration."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # chain and name are checked
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    # A CA may certify any text as a common name; only alternative names are names (RFC 9525 2).
    made.hostname_checks_common_name = False
    return made


def secure(sock: socket.socket, judge: ssl.SSLContext, host: str) -> ssl.SSLSocket:
    """The handshake, over a connection that stands. Raises AgentError, TimeoutError, OSError."""
    try:
        return judge.wrap_socket(sock, server_hostname=host)
    except ssl.SSLError as error:
        raise failure(error, host) from None
    except ValueError as error:  # a name that no certificate can be for
        raise fail("url-invalid", reason=clean(str(error))) from None


def failure(error: ssl.SSLError, host: str) -> AgentError:
    """The error of a fault that OpenSSL found, during the handshake or after it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        code = CODES.get(error.verify_code, "tls-certificate")
        return fail(code, host=host, what=clean(error.verify_message))
    name = error.reason or type(error).__name__
    what = clean(name.replace("_", " ").lower())
    return fail(REASONS.get(name, "tls-failed"), host=host, what=what)
