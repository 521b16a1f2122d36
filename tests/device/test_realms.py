"""Realms that come and go: what is forgotten with one, and who is told."""

from agent.pieces import at_once
from hal import cbor
from hal.ports import JobEnd
from tests.helpers.device_bench import CONFIGURATION, Bench, Waiter, ready, refuse


def test_undo_of_a_realm_forgets_its_records() -> None:
    bench = ready()
    bench.enrol()
    del bench.device.settings.realms["abc"]
    bench.device.forget_realm("abc")
    assert bench.store.keys("realm/abc/") == []
    assert bench.memory.current("abc", "cert.pem") is None
    assert bench.files.names() == ["abc_ca.cer", "abc_local.cer"]


def test_a_realm_that_was_not_saved_is_served_before_and_after_it_is_typed_again() -> None:
    bench = ready()
    bench.enrol()
    at_once(bench.device.configuration.reset())
    bench.factory = ""
    bench.reboot()
    assert bench.memory.current("abc", "cert.pem") == b"cert"  # tests/device/test_orphans.py
    other = Bench(CONFIGURATION, bench.flash)
    assert other.memory.current("abc", "cert.pem") == b"cert"


def test_a_realm_that_is_removed_tells_who_waits_and_acts_no_more() -> None:
    bench = ready()
    bench.worker.answers["enrol"] = lambda _job: None  # silent
    waiter = Waiter()
    bench.device.applications.enrol("abc", None, waiter, waiter.done)
    bench.turn()
    del bench.device.settings.realms["abc"]
    bench.device.forget_realm("abc")
    assert waiter.code == "realm-gone"
    for _minute in range(5):
        bench.advance(60)
    assert bench.store.keys("realm/abc/") == []


def test_a_reply_to_a_realm_that_is_gone_is_nothing_and_one_of_its_name_begins_anew() -> None:
    """Field case 7."""
    bench = ready()
    bench.worker.answers["enrol"] = lambda _job: None  # silent
    bench.enrol()
    asked, realm = bench.jobs.started[-1], bench.device.settings.realms.pop("abc")
    bench.device.forget_realm("abc")
    bench.turn()
    assert bench.jobs.running() == [], "its child is stopped"
    answer = bench.worker.issue(bench.worker.jobs[-1])
    asked.done(JobEnd(cbor.dumps({"ok": answer})))  # it was on its way all the same
    bench.turn()
    assert bench.store.keys("realm/abc/") == []
    bench.device.settings.entities["r1"].common_name = "r2.example"
    bench.device.settings.realms["abc"] = realm
    bench.device.changed()
    assert bench.device.status("abc").state == "nothing"
    bench.worker.answers["enrol"] = bench.worker.issue
    assert bench.enrol().code is None
    first, second = [job for job in bench.worker.jobs if job["op"] == "enrol"]
    assert first["transaction"] != second["transaction"]
    assert second["entity"]["common_name"] == "r2.example"


def test_a_realm_that_is_removed_while_its_password_is_sealed_is_not_applied_for() -> None:
    bench = ready()
    waiter = Waiter()
    bench.device.applications.enrol("abc", "sekret", waiter, waiter.done)
    del bench.device.settings.realms["abc"]
    bench.device.forget_realm("abc")
    bench.turn()
    assert waiter.code == "realm-unknown"
    assert "fetch-ca" not in bench.worker.ops()


def test_activation_of_a_realm_that_is_removed_is_not_tried_again() -> None:
    bench = ready()
    bench.worker.answers["activate"] = refuse("job-died")
    assert bench.enrol().code == "job-died"
    del bench.device.settings.realms["abc"]
    bench.device.forget_realm("abc")
    bench.worker.jobs.clear()
    bench.advance(61)
    assert bench.worker.jobs == []
