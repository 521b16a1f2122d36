"""HTTP: what servers demand of a request and how their answers are framed (RFC 8894 4)."""

import gzip
import zlib
from collections.abc import Callable

from tools.lab_ca import ber
from tools.lab_ca.answer import (
    CAPS,
    CERTIFICATES,
    CHUNKED,
    CLOSE,
    LISTED,
    NEXT,
    OPERATIONS,
    PKI,
    TEXT,
    Answer,
    HttpError,
    Incoming,
)  # fmt: skip
from tools.lab_ca.hooks import Hooks, on, refuses

CA_NAME = "LabCA"
QUERY_BYTES = 2048  # IIS: maxQueryString
MEANS_POST = frozenset({"POSTPKIOperation", "SCEPStandard"})
ELSEWHERE = "https://elsewhere.example/scep"
BASE64URL = bytes.maketrans(b"-_", b"+/")
NOT_FOUND, BAD, FAULT = (HttpError, 404, "not found"), (HttpError, 400, "bad request"), 500

When = Callable[[Incoming], bool]


def _deflated(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


def _with_line_end(answer: Answer) -> Answer:
    return answer._replace(body=answer.body + b"\r\n")


def _not_found(when: When) -> Callable[[Incoming], Incoming]:
    return refuses(when, *NOT_FOUND)


def _is_form(incoming: Incoming) -> bool:
    kind = incoming.headers.get("content-type", "application/x-www-form-urlencoded")
    return incoming.method == "POST" and "form" in kind


def _bare_host(incoming: Incoming) -> bool:
    return incoming.version != "HTTP/1.1" or not incoming.headers.get("host", "").rpartition(":")[0]


def _is_ber(incoming: Incoming) -> bool:
    """A body that is BER but not DER; what is neither, is for the CA to refuse."""
    try:
        return bool(incoming.body) and ber.to_der(incoming.body) != incoming.body
    except ber.BerError:
        return False


def _standard_base64(incoming: Incoming) -> bool:
    return bool(set(incoming.text) & set(b"+/="))


def _from_base64url(incoming: Incoming) -> Incoming:
    text = incoming.text.translate(BASE64URL)
    return incoming._replace(text=text + b"=" * (-len(text) % 4))


def _unescaped(incoming: Incoming) -> bool:
    return bool(set(incoming.fields.get("message", "")) & set("+/="))


def _lacks_name(incoming: Incoming) -> bool:
    asked = (CAPS, CERTIFICATES, NEXT)
    return incoming.operation in asked and incoming.fields.get("message") != CA_NAME


def _redirect(status: int, location: str) -> Hooks:
    def away(answer: Answer) -> Answer:
        return answer._replace(status=status, kind=TEXT, body=b"").plus("Location", location)

    return Hooks(
        "", answer=lambda answer: away(answer) if answer.operation in OPERATIONS else answer
    )


def _first_only(change: Callable[[Answer], Answer]) -> Callable[[Answer], Answer]:
    return on(PKI, lambda answer: change(answer) if answer.seen == 1 else answer)


DEMANDS: dict[str, Hooks] = {
    "get-only": Hooks(
        "POST is refused and not listed (Dogtag)",
        words=lambda words: tuple(word for word in words if word not in MEANS_POST),
        admit=refuses(lambda r: r.method == "POST", HttpError, 405, "only GET is served here"),
        answer=lambda answer: answer.plus("Allow", "GET") if answer.status == 405 else answer,
    ),
    "post-only": Hooks(
        "PKIOperation by GET is refused",
        admit=refuses(
            lambda r: (r.method, r.operation) == ("GET", PKI), HttpError, 405, "only POST here"
        ),
    ),
    "ca-name-wanted": Hooks(
        f"GetCACaps, GetCACert and GetNextCACert need message={CA_NAME}, else 404 (EJBCA)",
        admit=_not_found(_lacks_name),
    ),
    "message-refused": Hooks(
        "GetCACaps and GetCACert with a message get 404 (XiPKI, EJBCA for sscep's CAIdentifier)",
        admit=_not_found(lambda r: r.operation != PKI and "message" in r.fields),
    ),
    "message-wanted": Hooks(
        "GetCACaps and GetCACert need some message, be it empty (NDES)",
        admit=_not_found(lambda r: r.operation != PKI and "message" not in r.fields),
    ),
    "path-mscep": Hooks(
        "only the path /certsrv/mscep/mscep.dll is served, all else is 404 (NDES)",
        admit=_not_found(lambda r: r.path != "/certsrv/mscep/mscep.dll"),
    ),
    "query-wanted": Hooks(
        "the URL has a query of its own, tenant=lab, which must be kept (hosted CAs)",
        admit=_not_found(lambda r: r.fields.get("tenant") != "lab"),
    ),
    "query-limit": Hooks(
        f"a query of more than {QUERY_BYTES} octets gets 404 (IIS before it is configured)",
        admit=_not_found(lambda r: len(r.query) > QUERY_BYTES),
    ),
    "host-wanted": Hooks(
        "HTTP/1.0, or a Host without the port, gets 404 (virtual hosts; OpenXPKI)",
        admit=_not_found(_bare_host),
    ),
    "type-wanted": Hooks(
        "a POST without Content-Type or with that of a form gets 400 (OpenXPKI)",
        admit=refuses(_is_form, *BAD),
    ),
    "base64url": Hooks(
        "a GET needs base64url, standard base64 gets 400 (step-ca of 2021)",
        admit=lambda r: _from_base64url(refuses(_standard_base64, *BAD)(r)),
    ),
    "escapes-wanted": Hooks(
        "a GET with + / or = that are not percent-escaped gets 400 (RFC 8894 4.1)",
        admit=refuses(_unescaped, *BAD),
    ),
    "der-only": Hooks(
        "a request in BER that is not DER gets HTTP 500 (micromdm, step-ca)",
        admit=refuses(_is_ber, HttpError, FAULT, "ber2der: cannot parse"),
    ),
}  # fmt: skip

FRAMES: dict[str, Hooks] = {
    "no-reason": Hooks(
        "the status line has no reason phrase (jscep)",
        answer=lambda answer: answer._replace(reason=""),
    ),
    "chunked": Hooks(
        "answers are chunked (micromdm)", answer=lambda answer: answer._replace(framing=CHUNKED)
    ),
    "until-closed": Hooks(
        "answers have no length and end with the connection",
        answer=lambda answer: answer._replace(framing=CLOSE),
    ),
    "length-list": Hooks(
        "Content-Length names the length twice, in a list (proxies that join fields)",
        answer=lambda answer: answer._replace(framing=LISTED),
    ),
    "packed-gzip": Hooks(
        "answers are compressed with gzip, whoever asked (proxies)",
        answer=lambda answer: answer._replace(body=gzip.compress(answer.body)).plus(
            "Content-Encoding", "gzip"
        ),
    ),
    "packed-deflate": Hooks(
        "answers are compressed with deflate, without the header of zlib",
        answer=lambda answer: answer._replace(body=_deflated(answer.body)).plus(
            "Content-Encoding", "deflate"
        ),
    ),
    "line-end-behind": Hooks(
        "CR LF stands behind the DER of GetCACert and of a CertRep (scripts that print it)",
        answer=lambda answer: _with_line_end(answer)
        if answer.operation in (CERTIFICATES, PKI)
        else answer,
    ),
    "http-1.0": Hooks(
        "answers are HTTP/1.0 (old gateways)",
        answer=lambda answer: answer._replace(version="HTTP/1.0", framing=CLOSE),
    ),
    "interim": Hooks(
        "100 Continue and 103 Early Hints come before the answer (proxies)",
        answer=lambda answer: answer._replace(
            interim=b"HTTP/1.1 100 Continue\r\n\r\n"
            b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
        ),
    ),
    "type-charset": Hooks(
        "every Content-Type has a charset (servlets)",
        answer=lambda answer: answer._replace(kind=f"{answer.kind};charset=UTF-8"),
    ),
    "type-html": Hooks(
        "a CertRep has the Content-Type text/html",
        answer=on(PKI, lambda answer: answer._replace(kind="text/html")),
    ),
    "type-missing": Hooks(
        "answers have no Content-Type", answer=lambda answer: answer._replace(kind=None)
    ),
    "redirect-https": _redirect(302, ELSEWHERE)._replace(
        says="every operation gets 302 to HTTPS on another host (gateways)"
    ),
    "redirect-307": _redirect(307, ELSEWHERE)._replace(
        says="every operation gets 307 to HTTPS on another host (gateways)"
    ),
    "empty-once": Hooks(
        "the first PKIOperation gets status 200 and no body (step-ca)",
        answer=_first_only(lambda answer: answer._replace(body=b"")),
    ),
    "busy-once": Hooks(
        "the first PKIOperation gets 503 with Retry-After",
        answer=_first_only(
            lambda answer: answer._replace(status=503, kind=TEXT, body=b"busy\n").plus(
                "Retry-After", "1"
            )
        ),
    ),
}  # fmt: skip

TRANSPORT: dict[str, Hooks] = DEMANDS | FRAMES
