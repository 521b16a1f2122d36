"""The encodings around DER: each for every reader; what is damage; how long looking takes."""

import base64
import contextlib
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import limits
from agent.errors import AgentError
from agent.scep import der, encodings
from tests.helpers import scep_files as files
from tests.helpers import scep_lab as lab
from tests.rigs.interop import readers


def test_blocks_in_any_order_with_text_around_them() -> None:
    data = (
        b"subject=CN = x\r\n" + files.certificate_pem(lab.root()).replace(b"\n", b"\r\n")
        + b"\nBag Attributes\n    friendlyName: me\n" + files.key_pem("dev") + b"the end -----"
    )  # fmt: skip
    first, second = encodings.blocks(data)
    assert (first.label, second.label) == ("CERTIFICATE", "RSA PRIVATE KEY")
    assert first.data() == lab.root().der
    assert not first.encrypted
    (whole,) = encodings.blocks(lab.root().der)
    assert (whole.label, whole.data()) == ("", lab.root().der)


def test_headers_of_a_traditional_key() -> None:
    words = ("rsa", "-aes256", "-traditional", "-passout", "pass:x")
    made = files.openssl(*words, data=files.key_pem("dev"))
    for text in (made, made.replace(b"\n", b"\r\n")):
        (block,) = encodings.blocks(b"noise\n" + text)
        assert block.encrypted
        assert b"DEK-Info: AES-256-CBC" in block.headers
        assert block.canonical().rstrip() == made.rstrip()


def test_what_the_agent_writes_is_read_by_us_and_by_openssl() -> None:
    made = files.certificate_pem(lab.root(), lab.sub())
    assert [block.data() for block in encodings.blocks(made)] == [lab.root().der, lab.sub().der]
    assert files.openssl("x509", "-outform", "der", data=made) == lab.root().der


@pytest.mark.parametrize("octet", b" \t\r\n0")
def test_what_is_encrypted_has_no_white_space_around_it(octet: int) -> None:
    secret = bytes((octet, 0x80)) + bytes(12) + bytes((octet, octet))
    head = b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,00\n\n"
    text = head + base64.encodebytes(secret) + b"-----END RSA PRIVATE KEY-----\n"
    (block,) = encodings.blocks(b"  " + text.replace(b"\n", b" \r\n  "))
    assert block.data() == secret
    assert block.canonical() == text


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
        [block.data() for block in encodings.blocks(data)]


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.integers(0, 5000), st.binary(max_size=4))
def test_damage_is_a_value_error_or_blocks(at: int, noise: bytes) -> None:
    whole = files.certificate_pem(lab.root(), lab.sub()) + files.key_pem("dev")
    data = whole[: at % len(whole)] + noise + whole[at % len(whole) + len(noise) :]
    try:
        found = [block.data() for block in encodings.blocks(data)]
    except ValueError:
        return
    assert len(found) <= 3


# -- every encoding, for every reader --------------------------------------------------------------


@pytest.mark.parametrize("reader", readers.READERS)
@pytest.mark.parametrize("encoding", readers.ENCODINGS)
def test_every_reader_takes_every_encoding(encoding: str, reader: str) -> None:
    assert readers.finds(encoding, reader)


def test_settings_of_trust_behind_a_certificate_are_passed_over() -> None:
    words = ("x509", "-trustout", "-addtrust", "serverAuth", "-setalias", "mine")
    trusted = files.openssl(*words, data=files.certificate_pem(lab.root()))
    assert b"BEGIN TRUSTED CERTIFICATE" in trusted
    for encoding in ("PEM with CRLF", "PEM, indented"):
        end = {"PEM with CRLF": b"\r\n", "PEM, indented": b"\n  "}[encoding]
        data = trusted.replace(b"\n", end)
        assert encodings.single(data) == lab.root().der
        for name in ("GetCACert", "import", "`https ca-file`", "display", "validate"):
            assert readers.READERS[name].read(data) == lab.root().der


def test_the_files_of_windows_and_of_certmonger() -> None:
    """A byte order mark within the text, where two files were joined; quoted-printable is none."""
    one, two = files.certificate_pem(lab.root()), files.certificate_pem(lab.sub())
    joined = readers.BOM + one + readers.BOM + two
    assert [b.data() for b in encodings.blocks(joined)] == [lab.root().der, lab.sub().der]


@pytest.mark.parametrize(
    ("behind", "told"),
    [
        (b"\0", "1 NUL behind"),
        (bytes(5), "5 NULs behind"),
        (b"x", "1 octet behind"),
        (b"\r\n\0\0", "4 octets behind"),
    ],
)
@pytest.mark.parametrize("reader", ["GetCACert", "reply", "import", "`https ca-file`", "display"])
def test_octets_behind_are_counted_and_their_place_is_told(
    behind: bytes, told: str, reader: str
) -> None:
    row = readers.READERS[reader]
    data = row.der()
    with pytest.raises((AgentError, KeyError)) as caught:
        row.read(data + behind)
    if reader == "display":  # a line that says so, which has no digest
        assert "sha256" in str(caught.value)
        return
    assert isinstance(caught.value, AgentError)
    assert f"{told} its end at octet {len(data)}" in caught.value.what


def test_an_indefinite_length_has_white_space_around_it_at_most() -> None:
    whole = b"\x30\x80\x05\0\0\0"
    assert encodings.single(b"\n" + whole + b" \r\n") == whole
    assert encodings.single(base64.b64encode(whole)) == whole


def test_der_that_holds_marks_of_pem_is_der() -> None:
    whole = der.octet_string(b"-----BEGIN X-----")
    made = der.sequence(whole)
    assert encodings.single(made) == made


@pytest.mark.parametrize("layers", [1, 2, 3, 9])
def test_no_more_encodings_are_taken_off_than_anybody_writes(layers: int) -> None:
    data = lab.root().der
    for _ in range(layers):
        data = base64.b64encode(data)
    assert (encodings.first(data) == lab.root().der) is (layers <= 3)


@pytest.mark.parametrize("piece", [b"-----BEGIN X-----", b"A", b" ", b"\n", b"A\0", b"\xff\xfe"])
def test_looking_takes_time_that_is_linear_in_the_input(piece: bytes) -> None:
    """Counted: the octets that are copied, by the memory that is asked for."""
    tracemalloc.start()
    try:
        with contextlib.suppress(ValueError):
            encodings.blocks(piece * (limits.IMPORT_BYTES // len(piece)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16 * limits.IMPORT_BYTES
