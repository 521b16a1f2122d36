"""A realm whose source is not there goes on when it comes, and sooner by the table alone."""

from typing import Any

import pytest

from agent.enrolment import waits
from agent.errors import fail
from hal.ports import Interface
from tests.device.test_automatic import AWAY, HOUR_S, alone, issue, pair, pass_time, stored
from tests.helpers.device_bench import CONFIGURATION, Answer, Bench

NOT_THERE = fail("source-missing", what="eth0: the interface is down")
DOWN = Interface("eth0", False, ())
UP = Interface("eth0", True, ("192.0.2.1",))
OTHER = Interface("eth1", True, ("198.51.100.1",))
QUIET_S = 2  # longer than it is quiet after the first message


def without_source(line: str = "source interface eth0", *, deaf: bool = False) -> Bench:
    """A realm that has applied in vain for hours, so that its next pause is one of an hour."""
    bench = Bench()
    bench.link.network, bench.link.deaf = [DOWN], deaf
    bench.worker.answers["enrol"] = issue
    bench.worker.answers["generate-key"] = pair
    bench.worker.answers["fetch-ca"] = found(bench, bench.worker.answers["fetch-ca"])
    auto = f" auto-enroll 50 updated-effective\n {line}\n fingerprint"
    bench.factory = CONFIGURATION.replace(" fingerprint", auto)
    bench.reboot()
    pass_time(bench, 8 * HOUR_S, 60)
    assert bench.device.status("abc").last_error is not None
    return bench


def found(bench: Bench, answer: Any) -> Any:
    """The CA set, as soon as `eth0` has an address of IPv4."""

    def fetch(_job: Answer) -> Any:
        is_there = any("192.0.2.1" in one.addresses for one in bench.link.network if one.up)
        return answer if is_there else NOT_THERE

    return fetch


def tries(bench: Bench) -> int:
    return bench.worker.ops().count("fetch-ca")


def settled(bench: Bench) -> None:
    """The quiet time has passed, and what came of it."""
    bench.turn()
    bench.advance(QUIET_S)
    bench.turn(30)


@pytest.mark.parametrize(
    ("line", "source"),
    [
        ("source interface eth0", "eth0"),
        ("source interface GigabitEthernet0/0/0", "eth0"),
        ("source 192.0.2.1", "192.0.2.1"),
    ],
)
def test_it_applies_when_its_source_comes(line: str, source: str) -> None:
    bench = without_source(line)
    bench.link.become(DOWN, OTHER)  # another interface is none of its business
    before = tries(bench)
    settled(bench)
    assert tries(bench) == before
    bench.link.become(UP, OTHER)
    settled(bench)
    assert stored(bench).local is not None, source
    assert tries(bench) == before + 1


def test_nothing_is_open_where_no_realm_waits() -> None:
    bench = without_source()
    assert bench.link.listeners == 1
    bench.link.become(UP)
    settled(bench)
    assert bench.link.listeners == 0
    assert alone().link.listeners == 0


def test_another_failure_waits_for_nothing() -> None:
    bench = without_source()
    bench.worker.answers["fetch-ca"] = AWAY
    pass_time(bench, 2 * HOUR_S, 60)
    assert bench.device.status("abc").last_error.code == "connection-refused"  # type: ignore[union-attr]
    assert bench.link.listeners == 0


@pytest.mark.parametrize("name", ["auto_enroll", ""], ids=["by hand", "gone"])
def test_a_realm_that_works_no_more_waits_for_nothing(name: str) -> None:
    bench = without_source()
    if name:
        bench.device.settings.realms["abc"].auto_enroll = None
    else:
        del bench.device.settings.realms["abc"]
    bench.device.changed()
    settled(bench)
    assert bench.link.listeners == 0


def test_a_device_that_stops_has_nothing_open() -> None:
    bench = without_source()
    bench.device.close()
    assert bench.link.listeners == 0


def test_a_source_that_came_while_nobody_listened_is_found() -> None:
    """Between the end of an attempt and the opening, or while a try was under way."""
    bench = without_source()
    bench.link.network = [UP]  # nobody tells
    before = tries(bench)
    pass_time(bench, 2 * HOUR_S, 60)
    assert stored(bench).local is not None
    assert tries(bench) == before + 1


def test_a_source_that_does_not_serve_is_tried_once_and_again_when_it_changes() -> None:
    """Its interface has no address of the family that the CA needs."""
    bench = without_source()
    before = tries(bench)
    bench.link.become(UP._replace(addresses=("2001:db8::1",)))
    for _ in range(20):
        settled(bench)
    assert tries(bench) == before + 1
    bench.link.become(UP._replace(addresses=("2001:db8::1", "192.0.2.1")))
    settled(bench)
    assert stored(bench).local is not None


def test_a_source_that_goes_and_comes_again_is_tried_again() -> None:
    bench = without_source()
    wrong = UP._replace(addresses=("2001:db8::1",))
    bench.link.become(wrong)
    settled(bench)
    before = tries(bench)
    for now in (DOWN, wrong):
        bench.link.become(now)
        settled(bench)
    assert tries(bench) == before + 1


def test_a_kernel_that_tells_nothing_leaves_the_table() -> None:
    bench = without_source(deaf=True)
    bench.link.become(UP)
    pass_time(bench, 2 * HOUR_S, 60)
    assert stored(bench).local is not None


def test_the_display_says_what_is_waited_for() -> None:
    bench = without_source()
    said = bench.device.status("abc").wait
    assert said is not None
    assert said.startswith(waits.ADDRESS)


def test_a_herd_waits_for_its_turns_but_no_longer_than_the_table() -> None:
    bench = without_source()
    bench.device.shared.hardware = bench.hardware._replace(herd_s=300)
    before = tries(bench)
    bench.link.become(UP)
    settled(bench)
    assert tries(bench) == before
    pass_time(bench, 300, 10)
    assert stored(bench).local is not None
    assert tries(bench) == before + 1
