"""GetCACaps and GetCACert: the quirks of real servers."""

import base64
import contextlib
import hashlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import AgentError
from agent.scep import ber, ca_query
from tests.helpers import scep_http as web
from tests.helpers import scep_lab as lab
from tests.scep.test_ber import berify

SOURCE = {"address": None, "interface": None, "bind_device": False}


def answering(caps: bytes, cert: bytes) -> web.Answer:
    return lambda request: caps if b"GetCACaps" in request else cert


def fetch(caps: bytes, cert: bytes, **changes: Any) -> tuple[dict[str, Any], web.Server]:
    with web.serving(answering(caps, cert)) as server:
        job = {"url": server.url(), "ca_id": None, "source": SOURCE, "ra": False}
        job |= lab.JUDGED | changes
        return ca_query.fetch(job, web.PlainLink()), server


def pem(label: str, data: bytes) -> bytes:
    encoded = base64.encodebytes(data).decode()
    return f"-----BEGIN {label}-----\n{encoded}-----END {label}-----\n".encode()


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"AES\nSHA-256\n", ["AES", "SHA-256"]),
        (b"aes\r\nPOSTPKIOperation\r\n\r\n", ["aes", "POSTPKIOperation"]),
        (b" AES \nAES", ["AES"]),
        (b"", []),
        (b"<html>\nAES\n</html>", []),
        (b"  <!DOCTYPE html>", []),
        (b"x" * 65 + b"\nAES\n\xff\n\x01", ["AES"]),
    ],
)
def test_capabilities(body: bytes, found: list[str]) -> None:
    assert ca_query.capabilities(body) == found


def test_capabilities_are_capped() -> None:
    many = b"\n".join(b"C%d" % number for number in range(1000))
    assert len(ca_query.capabilities(many)) == 64


@pytest.mark.parametrize(
    "caps",
    [
        b"",
        web.ok(b"", status="404 Not Found"),
        web.ok(b"broken", status="500 x"),
        web.ok(b"<html>"),
        web.ok(b""),
        b"no http at all\r\n",
        b"HTTP/1.1 302 x\r\nLocation: /\r\n\r\n",
        web.ok(b"x" * 5000),
    ],
)
def test_a_server_without_get_ca_caps(caps: bytes) -> None:
    answer, _ = fetch(caps, web.ok(lab.root().der))
    assert answer["caps"] == []
    assert "lists no capabilities" in answer["notes"][0]
    assert len(answer["certificates"]) == 1


def test_no_connection_is_told_at_once() -> None:
    link = web.PlainLink(failure="refused")
    job = {"url": "http://127.0.0.1:1/", "ca_id": None, "source": SOURCE, "ra": False}
    with pytest.raises(AgentError) as caught:
        ca_query.fetch(job, link)
    assert caught.value.code == "connection-refused"
    assert len(link.sources) == 1


def test_one_certificate_and_its_record() -> None:
    answer, server = fetch(web.ok(b"AES"), web.ok(lab.root().der, "Content-Type: text/html"))
    (record,) = answer["certificates"]
    assert record["der"] == lab.root().der
    assert record["subject"] == record["issuer"] == "C=DE, CN=Lab Root"
    assert record["serial"] == f"{lab.root().cert.serial_number:x}"
    assert record["not_before_s"] == lab.NOW_S - lab.DAY_S
    assert record["is_ca"]
    assert record["key_usage"] == ["cRLSign", "keyCertSign"]
    assert record["sha256"] == lab.root().cert.sha256.hex()
    assert record["sha1"] == lab.root().cert.sha1.hex()
    assert len(record["md5"]) == 32
    assert all(b"message=" not in request for request in server.requests)


@pytest.mark.parametrize("ca_id", ["", "my-ca"])
def test_the_ca_id_goes_into_both_questions(ca_id: str) -> None:
    _, server = fetch(web.ok(b"AES"), web.ok(lab.root().der), ca_id=ca_id)
    assert [f"&message={ca_id} ".encode() in request for request in server.requests] == [True] * 2


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_a_degenerate_set_keeps_its_order(order: tuple[int, ...]) -> None:
    ders = [[lab.root().der, lab.ra_pair()[0].der, lab.ra_pair()[1].der][n] for n in order]
    for made in (lab.degenerate(ders), berify_set(ders), pem("PKCS7", lab.degenerate(ders))):
        answer, _ = fetch(web.ok(b"AES"), web.ok(made), ra=True)
        assert [record["der"] for record in answer["certificates"]] == ders


def berify_set(ders: list[bytes]) -> bytes:
    """Indefinite lengths around certificates that stay as they are."""
    inner = b"\x02\x01\x01\x31\x80\0\0\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\0\0"
    inner += b"\xa0\x80" + b"".join(ders) + b"\0\0\x31\x80\0\0"
    oid = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
    return b"\x30\x80" + oid + b"\xa0\x80\x30\x80" + inner + b"\0\0" * 3


def test_pem() -> None:
    data = b"\n  " + pem("CERTIFICATE", lab.root().der) + pem("CERTIFICATE", lab.sub().der)
    assert ca_query.ca_certificates(data) == [lab.root().der, lab.sub().der]


@pytest.mark.parametrize("whole", [lab.root().der, lab.degenerate([lab.root().der])])
def test_white_space_and_bare_base64(whole: bytes) -> None:
    for sent in (b" \r\n" + whole, base64.encodebytes(whole), base64.b64encode(whole) + b"\r\n"):
        assert ca_query.ca_certificates(sent) == [lab.root().der]


def test_an_odd_certificate_does_not_cost_the_set() -> None:
    odd = lab.tlv(0x30, b"\x02\x01\x05")
    answer, _ = fetch(web.ok(b"AES"), web.ok(lab.degenerate([odd, lab.root().der])))
    assert [record["der"] for record in answer["certificates"]] == [lab.root().der]
    why = f"sha256 {hashlib.sha256(odd).hexdigest()}: tag 02 instead of 30"
    assert answer["notes"] == [f"1 of the CA's certificates cannot be read: {why}"]


@pytest.mark.parametrize(
    "data",
    [
        b"<html>hello</html>",
        b"\x30\x00",
        lab.degenerate([]),
        lab.degenerate([lab.tlv(0x30, b"\x02\x01\x05")]),
        lab.degenerate([b"\x30\x00"] * 17),
        b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----",
        b"-----BEGIN nothing",
        base64.b64encode(b"no PEM around it"),
    ],
)
def test_what_is_no_set(data: bytes) -> None:
    with pytest.raises(AgentError) as caught:
        fetch(web.ok(b"AES"), web.ok(data))
    assert caught.value.code == "ca-set-malformed"


def test_a_page_instead_of_the_set_is_called_one() -> None:
    with pytest.raises(AgentError, match="a page for people"):
        fetch(web.ok(b"AES"), web.ok(b" \n<!DOCTYPE html><html>hello</html>"))


def test_an_ra_that_is_wanted_and_not_there() -> None:
    with pytest.raises(AgentError) as caught:
        fetch(web.ok(b"AES"), web.ok(lab.root().der), ra=True)
    assert caught.value.code == "ra-missing"
    device = lab.certificate({"common_name": "d"}, "dev", lab.root(), purposes=["client_auth"])
    with pytest.raises(AgentError) as caught:
        fetch(web.ok(b"AES"), web.ok(lab.degenerate([device.der, lab.root().der])), ra=True)
    assert caught.value.code == "ra-missing"


def test_an_ra_without_its_purpose_is_refused_at_the_fetch() -> None:
    """So whoever asks for the CA alone, or diagnoses, reads it before anything is sent."""
    plain = lab.certificate({"common_name": "RA"}, "ra-enc", lab.root())
    made = web.ok(lab.degenerate([plain.der, lab.root().der]))
    other = {"algorithm": "sha256", "hex": ["ab" * 32]}
    for code, job in (("ra-purpose", {}), ("ra-pin-mismatch", {"ra_fingerprint": other})):
        with pytest.raises(AgentError) as caught:
            fetch(web.ok(b"AES"), made, ra=True, **job)
        assert caught.value.code == code
        assert plain.cert.sha256.hex() in caught.value.what
    named = {"algorithm": "sha256", "hex": [plain.cert.sha256.hex()]}
    for job in ({"compatibility": ["ra-any-purpose"]}, {"ra_fingerprint": named}):
        assert len(fetch(web.ok(b"AES"), made, ra=True, **job)[0]["certificates"]) == 2


@pytest.mark.parametrize("field", ["url", "source", "ra", "ca_id"])
def test_a_job_with_a_wrong_field(field: str) -> None:
    with pytest.raises(AgentError) as caught:
        fetch(b"", b"", **{field: 5})
    assert caught.value.code == "job-request"


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.binary(max_size=300))
def test_random_sets_are_certificates_or_one_error(data: bytes) -> None:
    with pytest.raises(AgentError) as caught:
        ca_query.ca_certificates(data)
    assert caught.value.code == "ca-set-malformed"


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.data())
def test_flipped_bits_of_a_set(data: st.DataObject) -> None:
    whole = bytearray(lab.degenerate([lab.root().der, lab.sub().der]))
    at = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[at // 8] ^= 1 << at % 8
    with contextlib.suppress(AgentError):
        assert len(ca_query.ca_certificates(bytes(whole))) in (1, 2)


def test_ber_of_one_certificate_is_told_apart_from_der() -> None:
    """A certificate is DER; what is not is no certificate that any fingerprint could name."""
    node = ber.read(lab.root().der)
    assert ca_query.ca_certificates(berify(node)) != [lab.root().der]


# -- fingerprints that the operator has typed ------------------------------------------------------


def anchor(party: bytes, algorithm: str = "sha256") -> dict[str, str]:
    return {"algorithm": algorithm, "hex": hashlib.new(algorithm, party).hexdigest()}


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
def test_a_root_of_version_1_counts_where_a_fingerprint_names_it(algorithm: str) -> None:
    old = lab.certificate({"common_name": "old"}, "root", None, version="v1").der
    for anchors, is_ca in (([], False), ([anchor(old, algorithm)], True)):
        answer, _ = fetch(web.ok(b"AES"), web.ok(old), anchors=anchors)
        assert [one["is_ca"] for one in answer["certificates"]] == [is_ca]
    answer, _ = fetch(web.ok(b"AES"), web.ok(lab.root().der), stored=old, anchors=[])
    assert [(one["is_ca"], one["sent"]) for one in answer["certificates"]] == [
        (True, True), (True, False),
    ]  # fmt: skip


def test_the_pinned_certificate_that_cannot_be_read_is_told_with_the_reason() -> None:
    odd = lab.sub().der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x09")
    with pytest.raises(AgentError) as caught:
        fetch(web.ok(b"AES"), web.ok(lab.degenerate([lab.root().der, odd])), anchors=[anchor(odd)])
    assert caught.value.code == "ca-set-malformed"
    assert caught.value.what.endswith("it is of version 10")


def test_a_fingerprint_that_names_the_ra() -> None:
    front = lab.ra_pair()[0].der
    sent = web.ok(lab.degenerate([lab.root().der, front]))
    with pytest.raises(AgentError) as caught:
        fetch(web.ok(b"AES"), sent, anchors=[anchor(front)])
    assert caught.value.code == "ca-pin-not-ca"
    offer = f"those of the CAs that arrived are {lab.root().cert.sha256.hex()}: CN=RA enc"
    assert caught.value.what.endswith(offer)
