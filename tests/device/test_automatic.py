"""`auto-enroll` on a whole device: from a text alone to a certificate, and for years."""

from itertools import pairwise
from typing import Any

import pytest

from agent import limits
from agent.appliance import FromFile
from agent.enrolment.actions import Stored
from hal.ports import Interface
from hal.records import LocalRecord
from tests.helpers.device_bench import CONFIGURATION, Answer, Bench, Waiter, certificate, refuse

HOUR_S = 3600
DAY_S = 24 * HOUR_S
HOLDS = " fingerprint"
AWAY = refuse("connection-refused", host="ca", what="x")


def alone(auto: str = "auto-enroll 50 updated-effective", *, key: str = "k1") -> Bench:
    """A blank device whose factory configuration is complete; its CA issues for ten days."""
    bench = blank(CONFIGURATION.replace(HOLDS, f" {auto}\n{HOLDS}").replace("k1", key))
    bench.reboot()
    bench.turn(30)
    return bench


def blank(factory: str) -> Bench:
    """A device that holds nothing; the factory's configuration comes with its next start."""
    bench = Bench()
    bench.worker.answers["enrol"] = issue
    bench.worker.answers["generate-key"] = pair
    bench.factory = factory
    return bench


def issue(job: Answer, days: float = 10) -> Answer:
    leaf = certificate("CN=r1.example", job["transaction"][:8])
    begin_s = job["now_s"]
    leaf = {**leaf, "not_before_s": begin_s, "not_after_s": begin_s + int(days * DAY_S)}
    return {"status": "issued", "certificate": leaf, "chain": [], "notes": []}


def pair(job: Answer) -> Answer:
    name = f"{job['name']} {job['generation']}".encode()
    return {"sealed": b"sealed " + name, "spki": b"spki " + name, "bits": job["bits"]}


def stored(bench: Bench) -> Stored:
    return bench.device.realms.runner("abc").engine.stored


def in_use(bench: Bench) -> LocalRecord:
    local = stored(bench).local
    assert local is not None
    return local


def pass_time(bench: Bench, seconds: int, step_s: int = HOUR_S) -> None:
    for _ in range(seconds // step_s):
        bench.advance(step_s)
        bench.turn(20)


def test_one_text_makes_a_blank_device_whole() -> None:
    bench = alone()
    assert bench.worker.ops() == ["generate-key", "fetch-ca", "enrol", "activate"]
    assert in_use(bench).key == "k1"
    assert bench.memory.current("abc", "cert.pem") is not None
    assert bench.device.status("abc").state == "issued"


def test_a_key_pair_of_a_realm_by_hand_is_not_made() -> None:
    bench = Bench(CONFIGURATION)
    bench.turn(30)
    assert bench.worker.ops() == []


def test_it_renews_at_its_point_and_then_again() -> None:
    bench = alone()
    first = in_use(bench).certificate.serial
    pass_time(bench, 5 * DAY_S - HOUR_S)
    assert in_use(bench).certificate.serial == first
    pass_time(bench, 2 * HOUR_S)
    second = in_use(bench)
    assert second.certificate.serial != first
    assert stored(bench).next is None
    pass_time(bench, 5 * DAY_S)
    assert in_use(bench).certificate.serial != second.certificate.serial
    assert bench.worker.ops().count("enrol") == 3
    assert bench.worker.ops().count("generate-key") == 1


def test_the_point_survives_a_power_cut() -> None:
    bench = alone()
    bench.keeps_folders = True
    pass_time(bench, 4 * DAY_S)
    bench.reboot()
    bench.worker.jobs.clear()
    pass_time(bench, DAY_S - HOUR_S)
    assert bench.worker.ops() == []
    pass_time(bench, 2 * HOUR_S)
    assert bench.worker.ops()[:2] == ["fetch-ca", "enrol"]


def test_without_updated_effective_the_new_one_waits_in_storage_for_its_turn() -> None:
    bench = alone("auto-enroll 50")
    first = in_use(bench)
    pass_time(bench, 6 * DAY_S)
    waits = stored(bench).next
    assert waits is not None
    assert in_use(bench) == first
    assert b"CERTIFICATE" in bench.files.read("abc_next.cer")
    assert bench.worker.ops().count("enrol") == 2  # while one waits nothing else is asked for
    bench.keeps_folders = True
    bench.reboot()
    pass_time(bench, 4 * DAY_S - 2 * HOUR_S)
    assert in_use(bench) == first
    pass_time(bench, HOUR_S)
    assert in_use(bench).certificate == waits.certificate
    assert "abc_next.cer" not in bench.files.names()


def test_the_one_that_waits_takes_over_when_the_one_in_use_is_deleted() -> None:
    bench = alone("auto-enroll 50")
    pass_time(bench, 6 * DAY_S)
    waits = stored(bench).next
    assert waits is not None
    bench.device.exchange.delete("abc", "local")
    bench.turn(20)
    assert in_use(bench).certificate == waits.certificate
    assert bench.memory.current("abc", "cert.pem") is not None


def test_the_one_that_waits_takes_over_when_a_person_says_so() -> None:
    bench = alone("auto-enroll 50 regenerate")
    pass_time(bench, 6 * DAY_S)
    first, waits, waiter = in_use(bench), stored(bench).next, Waiter()
    assert waits is not None
    assert bench.files.read("abc_local.cer"), "the file of the one in use is not meant"
    bench.device.exchange.import_local("abc", FromFile("abc_local.cer"), waiter, waiter.done)
    bench.turn(30)
    assert waiter.code is None
    assert (first.generation, in_use(bench).generation) == (1, 2)
    assert in_use(bench).certificate == waits.certificate
    assert stored(bench).next is None
    assert "abc_next.cer" not in bench.files.names()
    assert bench.store.keys("key/") == ["key/k1/2"], "the old key pair is needed by nothing"
    pass_time(bench, DAY_S)
    assert stored(bench).next is None, "its renewal point is its own"


def test_a_new_key_pair_for_each_renewal_beside_the_one_in_use() -> None:
    bench = alone("auto-enroll 50 regenerate 3072 updated-effective")
    assert bench.store.keys("key/") == ["key/k1/1"]
    bench.worker.answers["enrol"] = refuse("connection-refused", host="ca", what="x")
    pass_time(bench, 5 * DAY_S + 2 * HOUR_S)
    assert bench.store.keys("key/") == ["key/k1/1", "key/k1/2"]
    assert in_use(bench).generation == 1  # what failed costs nothing
    made = bench.worker.ops().count("generate-key")
    bench.worker.answers["poll"] = issue
    bench.worker.answers["enrol"] = issue
    pass_time(bench, DAY_S)
    assert (in_use(bench).generation, made) == (2, 2)
    assert bench.worker.ops().count("generate-key") == made  # the retry has used the same one
    assert bench.store.keys("key/") == ["key/k1/2"]
    bits = [job["bits"] for job in bench.worker.jobs if job["op"] == "generate-key"]
    assert bits == [3072, 3072]


@pytest.mark.parametrize("missing", ["enrollment-url", "pki entity", "common-name"])
def test_a_realm_that_is_not_complete_sends_nothing_and_shows_what_is_missing(
    missing: str,
) -> None:
    lines = CONFIGURATION.replace(HOLDS, f" auto-enroll 50\n{HOLDS}").splitlines()
    lines = [line for line in lines if missing not in line]
    if missing == "pki entity":
        lines = [line for line in lines if "common-name" not in line]
    bench = blank("\n".join(lines))
    bench.reboot()
    pass_time(bench, 5 * HOUR_S)
    assert set(bench.worker.ops()) <= {"generate-key"}
    assert bench.device.status("abc").why == "the configuration is not complete"
    assert "not complete" not in bench.logged()


def test_what_a_complete_realm_lacks_is_said_once_and_looked_for_hourly() -> None:
    text = CONFIGURATION.replace(HOLDS, f" auto-enroll 50\n{HOLDS}")
    bench = blank(text.replace(" common-name", " ip-address eth9\n common-name"))
    bench.reboot()
    bench.turn(20)
    error = bench.device.realms.runner("abc").alone.lacking
    assert error is not None
    assert error.code == "entity-address"
    pass_time(bench, 5 * HOUR_S)
    assert bench.logged().count(error.what) == 1
    assert set(bench.worker.ops()) == {"generate-key"}
    status = bench.device.status("abc")
    assert error.what in status.why
    bench.link.network.append(Interface("eth9", True, ("192.0.2.9",)))
    pass_time(bench, 2 * HOUR_S)
    assert in_use(bench).key == "k1"


def test_what_was_missing_is_typed_and_it_goes_on_when_nothing_more_comes() -> None:
    text = CONFIGURATION.replace(HOLDS, f" auto-enroll 50\n{HOLDS}")
    bench = Bench("\n".join(line for line in text.splitlines() if "enrollment-url" not in line))
    bench.worker.answers["enrol"] = issue
    bench.turn(30)
    bench.device.settings.realms["abc"].url = "http://192.0.2.9/scep"
    bench.device.changed()
    bench.turn(20)
    assert set(bench.worker.ops()) <= {"generate-key"}  # more lines may come
    bench.advance(limits.QUIET_S)
    bench.turn(20)
    assert in_use(bench).key == "k1"


def test_a_ca_that_is_away_is_asked_again_until_it_is_back() -> None:
    bench = alone()
    bench.worker.answers["fetch-ca"] = away = refuse("connection-refused", host="ca", what="x")
    honest: Any = Bench().worker.answers["fetch-ca"]
    bench.worker.jobs.clear()
    before = bench.store.health.sequence
    pass_time(bench, 7 * DAY_S)
    assert away is bench.worker.answers["fetch-ca"]
    assert 8 <= bench.worker.ops().count("fetch-ca") <= 40  # two days of three hours each
    assert bench.store.health.sequence - before <= 7 + 2  # the time once a day, failure and alarm
    assert bench.device.status("abc").last_error is not None
    bench.worker.answers["fetch-ca"] = honest
    pass_time(bench, 6 * HOUR_S)
    assert bench.device.status("abc").state == "issued"
    assert bench.device.status("abc").last_error is None


def test_a_hundred_failures_in_a_row_are_two_records_at_most() -> None:
    bench = blank(CONFIGURATION.replace(HOLDS, f" auto-enroll 50\n{HOLDS}"))
    bench.worker.answers["fetch-ca"] = refuse("connection-refused", host="ca", what="x")
    bench.key()
    before, asked, hours = bench.store.health.sequence, 0, 0
    bench.reboot()
    while asked < 100:
        pass_time(bench, HOUR_S, 600)
        asked, hours = bench.worker.ops().count("fetch-ca"), hours + 1
    days = hours // 24 + 1  # the time is written once a day
    assert 0 < bench.store.health.sequence - before - days <= 2


def test_a_key_pair_that_cannot_be_made_is_tried_again_in_an_hour() -> None:
    bench = blank(CONFIGURATION.replace(HOLDS, f" auto-enroll 50\n{HOLDS}"))
    good, bench.worker.answers["generate-key"] = pair, refuse("job-died")
    bench.reboot()
    bench.turn(20)
    error = bench.device.realms.runner("abc").alone.lacking
    assert error is not None
    assert error.code == "job-died"
    pass_time(bench, 2 * HOUR_S)
    assert bench.store.keys("key/") == []
    bench.worker.answers["generate-key"] = good
    pass_time(bench, 2 * HOUR_S)
    assert in_use(bench).key == "k1"


def test_a_person_may_be_faster() -> None:
    bench = alone()
    pass_time(bench, 2 * DAY_S)
    waiter = Waiter()
    bench.device.applications.enrol("abc", None, waiter, waiter.done)
    bench.turn(20)
    assert waiter.code is None
    point_s = in_use(bench).renew_s
    assert point_s is not None
    assert point_s - bench.device.wall_s() == 5 * DAY_S


def test_another_share_of_the_validity_moves_the_point_and_is_stored() -> None:
    bench = alone()
    before = in_use(bench).renew_s
    realm = bench.device.settings.realms["abc"]
    assert realm.auto_enroll is not None
    realm.auto_enroll = realm.auto_enroll._replace(percent=20)
    bench.device.changed()
    after = in_use(bench).renew_s
    assert before is not None
    assert after is not None
    assert before - after == 3 * DAY_S
    assert bench.device.realms.runner("abc").records.stored.local == in_use(bench)


MANY = [f"r{number}" for number in range(10)]


def due_at_once() -> Bench:
    """A device with many realms, all of whose certificates are due in its next turn."""
    entity, realm = CONFIGURATION.replace(HOLDS, f" auto-enroll 50\n{HOLDS}").split("pki realm")
    own = [realm.replace("abc", name).replace("k1", name) for name in MANY]
    bench = blank(entity + "".join(f"pki realm{each}" for each in own))
    bench.reboot()
    bench.turn(100)
    bench.device.shared.log.lines.clear()
    bench.clock.advance(6 * DAY_S * 1_000_000_000)
    return bench


def test_of_many_that_are_due_at_once_one_begins_a_turn() -> None:
    """The clock may jump over the renewal points of a thousand; keys are echoed between them."""
    bench, begun = due_at_once(), [0]
    for _turn in range(100):
        bench.turn(1)
        begun.append(bench.logged().count("GETTING_CA_CERT"))
    assert begun[-1] == len(MANY)
    assert max(after - before for before, after in pairwise(begun)) == 1


def test_one_whose_turn_comes_late_begins_only_if_it_still_is_to() -> None:
    bench = due_at_once()
    bench.turn(2)
    assert bench.logged().count("GETTING_CA_CERT") < len(MANY) - 1
    bench.device.shared.settings.realms[MANY[-1]].auto_enroll = None
    bench.device.realms.changed()
    bench.turn(100)
    assert bench.logged().count("GETTING_CA_CERT") == len(MANY) - 1
    assert f"GETTING_CA_CERT: realm {MANY[-1]}" not in bench.logged()


def test_the_status_says_what_is_waited_for_and_how_long_the_ca_may_be_away() -> None:
    bench = alone("auto-enroll 50")
    status, end_s = bench.device.status("abc"), in_use(bench).certificate.not_after_s
    assert (status.wait, status.take_over_s) == ("the renewal point", None)
    assert status.outage_s is not None
    assert 9 * DAY_S < status.outage_s < 10 * DAY_S
    bench.worker.answers["fetch-ca"], honest = AWAY, bench.worker.answers["fetch-ca"]
    pass_time(bench, 6 * DAY_S)
    status = bench.device.status("abc")
    assert status.wait == "the pause after a failure, 4 h 30 min at most"
    bench.worker.answers["fetch-ca"] = honest
    pass_time(bench, DAY_S)
    status = bench.device.status("abc")
    assert (status.wait, status.take_over_s) == ("its turn", end_s - HOUR_S)
    bench.device.settings.realms["abc"].auto_enroll = None
    bench.device.changed()
    status = bench.device.status("abc")
    assert (status.wait, status.outage_s) == (None, None)
