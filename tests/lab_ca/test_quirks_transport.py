"""Quirks of HTTP: paths, methods, types, lengths, servers that are busy."""

import base64
import gzip
import zlib
from collections.abc import Callable

import pytest

from tests.helpers import labca_client as client
from tests.helpers.labca_http import http_request
from tests.helpers.labca_seen import Lab, Seen, enrolled, prove, words
from tools.lab_ca import quirks

BASE64URL = str.maketrans("+/", "-_")


def status_of(lab: Lab, query: str, body: bytes | None = None, **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return http_request(lab.url, query, body, named).status


def fields(lab: Lab) -> list[str]:
    return [line.partition(":")[0] for line in lab.head("GetCACert")]


def root(lab: Lab) -> bytes:
    return lab.octets(lab.request("operation=GetCACert")).partition(b"\r\n\r\n")[2]


def _length(lab: Lab) -> str:
    lines = [line.partition(": ") for line in lab.head("GetCACert")]
    return next(value for name, _, value in lines if name == "Content-Length")


def once(status: int, body: bytes) -> Callable[[Lab], bool]:
    """The first PKIOperation is answered so, the second one well."""

    def true(lab: Lab) -> bool:
        message = lab.message()
        first, second = lab.post(message), lab.post(message)
        good = client.read_reply(second.body).status == client.SUCCESS
        return (first.status, first.body) == (status, body) and good

    return true


TRANSPORT = {
    "get-only": Seen(
        lambda lab: lab.post(b"x").status == 405 and "POSTPKIOperation" not in words(lab),
        spares=lambda lab: lab.by_get(lab.message()).status == 200,
    ),
    "post-only": Seen(lambda lab: lab.by_get(lab.message()).status == 405, spares=enrolled),
    "ca-name-wanted": Seen(
        lambda lab: {lab.get(op).status for op in ("GetCACaps", "GetCACert")} == {404},
        spares=lambda lab: lab.get("GetCACert", "&message=LabCA").status == 200,
    ),
    "message-refused": Seen(
        lambda lab: lab.get("GetCACert", "&message=CAIdentifier").status == 404,
        spares=lambda lab: lab.get("GetCACert").status == 200,
    ),
    "message-wanted": Seen(
        lambda lab: lab.get("GetCACert").status == 404,
        spares=lambda lab: lab.get("GetCACert", "&message=").status == 200,
    ),
    "path-mscep": Seen(
        lambda lab: lab.get("GetCACaps").status == 404,
        spares=lambda lab: http_request(
            lab.url.replace("/scep", "/certsrv/mscep/mscep.dll"), "operation=GetCACaps"
        ).status == 200,
    ),
    "query-wanted": Seen(
        lambda lab: lab.get("GetCACaps").status == 404,
        spares=lambda lab: status_of(lab, "tenant=lab&operation=GetCACaps") == 200,
    ),
    "query-limit": Seen(lambda lab: lab.by_get(lab.message()).status == 404, spares=enrolled),
    "host-wanted": Seen(
        lambda lab: b" 404 " in lab.octets(b"GET /scep?operation=GetCACaps HTTP/1.0\r\n\r\n"),
        spares=lambda lab: lab.get("GetCACaps").status == 200,
    ),
    "type-wanted": Seen(
        lambda lab: lab.post(lab.message(), {"Content-Type": "x/form"}).status == 400,
        spares=lambda lab: lab.post(
            lab.message(), {"Content-Type": "application/x-pki-message"}).status == 200,
    ),
    "base64url": Seen(
        lambda lab: lab.by_get(lab.message()).status == 400,
        spares=lambda lab: lab.by_get(
            lab.message(),
            lambda body: base64.b64encode(body).decode().translate(BASE64URL).rstrip("="),
        ).status == 200,
    ),
    "escapes-wanted": Seen(
        lambda lab: lab.by_get(
            lab.message(), lambda body: base64.b64encode(body).decode()).status == 400,
        spares=lambda lab: lab.by_get(lab.message()).status == 200,
    ),
    "der-only": Seen(
        lambda lab: lab.post(client.to_ber(lab.message())).status == 500, spares=enrolled
    ),
    "no-reason": Seen(lambda lab: lab.head("GetCACert")[0] == "HTTP/1.1 200 ", spares=enrolled),
    "chunked": Seen(lambda lab: "Transfer-Encoding" in fields(lab), spares=enrolled),
    "until-closed": Seen(lambda lab: "Content-Length" not in fields(lab), spares=enrolled),
    "length-list": Seen(lambda lab: _length(lab) == ", ".join([str(len(root(lab)))] * 2)),
    "packed-gzip": Seen(
        lambda lab: "Content-Encoding" in fields(lab)
        and gzip.decompress(lab.get("GetCACert").body)[:1] == b"\x30",
    ),
    "packed-deflate": Seen(
        lambda lab: "Content-Encoding" in fields(lab)
        and zlib.decompress(lab.get("GetCACert").body, -zlib.MAX_WBITS)[:1] == b"\x30",
    ),
    "line-end-behind": Seen(
        lambda lab: lab.get("GetCACert").body.endswith(b"\r\n")
        and lab.post(lab.message()).body.endswith(b"\r\n")
        and lab.get("GetCACaps").body.count(b"\r") == 0,
    ),
    "http-1.0": Seen(lambda lab: lab.head("GetCACert")[0] == "HTTP/1.0 200 OK", spares=enrolled),
    "interim": Seen(
        lambda lab: [line.split()[1] for line in lab.octets(
            lab.request("operation=GetCACaps")).decode().split("\r\n")
            if line.startswith("HTTP/")] == ["100", "103", "200"],
    ),
    "type-charset": Seen(
        lambda lab: "Content-Type: text/plain;charset=UTF-8" in lab.head("GetCACaps")
    ),
    "type-html": Seen(lambda lab: lab.post(lab.message()).kind == "text/html", spares=enrolled),
    "type-missing": Seen(lambda lab: "Content-Type" not in fields(lab), spares=enrolled),
    "redirect-https": Seen(
        lambda lab: lab.head("GetCACert")[0].split()[1] == "302"
        and "Location: https://elsewhere.example/scep" in lab.head("GetCACert")
    ),
    "redirect-307": Seen(lambda lab: lab.post(lab.message()).status == 307),
    "empty-once": Seen(once(200, b"")),
    "busy-once": Seen(once(503, b"busy\n")),
}  # fmt: skip


@pytest.mark.parametrize("name", TRANSPORT)
def test_a_quirk_does_what_it_says(name: str) -> None:
    prove(TRANSPORT[name], quirks.QUIRKS[name])
