"""The device on fakes: what the console asks of it, what flash, storage and memory then hold."""

from typing import Any

import pytest

from agent.appliance import Described
from agent.errors import AgentError, fail
from agent.pieces import at_once
from hal.ports import DeviceMemoryError, FilesError, JobEnd, StoreError
from tests.helpers.device_bench import SHA256, Bench, Waiter, Worker, ready, refuse


def test_enrolment_ends_in_flash_storage_and_memory() -> None:
    bench = ready()
    waiter = bench.enrol()
    assert waiter.code is None
    assert bench.worker.ops() == ["fetch-ca", "enrol", "activate"]
    assert bench.memory.current("abc", "key.pem") == b"key"
    assert bench.files.names() == ["abc_ca.cer", "abc_local.cer"]
    assert b"BEGIN CERTIFICATE" in bench.files.read("abc_local.cer")
    assert bench.store.keys("realm/abc/") == [f"realm/abc/{p}" for p in ("ca", "local", "outcome")]
    local, ca = bench.device.local("abc"), bench.device.ca("ABC")
    assert local is not None
    assert local.subject == "CN=r1.example"
    assert ca is not None
    assert (ca.trusted_by, ca.pinned.subject) == ("fingerprint", "CN=CA")
    assert bench.device.status("abc").state == "issued"
    assert "uses sha1" in bench.logged()
    assert any("uses sha1" in note for note in waiter.notes)


def test_what_a_job_is_given() -> None:
    bench = ready()
    bench.enrol("sekret")
    fetch, enrol = (bench.worker.jobs[bench.worker.ops().index(op)] for op in ("fetch-ca", "enrol"))
    assert fetch["url"] == enrol["url"] == "http://192.0.2.9/scep"
    assert enrol["ca"] == {
        "certificates": [b"der of CN=CA 01"],
        "pin": SHA256,
        "anchor": {"algorithm": "sha256", "hex": SHA256},
        "lineage": [],
        "roots": [],
        "ra_proven": False,
    }
    assert len(enrol["transaction"]) == 32
    assert enrol["password"] == "%^%#terkes%^%#"
    assert enrol["key"] == {
        "name": "k1",
        "generation": 1,
        "sealed": b"sealed key",
        "spki": b"spki",
    }
    assert (enrol["now_s"], enrol["clock_trusted"]) == (bench.device.wall_s(), True)


def test_storage_follows_the_file_format_and_is_not_converted() -> None:
    bench = ready()
    bench.device.settings.file_format = "der"
    bench.enrol()
    assert bench.files.read("abc_local.cer").startswith(b"der of CN=r1")
    at_once(bench.device.configuration.save())
    bench.reboot()  # an empty storage is filled again
    assert bench.files.read("abc_local.cer").startswith(b"der of CN=r1")


def test_changed_settings_do_not_change_a_request_that_was_sent() -> None:
    bench = ready()
    bench.worker.answers["enrol"] = {"status": "pending", "notes": []}
    bench.enrol()
    entity = bench.device.settings.entities["r1"]
    entity.common_name = "other"
    bench.device.settings.realms["abc"].url = "http://192.0.2.99/"
    bench.device.changed()
    bench.advance(121)
    poll = bench.worker.jobs[-1]
    assert (poll["op"], poll["url"]) == ("poll", "http://192.0.2.9/scep")
    assert poll["entity"]["common_name"] == "r1.example"


@pytest.mark.parametrize(
    ("op", "answer", "code"),
    [
        ("fetch-ca", refuse("ca-no-ca"), "ca-no-ca"),
        ("enrol", refuse("ca-no-ca"), "ca-no-ca"),
        ("enrol", JobEnd(None, "died"), "job-died"),
        ("enrol", JobEnd(b"\xff\xff"), "job-answer"),
        ("enrol", {"status": "issued"}, "job-answer"),
        ("enrol", {"status": "issued", "certificate": {}, "chain": [], "notes": []}, "job-answer"),
        ("enrol", {"status": "issued", "notes": [1]}, "job-answer"),
        ("fetch-ca", {"caps": [], "certificates": [], "notes": []}, "ca-no-ca"),
        ("activate", refuse("job-died"), "job-died"),
    ],
)
def test_each_failure_is_told_and_leaves_what_was_in_use(
    op: str, answer: object, code: str
) -> None:
    bench = ready()
    bench.enrol()
    before = dict(bench.memory.sets["abc"])
    bench.worker.answers[op] = answer
    assert bench.enrol().code == code
    assert bench.memory.sets["abc"] == before
    assert not bench.memory._staged
    bench.worker = bench.worker.__class__()
    bench.reboot()
    assert bench.memory.current("abc", "cert.pem") == b"cert"


def test_a_certificate_that_did_not_reach_memory_is_tried_again() -> None:
    bench = ready()
    bench.worker.answers["activate"] = refuse("job-died")
    assert bench.enrol().code == "job-died"
    status = bench.device.status("abc")
    assert (status.state, status.why[:22]) == ("issued", "issued, but not in use")
    bench.worker.answers["activate"] = None
    bench.advance(61)
    assert bench.device.status("abc").why == "the certificate is being put into use"
    bench.worker.answers["activate"] = Worker().answers["activate"]
    bench.advance(61)
    bench.advance(61)
    assert bench.device.status("abc").why == "the certificate is in use"
    assert bench.memory.current("abc", "key.pem") == b"key"


def test_a_silent_worker_meets_its_deadline() -> None:
    bench = ready()
    bench.worker.answers["enrol"] = None
    waiter = Waiter()
    bench.worker.answers["enrol"] = lambda _job: None
    bench.device.applications.enrol("abc", None, waiter, waiter.done)
    bench.turn()
    assert waiter.results == []
    bench.advance(151)
    assert waiter.code == "job-deadline"


def test_without_fingerprint_the_session_is_asked() -> None:
    for answer, code in ((True, None), (False, "ca-unconfirmed")):
        bench = ready()
        bench.device.settings.realms["abc"].fingerprint = None
        bench.device.changed()
        waiter = bench.enrol(answer=answer)
        assert waiter.asked[0].chain[0].sha256 == SHA256
        assert waiter.code == code


def test_a_session_that_leaves_a_question_open_says_no_and_the_work_goes_on_otherwise() -> None:
    bench = ready()
    bench.device.settings.realms["abc"].fingerprint = None
    bench.device.changed()
    waiter = Waiter()
    task = bench.device.applications.enrol("abc", None, waiter, waiter.done)
    bench.turn()
    bench.device.detach(task)
    bench.turn()
    assert waiter.results == []
    assert bench.device.status("abc").last_error is not None
    bench = ready()
    waiter = Waiter()
    bench.device.detach(bench.device.applications.enrol("abc", None, waiter, waiter.done))
    bench.turn()
    assert bench.device.status("abc").state == "issued"


def test_incomplete_realms_name_the_command() -> None:
    bench = ready()
    realm = bench.device.settings.realms["abc"]
    for attribute, word in (
        ("url", "enrollment-url"),
        ("key_pair", "rsa local"),
        ("entity", "ent"),
    ):
        setattr(realm, attribute, None)
        with pytest.raises(AgentError) as caught:
            bench.enrol()
        assert caught.value.code == "realm-incomplete"
        assert word in caught.value.remedy
        assert any(word in text for text in [bench.device.status("abc").next_step])
    with pytest.raises(AgentError, match="no realm"):
        bench.device.status("nowhere")


def test_one_application_at_a_time_and_abort() -> None:
    bench = ready()
    bench.worker.answers["enrol"] = {"status": "pending", "notes": []}
    bench.enrol()
    with pytest.raises(AgentError) as caught:
        bench.enrol()
    assert caught.value.code == "realm-busy"
    assert bench.device.applications.abort("abc")
    assert not bench.device.applications.abort("abc")
    assert "ABORT_REQUEST_OK" in bench.logged()
    assert bench.device.status("abc").state == "CA trusted"
    assert bench.store.get("realm/abc/request") is None


def test_sealing_checking_and_describing_are_tasks() -> None:
    bench = Bench()
    waiters = [Waiter() for _task in range(3)]
    bench.device.seal_password("abc", None, waiters[0].done)
    bench.device.check_sealed_password("%^%#x%^%#", waiters[1].done)
    bench.device.describe("certificate", [b"one", b"two"], waiters[2].done)
    bench.turn()
    assert [w.results for w in waiters] == [
        ["%^%#cba%^%#"],
        [None],
        [[Described(f"text of {der!r}", {"subject": "CN=x"}) for der in (b"one", b"two")]],
    ]


def test_after_an_unsaved_success_the_operator_is_told() -> None:
    bench = ready()
    bench.device.settings.sysname = "other"
    bench.device.changed()
    assert any("type `save`" in note for note in bench.enrol().notes)


def fill(bench: Bench) -> None:
    """Until not even a small record finds room."""
    number = 0
    for size in (8000, 1000, 100, 10):
        while True:
            number += 1
            try:
                bench.store.commit({f"fill/{number}": b"x" * size})
            except StoreError:
                break


def test_a_full_flash_fails_the_application_before_anything_is_sent() -> None:
    bench = ready()
    fill(bench)
    assert bench.enrol().code == "store-failed"
    assert bench.worker.ops() == []
    assert bench.device.status("abc").state == "nothing"
    bench.device.settings.sysname = "r" * 200
    with pytest.raises(AgentError, match="did not take the change"):
        at_once(bench.device.configuration.save())


def test_a_storage_folder_that_fails_does_not_keep_a_certificate_out_of_use() -> None:
    bench = ready()
    bench.files.faults.at.update({number: FilesError("full") for number in range(50)})
    assert bench.enrol().code is None
    assert bench.memory.current("abc", "cert.pem") == b"cert"
    assert "STORAGE_ERR" in bench.logged()


def test_addresses_of_an_entity() -> None:
    bench = ready()
    entity = bench.device.settings.entities["r1"]
    entity.serial_number = True
    for text, expected in (
        ("192.0.2.7", ["192.0.2.7"]),
        ("2001:db8::7", ["2001:db8::7"]),
        ("GigabitEthernet 0/0/0", ["192.0.2.1"]),
    ):
        entity.ip_address = text
        bench.enrol()
        enrol = [job for job in bench.worker.jobs if job["op"] == "enrol"][-1]
        assert enrol["entity"]["ip_addresses"] == expected
        assert enrol["entity"]["serial_number"] == "SN42"
    entity.ip_address = "eth7"
    with pytest.raises(AgentError) as caught:
        bench.enrol()
    assert caught.value.code == "entity-address"
    assert fail("entity-address", interface="eth7").what == caught.value.what


SERVER_ERROR = {"status": 500, "reason": "Internal Server Error", "page": ""}


def test_a_password_that_was_corrected_is_used() -> None:
    """The server says HTTP 500 to a wrong challenge: the next word of the operator must count."""
    bench = ready()
    bench.worker.answers["enrol"] = refuse("http-failed", **SERVER_ERROR)
    assert bench.enrol("wrong").code == "http-failed"
    bench.worker.answers["poll"] = refuse("http-failed", **SERVER_ERROR)
    bench.worker.answers["enrol"] = bench.worker.issue
    assert bench.enrol("right").code is None
    sent = [job["password"] for job in bench.worker.jobs if job["op"] == "enrol"]
    assert sent == ["%^%#gnorw%^%#", "%^%#thgir%^%#"]


def test_a_commit_that_fails_leaves_no_realm_stuck() -> None:
    bench = ready()
    bench.worker.answers["fetch-ca"]["caps"] = ["x" * 70_000]
    assert bench.enrol().code == "store-failed"
    bench.worker.answers["fetch-ca"]["caps"] = []
    assert bench.enrol().code is None


def test_a_request_without_an_answer_can_be_given_up() -> None:
    bench = ready()
    bench.worker.answers["enrol"] = refuse("connection-refused", host="192.0.2.9", what="refused")
    assert bench.enrol().code == "connection-refused"
    assert bench.device.applications.abort("abc")
    assert bench.store.get("realm/abc/request") is None
    assert not bench.device.applications.abort("abc")


def test_a_job_that_cannot_be_built_is_a_failure_like_any_other() -> None:
    bench = ready()
    bench.worker.answers["fetch-ca"] = lambda _job: _spoil_key(bench)
    assert bench.enrol().code == "key-unknown"
    assert bench.device.status("abc").state == "failed"


def _spoil_key(bench: Bench) -> Any:
    bench.store.commit({"key/k1/1": {"v": 99}})
    good: Any = ready().worker.answers["fetch-ca"]
    return good


def test_memory_that_cannot_be_read_or_removed_does_not_end_the_agent() -> None:
    bench = ready()
    bench.enrol()
    bench.memory.faults.at.update({n: DeviceMemoryError("not ours") for n in range(100)})
    bench.device.forget_realm("abc")
    assert "not ours" in bench.logged()
