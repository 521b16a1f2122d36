"""Starts that ended without order: a realm that is always at the same step then rests."""

import pytest

from agent.device.starts import ENDS, REST_S
from hal import record_keys
from hal.fakes.flash import PROGRAM_ERROR
from tests.helpers.device_bench import START_S, Bench, certificate, ready

SAID = "the agent ended 3 times in a row while this realm was at this step"


def pending(bench: Bench | None = None) -> Bench:
    """A device whose request the CA has not decided."""
    bench = bench or ready()
    bench.worker.answers["enrol"] = {"status": "pending", "notes": []}
    assert bench.enrol().code is None
    bench.worker.jobs.clear()
    return bench


def cut(bench: Bench, times: int) -> None:
    """So many ends without order."""
    for _ in range(times):
        bench.reboot()
        bench.worker.jobs.clear()


def polls(bench: Bench, seconds: int) -> int:
    """How many the realm sends in this time from now on."""
    bench.worker.jobs.clear()
    bench.advance(seconds)
    return bench.worker.ops().count("poll")


def test_three_ends_at_one_step_make_it_rest_ten_minutes_and_say_so() -> None:
    bench = pending()
    cut(bench, ENDS - 1)
    assert polls(bench, 61) == 1
    bench.reboot()
    assert f"PKI/4/REALM_RESTS: realm abc: {SAID}" in bench.logged()
    status = bench.device.status("abc")
    assert (status.state, status.next_s) == ("pending", bench.device.wall_s() + REST_S)
    assert SAID in status.why
    assert "`pki abort-request realm abc`" in status.next_step
    assert polls(bench, REST_S - 1) == 0
    bench.advance(1)
    assert SAID not in bench.device.status("abc").why
    assert polls(bench, 61) == 1


def test_it_rests_again_after_each_further_end() -> None:
    bench = pending()
    cut(bench, ENDS)
    bench.advance(REST_S)
    assert polls(bench, 61) == 1
    bench.reboot()
    assert polls(bench, REST_S - 1) == 0


@pytest.mark.parametrize(("left_s", "rest_s"), [(100_000, 600), (4000, 400), (95, 9), (5, 0)])
def test_a_certificate_that_ends_soon_shortens_the_rest(left_s: int, rest_s: int) -> None:
    """A tenth of what is left: no rest lets a certificate lapse."""
    bench = ready()
    short = {**certificate("CN=r1.example"), "not_after_s": START_S + left_s}
    bench.worker.answers["enrol"] = {
        "status": "issued", "certificate": short, "chain": [], "notes": [],
    }  # fmt: skip
    bench.enrol()
    pending(bench)
    cut(bench, ENDS)
    status = bench.device.status("abc")
    assert (SAID in status.why) == bool(rest_s)
    if rest_s:
        assert status.next_s == START_S + rest_s


@pytest.mark.parametrize("why", ["ended", "clock"])
def test_where_nobody_knows_what_is_left_it_is_ten_minutes(why: str) -> None:
    bench = ready()
    bench.enrol()
    pending(bench)
    bench.clock.jump(400 * 86400 if why == "ended" else -bench.clock.wall_s())
    cut(bench, ENDS)
    status = bench.device.status("abc")
    assert status.next_s == bench.device.wall_s() + REST_S


def test_cuts_at_different_steps_do_not_count() -> None:
    """Five ends, and the application goes on between them: fetching, sent, pending."""
    bench = ready()
    fetched = bench.worker.answers["fetch-ca"]
    bench.worker.answers.update({"fetch-ca": None, "enrol": None, "poll": None})  # silence
    bench.enrol()
    assert bench.device.status("abc").state == "getting the CA certificates"
    bench.worker.answers["fetch-ca"] = fetched
    cut(bench, 2)
    bench.worker.answers["poll"] = {"status": "pending", "notes": []}
    cut(bench, 3)
    assert "REALM_RESTS" not in bench.logged()
    assert bench.device.status("abc").state == "pending"


def test_a_stop_in_order_forgets() -> None:
    bench = pending()
    for _ in range(4):
        cut(bench, ENDS - 1)
        bench.device.starts.end()
        bench.reboot()
        assert "REALM_RESTS" not in bench.logged()
    bench.device.applications.abort("abc")
    bench.device.starts.end()
    assert bench.store.get(record_keys.starts_key()) is None


def test_another_transaction_is_another_step() -> None:
    bench = pending()
    cut(bench, ENDS)
    bench.device.applications.abort("abc")
    bench.enrol()
    bench.reboot()
    assert "REALM_RESTS" not in bench.logged()


def test_a_realm_that_rests_may_be_given_up_and_applied_for_anew() -> None:
    """The end of the rest finds another request, and leaves it alone."""
    bench = pending()
    cut(bench, ENDS)
    bench.device.applications.abort("abc")
    assert SAID not in bench.device.status("abc").why
    bench.enrol()
    assert SAID not in bench.device.status("abc").why
    before = bench.worker.ops()
    bench.clock.advance((REST_S - 60) * 1_000_000_000)
    assert before == ["fetch-ca", "enrol"]
    bench.advance(61)
    assert bench.device.status("abc").state == "pending"


def test_a_start_costs_one_small_commit_and_only_where_a_realm_is_under_way() -> None:
    bench = ready()
    bench.enrol()
    for _ in range(3):
        bench.reboot()
        assert bench.store.counters.programs == 0
    bench = pending(bench)
    for count in (1, 1, 1, 0, 0):
        bench.reboot()
        assert bench.store.counters.programs == count
        assert bench.store.counters.programmed_bytes <= 64 * count


def test_a_flash_that_takes_no_count_stops_nothing() -> None:
    bench = pending()
    for block in range(bench.flash.block_count):
        bench.flash.spoil(block, PROGRAM_ERROR)
    bench.device.starts.begin(["abc"])
    bench.device.starts.end()
    assert "STORE_ERR" in bench.logged()


@pytest.mark.parametrize(
    "value", [5, {"v": 1}, {"v": 1, "ends": [b"", b"abcd"], "in_order": False}]
)
def test_counts_that_nobody_can_read_begin_anew(value: object) -> None:
    bench = pending()
    cut(bench, ENDS)
    bench.store.commit({record_keys.starts_key(): value})
    bench.reboot()
    assert "REALM_RESTS" not in bench.logged()
