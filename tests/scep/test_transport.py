"""HTTP against odd servers: what arrives, what is refused, and under which code."""

import base64
import socket
import threading
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import limits
from agent.errors import CATALOGUE, AgentError
from agent.scep import transport
from hal import link
from hal.link import LinuxLink
from hal.ports import Source
from tests.helpers import scep_http as web

CAP = 4096


def exchange(server: web.Server, **how: Any) -> transport.Exchange:
    place = transport.server(server.url(how.pop("path", "/scep")))
    return transport.Exchange(place, web.PlainLink(**how), Source())


def get(answer: web.Answer | bytes, **how: Any) -> bytes:
    with web.serving(answer) as server:
        return exchange(server, **how).get("GetCACert", None, CAP)


def failed(answer: web.Answer | bytes, **how: Any) -> AgentError:
    with pytest.raises(AgentError) as caught:
        get(answer, **how)
    return caught.value


# -- requests --------------------------------------------------------------------------------------


def test_a_get_as_it_goes_over_the_wire() -> None:
    with web.serving(web.ok(b"x")) as server:
        exchange(server).get("GetCACaps", None, CAP)
    head = server.requests[0].decode()
    assert head.startswith("GET /scep?operation=GetCACaps HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{server.port}\r\n" in head
    assert "User-Agent: scep-agent\r\n" in head
    assert "Connection: close\r\n" in head


@pytest.mark.parametrize(
    ("path", "ca_id", "target"),
    [
        ("/scep", "a b&c", "/scep?operation=GetCACert&message=a%20b%26c"),
        ("/scep", "", "/scep?operation=GetCACert&message="),
        ("/x?y=z", None, "/x?y=z&operation=GetCACert"),
        ("", None, "/?operation=GetCACert"),
        ("/a/mscep.dll/pkiclient.exe", "ü", None),
    ],
)
def test_the_query(path: str, ca_id: str | None, target: str | None) -> None:
    with web.serving(web.ok(b"x")) as server:
        exchange(server, path=path).get("GetCACert", ca_id, CAP)
    wanted = target or "/a/mscep.dll/pkiclient.exe?operation=GetCACert&message=%C3%BC"
    assert server.requests[0].split()[1].decode() == wanted


@pytest.mark.parametrize("path", ["/scep", "/scep?x=1"])
def test_pki_operation_by_get_escapes_base64(path: str) -> None:
    message = bytes(range(256)) * 3 + b"\xfb\xff"
    with web.serving(web.ok(b"x")) as server:
        exchange(server, path=path).send(message, False, CAP)
    target = server.requests[0].split()[1].decode()
    assert not set(target.split("message=")[1]) & set("+/=")
    fields = dict(parse_qsl(urlsplit(target).query))
    assert base64.b64decode(fields["message"], validate=True) == message
    assert fields["operation"] == "PKIOperation"


def test_pki_operation_by_post() -> None:
    message = bytes(range(256))
    with web.serving(web.ok(b"x")) as server:
        exchange(server).send(message, True, CAP)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /scep?operation=PKIOperation HTTP/1.1\r\n")
    assert b"Content-Type: application/x-pki-message" in head
    assert body == message


def test_the_source_reaches_the_link() -> None:
    fields = {"address": "192.0.2.1", "interface": "eth0", "bind_device": True}
    assert transport.source_of(fields) == Source("192.0.2.1", "eth0", True)
    assert transport.source_of({}) == Source()
    with web.serving(web.ok(b"x")) as server:
        plain = web.PlainLink()
        place = transport.server(server.url())
        transport.Exchange(place, plain, Source("192.0.2.1")).get("GetCACert", None, CAP)
    assert plain.sources == [Source("192.0.2.1")]


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("http://ca.example/x", "ca.example", 80),
        ("http://ca.example:8080/x", "ca.example", 8080),
        ("http://[2001:db8::1]:9/x", "2001:db8::1", 9),
        ("HTTP://192.0.2.1", "192.0.2.1", 80),
    ],
)
def test_urls(url: str, host: str, port: int) -> None:
    place = transport.server(url)
    assert (place.host, place.port) == (host, port)


def test_a_backslash_of_a_url_is_escaped_on_the_wire() -> None:
    with web.serving(web.ok(b"x")) as server:
        place = transport.server(server.url(r"/a\b?page1\x3f"))
        transport.Exchange(place, web.PlainLink(), Source()).get("GetCACaps", None, CAP)
    assert server.requests[0].startswith(b"GET /a%5Cb?page1%5Cx3f&operation=GetCACaps HTTP/1.1")


@pytest.mark.parametrize(
    "url",
    ["", "ca.example", "ftp://x/", "http://", "http:///x", "http://x:99999/", "http://x:a/",
     "http://u:p@x/", "http://x/ä", "http://[::1", "http://x/ y", "http://x/\r\nA: b"],
)  # fmt: skip
def test_urls_that_cannot_be_used(url: str) -> None:
    with pytest.raises(AgentError) as caught:
        transport.server(url)
    assert caught.value.code == "url-invalid"


def test_https_has_its_own_port() -> None:
    place = transport.server("HTTPS://ca.example/scep?x=y")
    assert place == transport.Server("ca.example", 443, "/scep?x=y", secure=True)
    assert not transport.server("http://ca.example:443/").secure


# -- answers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        web.ok(b"body"),
        web.ok(b"body", status="200 "),
        web.chunked([b"bo", b"d", b"y"]),
        web.chunked([b"body"], trailer=b"X-Trailer: 1\r\n"),
        b"HTTP/1.1 200 OK\r\n\r\nbody",
        b"HTTP/1.0 200 OK\r\n\r\nbody",
        b"HTTP/1.1 200 OK\nContent-Length: 4\n\nbody",
        b"HTTP/1.1 200\r\nContent-Length: 4\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 4\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nbody and more",
        b"HTTP/1.1 100 Continue\r\n\r\n" + web.ok(b"body"),
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 3 + web.ok(b"body"),
        web.ok(b"body", "Content-Type: text/html; charset=nonsense"),
    ],
)
def test_ways_to_send_a_body(answer: bytes) -> None:
    assert get(answer) == b"body"


@pytest.mark.parametrize(
    ("header", "after_s"),
    [
        ("Retry-After: 7", 7),
        ("Retry-After:  120 ", 120),
        ("Retry-After: Wed, 21 Oct 2026 07:28:00 GMT", 0),
        ("Retry-After: -1", 0),
        ("Retry-After: 9999999999", 0),
        # Field case 3: what counts as none is named.
        ("Retry-After: Thu, 01 Jan 2099 00:00:00 GMT", 0),
        ("Retry-After: -5", 0),
        ("Retry-After: soon\x1b[2J", 0),
        ("Retry-After: 0", 0),
        ("X: 7", 0),
    ],
)
def test_how_long_a_busy_server_wants_to_be_left_alone(header: str, after_s: int) -> None:
    with pytest.raises(AgentError) as caught:
        get(web.ok(b"busy", header, status="503 Busy"))
    assert (caught.value.code, caught.value.after_s) == ("http-busy", after_s)
    assert (f"(Retry-After: {after_s} s)" in caught.value.what) == (after_s > 0)
    assert caught.value.what.isprintable()
    named = f"(Retry-After: {header[13:33].strip()}"
    ignored = header.startswith("Retry-After") and not after_s
    assert ("counts as none)" in caught.value.what) is ignored
    assert not ignored or named.split("\x1b")[0] in caught.value.what


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"", "connection-reset"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "connection-reset"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbody", "connection-reset"),
        (web.chunked([b"body"])[:-7], "connection-reset"),
        (web.ok(b""), "http-empty"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "http-empty"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "http-malformed"),
        (b"\x15\x03\x01\x00\x02\x02\x16", "http-malformed"),
        (b"HTTP/1.1 abc\r\n\r\n", "http-malformed"),
        (b"HTTP/1.1 99 x\r\n\r\n", "http-malformed"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nbody",
            "http-malformed",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\nbody", "http-malformed"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nbody", "http-malformed"),
        (b"HTTP/1.1 103 x\r\n\r\n" * 9 + web.ok(b"body"), "http-malformed"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 99 + b"\r\nbody", "http-malformed"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 17_000 + b"\r\n\r\nbody", "http-malformed"),
        (b"HTTP/1.1 200 " + b"y" * 70_000, "http-malformed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4097\r\n\r\n", "http-too-large"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", "http-too-large"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 4097, "http-too-large"),
        (web.chunked([b"x" * 1000] * 5), "http-too-large"),
        (b"HTTP/1.1 302 x\r\nLocation: https://elsewhere/\r\n\r\n", "http-redirect"),
        (b"HTTP/1.1 307 x\r\nContent-Length: 0\r\n\r\n", "http-redirect"),
        (web.ok(b"nope", status="404 Not Found"), "http-not-found"),
        (web.ok(b"", status="403 Forbidden"), "http-denied"),
        (web.ok(b"", status="418 x"), "http-refused"),
        (web.ok(b"slow down", status="429 Too Many"), "http-busy"),
        (web.ok(b"oops", status="500 Oops"), "http-failed"),
        (web.ok(b"", status="503 Busy"), "http-busy"),
        (web.ok(b"0x80070057 The parameter is incorrect.", status="500 x"), "http-ndes"),
        (b"HTTP/1.1 404 x\r\nContent-Length: 99\r\n\r\nno", "http-not-found"),
        (
            b"HTTP/1.1 404 x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nno",
            "http-not-found",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4, 5\r\n\r\nbody!", "http-malformed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: +4\r\n\r\nbody", "http-malformed"),
        ("HTTP/1.1 200 OK\r\nContent-Length: ²\r\n\r\nbody".encode("latin-1"), "http-malformed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\nbody", "http-malformed"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"4\r\nbody\r\n0\r\n\r\n",
            "http-malformed",
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "http-malformed"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"0\r\n\r\n",
            "http-malformed",
        ),
    ],
)
def test_answers_that_are_refused(answer: bytes, code: str) -> None:
    error = failed(answer)
    assert error.code == code
    assert error.what.isprintable()


def test_an_error_page_is_shown_in_part_and_safely() -> None:
    page = b"<html>\x1b[2J no \xff such   page" + b"x" * 10_000
    error = failed(web.ok(page, status="404 Not\x1b Found"))
    assert "404" in error.what
    assert len(error.what) < 400
    text = failed(web.ok(b"no such\r\n  alias", status="500 x"))
    assert "no such alias" in text.what


def test_where_a_redirect_leads_is_shown() -> None:
    error = failed(b"HTTP/1.1 301 x\r\nLocation: https://elsewhere/\x1b[2J\r\n\r\n")
    assert r"https://elsewhere/\x1b[2J" in error.what


def test_our_own_question_is_left_out_of_where_a_redirect_leads() -> None:
    for place in ("/new", "/new?a=b"):
        tail = f"{'&' if '?' in place else '?'}operation=GetCACert"
        head = f"HTTP/1.1 301 x\r\nLocation: http://ca{place}{tail}\r\n\r\n"
        assert failed(head.encode()).what.endswith(f": http://ca{place}")


def test_ipv6() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listening:
        port = listening.getsockname()[1]
        server = threading.Thread(target=_answer_once, args=(listening,))
        server.start()
        place = transport.server(f"http://[::1]:{port}/scep")
        assert transport.Exchange(place, LinuxLink(), Source()).get("GetCACaps", None, CAP)
        server.join(web.WAIT_S)


def _answer_once(listening: socket.socket) -> None:
    listening.settimeout(web.WAIT_S)
    connection, _address = listening.accept()
    with connection:
        request = web.read_request(connection)
        host = request.partition(b"Host: ")[2].partition(b"\r\n")[0]
        connection.sendall(web.ok(b"AES" if host.startswith(b"[::1]:") else b""))


def test_a_server_that_never_answers() -> None:
    with web.serving(lambda _: b"") as server:
        server.answer = lambda _: (stalled.wait(web.WAIT_S), b"")[1]
        stalled = web.threading.Event()
        with pytest.raises(AgentError) as caught:
            exchange(server, timeout_s=0.05).get("GetCACert", None, CAP)
        stalled.set()
    assert caught.value.code == "answer-timeout"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("interface", "source-missing"),
        ("no-address", "source-missing"),
        ("source", "source-missing"),
        ("name", "name-unresolved"),
        ("refused", "connection-refused"),
        ("route", "no-route"),
        ("timeout", "connection-timeout"),
        ("reset", "connection-reset"),
        ("other", "network-failed"),
        ("of tomorrow", "network-failed"),
    ],
)
def test_link_errors(kind: str, code: str) -> None:
    error = failed(b"", failure=kind)
    assert error.code == code
    assert "127.0.0.1" in error.what
    assert "as the test wants it" in error.what or code == "answer-timeout"


def test_every_error_of_a_socket_has_a_code() -> None:
    """From errno to the kind of the link, and from the kind to the catalogue."""
    kinds = {*link.KINDS.values(), "interface", "no-address", "name", "other"}
    assert kinds == set(transport.LINK_CODES)
    assert set(transport.LINK_CODES.values()) <= set(CATALOGUE)


def test_only_answers_count_as_a_server_that_does_not_know_the_question() -> None:
    assert "connection-refused" not in transport.SERVER_CODES
    assert {"http-refused", "http-failed", "connection-reset"} <= transport.SERVER_CODES


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.binary(max_size=200), st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 "]))
def test_random_answers_are_a_body_or_an_error(data: bytes, start: bytes) -> None:
    try:
        body = get(start + data)
    except AgentError:
        return
    assert 0 < len(body) <= limits.CA_SET_BYTES


@pytest.mark.parametrize("length", ["4, 4", "4,4 , 4", "4\r\nContent-Length: 4, 4"])
def test_a_length_that_is_said_again_is_one(length: str) -> None:
    """RFC 9110 8.6. What stands behind the length is not waited for, and no part of the answer."""
    assert get(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\nbody+".encode()) == b"body"
    error = failed(f"HTTP/1.1 403 No\r\nContent-Length: {length}\r\n\r\nbody+".encode())
    assert error.what.endswith("HTTP 403 No: body")


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("Content-Length: 4, 5", "Content-Length: 4, 5"),
        ("Content-Length: 4\r\nContent-Length: 5", "Content-Length: 4; 5"),
        ("Content-Length: +4", "Content-Length: +4"),
        ("Content-Length: ", "Content-Length: "),
        ("Transfer-Encoding: gzip, chunked", "Transfer-Encoding: gzip, chunked"),
        ("Content-Length: 4\r\nTransfer-Encoding: chunked",
         "Transfer-Encoding: chunked beside a Content-Length"),
        ("Content-Length: 4\x1b[2J", "Content-Length: 4\\x1b[2J"),
    ],
)  # fmt: skip
def test_a_field_that_makes_no_sense_is_shown(field: str, told: str) -> None:
    error = failed(f"HTTP/1.1 200 OK\r\n{field}\r\n\r\nbody".encode())
    assert error.code == "http-malformed"
    assert error.what.endswith(f"its field makes no sense: {told}")


@pytest.mark.parametrize(
    ("status", "told"),
    [("403", "HTTP 403: nothing in it"), ("403 ", "HTTP 403: nothing in it"),
     ("403 No entry", "HTTP 403 No entry: nothing in it"), ("404", "HTTP 404: nothing in it"),
     ("503", "HTTP 503: nothing in it"), ("400", "HTTP 400: nothing in it"),
     ("500", "HTTP 500: nothing in it")],
)  # fmt: skip
def test_a_reason_phrase_that_is_missing_leaves_no_hole(status: str, told: str) -> None:
    error = failed(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
    assert error.what.endswith(told)
