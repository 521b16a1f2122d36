"""GetCert as a job: what it asks for, who signs, and what of an answer is refused."""

from typing import Any

import pytest

from agent.errors import AgentError
from tests.helpers import scep_ca
from tests.helpers import scep_http as web
from tests.helpers import scep_lab as lab
from tests.scep.test_operations import MiniCa, job_for, key_fields, message_of, run
from tests.scep.test_operations import files as files  # a fixture

SERIAL = 0x2A


def issued(**how: Any) -> lab.Party:
    """A certificate of this device, as the CA has it."""
    wanted = {"sans": [lab.x509.GeneralName("dns_name", "dev1.example")], "serial": SERIAL, **how}
    subject = {"organization_name": "Lab", "common_name": "dev1"}
    key, issuer = wanted.pop("key", "dev"), wanted.pop("issuer", lab.root())
    return lab.certificate(subject, key, issuer, **wanted)


class Keeper(MiniCa):
    """Answers GetCert with `kept`; keeps what it received."""

    def __init__(self, *kept: lab.Party, **how: Any) -> None:
        super().__init__(**how)
        self.kept = kept

    def __call__(self, request: bytes) -> bytes:
        got = scep_ca.receive(message_of(request), self.recipient)
        self.received.append(got)
        envelope = None
        if self.how.get("status", "0") == "0":
            envelope = lab.seal(lab.degenerate([one.der for one in self.kept]), got.signer)
        return web.ok(scep_ca.cert_rep(got, lab.root(), envelope, **self.how))


def asked(answer: Any, files: list[int], **changes: Any) -> Any:
    with web.serving(answer) as server:
        job = job_for(server.url(), op="get-cert", **{"serial": "2a", "password": None, **changes})
        return run(job, files)


def refused(answer: Any, files: list[int], **changes: Any) -> AgentError:
    with pytest.raises(AgentError) as caught:
        asked(answer, files, **changes)
    return caught.value


def test_the_ca_and_the_number_are_named_and_the_answer_is_an_issued_one(files: list[int]) -> None:
    ca = Keeper(lab.root(), issued())
    answer = asked(ca, files)
    assert (answer["status"], answer["notes"]) == ("issued", [])
    assert answer["certificate"]["der"] == issued_der(ca)
    assert answer["chain"] == [lab.root().der]
    (got,) = ca.received
    assert got.attributes["message_type"] == "21"  # RFC 8894 3.2.1.2
    names = lab.root().cert.subject.dump() + b"\x02\x01\x2a"
    assert got.content == lab.tlv(0x30, names)  # 3.3.4: IssuerAndSerialNumber


def issued_der(ca: Keeper) -> bytes:
    return ca.kept[-1].der


def test_without_a_certificate_it_signs_as_at_first(files: list[int]) -> None:
    ca = Keeper(issued())
    asked(ca, files)
    signer = ca.received[0].signer
    assert signer.subject == signer.issuer
    assert signer.public_key.dump() == lab.public_der("dev")


def test_the_certificate_in_use_signs_and_its_key_opens_the_answer(files: list[int]) -> None:
    held, ca = issued(serial=5), Keeper(issued())
    way = {"message_type": 17, "certificate": held.der, "key": key_fields(), "with_password": True}
    assert asked(ca, files, renewal=way)["certificate"]["serial"] == "2a"
    assert ca.received[0].signer.serial_number == 5


def test_through_an_ra_it_names_the_ca(files: list[int]) -> None:
    enc, sig = lab.ra_pair()
    ca = Keeper(issued(), recipient=enc)
    ders = {"certificates": [p.der for p in (sig, lab.root(), enc)]}
    pin = lab.root().cert.sha256.hex()
    asked(ca, files, ca={**ders, "pin": pin}, ra=True)
    names = lab.root().cert.subject.dump() + b"\x02\x01\x2a"
    assert ca.received[0].content == lab.tlv(0x30, names)


@pytest.mark.parametrize(
    ("kept", "changes", "code"),
    [
        (issued(key="other"), {}, "issued-key"),
        (issued(serial=SERIAL + 1), {}, "getcert-other"),
        (issued(issuer=lab.certificate({"common_name": "X"}, "other", None, ca=True)), {},
         "issued-issuer"),
        (issued(ca=True), {}, "issued-ca"),
        (issued(days=1, start_s=lab.NOW_S - 3 * lab.DAY_S), {}, "issued-dates"),
        (issued(sans=[]), {}, "issued-subject"),
        (issued(digest="sha1"), {}, "issued-weak"),
        (issued(), {"revocation": {"check": ["crl"], "crl": None}}, "crl-missing"),
    ],
    ids=["key", "number", "issuer", "ca", "dates", "names", "digest", "revocation"],
)  # fmt: skip
def test_what_is_refused(
    files: list[int], kept: lab.Party, changes: dict[str, Any], code: str
) -> None:
    assert refused(Keeper(kept), files, **changes).code == code


def test_a_realm_that_takes_only_the_key_takes_other_names(files: list[int]) -> None:
    answer = asked(Keeper(issued(sans=[])), files, subject_match="key-only")
    assert answer["notes"] == ["alternative names: missing DNS:dev1.example"]


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"status": "2", "fail_info": "4"}, "getcert-unknown"),
        ({"status": "2", "fail_info": "0"}, "getcert-refused"),
        ({"status": "2", "fail_info": "2"}, "getcert-refused"),
        ({"status": "2"}, "getcert-refused"),
        ({"status": "2", "fail_info": "1"}, "ca-badMessageCheck"),
        ({"status": "3"}, "certrep-status"),
        ({"nonce": b"x" * 16}, "certrep-nonce"),
    ],
)
def test_what_a_ca_says_that_has_none(files: list[int], how: dict[str, Any], code: str) -> None:
    error = refused(Keeper(issued(), **how), files)
    assert error.code == code
    if code.startswith("getcert-"):
        assert "pki enroll-certificate realm r" in error.remedy


@pytest.mark.parametrize(
    ("head", "code"),
    [
        ("500 Internal Server Error", "getcert-refused"),
        ("501 Not Implemented", "getcert-refused"),
        ("404 Not Found", "getcert-refused"),
        ("403 Forbidden", "http-denied"),
        ("503 Service Unavailable", "http-busy"),
    ],
)
def test_a_server_without_it(files: list[int], head: str, code: str) -> None:
    page = f"HTTP/1.1 {head}\r\nContent-Length: 4\r\n\r\noops".encode()
    beside_an_ra = job_for("", lab.root(), *lab.ra_pair())["ca"]
    for found in ({}, {"ca": beside_an_ra}):
        error = refused(lambda _request: page, files, **found)
        assert (error.code, f"HTTP {head[:3]}" in error.what) == (code, True)


@pytest.mark.parametrize("serial", ["", "x", None])
def test_a_job_without_a_number_is_a_fault_of_ours(files: list[int], serial: str | None) -> None:
    assert refused(Keeper(issued()), files, serial=serial).code == "job-request"
