"""The rows of the catalogue for the way to the CA: source, name, route, port, TLS and HTTP.

`agent/scep/transport.py`, `agent/scep/tls.py` and `agent/scep/refusals.py` hold the tables that
lead from what happened to a code here; `agent/device/diagnosis.py` knows which stage each code
belongs to.
"""

from __future__ import annotations

from agent.catalogue.row import LATER, LOCAL, NOW, OPERATOR, PEER, Row

NETWORK: dict[str, Row] = {
    "source-missing": Row(LOCAL, LATER, "the source of the connection is not there: {what}",
        "the interface is down or has no address yet (of the family of the CA's: IPv4, IPv6), or"
        " `source` or `vpn-instance` names another one",
        "see `display interface brief`; give the interface an address, or type `source ...` or"
        " `undo vpn-instance` in the realm view"),
    "name-unresolved": Row(PEER, LATER, "the name {host} could not be resolved: {what}",
        "no name server answers, or the name in the URL is wrong",
        "check `enrollment-url` and the name servers of this system"),
    "connection-refused": Row(PEER, LATER, "{host} refused the connection: {what}",
        "the server is not running, or it listens on another port",
        "check the port in `enrollment-url`; ask the CA's operator"),
    "no-route": Row(PEER, LATER, "{host} cannot be reached: {what}",
        "there is no route to the CA from this source",
        "check the routes, and `source` in the realm view"),
    "connection-timeout": Row(PEER, LATER, "{host} did not take the connection in time: {what}",
        "a packet filter, a wrong address, or the CA is down",
        "check the path to the CA with ping, `source` and `enrollment-url`"),
    "answer-timeout": Row(PEER, LATER, "{host} took the connection and then did not answer in time",
        "the CA is overloaded, or something between holds the connection open",
        "try again later; ask the CA's operator if it persists"),
    "answer-too-slow": Row(PEER, LATER, "{host} has not finished its answer after {seconds} s",
        "the line or the CA is very slow, or something between holds the connection open",
        "try again later; for a slow line raise `exchange_s` in the board file"),
    "connection-reset": Row(PEER, LATER, "{host} broke the connection: {what}",
        "the server ended it before its answer was complete, a filter did, or the port is one for"
        " https",
        "try again; check port and path in `enrollment-url`"),
    "network-failed": Row(PEER, LATER, "the connection to {host} failed: {what}",
        "a fault in the network between this device and the CA",
        "check `source` and `enrollment-url`; try again"),
    "url-invalid": Row(LOCAL, OPERATOR, "the URL cannot be used: {reason}",
        "it was typed wrongly",
        "type `enrollment-url http://HOST[:PORT]/PATH` in the realm view"),
    # -- TLS, with `enrollment-url https://...` --------------------------------------------------
    "tls-no-trust": Row(LOCAL, OPERATOR, "nothing says whom to trust for the https server",
        "the URL begins with https, and the realm names no CA for its server; those of the system"
        " do not count",
        "put the CA certificate of the https server into device storage and type `https ca-file"
        " FILENAME` in the realm view"),
    "tls-trust-file": Row(LOCAL, OPERATOR, "the file {name} of `https ca-file` cannot be used:"
        " {reason}",
        "it is not in device storage, or holds no certificate in PEM or DER",
        "see `dir` in the user view; type `https ca-file` again in the realm view"),
    "tls-expired": Row(PEER, LATER, "the TLS certificate of {host}, or its CA's, has expired",
        "the operator of the https server has not renewed it, or this clock is wrong",
        "check `display clock`; ask the CA's operator"),
    "tls-not-yet-valid": Row(PEER, LATER, "the TLS certificate of {host} is not valid yet",
        "this clock is behind, or the certificate was made with a wrong one",
        "check `display clock`; type `clock datetime` in the user view"),
    "tls-unknown-ca": Row(PEER, LATER, "the TLS certificate of {host} comes from a CA that is"
        " not trusted: {what}",
        "the file of `https ca-file` is not that of the server's CA, the server does not send its"
        " intermediate CA, or someone answers in its place",
        "put the right CA certificate into device storage and type `https ca-file FILENAME` in the"
        " realm view"),
    "tls-name": Row(PEER, LATER, "the TLS certificate is not for {host}: {what}",
        "the URL uses another name or an address, the certificate has its name only as the common"
        " name, which does not count (RFC 9525), or someone answers in the server's place",
        "type `enrollment-url` with a name or an address of its subjectAltName; where it has none,"
        " ask the CA's operator for a server certificate with one"),
    "tls-weak": Row(PEER, LATER, "the TLS certificate of {host} is too weak: {what}",
        "a short key, or a signature with MD5 or SHA-1",
        "ask the CA's operator for a new server certificate"),
    "tls-certificate": Row(PEER, LATER, "the TLS certificate of {host} is refused: {what}",
        "it is not made for servers, or its chain is broken",
        "ask the CA's operator for another server certificate"),
    "tls-not-spoken": Row(PEER, LATER, "{host} does not speak TLS on this port: {what}",
        "the port is that of plain http, or of another service",
        "check the port, or type `enrollment-url http://...`: SCEP protects its messages itself"),
    "tls-version": Row(PEER, LATER, "{host} and this device have no TLS in common: {what}",
        "the server offers only what is older than TLS 1.2, or weak ciphers or keys",
        "ask the CA's operator for TLS 1.2 or 1.3, or type `enrollment-url http://...`"),
    "tls-client-certificate": Row(PEER, LATER, "{host} wants a client certificate: {what}",
        "the port is one for devices that are enrolled already",
        "ask the CA's operator for the address of the SCEP service"),
    "tls-failed": Row(PEER, LATER, "TLS with {host} failed: {what}",
        "a fault in the server, or in something on the way to it",
        "try again; ask the CA's operator if it persists"),
    # -- HTTP --------------------------------------------------------------------------------------
    "http-redirect": Row(PEER, LATER, "the server sent us elsewhere (HTTP {status}): {location}",
        "the SCEP service has moved, or is served through https only",
        "if that place is right, type it as `enrollment-url`; redirects are not followed"),
    "http-denied": Row(PEER, LATER, "the server denies access: HTTP {status}: {page}",
        "the path is one for people (NDES: mscep_admin), or the server wants a login, a client"
        " certificate or another source address",
        "check the path in `enrollment-url`, and `source`; ask the CA's operator"),
    "http-not-found": Row(PEER, LATER, "the server knows no such path: HTTP {status}:"
        " {page}",
        "the path or the query of the URL is wrong, or the CA wants its name with the question"
        " (EJBCA), or an empty one (NDES)",
        "type `enrollment-url` with the whole path (NDES: /certsrv/mscep/mscep.dll; `esc` for a"
        " query), or `ca id NAME` with the name of the CA; where there is one, `undo ca id`; NDES:"
        " `compatibility ca-id-empty`"),
    "http-method": Row(PEER, LATER, "the server does not take {method}: HTTP {status}:"
        " {page}",
        "its capabilities promise more than it does, or the path is not that of the SCEP service",
        "type `compatibility http-get` or `compatibility http-post` in the realm view; check"
        " `enrollment-url`"),
    "http-too-long": Row(PEER, LATER, "the request is too long for the server: HTTP {status}:"
        " {page}",
        "it went by GET, and the server or a proxy takes queries of some 2 kB only",
        "type `compatibility http-post` in the realm view; else ask the CA's operator to allow"
        " longer queries (IIS: maxQueryString)"),
    "http-query": Row(PEER, LATER, "the server does not take this GET of {size} characters: HTTP"
        " {status}: {page}",
        "a request by GET stands in the query, of which IIS and some proxies take 2,048 characters,"
        " or the server wants another base64 (step-ca of 2021)",
        "type `compatibility http-post` in the realm view; else ask the CA's operator to allow"
        " longer queries (IIS: maxQueryString)"),
    "http-proxy": Row(PEER, LATER, "a proxy wants a login: HTTP {status}: {page}",
        "the way to the CA leads through a proxy that does not know this device",
        "reach the CA without it, by another `source` perhaps; ask the network's operator"),
    "http-refused": Row(PEER, LATER, "the server refused: HTTP {status}: {page}",
        "the path is wrong, access is restricted, or (servlets) the challenge password is wrong",
        "check `enrollment-url`, `ca id` and `password cipher`; ask the CA's operator"),
    "http-busy": Row(PEER, NOW, "the server cannot answer now: HTTP {status}: {page}",
        "it is overloaded, restarting or in maintenance, or a proxy does not reach it",
        "try again later; ask the CA's operator if it persists"),
    "http-failed": Row(PEER, LATER, "the server failed: HTTP {status}: {page}",
        "a fault in the CA, or a request that it does not understand or allow: some (micromdm,"
        " OmniTrust ILM) say nothing else to a wrong challenge password",
        "check `password cipher`; try again later; ask the CA's operator to look at its log"),
    "http-ndes": Row(PEER, LATER, "the server failed: HTTP {status}: {page}",
        "{cause}", "{remedy}"),
    "http-empty": Row(PEER, NOW, "the server answered HTTP {status} with nothing in it",
        "a fault in the CA, usually a passing one (step-ca)",
        "try again; ask the CA's operator if it persists"),
    "http-malformed": Row(PEER, LATER, "the answer is not valid HTTP: {reason}",
        "another service on that port, or a faulty proxy",
        "check host and port in `enrollment-url`"),
    "http-coding": Row(PEER, LATER, "the answer is encoded as {coding}, which nobody asked for",
        "the server or a proxy before it compresses all that it sends",
        "ask the CA's operator to switch that off for the SCEP service"),
    "http-too-large": Row(PEER, LATER, "the answer is larger than {cap} bytes",
        "the URL leads to something that is not a SCEP server",
        "check `enrollment-url`"),
}  # fmt: skip
