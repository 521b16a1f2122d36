"""The device at its start: what a reboot or another release has left, and what is served first."""

from typing import Any

from agent import limits
from agent.appliance import FromFile
from agent.console.language import views
from agent.pieces import at_once
from hal import cbor
from hal.ports import JobEnd
from hal.records import ADDED, LocalRecord, RequestRecord
from tests.helpers.device_bench import (
    CONFIGURATION,
    SHA256,
    Bench,
    Waiter,
    Worker,
    certificate,
    ready,
)


def test_after_a_reboot_memory_is_rebuilt_and_the_ca_is_not_asked() -> None:
    bench = ready()
    bench.enrol()
    bench.worker.jobs.clear()
    bench.reboot()
    assert bench.worker.ops() == ["activate"]
    assert bench.memory.current("abc", "cert.pem") == b"cert"


def test_pending_polls_through_a_reboot_with_the_same_request() -> None:
    bench = ready()
    bench.worker.answers["enrol"] = {"status": "pending", "notes": []}
    waiter = bench.enrol()
    assert waiter.code is None
    status = bench.device.status("abc")
    assert status.state == "pending"
    assert status.next_s == bench.device.wall_s() + 120
    sent = bench.worker.jobs[-1]
    bench.reboot()
    bench.worker.answers["poll"] = bench.worker.issue
    bench.advance(59)  # a minute after the start, whatever the interval
    assert bench.worker.ops()[-1] == "enrol"
    bench.advance(2)
    poll = next(job for job in bench.worker.jobs if job["op"] == "poll")
    shaped = ("transaction", "request_time_s", "entity", "key", "key_usage", "digest")
    assert [poll[name] for name in shaped] == [sent[name] for name in shaped]
    assert poll["password"] is None, "a poll sends none"
    assert bench.device.status("abc").state == "issued"


def test_what_the_release_before_had_in_flash_goes_on() -> None:
    """An application that was pending and a certificate in use survive the upgrade."""
    bench = ready()
    bench.enrol()
    bench.worker.answers["enrol"] = {"status": "pending", "notes": []}
    bench.enrol()
    kinds = {"request": RequestRecord, "local": LocalRecord}
    for part, kind in kinds.items():
        found = dict(bench.store.get(f"realm/abc/{part}"))  # type: ignore[call-overload]
        for added in ADDED[kind].values():
            for name in added:
                del found[name]
        bench.store.commit({f"realm/abc/{part}": {**found, "v": 1}})
    transaction = bench.device.status("abc").transaction
    bench.reboot()
    status = bench.device.status("abc")
    assert (status.state, status.transaction) == ("pending", transaction)
    assert bench.device.local("abc") is not None
    assert "STORE_ERR" not in bench.logged()
    bench.worker.answers["poll"] = bench.worker.issue
    bench.advance(120)
    assert bench.device.status("abc").state == "issued"


def test_save_is_one_commit_and_a_reboot_has_it() -> None:
    bench = ready()
    assert not bench.device.configuration.unsaved()
    bench.device.settings.sysname = "r9"
    bench.device.changed()
    assert bench.device.configuration.unsaved()
    before = bench.store.counters.syncs
    at_once(bench.device.configuration.save())
    assert bench.store.counters.syncs == before + 1
    bench.factory = ""
    bench.reboot()
    assert bench.device.settings.sysname == "r9"
    assert not bench.device.configuration.unsaved()


def test_lines_that_do_not_apply_are_kept_and_said_and_the_rest_loads() -> None:
    bench = Bench(CONFIGURATION.replace("\n entity r1\n", "\n entity r9\n"))  # there is none
    assert [line.text for line in bench.device.settings.unapplied] == ["entity r9"]
    assert bench.device.settings.realms["abc"].url is not None
    assert "entity r9" in bench.logged()


def test_records_that_cannot_be_read_are_left_out_and_said() -> None:
    bench = ready()
    bench.enrol()
    bench.store.commit({"realm/abc/outcome": {"v": 99}, "realm/abc/ca": 5, "key/k1/1": "text"})
    bench.reboot()
    assert bench.logged().count("STORE_ERR") >= 3
    assert bench.device.local("abc") is not None


def test_a_clock_behind_the_certificate_in_use_is_not_trusted() -> None:
    bench = ready()
    bench.enrol()
    bench.clock.jump(-3 * 86400)
    bench.worker.jobs.clear()
    bench.enrol()
    trusted = [job["clock_trusted"] for job in bench.worker.jobs if "clock_trusted" in job]
    assert trusted == [False, False, False]  # asked for, applied for, put into use


def test_at_boot_a_few_realms_at_a_time_are_put_into_use() -> None:
    bench = Bench()
    realms = 20
    for number in range(realms):
        bench.key(f"k{number}")
    bench.factory = "".join(
        f"pki entity r{n}\n common-name r{n}\n#\npki realm a{n}\n entity r{n}\n"
        f" rsa local-key-pair k{n}\n enrollment-url http://192.0.2.9/scep\n"
        f" fingerprint sha256 {SHA256}\n#\n"
        for n in range(realms)
    )
    bench.reboot()
    for number in range(realms):
        waiter = Waiter()
        bench.device.applications.enrol(f"a{number}", None, waiter, waiter.done)
        bench.turn()
        assert waiter.code is None
    most = 0

    def activate(_job: Any) -> Any:
        nonlocal most
        most = max(most, len(bench.jobs.running()) + 1)
        return Worker().answers["activate"]

    bench.worker.answers["activate"] = activate
    bench.reboot()
    bench.turn(50)
    assert 0 < most <= limits.ACTIVATIONS_AT_ONCE
    assert len(bench.memory.sets) == realms


def test_a_certificate_that_comes_while_another_is_put_into_use_waits_its_turn() -> None:
    """The first job's end must not switch device memory to the half-written files of the second."""
    bench = ready()
    bench.worker.answers["activate"] = None  # the job goes on
    first = bench.enrol()
    bench.device.exchange.delete("abc", "local")
    second = Waiter()
    bench.worker.answers["import"] = {"certificate": certificate("CN=r9", "77"), "chain": []}
    bench.worker.answers["validate"] = {"rows": [], "chain": []}
    bench.files.content["abc_local.cer"] = b"file"
    what = FromFile("abc_local.cer")
    bench.device.exchange.import_local("abc", what, second, second.done)
    bench.turn()
    assert bench.worker.ops().count("activate") == 1
    assert (first.results, second.results) == ([None], [])  # nobody waits for ever
    bench.worker.answers["activate"] = written = Worker().answers["activate"]
    (running,) = bench.jobs.running()
    bench.jobs.finish(running, JobEnd(cbor.dumps({"ok": written})))
    bench.turn()
    assert bench.worker.ops().count("activate") == 2
    assert bench.worker.jobs[-1]["certificate"] == certificate("CN=r9", "77")["der"]
    assert second.results == [None]
    assert bench.memory.current("abc", "cert.pem") == b"cert"


def prompt(bench: Bench) -> str:
    return views.prompt(bench.device.settings, views.View(views.USER))


def test_a_device_is_called_as_its_host_until_it_has_a_name_of_its_own() -> None:
    bench = Bench()
    assert prompt(bench) == "<Huawei>"
    bench.host_name = "gate-7"
    bench.reboot()
    assert prompt(bench) == "<gate-7>"
    at_once(bench.device.configuration.save())
    bench.host_name = "gate-8"
    bench.reboot()
    assert prompt(bench) == "<gate-7>", "what was saved"
    erased = Waiter()
    bench.device.system.erase(erased.done)
    while not erased.results:
        bench.turn(1)
    assert prompt(bench) == "<gate-8>"
