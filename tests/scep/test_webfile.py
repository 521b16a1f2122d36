"""Files at a URL: as many bytes as are allowed, from the source that is named, with errors of the
caller."""

from typing import Any

import pytest

from agent import limits
from agent.errors import AgentError
from agent.scep import webfile
from tests.helpers import scep_http as web
from tests.helpers.scep_http import PlainLink
from tests.scep.test_operations import job_for, run

CODE = "file-unreachable"


def fetched(url: str, link: PlainLink, cap: int = 100, **changes: Any) -> bytes:
    return webfile.fetched({**job_for(url), "url": url, **changes}, link, cap, CODE)


def refused(url: str, link: PlainLink, cap: int = 100) -> AgentError:
    with pytest.raises(AgentError) as caught:
        fetched(url, link, cap)
    return caught.value


@pytest.mark.parametrize("data", [b"x" * 100, b"\x00\xff <html>"])
def test_the_bytes_come_as_they_are_asked_for_as_they_stand(data: bytes) -> None:
    source = {"address": "192.0.2.7", "interface": "eth1", "bind_device": True, "vrf": "red"}
    link = PlainLink()
    with web.serving(lambda _request: web.ok(data)) as server:
        assert fetched(server.url("/a/b.pem?c=d"), link, source=source) == data
    assert server.requests[0].startswith(b"GET /a/b.pem?c=d HTTP/1.1\r\n")
    assert tuple(link.sources[0]) == ("192.0.2.7", "eth1", True, "red")


def test_more_than_is_allowed_is_refused() -> None:
    with web.serving(lambda _request: web.ok(b"x" * 101)) as server:
        error = refused(server.url(), PlainLink())
    assert (error.code, str(server.port) in error.what) == (CODE, True)
    assert "101" in error.what or "100" in error.what


@pytest.mark.parametrize("status", [b"404 Not Found", b"302 Found", b"500 Oops"])
def test_what_the_other_end_does_is_told_with_the_place(status: bytes) -> None:
    with web.serving(lambda _request: b"HTTP/1.1 " + status + b"\r\n\r\n") as server:
        error = refused(server.url("/list"), PlainLink())
    assert error.code == CODE
    assert server.url("/list") in error.what
    assert "enrollment-url" not in error.remedy


def test_a_place_that_is_none_is_told_likewise() -> None:
    assert refused("http://127.0.0.1:0/list", PlainLink("refused")).code == CODE
    assert refused("http://h/" + "x" * 300, PlainLink("refused")).what.count("x") < 300


def test_what_is_wrong_here_keeps_its_code() -> None:
    assert refused("http://127.0.0.1/list", PlainLink("source")).code == "source-missing"
    assert refused("https://127.0.0.1/list", PlainLink()).code == "tls-no-trust"


def test_the_job_gives_as_much_as_an_import_takes() -> None:
    for size, fits in ((limits.IMPORT_BYTES, True), (limits.IMPORT_BYTES + 1, False)):
        with web.serving(lambda _request, n=size: web.ok(bytes(n))) as server:  # type: ignore[misc]
            job = {**job_for(server.url(), op="fetch-file"), "realm": "abc"}
            if fits:
                assert run(job, []) == {"data": bytes(size)}
                continue
            with pytest.raises(AgentError) as caught:
                run(job, [])
            assert caught.value.code == CODE
