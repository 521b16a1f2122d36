"""Whole jobs over loopback HTTP: maps in, maps out, against the miniature CA."""

import base64
import os
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agent.child import RUNGS
from agent.errors import AgentError
from agent.jobs import contract
from agent.scep import operations, vault
from hal.ports import Source
from tests.helpers import keeping, scep_ca
from tests.helpers import scep_http as web
from tests.helpers import scep_lab as lab

DEVICE_KEY = b"d" * 32
SOURCE = {"address": None, "interface": None, "bind_device": False}
STANDARD = ["SCEPStandard", "AES"]
ENTITY = {
    "common_name": "dev1", "country": None, "state": None, "locality": None, "organization": "Lab",
    "organization_unit": [], "email": None, "fqdn": "dev1.example", "ip_addresses": [],
    "serial_number": None,
}  # fmt: skip


def device_key() -> int:
    return keeping.device_key(DEVICE_KEY)


@pytest.fixture
def files() -> Iterator[list[int]]:
    descriptor = device_key()
    yield [descriptor]
    os.close(descriptor)


def run(job: dict[str, Any], files: list[int], link: web.PlainLink | None = None) -> Any:
    return keeping.run(job, files, link or web.PlainLink())


def key_fields() -> dict[str, Any]:
    sealed = vault.seal(DEVICE_KEY, lab.private_der("dev"), b"key|k1|2")
    return {"name": "k1", "generation": 2, "sealed": sealed, "spki": lab.public_der("dev")}


def job_for(url: str, *parties: lab.Party, op: str = "enrol", **changes: Any) -> dict[str, Any]:
    members = parties or (lab.root(),)
    job = {
        "op": op, "realm": "r", "url": url, "ca_id": None, "source": SOURCE, "http": None,
        "now_s": lab.NOW_S, "clock_trusted": True, "caps": STANDARD,
        "ca": {"certificates": [p.der for p in members], "pin": lab.root().cert.sha256.hex()},
        "ra": False, "digest": "sha-256", "cipher": "aes128", "weak": [],
        "subject_match": "standard", "compatibility": [], "transaction": "ab" * 16,
        "request_time_s": lab.NOW_S, "entity": ENTITY, "key_usage": ["ike"], "key": key_fields(),
        "password": vault.seal_password(DEVICE_KEY, "sekret"), "nonce": os.urandom(16),
    }  # fmt: skip
    return {**job, **changes}


def message_of(request: bytes) -> bytes:
    head, _, body = request.partition(b"\r\n\r\n")
    if body:
        return body
    target = head.split()[1].decode()
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(target).query))
    return base64.b64decode(query["message"], validate=True)


class MiniCa:
    """Answers PKIOperation: issues, or what `status` says; keeps what it received."""

    def __init__(self, recipient: lab.Party | None = None, **how: Any) -> None:
        self.recipient = recipient or lab.root()
        self.how = how
        self.received: list[scep_ca.Received] = []

    def __call__(self, request: bytes) -> bytes:
        got = scep_ca.receive(message_of(request), self.recipient)
        self.received.append(got)
        how = dict(self.how)
        signer = how.pop("signer", lab.root())
        cipher, days = how.pop("cipher", "aes128"), how.pop("days", 365)
        if how.get("status", "0") != "0":
            return web.ok(scep_ca.cert_rep(got, signer, None, **how))
        content = self.received[0].content  # a poll is answered with what was asked for at first
        leaf = scep_ca.issue(scep_ca.read_request(content), lab.root(), days=days)
        envelope = lab.seal(lab.degenerate([lab.root().der, leaf]), got.signer, cipher)
        return web.ok(scep_ca.cert_rep(got, signer, envelope, **how))


def enrolled(ca: MiniCa, files: list[int], /, *parties: lab.Party, **changes: Any) -> Any:
    with web.serving(ca) as server:
        return run(job_for(server.url(), *parties, **changes), files)


def failed(ca: MiniCa, files: list[int], /, *parties: lab.Party, **changes: Any) -> AgentError:
    with pytest.raises(AgentError) as caught:
        enrolled(ca, files, *parties, **changes)
    return caught.value


def warm_up() -> None:
    """Makes the keys and certificates of the tests, and uses the responder once."""
    descriptor = device_key()
    enrolled(MiniCa(), [descriptor])
    lab.key("other")


def local_jobs(issued: bytes, files: list[int]) -> None:
    """Every operation that neither the network nor staging files take part in."""
    word = run({"op": "hash-password", "plain": "x", "before": None}, files)["hash"]
    run({"op": "check-password", "plain": "x", "hash": word}, files)
    request = run({**job_for(""), "op": "request"}, files)["request"]
    for kind, data in (("certificate", issued), ("request", request), ("crl", b"junk")):
        run({"op": "inspect", "kind": kind, "ders": [data]}, files)
    trusted = {"certificates": [lab.root().der], "pin": lab.root().cert.sha256.hex(), "weak": []}
    job = {"op": "validate", "kind": "local", "certificate": issued, "chain": [], **trusted}
    run({**job, "now_s": lab.NOW_S, "clock_trusted": True}, files)
    for form in ("pem", "pkcs12"):
        outward = {"op": "export", "kind": "key", "format": form, "key": key_fields()}
        data = run({**outward, "certificates": [issued], "password": "pw"}, files)["data"]
        inward = {"op": "import", "kind": "local", "format": None, "data": data, "password": "pw"}
        run({**inward, "key": None, "name": "n", "generation": 2}, files)


def whole_application(watch: Callable[[bool], None]) -> None:
    """Every operation once; `watch` is told when the product is at work and when the responder."""
    descriptor, ca = device_key(), MiniCa()
    files = [descriptor]

    def answer(request: bytes) -> bytes:
        watch(False)
        try:
            if b"GetCACaps" in request:
                return web.ok(b"AES", "Content-Type: text/plain; charset=iso-8859-1")
            return web.ok(lab.root().der) if b"GetCACert" in request else ca(request)
        finally:
            watch(True)

    with web.serving(answer) as server:
        job = job_for(server.url())
        poll, fetch = {**job, "op": "poll", "http": "get"}, {**job, "op": "fetch-ca"}
        watch(True)
        run({"op": "generate-key", "name": "n", "generation": 1, "bits": 2048}, files)
        sealed = run({"op": "seal", "plain": "x"}, files)["sealed"]
        run({"op": "check-sealed", "sealed": sealed}, files)
        run(fetch, files)
        found = run(job, files)
        run(poll, files)
        run(
            {
                "op": "inspect",
                "kind": "certificate",
                "ders": [found["certificate"]["der"], b"junk"],
            },
            files,
        )
        watch(False)


def test_each_operation_has_a_row_in_the_contract() -> None:
    assert set(contract.ROWS) == {*operations.OPS, RUNGS}


# -- applying --------------------------------------------------------------------------------------


@pytest.mark.parametrize("digest", ["md5", "sha1", "sha-256", "sha-384", "sha-512"])
def test_issued(files: list[int], digest: str) -> None:
    ca = MiniCa()
    answer = enrolled(ca, files, digest=digest)
    assert answer["status"] == "issued"
    assert answer["chain"] == [lab.root().der]
    loaded = lab.x509.Certificate.load(answer["certificate"]["der"])
    assert answer["certificate"]["serial"] == f"{loaded.serial_number:x}"
    assert answer["certificate"]["subject"] == "O=Lab, CN=dev1"
    assert loaded.public_key.dump() == lab.public_der("dev")
    request = scep_ca.read_request(ca.received[0].content)
    native = {a["type"].native: a for a in request["certification_request_info"]["attributes"]}
    assert native["challenge_password"]["values"][0].native == "sekret"
    assert bool(answer["notes"]) == (digest in ("md5", "sha1"))


@pytest.mark.parametrize("op", ["enrol", "poll"])
def test_what_is_right_but_for_its_dates_is_handed_over_with_a_doubt(
    files: list[int], op: str
) -> None:
    """Which clock is wrong is not known here."""
    ca, late_s = MiniCa(days=20), lab.NOW_S + 30 * lab.DAY_S
    assert enrolled(ca, files)["doubt"] is None
    late = enrolled(ca, files, op=op, now_s=late_s)
    assert (late["status"], late["doubt"]["error"]) == ("issued", "issued-dates")
    blind = enrolled(ca, files, op=op, now_s=late_s, clock_trusted=False)
    assert (blind["status"], blind["doubt"]) == ("issued", None)


def test_the_same_request_at_every_retry_and_poll(files: list[int]) -> None:
    ca = MiniCa(status="3")
    answers = [enrolled(ca, files, key=key_fields()), enrolled(ca, files)]
    answers.append(enrolled(ca, files, op="poll", now_s=lab.NOW_S + 999))
    assert [answer["status"] for answer in answers] == ["pending"] * 3
    first, second, polled = ca.received
    assert first.content == second.content
    assert first.signer.dump() == second.signer.dump() == polled.signer.dump()
    nonces = {received.attributes["sender_nonce"] for received in ca.received}
    assert len(nonces) == 3
    assert {len(nonce) for nonce in nonces} == {16}
    assert polled.attributes["message_type"] == "20"
    assert polled.attributes["transaction_id"] == first.attributes["transaction_id"]
    who = lab.cms.IssuerAndSerialNumber  # same shape: two fields, the first a Name
    issuer = lab.x509.Name.load(who.load(polled.content)[0].dump())
    assert issuer == lab.root().cert.subject


def test_a_poll_that_brings_the_certificate(files: list[int]) -> None:
    ca = MiniCa(status="3")
    enrolled(ca, files)
    ca.how = {}
    assert enrolled(ca, files, op="poll", password=None)["status"] == "issued"


@pytest.mark.parametrize(
    ("caps", "http", "method"),
    [
        (["POSTPKIOperation"], None, b"POST"),
        (["scepstandard"], None, b"POST"),
        (["AES"], None, b"GET"),
        ([], None, b"GET"),
        ([], "post", b"POST"),
        (STANDARD, "get", b"GET"),
    ],
)
def test_get_or_post(files: list[int], caps: list[str], http: str | None, method: bytes) -> None:
    with web.serving(MiniCa()) as server:
        run(job_for(server.url(), caps=caps, http=http), files)
    assert server.requests[0].startswith(method)


@pytest.mark.parametrize(
    ("caps", "cipher", "used"),
    [
        (["AES"], "aes128", "aes128_cbc"),
        (["aes"], "aes256", "aes256_cbc"),
        (["SCEPStandard"], "aes256", "aes256_cbc"),
        ([], "aes128", "aes128_cbc"),
        ([], None, "aes128_cbc"),
        (["DES3", "SHA-1"], None, "tripledes_3key"),
        (["DES3", "SHA-1"], "aes256", "aes256_cbc"),  # what was typed is a floor
        (["DES3", "SHA-1"], "aes128", "aes128_cbc"),
        (["AES"], "3des", "tripledes_3key"),
    ],
)
def test_the_cipher(files: list[int], caps: list[str], cipher: str | None, used: str) -> None:
    ca = MiniCa()
    answer = enrolled(ca, files, caps=caps, cipher=cipher)
    info = ca.received[0].envelope["encrypted_content_info"]
    assert info["content_encryption_algorithm"]["algorithm"].native == used
    lowered = cipher != "3des" and used == "tripledes_3key"
    assert any("3des instead of" in note for note in answer["notes"]) == lowered


def test_with_an_ra_in_front(files: list[int]) -> None:
    encryption, signature = lab.ra_pair()
    ca = MiniCa(encryption, signer=signature, certificates=[])
    answer = enrolled(ca, files, signature, lab.root(), encryption, ra=True)
    assert answer["status"] == "issued"
    assert answer["notes"] == []


def test_an_ra_that_is_not_configured_is_named(files: list[int]) -> None:
    answer = enrolled(MiniCa(), files, lab.root(), *lab.ra_pair())
    assert any("`ra`" in note for note in answer["notes"])


@pytest.mark.parametrize(
    ("status", "sent", "code"),
    [
        ("500 Internal Server Error", [lab.root(), *lab.ra_pair()], "ra-not-asked"),
        ("400 Bad Request", [lab.root(), *lab.ra_pair()], "ra-not-asked"),
        ("503 Service Unavailable", [lab.root(), *lab.ra_pair()], "http-busy"),
        ("500 Internal Server Error", [lab.root()], "http-failed"),
    ],
)
def test_a_request_for_the_ca_that_only_an_ra_could_open(
    files: list[int], status: str, sent: list[lab.Party], code: str
) -> None:
    ca = web.ok(b"no recipient", status=status)
    with web.serving(ca) as server, pytest.raises(AgentError) as caught:
        run(job_for(server.url(), *sent), files)
    assert caught.value.code == code
    assert status.partition(" ")[0] in caught.value.what


def test_the_clock(files: list[int]) -> None:
    ca = MiniCa()
    enrolled(ca, files)
    enrolled(ca, files, clock_trusted=False, now_s=5)
    assert "signing_time" in ca.received[0].attributes
    assert "signing_time" not in ca.received[1].attributes


def test_single_des_and_a_refusal(files: list[int]) -> None:
    assert failed(MiniCa(cipher="des"), files).code == "certrep-weak-cipher"
    assert enrolled(MiniCa(cipher="des"), files, weak=["des"])["notes"]
    refused = failed(MiniCa(status="2", fail_info="2"), files)
    assert refused.code == "ca-badRequest"
    assert "password cipher" in refused.remedy


@pytest.mark.parametrize(
    ("key", "how", "ra"),
    [
        ("sub", {"ca": True}, False),
        ("ra-enc", {"purposes": ["1.3.6.1.4.1.311.20.2.1"]}, True),
    ],
)
def test_md5_between_the_pin_and_the_reply_is_noted(
    files: list[int], key: str, how: dict[str, Any], ra: bool
) -> None:
    weak = lab.certificate({"common_name": "Weak"}, key, lab.root(), digest="md5", **how)
    for status, op in (("0", "enrol"), ("3", "poll")):
        ca = MiniCa(weak, status=status)
        answer = enrolled(ca, files, lab.root(), weak, op=op, ra=ra, weak=["md5"])
        assert any("CN=Weak" in note and "md5" in note for note in answer["notes"])


@pytest.mark.parametrize(
    ("op", "fail_info", "code"),
    [
        ("enrol", "2", "ca-badRequest"),
        ("poll", "2", "ca-denied"),
        ("poll", "4", "ca-badCertId"),
        ("poll", "1", "ca-badMessageCheck"),
    ],
)
def test_what_a_refusal_means_for_what_was_asked(
    files: list[int], op: str, fail_info: str, code: str
) -> None:
    ca = MiniCa(status="2", fail_info=fail_info, fail_info_text="its words")
    error = failed(ca, files, op=op)
    assert error.code == code
    assert "(its words)" in error.what


def test_success_without_a_certificate_has_a_name(files: list[int]) -> None:
    with (
        web.serving(lambda request: _success_of(request, b"")) as server,
        pytest.raises(AgentError) as caught,
    ):
        run(job_for(server.url()), files)
    assert caught.value.code == "certrep-empty"


def _success_of(request: bytes, content: bytes) -> bytes:
    got = scep_ca.receive(message_of(request), lab.root())
    return web.ok(scep_ca.cert_rep(got, lab.root(), content))


def test_a_password_beyond_printable_string_is_noted(files: list[int]) -> None:
    sealed = vault.seal_password(DEVICE_KEY, "under_score")
    assert any("NDES" in note for note in enrolled(MiniCa(), files, password=sealed)["notes"])


def test_without_a_password(files: list[int]) -> None:
    ca = MiniCa()
    enrolled(ca, files, password=None)
    request = scep_ca.read_request(ca.received[0].content)
    kinds = [a["type"].native for a in request["certification_request_info"]["attributes"]]
    assert kinds == ["extension_request"]


def test_the_source_is_that_of_the_job(files: list[int]) -> None:
    link = web.PlainLink(failure="source")
    source = {"address": "192.0.2.9", "interface": None, "bind_device": True}
    with pytest.raises(AgentError) as caught:
        run(job_for("http://127.0.0.1:1/", source=source), files, link)
    assert caught.value.code == "source-missing"
    assert link.sources == [Source("192.0.2.9", None, True)]
