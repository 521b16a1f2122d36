"""The ledger of the reserve: what it is told key by key is what a look at all of them finds."""

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.device import reserve
from agent.device.casets import CaSets
from agent.device.reserve import Ledger
from tests.helpers.counted import calls
from tests.helpers.device_bench import Bench, Waiter, ready

KEYS = st.sampled_from(
    [f"realm/{name}/{part}" for name in "ab" for part in ("local", "request", "ca", "crl", "next")]
    + [f"key/k{name}/{generation}" for name in (1, 2) for generation in (1, 2)]
    + ["config", "key/odd", "realm/a"]
)
CHANGES = st.lists(st.tuples(KEYS, st.integers(0, 3)), max_size=20)


@settings(deadline=None)
@given(CHANGES)
def test_change_by_change_or_all_at_once(changes: list[tuple[str, int]]) -> None:
    ledger, sizes = Ledger(()), {}
    for key, size in changes:
        ledger.put([(key, size)])
        sizes[key] = size
    whole = Ledger((key, size) for key, size in sizes.items() if size)
    assert (ledger.local, ledger.requests, ledger.cas) == (whole.local, whole.requests, whole.cas)
    assert set(ledger.served) == set(whole.served)
    assert [ledger.pair(name) for name in ("k1", "k2", "odd", None)] == [
        whole.pair(name) for name in ("k1", "k2", "odd", None)
    ]


def test_of_a_device_it_stays_right_whoever_writes() -> None:
    bench = ready()
    commits = bench.device.shared.commits

    def check() -> None:
        room = commits.room()
        again = Bench(bench.factory, bench.flash).device.shared.commits.room()
        assert (room.used, room.kept) == (again.used, again.kept)

    check()
    bench.enrol()
    check()
    bench.enrol()
    bench.key("k2")
    check()
    bench.store.commit({"key/k2/1": None, "realm/abc/ca": None})  # past the device
    check()
    bench.device.system.wipe()
    check()
    waiter = Waiter()
    bench.device.system.erase(waiter.done)
    bench.turn(200)
    assert waiter.results == [None]
    check()


def test_keys_are_counted_once_and_the_reserve_once_for_many_displays() -> None:
    bench = ready()
    bench.enrol()
    device = bench.device
    assert device.status("abc").store_place == "free"
    assert calls(lambda: [device.status("abc") for _ in range(50)], reserve.kept) == 0
    assert calls(lambda: device.shared.commit({"fill": b"x"}), Ledger.__init__) == 0
    assert calls(lambda: device.status("abc"), reserve.kept) == 0  # nothing that it is counted from
    device.shared.commit({"realm/abc/ca": None})
    assert calls(lambda: [device.status("abc") for _ in range(50)], reserve.kept) == 1
    device.changed()
    assert calls(lambda: device.status("abc"), reserve.kept) == 1
    assert calls(bench.enrol, Ledger.__init__) == 0


def test_a_move_of_the_store_has_nothing_counted_anew() -> None:
    """It changes no value; to read what each of a thousand realms holds is a long turn."""
    bench = ready()
    bench.enrol()
    bench.store.compact()
    assert calls(bench.enrol, Ledger.__init__) == 0
    bench.store.compact()
    assert calls(bench.enrol, CaSets.count) == 0
