"""A thousand realms: what a start, a save, a display take, in steps and bytes, never in times.

Steps are calls of Python functions: the same on each machine and at each load.
"""

import gc
import tracemalloc
from collections.abc import Callable

import pytest

from agent.console.configuration.apply import How, apply
from agent.console.language import grammar
from agent.console.language.paths import Paths
from agent.console.session.session import Session
from agent.device import reserve
from agent.pieces import at_once
from agent.settings import Settings
from hal import cbor, record_codec
from hal.fakes.flash import FakeFlash
from tests.helpers import fleet
from tests.helpers.counted import calls
from tests.helpers.device_bench import CONFIGURATION, Answer, Bench
from tests.helpers.loss import typed

FEW, MANY = 200, 400
STEPS_MANY = 2.2  # of twice as many realms, at most
CONFIGURED_BYTES, ENROLLED_BYTES = 1300, 6500  # at most, of the objects of a realm
OWN_LINES = 4  # of a realm: name, interface, password, fingerprint
NOTES = ("hal/fakes/*", "tests/*", "agent/log.py")
DER_BYTES = 900  # of a certificate for an RSA-2048 key


@pytest.fixture(scope="module")
def benches() -> dict[int, Bench]:
    return {count: fleet.saved(count) for count in (FEW, MANY)}


def running(bench: Bench) -> str:
    return "".join(f"{line}\n" for line in bench.device.configuration.running())


def apply_text(bench: Bench, text: str) -> list[int]:
    ended: list[int] = []
    script = Session(bench.device, lambda _data: None, bench.loop, level=3, terminal=False)
    script.perform(lambda operator: apply(operator, text, How()), ended.append)
    while not ended:
        bench.turn()
    script.close()
    return ended


ACTS: dict[str, Callable[[Bench], object]] = {
    "start": lambda bench: bench.reboot(),
    "save": lambda bench: at_once(bench.device.configuration.save()),
    "statistics": lambda bench: bench.device.system.statistics(),
    "display realms": lambda bench: typed(bench, 3, "display pki realm"),
    "display enrollment": lambda bench: typed(bench, 3, "display pki enrollment"),
    "apply": lambda bench: apply_text(bench, running(bench)),
    "remove": lambda bench: bench.replace(Settings()),
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
    assert calls(bench.reboot, cbor.loads) < MANY + 40, "equal copies are decoded once"
    assert calls(bench.reboot, Paths._match) < (OWN_LINES + 1) * MANY, "others are known"
    assert calls(bench.device.system.statistics, record_codec.decode) == 0
    bench.device.changed()
    assert calls(bench.device.system.statistics, reserve.kept) == 1
    assert list(bench.device.realms) == [], "nobody has asked one for work"


def test_what_a_start_makes_of_the_blocks_is_what_the_grammar_makes_of_the_text(
    benches: dict[int, Bench],
) -> None:
    bench = benches[FEW]
    bench.reboot()
    assert at_once(bench.device.configuration.saved()) == running(bench).splitlines()
    wanted = ["#" if not line.strip() else line for line in fleet.text(FEW).splitlines()]
    shown = [line for line in running(bench).splitlines() if line != "#"]
    assert [line for line in shown if line not in ("pki realm default", "return")] == wanted


def test_one_changed_line_is_two_commits_and_less_than_a_kilobyte(
    benches: dict[int, Bench],
) -> None:
    bench = benches[MANY]
    bench.reboot()
    counters = bench.store.counters
    before = counters.syncs, counters.programmed_bytes
    bench.device.settings.realms["site-0123"].url = "http://another.example.com/scep"
    at_once(bench.device.configuration.save())
    assert counters.syncs - before[0] == 2
    assert counters.programmed_bytes - before[1] < 1000


def test_an_applied_text_with_one_changed_line_writes_the_same(benches: dict[int, Bench]) -> None:
    bench = benches[FEW]
    bench.reboot()
    text = running(bench)
    assert text.count("/0/1.77\n") == 1
    before = bench.store.counters.programmed_bytes
    bench.worker.jobs.clear()
    assert apply_text(bench, text.replace("/0/1.77\n", "/0/1.78\n")) == [0]
    assert bench.device.settings.realms["site-0077"].source_interface == "GigabitEthernet0/0/1.78"
    assert bench.store.counters.programmed_bytes - before < 1000
    assert bench.worker.jobs == [], "a sealed password that stays is not tried again"


def traced(bench: Bench, turns: int) -> int:
    """The bytes in memory behind a start, but for what fakes and the log note down of it."""
    bench.reboot()
    bench.device.close()
    tracemalloc.start()
    try:
        bench.reboot()
        bench.turn(turns)
        bench.worker.jobs.clear()
        bench.jobs.started.clear()
        gc.collect()
        snapshot = tracemalloc.take_snapshot()
    finally:
        tracemalloc.stop()
    notes = [tracemalloc.Filter(False, f"*/{file}") for file in NOTES]
    return sum(one.size for one in snapshot.filter_traces(notes).statistics("filename"))


def test_a_configured_realm_takes_little(benches: dict[int, Bench]) -> None:
    """What lies in memory behind a start; `make bench` looks at the process."""
    bytes_at = {count: traced(benches[count], 0) for count in (FEW, MANY)}
    each = (bytes_at[MANY] - bytes_at[FEW]) // (MANY - FEW)
    print(f"scale: configured={each} bytes a realm")
    assert each < CONFIGURED_BYTES


def enrolled(count: int) -> Bench:
    """Realms with a certificate of an usual size each, whose consumers have it."""
    realm = CONFIGURATION[CONFIGURATION.index("pki realm abc") :].removesuffix("return\n")
    blocks = (realm.replace("abc", fleet.name(number)) for number in range(count))
    bench = Bench(flash=FakeFlash(fleet.BLOCK, 4 * fleet.MIB // fleet.BLOCK))
    bench.key()
    bench.factory = CONFIGURATION.removesuffix("return\n") + "".join(blocks) + "return\n"
    bench.reboot()
    issue = bench.worker.answers["enrol"]

    def issued(job: Answer) -> Answer:
        answer: Answer = issue(job)
        answer["certificate"]["der"] = answer["certificate"]["der"].ljust(DER_BYTES)
        return answer

    bench.worker.answers["enrol"] = issued
    assert bench.enrol().code is None
    bench.store.commit(fleet.copied(bench.store, "abc", count))
    at_once(bench.device.configuration.save())
    bench.keeps_folders = True
    bench.reboot()
    bench.turn(8 * count)
    return bench


def test_an_enrolled_realm_takes_little() -> None:
    """Its certificate and the rest of what its engine works on; all other values stay on flash."""
    bytes_at = {}
    for count in (FEW // 4, MANY // 4):
        bench = enrolled(count)
        bytes_at[count] = traced(bench, 8 * count)
        runners = list(bench.device.realms)
        assert len(runners) == count + 1
        assert not any(runner.use.under_way for runner in runners)
    each = (bytes_at[MANY // 4] - bytes_at[FEW // 4]) * 4 // (MANY - FEW)
    print(f"scale: enrolled={each} bytes a realm")
    assert each < ENROLLED_BYTES
