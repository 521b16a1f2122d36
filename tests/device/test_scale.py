"""A thousand realms: what a start, a save, a display take, in steps and bytes, never in times.

Steps are calls of Python functions: the same on each machine and at each load.
"""

import tracemalloc
from collections.abc import Callable

import pytest

from agent.console.configuration.apply import apply
from agent.console.language import grammar
from agent.console.session.session import Session
from agent.device import reserve
from agent.settings import Settings
from hal import record_codec
from tests.helpers import fleet
from tests.helpers.counted import calls
from tests.helpers.device_bench import Bench
from tests.helpers.loss import typed

FEW, MANY = 200, 400
STEPS_MANY = 2.2  # of twice as many realms, at most


@pytest.fixture(scope="module")
def benches() -> dict[int, Bench]:
    return {count: fleet.saved(count) for count in (FEW, MANY)}


def apply_text(bench: Bench, text: str) -> list[int]:
    ended: list[int] = []
    script = Session(bench.device, lambda _data: None, bench.loop, level=3, terminal=False)
    script.perform(lambda operator: apply(operator, text, dry_run=False), ended.append)
    while not ended:
        bench.turn()
    script.close()
    return ended


ACTS: dict[str, Callable[[Bench], object]] = {
    "start": lambda bench: bench.reboot(),
    "save": lambda bench: bench.device.configuration.save(),
    "statistics": lambda bench: bench.device.system.statistics(),
    "display realms": lambda bench: typed(bench, 3, "display pki realm"),
    "display enrollment": lambda bench: typed(bench, 3, "display pki enrollment"),
    "apply": lambda bench: apply_text(bench, bench.device.configuration.running()),
    "remove": lambda bench: bench.device.configuration.replace(Settings()),
}


@pytest.mark.parametrize("act", ACTS)
def test_twice_as_many_realms_take_twice_as_many_steps(act: str, benches: dict[int, Bench]) -> None:
    steps = {}
    for count in (FEW, MANY):
        bench = Bench(flash=benches[count].flash)
        assert len(bench.device.settings.realms) == count + 1
        steps[count] = calls(lambda bench=bench: ACTS[act](bench))  # type: ignore[misc]
        if act == "remove":
            benches[count] = fleet.saved(count)
    print(f"scale: {act.replace(' ', '-')}={steps[MANY] // MANY} steps a realm")
    assert steps[MANY] <= STEPS_MANY * steps[FEW]


def test_a_start_asks_the_grammar_for_no_line_and_reads_each_block_once(
    benches: dict[int, Bench],
) -> None:
    bench = benches[MANY]
    bench.reboot()
    assert calls(bench.reboot, grammar.match) == 0
    assert calls(bench.reboot, grammar.openings) < 100
    assert calls(bench.reboot, record_codec.decode) < MANY + 20
    assert calls(bench.device.system.statistics, record_codec.decode) == 0
    assert calls(bench.device.system.statistics, reserve.kept_bytes) == 1
    assert list(bench.device.realms) == [], "nobody has asked one for work"


def test_what_a_start_makes_of_the_blocks_is_what_the_grammar_makes_of_the_text(
    benches: dict[int, Bench],
) -> None:
    bench = benches[FEW]
    bench.reboot()
    assert bench.device.configuration.saved() == bench.device.configuration.running()
    wanted = ["#" if not line.strip() else line for line in fleet.text(FEW).splitlines()]
    shown = [line for line in bench.device.configuration.running().splitlines() if line != "#"]
    assert [line for line in shown if line not in ("pki realm default", "return")] == wanted


def test_one_changed_line_is_two_commits_and_less_than_a_kilobyte(
    benches: dict[int, Bench],
) -> None:
    bench = benches[MANY]
    bench.reboot()
    counters = bench.store.counters
    before = counters.syncs, counters.programmed_bytes
    bench.device.settings.realms["site-0123"].url = "http://another.example.com/scep"
    bench.device.configuration.save()
    assert counters.syncs - before[0] == 2
    assert counters.programmed_bytes - before[1] < 1000


def test_an_applied_text_with_one_changed_line_writes_the_same(benches: dict[int, Bench]) -> None:
    bench = benches[FEW]
    bench.reboot()
    text = bench.device.configuration.running()
    assert text.count("/0/1.77\n") == 1
    before = bench.store.counters.programmed_bytes
    bench.worker.jobs.clear()
    assert apply_text(bench, text.replace("/0/1.77\n", "/0/1.78\n")) == [0]
    assert bench.device.settings.realms["site-0077"].source_interface == "GigabitEthernet 0/0/1.78"
    assert bench.store.counters.programmed_bytes - before < 1000
    assert bench.worker.jobs == [], "a sealed password that stays is not tried again"


def test_a_configured_realm_takes_less_than_two_kilobytes(benches: dict[int, Bench]) -> None:
    """What lies in memory behind a start; `make bench` looks at the process."""
    bytes_at = {}
    for count in (FEW, MANY):
        bench = benches[count]
        bench.reboot()
        bench.device.close()
        tracemalloc.start()
        try:
            bench.reboot()
            bytes_at[count] = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
    each = (bytes_at[MANY] - bytes_at[FEW]) // (MANY - FEW)
    print(f"scale: configured={each} bytes a realm")
    assert each < 2048
