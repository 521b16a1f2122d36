"""GetCert at the device: which certificate is asked for, who signs, and what becomes of it."""

from typing import Any

import pytest

from agent.enrolment.states import Installed
from agent.errors import AgentError
from hal.fakes.flash import PROGRAM_ERROR
from tests.helpers.device_bench import START_S, Bench, Waiter, certificate, ready, refuse

LEAF = certificate("CN=r1.example", "77")


def answer(**more: Any) -> dict[str, Any]:
    chain = [b"der of CN=CA 01"]
    return {"status": "issued", "certificate": LEAF, "chain": chain, "notes": [], **more}


def trusting() -> Bench:
    """A device that knows its CA and has no certificate."""
    bench = ready()
    waiter = Waiter()
    bench.device.exchange.get_ca("abc", waiter, waiter.done)
    bench.turn()
    assert waiter.results == [None]
    bench.worker.answers["get-cert"] = answer()
    bench.worker.jobs.clear()
    return bench


def enrolled() -> Bench:
    bench = trusting()
    bench.enrol()
    bench.worker.jobs.clear()
    return bench


def asked(bench: Bench, serial: str | None = None) -> Waiter:
    waiter = Waiter()
    bench.device.exchange.get_local("abc", serial, waiter, waiter.done)
    bench.turn()
    return waiter


def code_of(bench: Bench, serial: str | None = None) -> str:
    with pytest.raises(AgentError) as caught:
        asked(bench, serial)
    return caught.value.code


def test_what_was_issued_is_stored_and_put_into_use() -> None:
    bench = trusting()
    assert asked(bench, "77").results == [False]
    assert bench.worker.ops() == ["get-cert", "activate"]
    job = bench.worker.jobs[0]
    assert (job["serial"], job["renewal"], job["password"]) == ("77", None, None)
    assert (job["key"]["name"], job["entity"]["common_name"]) == ("k1", "r1.example")
    assert (job["request_time_s"], len(job["transaction"])) == (START_S, 32)
    assert bench.memory.current("abc", "cert.pem") == b"cert"
    assert "GETTING_LOCAL_CERT: realm abc: certificate 77 by GetCert" in bench.logged()
    bench.reboot()
    assert bench.device.local("abc").serial == "77"
    assert bench.device.status("abc").state == "issued"


def test_each_question_has_a_transaction_of_its_own() -> None:
    bench = trusting()
    bench.worker.answers["get-cert"] = refuse("answer-timeout", host="ca")
    assert [asked(bench, "77").code, asked(bench, "77").code] == ["answer-timeout"] * 2
    assert len({job["transaction"] for job in bench.worker.jobs}) == 2


def test_without_a_number_it_is_that_of_the_certificate_in_use() -> None:
    bench = enrolled()
    held = bench.device.local("abc")
    same = {"der": held.der, "subject": held.subject, "issuer": held.issuer, "serial": held.serial}
    same |= {"not_before_s": held.not_before_s, "not_after_s": held.not_after_s}
    bench.worker.answers["get-cert"] = answer(certificate=same)
    before = bench.flash.image()
    assert asked(bench).results == [True]
    assert bench.flash.image() == before, "nothing is written"
    assert bench.worker.ops() == ["get-cert"]
    job = bench.worker.jobs[0]
    assert job["serial"] == held.serial
    assert job["renewal"]["certificate"] == held.der, "it signs"
    assert job["renewal"]["key"]["name"] == "k1"


def test_nothing_to_ask_for_is_an_error_that_says_what_to_type() -> None:
    bench = trusting()
    with pytest.raises(AgentError) as caught:
        asked(bench)
    assert caught.value.code == "getcert-serial"
    assert "realm abc serial-number ..." in caught.value.remedy
    assert bench.worker.ops() == []


def test_a_certificate_that_has_ended_signs_nothing() -> None:
    bench = enrolled()
    bench.advance(366 * 86400)
    assert asked(bench, "77").results == [False]
    assert bench.worker.jobs[0]["renewal"] is None


def test_one_of_another_key_pair_signs_with_its_own() -> None:
    bench = enrolled()
    bench.key("k2")
    bench.device.settings.realms["abc"].key_pair = "k2"
    bench.device.changed()
    bench.worker.jobs.clear()
    assert asked(bench, "77").results == [False]
    job = bench.worker.jobs[0]
    assert job["key"].keys() == {"spki"}, "nothing is asked of the new one"
    assert job["renewal"]["key"]["name"] == "k1"


def test_a_deleted_certificate_comes_back() -> None:
    bench = enrolled()
    held = bench.device.local("abc")
    bench.device.exchange.delete("abc", "local")
    assert bench.memory.current("abc", "cert.pem") is None
    bench.worker.answers["get-cert"] = answer(certificate=certificate("CN=r1.example", held.serial))
    assert asked(bench, held.serial).results == [False]
    assert bench.device.local("abc").der == held.der
    assert bench.memory.current("abc", "cert.pem") == b"cert"


def test_a_request_whose_answer_was_lost_is_over() -> None:
    bench = trusting()
    bench.worker.answers["enrol"] = refuse("answer-timeout", host="ca")
    assert bench.enrol().code == "answer-timeout"
    assert bench.device.realms.runner("abc").engine.stored.request is not None
    assert asked(bench, "77").results == [False]
    assert bench.device.realms.runner("abc").engine.stored.request is None
    assert bench.device.status("abc").last_error is None


def test_no_ca_no_key_and_a_busy_realm() -> None:
    bench = ready()
    assert code_of(bench, "77") == "ca-untrusted"
    bench = trusting()
    bench.device.settings.realms["abc"].fingerprint = ("sha256", "00" * 32)
    bench.device.changed()
    assert code_of(bench, "77") == "ca-untrusted", "the stored one is not trusted now"
    bench = trusting()
    bench.device.settings.realms["abc"].key_pair = None
    assert code_of(bench, "77") == "realm-incomplete"
    bench = trusting()
    bench.worker.answers["enrol"] = {"status": "pending", "notes": []}
    bench.enrol()
    assert code_of(bench, "77") == "realm-busy"
    bench = trusting()
    bench.device.settings.realms["abc"].certificate_check = ("crl",)
    assert code_of(bench, "77") == "crl-missing"
    assert "get-cert" not in bench.worker.ops()


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (refuse("getcert-unknown", serial="77", realm="abc", reason="badCertId"),
         "getcert-unknown"),
        (refuse("issued-key", count=0), "issued-key"),
        ({"status": "issued", "certificate": 7, "chain": [], "notes": []}, "job-answer"),
        ({"certificate": LEAF, "chain": []}, "job-answer"),
    ],
)  # fmt: skip
def test_what_is_refused_changes_nothing(said: Any, code: str) -> None:
    bench = enrolled()
    held = bench.device.local("abc")
    bench.worker.answers["get-cert"] = said
    before = bench.flash.image()
    assert asked(bench, "77").code == code
    assert bench.flash.image() == before
    assert bench.device.local("abc") == held
    assert bench.device.status("abc").state == "issued"
    assert "GET_LOCAL_CERT_ERR" in bench.logged()


def held_answer(bench: Bench) -> Waiter:
    """The question is out and its answer waits for the next turn."""
    waiter = Waiter()
    bench.device.exchange.get_local("abc", "77", waiter, waiter.done)
    return waiter


def test_what_changes_meanwhile_is_seen() -> None:
    bench = trusting()
    waiter = held_answer(bench)
    bench.device.settings.realms["abc"].fingerprint = ("sha256", "00" * 32)
    bench.device.changed()
    bench.turn()
    assert (waiter.code, bench.device.local("abc")) == ("ca-untrusted", None)
    bench = trusting()
    waiter = held_answer(bench)
    runner = bench.device.realms.runner("abc")
    other = runner.engine.stored.ca._replace(pin="6b" * 32)
    bench.device.settings.realms["abc"].fingerprint = None
    bench.device.changed()
    runner.attend(Installed(ca=other), Waiter(), lambda _result: None)
    bench.turn()
    assert (waiter.code, bench.device.local("abc")) == ("ca-pin-changed", None)
    bench = trusting()
    waiter = held_answer(bench)
    del bench.device.settings.realms["abc"]
    bench.device.changed()
    bench.turn()
    assert waiter.code == "realm-unknown"
    bench = trusting()
    waiter = held_answer(bench)
    bench.device.settings.realms["abc"].key_pair = None
    bench.device.destroy_key_pair("k1")
    bench.turn()
    assert (waiter.code, bench.device.local("abc")) == ("key-unknown", None)
    bench = trusting()
    bench.worker.answers["enrol"] = {"status": "pending", "notes": []}
    waiter = held_answer(bench)
    bench.enrol()
    assert (waiter.code, bench.device.local("abc")) == ("realm-busy", None)
    assert "GET_LOCAL_CERT_OK" not in bench.logged()


def test_weaknesses_that_the_realm_allows_are_told_and_logged() -> None:
    bench = trusting()
    bench.worker.answers["get-cert"] = answer(notes=["the encryption of the reply uses des"])
    assert asked(bench, "77").notes == ["the encryption of the reply uses des"]
    assert "NOTE: realm abc: the encryption of the reply uses des" in bench.logged()


def test_a_flash_that_takes_nothing_is_an_error() -> None:
    bench = trusting()
    for block in range(bench.flash.block_count):
        bench.flash.spoil(block, PROGRAM_ERROR)
    assert asked(bench, "77").code == "store-failed"
    assert bench.device.local("abc") is None
