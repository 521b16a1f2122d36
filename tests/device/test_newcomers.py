"""New realms that apply by themselves: how many at a time, and in which order."""

from agent import limits
from agent.appliance import Done
from agent.device.newcomers import Newcomers
from tests.helpers.device_bench import Bench


class Line:
    """Newcomers whose applications end when a test says so."""

    def __init__(self) -> None:
        self._bench = Bench()
        self.begun: list[str] = []
        self.gone: set[str] = set()  # new no more
        self.stays_new = False
        self._ends: dict[str, Done[None]] = {}
        self.newcomers = Newcomers(
            self._bench.device.shared, lambda name: name not in self.gone, self._apply
        )

    def _apply(self, name: str, done: Done[None]) -> None:
        self.begun.append(name)
        self.gone |= set() if self.stays_new else {name}
        self._ends[name] = done

    def start(self, herd_s: int = 0) -> None:
        self.newcomers.start(herd_s)
        self._bench.turn()

    def advance(self, seconds: int) -> None:
        self._bench.advance(seconds)

    def end(self, name: str) -> None:
        self._ends.pop(name)(None)
        self._bench.turn()


def of(ca: str, count: int) -> list[str]:
    return [f"{ca}{number}" for number in range(count)]


def test_a_few_are_at_work_in_their_order_and_each_end_makes_room() -> None:
    line, names = Line(), of("r", 20)
    for name in names:
        line.newcomers.add(name, "ca")
    line.newcomers.look()
    assert not line.begun, "the boot begins"
    line.start()
    few = limits.NEWCOMERS_AT_ONCE
    assert line.begun == names[:few]
    line.end(names[3])
    assert line.begun == names[: few + 1]
    for name in names:
        line.end(name) if name != names[3] else None
    assert line.begun == names


def test_a_herd_does_not_begin_in_the_second_of_the_start() -> None:
    line = Line()
    line.newcomers.add("r", "ca")
    line.start(herd_s=300)
    assert line.begun == []
    line.advance(300)
    assert line.begun == ["r"]


def test_what_a_person_configures_behind_the_start_need_not_wait_for_a_herd() -> None:
    line = Line()
    line.start(herd_s=300)
    line.newcomers.add("r", "ca")
    line.newcomers.look(limits.QUIET_S)
    line.advance(limits.QUIET_S - 1)
    assert line.begun == []
    line.advance(1)
    assert line.begun == ["r"]


def test_one_that_is_new_no_more_takes_no_place() -> None:
    line = Line()
    line.gone.add("r0")
    for name in of("r", 20):
        line.newcomers.add(name, "ca")
    line.newcomers.add("r1", "moved")
    line.start()
    assert len(line.begun) == len(set(line.begun)) == limits.NEWCOMERS_AT_ONCE
    assert "r0" not in line.begun


def test_one_whose_key_pair_is_being_made_does_not_begin_once_more() -> None:
    """It is new until it has a key pair, and each line that is typed has it looked at."""
    line = Line()
    line.stays_new = True
    for ca in ("", "ca"):
        line.newcomers.add("r", ca)
    line.start()
    line.newcomers.add("r", "ca")
    line.newcomers.look()
    line.advance(1)
    assert line.begun == ["r"]
    line.end("r")
    line.newcomers.add("r", "ca")
    line.newcomers.look()
    line.advance(1)
    assert line.begun == ["r", "r"]


def test_a_ca_that_answers_nothing_holds_up_its_own_alone() -> None:
    line = Line()
    for name in of("dead", 100):
        line.newcomers.add(name, "dead")
    for name in of("good", 50):
        line.newcomers.add(name, "good")
    line.start()
    for name in of("good", 50):
        line.end(name)
    assert [name for name in line.begun if name.startswith("good")] == of("good", 50)


def test_each_of_many_cas_has_its_turn() -> None:
    line, cas = Line(), [f"ca{number}-" for number in range(3 * limits.NEWCOMERS_AT_ONCE)]
    for ca in cas:
        for name in of(ca, 5):
            line.newcomers.add(name, ca)
    line.start()
    for at in range(len(cas) - limits.NEWCOMERS_AT_ONCE):
        line.end(line.begun[at])
    assert line.begun == [f"{ca}0" for ca in cas]
