"""SCEP over HTTP for the tests: POST, GET, and the CA's certificates."""

import base64
import http.client
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from asn1crypto import cms
from asn1crypto import x509 as asn1

from tests.helpers.labca_client import TIMEOUT_S, Device, Send


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    kind: str
    body: bytes


def http_request(
    url: str, query: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> Answer:
    """One operation on a connection of its own: POST with a body, GET without."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=TIMEOUT_S)
    try:
        method = "GET" if body is None else "POST"
        connection.request(method, f"{parts.path}?{query}", body, headers or {})
        response = connection.getresponse()
        return Answer(response.status, response.headers.get_content_type(), response.read())
    finally:
        connection.close()


def by_post(url: str) -> Send:
    return lambda body: _pki(http_request(url, "operation=PKIOperation", body))


def by_get(url: str) -> Send:
    def send(body: bytes) -> bytes:
        text = quote(base64.b64encode(body), safe="")
        return _pki(http_request(url, f"operation=PKIOperation&message={text}"))

    return send


def certificates(url: str, more: str = "") -> list[asn1.Certificate]:
    """GetCACert: one certificate, or those of a degenerate SignedData in their order."""
    answer = http_request(url, f"operation=GetCACert{more}")
    assert answer.status == 200
    if answer.kind == "application/x-x509-ca-cert":
        return [asn1.Certificate.load(answer.body, strict=True)]
    assert answer.kind == "application/x-x509-ca-ra-cert"
    signed = cms.ContentInfo.load(answer.body, strict=True)["content"]
    return [choice.chosen for choice in signed["certificates"]]


PURPOSES = {
    "1.3.6.1.4.1.311.20.2.1": "enrollment agent", "1.3.6.1.5.5.7.3.28": "cmcRA",
    "2.5.29.37.0": "any",
}  # fmt: skip


def ra_purpose(url: str) -> str:
    """What the RA certificates of a server name in their extendedKeyUsage, by GetCACert with a
    message, which NDES wants."""
    ends = [found for found in certificates(url, "&message=") if not found.ca]
    values = [found.extended_key_usage_value for found in ends]
    named = {PURPOSES.get(one.dotted, one.dotted) for value in values for one in value or ()}
    return ", ".join(sorted(named | ({"none"} if None in values else set())))


def _pki(answer: Answer) -> bytes:
    assert (answer.status, answer.kind) == (200, "application/x-pki-message"), answer
    return answer.body


def device_of(url: str, name: str = "dev1") -> Device:
    """An applicant that knows the CA behind a URL; there is no RA in front of it."""
    published = certificates(url)
    return Device(published[0], published[0], name)
