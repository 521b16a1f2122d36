"""Certificates and keys that come in and go out by other ways than an application."""

from typing import Any

import pytest

from agent.appliance import FromFile, Verdict
from agent.errors import AgentError, fail
from agent.settings import Realm
from hal.fakes.flash import PROGRAM_ERROR
from hal.ports import JobEnd
from tests.helpers.device_bench import RELATIONS, SHA256, Bench, Waiter, certificate, ready, refuse

CA = {
    **certificate("CN=CA", "01"),
    "is_ca": True,
    "md5": "5a" * 16,
    "sha1": "5a" * 20,
    "sha256": SHA256,
    **RELATIONS,
}
LOCAL = FromFile("abc_local.cer")


def imported(bench: Bench, **more: Any) -> None:
    """What the worker says of a file with a local certificate for our key."""
    bench.files.content["abc_local.cer"] = b"file"
    leaf = certificate("CN=r1.example", "77")
    bench.worker.answers["import"] = {"certificate": leaf, "chain": [], "key": None, **more}


def run(bench: Bench, call: Any, *args: object, answer: bool | None = None) -> Waiter:
    waiter = Waiter(answer)
    call(*args, waiter, waiter.done)
    bench.turn()
    return waiter


# -- the CA ----------------------------------------------------------------------------------------


def test_the_ca_is_fetched_and_pinned_without_an_application() -> None:
    bench = ready()
    waiter = run(bench, bench.device.exchange.get_ca, "abc")
    assert waiter.results == [None]
    assert bench.worker.ops() == ["fetch-ca"]
    assert bench.device.status("abc").state == "CA trusted"
    bench.reboot()
    assert bench.device.ca("abc").trusted_by == "fingerprint"


@pytest.mark.parametrize(("answer", "code"), [(True, None), (False, "ca-unconfirmed")])
def test_without_a_fingerprint_somebody_compares(answer: bool, code: str | None) -> None:
    bench = ready()
    bench.device.settings.realms["abc"].fingerprint = None
    bench.device.changed()
    waiter = run(bench, bench.device.exchange.get_ca, "abc", answer=answer)
    assert waiter.code == code
    assert [[one.sha256 for one in asked.chain] for asked in waiter.asked] == [[SHA256]]
    assert (bench.device.ca("abc") is not None) is answer


def test_what_is_odd_about_its_certificates_is_told_and_logged() -> None:
    bench = ready()
    bench.worker.answers["fetch-ca"]["notes"] = ["1 of the CA's certificates cannot be read"]
    waiter = run(bench, bench.device.exchange.get_ca, "abc")
    assert waiter.results == [None]
    assert waiter.notes == [
        "1 of the CA's certificates cannot be read",
        f"The CA trusted by fingerprint has the fingerprint sha256 {SHA256}.",
        "It calls itself CN=CA.",
    ]
    assert "NOTE: realm abc: 1 of the CA's" in bench.logged()


def test_a_ca_that_is_not_the_one_of_the_fingerprint_is_refused() -> None:
    bench = ready()
    other = {"caps": [], "certificates": [{**CA, "sha256": "66" * 32}], "notes": []}
    bench.worker.answers["fetch-ca"] = other
    assert run(bench, bench.device.exchange.get_ca, "abc").code == "ca-pin-mismatch"
    assert bench.device.ca("abc") is None


def test_a_ca_from_a_file_is_an_import() -> None:
    bench = ready()
    bench.device.settings.realms["abc"].fingerprint = None
    bench.device.changed()
    bench.files.content["ca.pem"] = b"file"
    bench.worker.answers["import"] = {"certificates": [CA]}
    what = FromFile("ca.pem", "pem")
    waiter = run(bench, bench.device.exchange.import_ca, "abc", what, answer=True)
    assert waiter.results == [None]
    assert bench.device.ca("abc").trusted_by == "import"
    job = bench.worker.jobs[-1]
    assert (job["op"], job["kind"], job["format"], job["data"]) == ("import", "ca", "pem", b"file")


def test_a_realm_that_is_busy_is_left_alone() -> None:
    bench = ready()
    bench.worker.answers["enrol"] = {"status": "pending", "notes": []}
    bench.enrol()
    with pytest.raises(AgentError, match="under way"):
        bench.device.exchange.get_ca("abc", Waiter(), lambda _result: None)
    with pytest.raises(AgentError, match="under way"):
        bench.device.exchange.delete("abc", "ca")


def test_an_application_that_begins_meanwhile_wins() -> None:
    bench = ready()
    bench.device.settings.realms["abc"].fingerprint = None
    bench.device.changed()
    waiter = run(bench, bench.device.exchange.get_ca, "abc")  # the question stays open
    bench.worker.answers["enrol"] = {"status": "pending", "notes": []}
    bench.enrol(answer=True)
    with pytest.raises(AgentError, match="under way"):
        bench.device.exchange.get_ca("abc", waiter, waiter.done)
    assert bench.device.status("abc").state == "pending"


NEXT = {**CA, **certificate("CN=next CA", "02", "CN=next CA"), "sha256": "6b" * 32}


def with_ca() -> Bench:
    bench = ready()
    assert run(bench, bench.device.exchange.get_ca, "abc").results == [None]
    found = {"certificates": [NEXT], "message": b"signed", "via": [b"sub"], "notes": []}
    bench.worker.answers["next-ca"] = found
    return bench


def test_the_next_ca_is_kept_beside_the_one_that_holds() -> None:
    bench = with_ca()
    assert run(bench, bench.device.exchange.get_next_ca, "abc").results == [None]
    job = bench.worker.jobs[-1]
    assert (job["op"], job["ca"]["pin"], job["fingerprint"]["hex"]) == ("next-ca", SHA256, SHA256)
    bench.reboot()
    found = bench.device.ca("abc")
    assert (found.pinned.subject, found.next.subject) == ("CN=CA", "CN=next CA")
    assert bench.device.status("abc").next_ca == found.next
    assert bench.enrol().code is None  # it changes nothing yet
    assert bench.device.ca("abc").next == found.next
    bench.worker.answers["fetch-ca"] = {"caps": [], "certificates": [NEXT], "notes": []}
    assert bench.enrol().code is None
    followed = bench.device.ca("abc")
    assert followed.pinned.subject == "CN=next CA"
    assert followed.trusted_by == "fingerprint, through the CA before it"
    sent = [job for job in bench.worker.jobs if job["op"] == "enrol"][-1]
    assert sent["ca"]["lineage"] == [
        {"certificate": b"der of CN=CA 01", "message": b"signed", "via": [b"sub"]}
    ]
    assert sent["ca"]["anchor"] == {"algorithm": "sha256", "hex": SHA256}
    assert sent["fingerprint"]["hex"] == SHA256


def test_the_next_ca_needs_one_that_holds_now() -> None:
    bench = ready()
    with pytest.raises(AgentError) as caught:
        run(bench, bench.device.exchange.get_next_ca, "abc")
    assert caught.value.code == "ca-untrusted"
    bench = with_ca()
    bench.device.settings.realms["abc"].fingerprint = ("sha256", "00" * 32)
    bench.device.changed()
    with pytest.raises(AgentError) as caught:
        run(bench, bench.device.exchange.get_next_ca, "abc")
    assert caught.value.code == "ca-untrusted"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"certificates": [CA], "message": b"x", "via": [], "notes": []}, "next-ca-none"),
        ({"certificates": [NEXT]}, "job-answer"),
        (fail("next-ca-signer", subject="CN=x"), "next-ca-signer"),
    ],
)
def test_what_names_no_next_ca_leaves_all_as_it_was(answer: Any, code: str) -> None:
    bench = with_ca()
    bench.worker.answers["next-ca"] = answer
    if isinstance(answer, AgentError):
        bench.worker.answers["next-ca"] = refuse(answer.code, subject="CN=x")
    assert run(bench, bench.device.exchange.get_next_ca, "abc").code == code
    assert bench.device.ca("abc").next is None
    assert "GET_CA_CERT_ERR: realm abc: " in bench.logged()


# -- the local certificate -------------------------------------------------------------------------


def test_a_certificate_for_our_key_is_stored_and_used() -> None:
    bench = ready()
    imported(bench)
    waiter = run(bench, bench.device.exchange.import_local, "abc", LOCAL)
    assert (waiter.results, waiter.notes) == (
        [None],
        ["Realm abc has no CA certificate: the issuer was not checked."],
    )
    assert bench.device.local("abc").serial == "77"
    assert bench.memory.current("abc", "cert.pem") == b"cert"
    assert bench.worker.ops() == ["import", "activate"]
    assert bench.worker.jobs[0]["key"]["name"] == "k1"
    bench.reboot()
    assert bench.device.status("abc").state == "issued"


def test_with_a_known_ca_the_chain_is_judged_first() -> None:
    bench = ready()
    run(bench, bench.device.exchange.get_ca, "abc")
    imported(bench)
    waiter = run(bench, bench.device.exchange.import_local, "abc", LOCAL)
    assert waiter.results == [None]
    assert bench.worker.ops() == ["fetch-ca", "import", "validate", "activate"]
    chain = bench.device.realms.runner("abc").engine.stored.local.chain
    assert chain == [b"der of CN=CA 01"]  # as the validation says, by who signed
    row = {"certificate": "local", "subject": "CN=y", "status": "Invalid", "reason": "expired"}
    bench.worker.answers["validate"] = {"rows": [row], "chain": []}
    bench.worker.answers["import"]["certificate"]["serial"] = "78"
    waiter = run(bench, bench.device.exchange.import_local, "abc", LOCAL)
    assert waiter.code == "import-invalid"
    assert bench.device.local("abc").serial == "77"


def test_what_the_worker_refuses_changes_nothing() -> None:
    bench = ready()
    imported(bench)

    def refuse(_job: object) -> object:
        raise fail("key-mismatch", other="the certificate")

    for answer in (refuse, {"certificate": 7, "chain": []}, JobEnd(None, "died")):
        bench.worker.answers["import"] = answer
        waiter = run(bench, bench.device.exchange.import_local, "abc", LOCAL)
        assert waiter.code in ("key-mismatch", "job-answer", "job-died")
        assert bench.device.local("abc") is None


def test_without_a_file_the_one_in_use_goes_into_memory_again() -> None:
    bench = ready()
    bench.enrol()
    bench.files.content.clear()
    bench.worker.jobs.clear()
    waiter = run(bench, bench.device.exchange.import_local, "abc", LOCAL)
    assert (waiter.results, bench.worker.ops()) == ([None], ["activate"])
    assert "abc_local.cer" in bench.files.content


def test_a_file_that_is_missing_or_too_large_is_named() -> None:
    bench = ready()
    with pytest.raises(AgentError, match="file can't be found"):
        bench.device.exchange.import_local("abc", LOCAL, Waiter(), lambda _result: None)
    bench.files.content["abc_local.cer"] = bytes(300_000)
    with pytest.raises(AgentError, match="more than"):
        bench.device.exchange.import_local("abc", LOCAL, Waiter(), lambda _result: None)


def test_a_realm_without_a_key_pair_cannot_import() -> None:
    bench = ready()
    imported(bench)
    bench.device.settings.realms["bare"] = Realm("bare")
    bench.device.changed()
    with pytest.raises(AgentError) as caught:
        bench.device.exchange.import_local("bare", LOCAL, Waiter(), lambda _result: None)
    assert (caught.value.code, "rsa local-key-pair" in caught.value.remedy) == (
        "realm-incomplete",
        True,
    )


def test_delete_takes_it_from_store_and_memory_and_leaves_the_file() -> None:
    bench = ready()
    bench.enrol()
    bench.device.exchange.delete("abc", "local")
    assert bench.device.local("abc") is None
    assert bench.memory.current("abc", "cert.pem") is None
    assert "abc_local.cer" in bench.files.content
    bench.reboot()
    assert bench.device.status("abc").state == "CA trusted"
    bench.device.exchange.delete("abc", "ca")
    assert bench.device.status("abc").state == "nothing"
    with pytest.raises(AgentError, match="no CA certificate"):
        bench.device.exchange.delete("abc", "ca")


def test_a_delete_that_flash_does_not_take_is_an_error() -> None:
    bench = ready()
    bench.enrol()
    for block in range(bench.flash.block_count):
        bench.flash.spoil(block, PROGRAM_ERROR)
    with pytest.raises(AgentError, match="the store did not take"):
        bench.device.exchange.delete("abc", "local")
    assert bench.device.local("abc") is not None


def test_validation_gives_verdicts() -> None:
    bench = ready()
    with pytest.raises(AgentError, match="no CA certificate"):
        bench.device.exchange.validate("abc", "local", lambda _result: None)
    bench.enrol()
    results: list[object] = []
    bench.device.exchange.validate("abc", "local", results.append)
    bench.turn()
    assert results == [[Verdict("local", "CN=x", "Valid", None)]]


# -- keys, requests, exports -----------------------------------------------------------------------


def test_a_file_is_judged_by_the_ca_of_the_realm() -> None:
    bench = ready()
    bench.files.write("new.pem", b"pem of it")
    with pytest.raises(AgentError) as caught:
        bench.device.exchange.validate("abc", "local", lambda _result: None, "new.pem")
    assert caught.value.code == "ca-untrusted"
    bench.enrol()
    bench.worker.jobs.clear()
    results: list[object] = []
    bench.device.exchange.validate("abc", "ca", results.append, "new.pem")
    bench.turn()
    (job,) = bench.worker.jobs
    assert (job["op"], job["kind"], job["certificate"]) == ("validate", "local", b"pem of it")
    (verdicts,) = results
    assert isinstance(verdicts, list)
    assert verdicts[0].certificate == "file"


def key(bench: Bench, name: str, *, exportable: bool) -> None:
    waiter = Waiter()
    bench.device.create_key_pair(name, 2048, exportable, waiter.done)
    bench.turn()


def test_a_key_pair_that_is_imported_is_sealed_and_listed() -> None:
    bench = ready()
    bench.files.content["k.p12"] = b"file"
    bench.worker.answers["import"] = {"spki": b"other", "sealed": b"sealed", "bits": 3072}
    waiter = Waiter()
    what = FromFile("k.p12", "pkcs12", "sekret")
    bench.device.exchange.import_key("k9", what, True, waiter.done)
    bench.turn()
    assert waiter.code is None
    (found,) = [pair for pair in bench.device.key_pairs() if pair.name == "k9"]
    assert (found.bits, found.exportable, found.generation) == (3072, True, 1)
    job = bench.worker.jobs[-1]
    assert (job["kind"], job["name"], job["password"]) == ("key", "k9", "sekret")
    assert b"sekret" not in bench.flash.image()


def test_a_used_key_pair_is_not_overwritten_by_an_import() -> None:
    bench = ready()
    bench.files.content["k.p12"] = b"file"
    bench.worker.answers["import"] = {"spki": b"other", "sealed": b"sealed", "bits": 3072}
    waiter = Waiter()
    bench.device.exchange.import_key("k1", FromFile("k.p12"), False, waiter.done)
    bench.turn()
    assert waiter.code == "key-used"


def test_only_an_exportable_key_leaves() -> None:
    bench = ready()
    key(bench, "out", exportable=True)
    bench.worker.answers["export"] = {"data": b"encrypted"}
    waiter = Waiter()
    bench.device.exchange.export_key("out", FromFile("o.pem", "pem", "sekret"), waiter.done)
    bench.turn()
    assert (waiter.results, bench.files.content["o.pem"]) == ([None], b"encrypted")
    with pytest.raises(AgentError, match="may not leave"):
        bench.device.exchange.export_key("k1", FromFile("k.pem", "pem", "x"), waiter.done)
    with pytest.raises(AgentError, match="no RSA key pair"):
        bench.device.exchange.export_key("none", FromFile("k.pem", "pem", "x"), waiter.done)


def test_certificates_are_exported_with_their_chain() -> None:
    bench = ready()
    bench.enrol()
    bench.worker.answers["export"] = {"data": b"written"}
    bench.worker.jobs.clear()
    waiter = Waiter()
    bench.device.exchange.export("abc", "local", FromFile("l.pem", "pem"), waiter.done)
    bench.device.exchange.export("abc", "ca", FromFile("c.der", "der"), waiter.done)
    bench.turn()
    for job in bench.worker.jobs:  # which of them leave, the job works out
        assert job["ca"]["certificates"] == [b"der of CN=CA 01"]
        assert job["certificate"].startswith(b"der of CN=r1.example")
    assert [job["key"] for job in bench.worker.jobs] == [None, None]
    assert bench.files.content["l.pem"] == bench.files.content["c.der"] == b"written"
    with pytest.raises(AgentError, match="may not leave"):
        bench.device.exchange.export("abc", "local", FromFile("l.p12", "pkcs12", "x"), waiter.done)


@pytest.mark.parametrize(("form", "begin"), [("pem", b"-----BEGIN CERTIFICATE REQ"), ("der", b"0")])
def test_a_request_is_written_in_the_format_of_the_device(form: str, begin: bytes) -> None:
    bench = ready()
    bench.device.settings.file_format = form
    bench.worker.answers["request"] = {"request": b"0\x03der"}
    waiter = Waiter()
    bench.device.exchange.request("abc", "abc.req", False, waiter.done)
    bench.turn()
    assert waiter.results == [None]
    assert bench.files.content["abc.req"].startswith(begin)
    job = bench.worker.jobs[-1]
    assert (job["entity"]["common_name"], job["digest"]) == ("r1.example", "sha-256")
