"""Room for renewals: nobody who fills the store shuts a renewal out, and it is told in time."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.device.reserve import FREE, KEPT, MISSING
from agent.enrolment.actions import Stored
from agent.errors import AgentError
from agent.settings import AutoEnroll
from tests.helpers.device_bench import CONFIGURATION, Waiter, ready, refuse
from tests.helpers.site_bench import GEOMETRIES, HOSTILE, KIB, NAMES, fill_up, site_on

SIZE = st.integers(1, 46 * KIB)
STEPS = st.one_of(
    st.tuples(st.just("key"), st.sampled_from([f"k{n}" for n in range(400)]), SIZE),
    st.tuples(st.just("realm"), st.sampled_from(NAMES)),
    st.tuples(st.just("long_names"), st.sampled_from(NAMES)),
    st.tuples(st.just("automatic"), st.sampled_from(NAMES), SIZE),
    st.tuples(st.just("save"), SIZE),
    st.tuples(st.just("forget"), st.sampled_from(NAMES)),
    st.tuples(
        st.just("bring"), st.sampled_from(["list", "set", *HOSTILE]), st.sampled_from(NAMES), SIZE
    ),
)


@pytest.mark.slow
@pytest.mark.parametrize("geometry", GEOMETRIES)
@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEPS, min_size=10, max_size=60), first=st.integers(1, 6))
def test_whoever_fills_the_store_shuts_no_renewal_out(
    geometry: str, tmp_path: Path, steps: list[tuple[Any, ...]], first: int
) -> None:
    with site_on(geometry, tmp_path) as site:
        for name in NAMES[:first]:
            site.realm(name)
            site.apply(name)
        for verb, *arguments in steps:
            getattr(site, verb)(*arguments)
        if not site.served():
            return
        fill_up(site)
        site.renew_all()
        site.honest()
        for name in NAMES:  # and the CA's enemy does not get further where people stopped
            site.bring("inflated", name, 31 * KIB)
            site.bring("no such CA", name, 50 * KIB)
        site.renew_all()


def test_spare_key_pairs_stop_before_renewals_do(tmp_path: Path) -> None:
    """150 key pairs filled the part, and the next renewal ended in `full`."""
    with site_on("nor 256K", tmp_path) as site:
        site.realm("r0")
        site.apply("r0")
        fill_up(site)
        room = site.device.shared.commits.room()
        assert room.left >= room.kept > 0
        assert site.device.status("r0").store_place == FREE
        assert site.renew_all() == 4


def test_seven_realms_whose_ca_lies_leave_room_for_renewals(tmp_path: Path) -> None:
    """Each stored a set of up to 16 certificates and 32 KiB that nobody has signed."""
    with site_on("four segments", tmp_path) as site:
        site.realm("r0")
        site.apply("r0")
        large = [31 * KIB - number for number in range(7)]  # each another set: equal ones are one
        for number, size in enumerate((*large, 8 * KIB, 4 * KIB, 2 * KIB, KIB, 0)):
            site.realm(f"lie{number}")
            site.bring("lying", f"lie{number}", size)
        assert "store-reserved" in site.refused
        assert site.renew_all() == 4


def test_a_stranger_who_answers_renewals_cannot_use_up_what_is_kept_for_them(
    tmp_path: Path,
) -> None:
    """On the path of six realms that renew: large CA sets, long pages, swallowed replies."""
    with site_on("nor 256K", tmp_path) as site:
        for name in NAMES:
            site.realm(name)
            site.apply(name)
        fill_up(site)
        for size in (31 * KIB, 8 * KIB, 4 * KIB, KIB, 200):
            for name in NAMES:
                site.bring("inflated", name, size)
        assert "store-reserved" in site.refused
        for kind in ("no such CA", "refused", "swallowed"):
            for name in NAMES:
                site.bring(kind, name, 50 * KIB)
        assert site.renew_all() == 4 * len(NAMES)


def test_a_store_that_is_full_can_be_emptied_and_used_again(tmp_path: Path) -> None:
    with site_on("nor 128K", tmp_path) as site:
        site.realm("r0")
        site.apply("r0")
        site.save(1)
        fill_up(site)
        site.refused.clear()
        site.save(190)
        assert site.refused == ["store-reserved"]
        for number in range(1, 4):
            site.do(site.device.destroy_key_pair, f"spare{number}")
        site.refused.clear()
        site.save(199)
        site.realm("r1")
        site.apply("r1")
        assert site.refused == []


def test_a_first_application_is_refused_before_anything_leaves(tmp_path: Path) -> None:
    with site_on("nor 128K", tmp_path) as site:
        for name in ("r0", "r1"):
            site.realm(name)
        site.apply("r0")
        fill_up(site)
        site.bench.worker.jobs.clear()
        waiter = site.apply("r1")
        assert waiter is not None
        assert waiter.code == "store-reserved"
        assert "enrol" not in site.bench.worker.ops()
        assert site.device.status("r1").store_place == MISSING
        assert site.device.realms.runner("r1").engine.stored == Stored()


def test_a_refused_key_pair_is_refused_before_it_is_made(tmp_path: Path) -> None:
    with site_on("nor 128K", tmp_path) as site:
        site.realm("r0")
        site.apply("r0")
        fill_up(site)
        site.bench.worker.jobs.clear()
        with pytest.raises(AgentError, match="are kept for renewals"):
            site.device.create_key_pair("more", 4096, False, site.tell)
        assert site.bench.worker.jobs == []
        site.key("spare1", 1)  # one that is there already may be made anew
        assert site.refused[-1:] == ["store-reserved"]


def test_who_waits_reads_why_the_ca_was_not_reached_though_it_was_not_stored() -> None:
    bench = ready()
    bench.enrol()
    room = bench.device.shared.commits.room()
    for number in range(2):
        bench.store.commit({f"fill/{number}": bytes(40_000)})
    bench.store.commit({"fill/3": bytes(bench.device.shared.commits.room().left - 2 * KIB)})
    bench.worker.answers["enrol"] = refuse("connection-refused", host="192.0.2.9", what="refused")
    assert bench.enrol().code == "connection-refused"
    assert "are kept for renewals" in bench.logged()
    assert room.kept > 0


def test_the_displays_tell_it_before_it_happens() -> None:
    bench = ready()
    bench.enrol()
    found = bench.device.system.statistics()
    room = bench.device.shared.commits.room()
    assert found["store_reserve_bytes"] == room.kept > 0
    assert found["store_free_bytes"] == room.free > 0
    assert not found["store_reserve_reached"]
    assert bench.device.status("abc").store_place == FREE
    for number, (more, place) in enumerate(((room.free + 1, KEPT), (room.kept - KIB, MISSING))):
        value = bytes(min(more, 60_000) - 20)
        bench.store.commit({f"fill/{number}": value})
        rest = more - len(value)
        while rest > 100:
            value = bytes(min(rest, 60_000) - 20)
            bench.store.commit({f"fill/{number}/{rest}": value})
            rest -= len(value)
        bench.store.commit({f"fill/{number}/end": bytes(20)})
        assert bench.device.system.statistics()["store_reserve_reached"]
        assert bench.device.system.statistics()["store_free_bytes"] == 0
        assert bench.device.status("abc").store_place == place
    status = bench.device.status("abc")
    assert status.why.startswith("the certificate is in use, but the store has no room")
    assert "`undo pki realm NAME`" in status.next_step
    waiter = Waiter()
    bench.device.diagnose("abc", waiter.done)
    bench.turn()
    (rows,) = waiter.results
    assert isinstance(rows, list)
    (row,) = [row for row in rows if row.check == "store"]
    assert (row.result, "no room for the next application" in row.detail) == ("failed", True)


def test_the_reserve_is_that_of_the_running_configuration() -> None:
    bench = ready()
    bench.enrol()
    before = bench.device.shared.commits.room().kept
    bench.device.settings.realms["abc"].auto_enroll = AutoEnroll()
    assert bench.device.shared.commits.room().kept > before
    assert CONFIGURATION.count("auto-enroll") == 0
