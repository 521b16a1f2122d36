"""Content codings: what is unpacked, how much of it, and what is refused by its name."""

import gzip
import http.client
import zlib
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import AgentError
from agent.scep import ca_query, httpcoding
from tests.helpers import scep_http as web
from tests.helpers import scep_lab as lab
from tests.scep.test_transport import failed, get

CAP = 4096
TEXT = b"AES\r\nSHA-256\r\n" * 20
RAW = zlib.compressobj(wbits=-zlib.MAX_WBITS)
PACKED = {
    "gzip": gzip.compress(TEXT),
    "x-gzip": gzip.compress(TEXT, 1),
    "deflate": zlib.compress(TEXT),
    "deflate without its header": RAW.compress(TEXT) + RAW.flush(),
    "identity": TEXT,
}


def named(coding: str) -> str:
    return coding.split()[0]


def answer(coding: str, body: bytes, status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Encoding: {coding}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def unpacked(pieces: Iterable[bytes], coding: str, cap: int = CAP) -> bytes:
    return b"".join(httpcoding.decoded(pieces, coding, cap))


@pytest.mark.parametrize("coding", PACKED)
def test_an_answer_that_is_packed(coding: str) -> None:
    assert get(answer(named(coding), PACKED[coding])) == TEXT
    assert get(answer(named(coding).upper(), PACKED[coding])) == TEXT


@pytest.mark.parametrize("size", [1, 2, 3, 10])
@pytest.mark.parametrize("coding", PACKED)
def test_pieces_of_any_size(coding: str, size: int) -> None:
    data, name = PACKED[coding], named(coding)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert unpacked(pieces, "" if name == "identity" else name) == TEXT


def test_capabilities_and_certificates_are_unpacked_alike() -> None:
    packed = iter([answer("gzip", gzip.compress(b"AES\nRenewal\n")),
                   answer("deflate", zlib.compress(lab.root().der))])  # fmt: skip
    with web.serving(lambda _request: next(packed)) as server:
        place = {"address": None, "interface": None, "bind_device": False}
        job = {"url": server.url(), "ca_id": None, "source": place, "ra": False, **lab.JUDGED}
        found = ca_query.fetch(job, web.PlainLink())
    assert found["caps"] == ["AES", "Renewal"]
    certificates = found["certificates"]
    assert isinstance(certificates, list)
    assert certificates[0]["der"] == lab.root().der


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, br", "gzip, gzip", "b\x1b[2J"])
def test_another_coding_is_refused_by_its_name(coding: str) -> None:
    error = failed(answer(coding, b"x"))
    assert error.code == "http-coding"
    assert coding.lower().replace("\x1b", "\\x1b") in error.what
    assert error.what.isprintable()


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_bomb_is_unpacked_as_far_as_the_cap(coding: str) -> None:
    pack = {"gzip": gzip.compress, "deflate": zlib.compress}[coding]
    bomb = pack(bytes(1 << 22))
    assert len(bomb) < 1 << 14
    assert failed(answer(coding, bomb)).code == "http-too-large"
    assert len(unpacked([bomb], coding)) == CAP + 1
    small = pack(bytes(CAP + 1))
    assert failed(answer(coding, small)).code == "http-too-large"
    assert len(get(answer(coding, pack(bytes(CAP))))) == CAP


@pytest.mark.parametrize("coding", ["gzip", "deflate", "deflate without its header"])
def test_a_content_that_is_cut_or_goes_on(coding: str) -> None:
    data, name = PACKED[coding], named(coding)
    for cut in range(len(data)):
        with pytest.raises(http.client.IncompleteRead):
            unpacked([data[:cut]], name)
    with pytest.raises(http.client.HTTPException, match="behind the end"):
        unpacked([data + b"x"], name)
    assert failed(answer(name, data[:-1])).code == "connection-reset"
    assert failed(answer(name, data + b"x")).code == "http-malformed"


def test_an_error_page_that_is_packed_is_shown() -> None:
    page = b"<html><title>Error</title><p>wrong password</p></html>"
    for body, told in ((gzip.compress(page), "Error: wrong password"), (b"\x1f\x8b", "nothing")):
        error = failed(answer("gzip", body, "403 Forbidden"))
        assert error.code == "http-denied"
        assert told in error.what
    assert failed(answer("br", b"\x00\xff", "404 x")).code == "http-not-found"


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.binary(max_size=60), st.sampled_from(["gzip", "deflate"]), st.integers(0, 100))
def test_noise_is_content_or_an_error_of_http(noise: bytes, coding: str, cap: int) -> None:
    try:
        assert len(unpacked([noise], coding, cap)) <= cap + 1
    except (http.client.HTTPException, AgentError):
        return
