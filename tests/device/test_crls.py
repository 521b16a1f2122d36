"""The revocation list of a realm on a device: by which way it comes, where it is, what needs it."""

from typing import Any

import pytest

from agent import limits
from agent.errors import AgentError
from tests.helpers.device_bench import START_S, Bench, Waiter, ready, refuse, revocation_list


def fetched(bench: Bench) -> Waiter:
    waiter = Waiter()
    bench.device.revocation.fetch("abc", waiter, waiter.done)
    bench.turn()
    return waiter


def enrolled() -> Bench:
    bench = ready()
    assert bench.enrol().results == [None]
    bench.worker.jobs.clear()
    return bench


def setting(bench: Bench, **values: Any) -> None:
    for name, value in values.items():
        setattr(bench.device.settings.realms["abc"], name, value)
    bench.device.changed()


def test_a_list_comes_by_http_and_survives_a_reboot() -> None:
    bench = enrolled()
    setting(bench, cdp_url="http://ca/crl")
    assert fetched(bench).results == [None]
    job, used = bench.worker.jobs
    assert (used["op"], used["revocation"]["crl"]) == ("activate", b"list")  # a CA may be on it
    assert (job["op"], job["cdp_url"], job["before_s"]) == ("fetch-crl", "http://ca/crl", None)
    assert job["certificate"].startswith(b"der of CN=r1.example")
    assert b"BEGIN X509 CRL" in bench.files.content["abc.crl"]
    assert "GET_CRL_OK" in bench.logged()
    bench.reboot()
    assert bench.device.revocation.current("abc") == b"list"
    bench.worker.jobs.clear()
    fetched(bench)
    assert bench.worker.jobs[0]["before_s"] == START_S


def test_a_list_that_is_deleted_is_gone_for_good_and_its_file_stays() -> None:
    bench = enrolled()
    with pytest.raises(AgentError) as caught:
        bench.device.revocation.delete("abc")
    assert caught.value.code == "crl-absent"
    fetched(bench)
    bench.worker.jobs.clear()
    bench.device.revocation.delete("ABC")
    bench.turn()
    assert [job["op"] for job in bench.worker.jobs] == ["activate"], "a CA was on it, perhaps"
    assert bench.worker.jobs[0]["revocation"]["crl"] is None
    assert "abc.crl" in bench.files.content
    bench.reboot()
    assert bench.device.revocation.current("abc") is None
    bench.worker.jobs.clear()
    fetched(bench)
    assert bench.worker.jobs[0]["before_s"] is None


def imported(bench: Bench, file: str = "l.crl") -> Waiter:
    waiter = Waiter()
    bench.device.revocation.import_from("abc", file, waiter, waiter.done)
    bench.turn()
    return waiter


def test_a_list_in_a_file_is_judged_and_kept_as_one_that_was_fetched() -> None:
    bench = enrolled()
    bench.files.content["l.crl"] = b"a file"
    assert imported(bench).results == [None]
    job, used = bench.worker.jobs
    assert (job["op"], job["name"], job["data"]) == ("import-crl", "l.crl", b"a file")
    assert (used["op"], used["revocation"]["crl"]) == ("activate", b"list")
    assert job["certificate"].startswith(b"der of CN=r1.example")
    assert b"BEGIN X509 CRL" in bench.files.content["abc.crl"]
    assert "CRL_IMPORT_OK: realm abc: " in bench.logged()
    assert "revoked certificates, from file l.crl" in bench.logged()
    bench.worker.jobs.clear()
    bench.worker.answers["import-crl"] = refuse("crl-outdated", reason="the stored one is newer")
    assert imported(bench).code == "crl-outdated"
    assert bench.worker.jobs[0]["before_s"] == START_S
    assert "CRL_IMPORT_ERR" in bench.logged()
    assert bench.device.revocation.current("abc") == b"list"


def test_a_file_that_no_list_can_be_is_read_by_nobody() -> None:
    bench = enrolled()
    bench.files.content["l.crl"] = bytes(limits.CRL_PEM_BYTES + 1)
    for name, code in (("l.crl", "file-too-large"), ("no.crl", "file-missing")):
        with pytest.raises(AgentError) as caught:
            imported(bench, name)
        assert caught.value.code == code
    assert bench.worker.jobs == []


def test_what_a_list_is_forgiven_is_told_and_logged() -> None:
    bench = enrolled()
    note = "the signature of the revocation list uses sha1"
    bench.worker.answers["fetch-crl"] = {**revocation_list({}), "notes": [note]}
    assert fetched(bench).notes == [note]
    assert f"NOTE: realm abc: {note}" in bench.logged()
    bench.worker.answers["fetch-crl"] = {**revocation_list({}), "crl": b"other", "notes": 7}
    assert fetched(bench).code == "job-answer"
    assert bench.device.revocation.current("abc") == b"list"


def test_where_no_place_is_known_the_ca_is_asked_by_scep() -> None:
    bench = enrolled()
    bench.worker.answers["fetch-crl"] = refuse("crl-no-place", others="")
    assert fetched(bench).results == [None]
    assert bench.worker.ops() == ["fetch-crl", "get-crl", "activate"]
    signer = bench.worker.jobs[1]["signer"]
    assert signer["certificate"].startswith(b"der of CN=r1.example")
    assert signer["key"]["name"] == "k1"
    assert len(bench.worker.jobs[1]["transaction"]) == 32


def test_scep_alone_when_the_realm_says_so() -> None:
    bench = enrolled()
    setting(bench, crl_scep=True)
    assert fetched(bench).results == [None]
    assert bench.worker.ops() == ["get-crl", "activate"]


def test_without_a_certificate_nobody_can_sign_the_question() -> None:
    bench = ready()
    waiter = Waiter()
    bench.device.exchange.get_ca("abc", waiter, waiter.done)
    bench.turn()
    bench.worker.answers["fetch-crl"] = refuse("crl-no-place", others="")
    assert fetched(bench).code == "crl-no-place"
    setting(bench, crl_scep=True)
    with pytest.raises(AgentError) as caught:
        fetched(bench)
    assert caught.value.code == "crl-no-place"


def test_without_a_trusted_ca_nothing_is_asked() -> None:
    bench = ready()
    with pytest.raises(AgentError) as caught:
        fetched(bench)
    assert caught.value.code == "ca-untrusted"
    assert bench.worker.jobs == []


def test_a_refused_list_leaves_the_stored_one() -> None:
    bench = enrolled()
    fetched(bench)
    bench.worker.answers["fetch-crl"] = refuse("crl-signature", reason="no")
    assert fetched(bench).code == "crl-signature"
    assert bench.device.revocation.current("abc") == b"list"
    assert "GET_CRL_ERR" in bench.logged()


def test_an_answer_that_makes_no_sense_stores_nothing() -> None:
    bench = enrolled()
    bench.worker.answers["fetch-crl"] = {**revocation_list({}), "crl": "text"}
    assert fetched(bench).code == "job-answer"
    assert bench.device.revocation.current("abc") is None


def test_what_judges_certificates_gets_the_list_and_the_rule() -> None:
    bench = enrolled()
    setting(bench, certificate_check=("crl", "none"))
    fetched(bench)
    bench.worker.jobs.clear()
    assert bench.enrol().code is None
    bench.device.exchange.validate("abc", "local", lambda _result: None)
    bench.turn()
    given = {job["op"]: job.get("revocation") for job in bench.worker.jobs}
    assert given["enrol"] == given["validate"] == {"check": ["crl", "none"], "crl": b"list"}


def test_a_certificate_that_could_not_be_accepted_is_not_applied_for() -> None:
    """The CA would issue it for nothing."""
    bench = enrolled()
    setting(bench, certificate_check=("crl",))
    for state in ("missing", "there", "old"):
        if state == "there":
            setting(bench, certificate_check=("crl",))
            fetched(bench)
        if state == "old":
            bench.advance(2 * 86400)
        bench.worker.jobs.clear()
        if state == "there":
            assert bench.enrol().code is None
            continue
        with pytest.raises(AgentError) as caught:
            bench.enrol()
        assert caught.value.code == "crl-missing"
        assert bench.worker.jobs == []


def test_a_realm_that_goes_takes_its_list_along() -> None:
    bench = enrolled()
    fetched(bench)
    del bench.device.settings.realms["abc"]
    bench.device.forget_realm("abc")
    assert bench.store.keys("realm/abc/") == []
