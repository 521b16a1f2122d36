"""PEM: what is found between dashes, and how long looking takes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import limits
from agent.scep import pem
from tests.helpers import scep_files as files
from tests.helpers import scep_lab as lab


def test_blocks_in_any_order_with_text_around_them() -> None:
    data = (
        b"subject=CN = x\r\n" + files.certificate_pem(lab.root()).replace(b"\n", b"\r\n")
        + b"\nBag Attributes\n    friendlyName: me\n" + files.key_pem("dev") + b"the end -----"
    )  # fmt: skip
    first, second = pem.blocks(data)
    assert (first.label, second.label) == ("CERTIFICATE", "RSA PRIVATE KEY")
    assert first.data() == lab.root().der
    assert not first.encrypted
    assert pem.looks_so(data)
    assert not pem.looks_so(lab.root().der)


def test_headers_of_a_traditional_key() -> None:
    words = ("rsa", "-aes256", "-traditional", "-passout", "pass:x")
    made = files.openssl(*words, data=files.key_pem("dev"))
    for text in (made, made.replace(b"\n", b"\r\n")):
        (block,) = pem.blocks(b"noise\n" + text)
        assert block.encrypted
        assert b"DEK-Info: AES-256-CBC" in block.headers
        assert block.raw == text.rstrip()


def test_what_the_agent_writes_is_read_by_us_and_by_openssl() -> None:
    made = files.certificate_pem(lab.root(), lab.sub())
    assert [block.data() for block in pem.blocks(made)] == [lab.root().der, lab.sub().der]
    assert files.openssl("x509", "-outform", "der", data=made) == lab.root().der


BAD = [
    b"-----BEGIN CERTIFICATE-----\nAAAA\n",
    b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END KEY-----\n",
    b"-----BEGIN " + b"x" * 40 + b"-----",
    b"-----BEGIN CERTIFICATE",
    b"-----BEGIN X-----\n-----END X-----\n" * (limits.PEM_BLOCKS + 1),
    b"-----BEGIN X-----" * 15_000,  # each without an end: linear, or this takes minutes
    b"-----BEGIN X-----" * 15_000 + b"-----END X-----",
]


@pytest.mark.parametrize("data", BAD)
def test_what_is_no_pem_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # of this module or of base64
        [block.data() for block in pem.blocks(data)]


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.integers(0, 5000), st.binary(max_size=4))
def test_damage_is_a_value_error_or_blocks(at: int, noise: bytes) -> None:
    whole = files.certificate_pem(lab.root(), lab.sub()) + files.key_pem("dev")
    data = whole[: at % len(whole)] + noise + whole[at % len(whole) + len(noise) :]
    try:
        found = [block.data() for block in pem.blocks(data)]
    except ValueError:
        return
    assert len(found) <= 3
