"""Automatic mode by a clock that is wrong: field cases 5 and 6 on a whole device."""

from typing import Any

from agent.errors import fail
from tests.device.test_automatic import DAY_S, HOUR_S, alone, in_use, issue, pass_time, stored
from tests.helpers.device_bench import Answer, Bench, certificate, refuse


def test_a_refusal_for_the_time_ends_with_the_next_set_of_the_clock() -> None:
    """Field case 6: not a day later."""
    bench = alone()
    bench.worker.answers["enrol"] = refuse("ca-badTime", text="")
    pass_time(bench, 5 * DAY_S + HOUR_S)
    asked = bench.worker.ops().count("enrol")
    assert asked >= 2
    bench.worker.answers["enrol"] = issue
    bench.device.system.set_clock(bench.device.wall_s() + 30)
    bench.turn(40)
    assert bench.worker.ops().count("enrol") == asked + 1
    assert bench.device.status("abc").state == "issued"


def test_the_clock_is_behind_what_waits_when_it_starts_in_1970() -> None:
    """Field case 6: the floor is the beginning of the newest certificate, which takes over."""
    bench = alone("auto-enroll 50")
    pass_time(bench, 6 * DAY_S)
    waits = stored(bench).next
    assert waits is not None
    bench.clock.jump(-bench.clock.wall_s())
    bench.clock.is_synchronised = False
    bench.reboot()
    bench.turn(20)
    assert waits.certificate.not_before_s in list(bench.device.realms.issued())
    assert in_use(bench).certificate == waits.certificate


WEEKS_S = 1024 * 7 * DAY_S  # what a receiver counts around


def by_the_right_clock(bench: Bench, behind_s: int) -> Any:
    """A CA whose clock is that far behind the one of the device, and the child's word about it."""

    def answer(job: Answer) -> Answer:
        begin_s = bench.clock.wall_s() - behind_s
        end_s = begin_s + 398 * DAY_S
        leaf = certificate("CN=r1.example", job["transaction"][:8])
        leaf = {**leaf, "not_before_s": begin_s, "not_after_s": end_s}
        late = job["clock_trusted"] and end_s <= job["now_s"]
        doubt = fail("issued-dates", reason="it ended").as_map() if late else None
        return {"status": "issued", "certificate": leaf, "chain": [], "notes": [], "doubt": doubt}

    return answer


def test_a_receiver_that_is_1024_weeks_ahead_costs_one_application_and_no_certificate() -> None:
    """Field case 5 (b). A time that is not likely is believed when it was said for a day."""
    bench = alone()
    first = in_use(bench).certificate.serial
    bench.clock.jump(WEEKS_S)
    bench.worker.answers["enrol"] = by_the_right_clock(bench, WEEKS_S)
    (ca,) = bench.worker.answers["fetch-ca"]["certificates"]
    ca["not_after_s"] += 40 * 365 * DAY_S
    bench.worker.jobs.clear()
    pass_time(bench, 30 * HOUR_S)
    assert bench.device.clock_trusted()
    assert bench.worker.ops().count("enrol") == 1
    waits = stored(bench).next
    assert waits is not None
    assert in_use(bench).certificate.serial == first
    clock = bench.device.system.clock()
    assert "realm abc was issued a certificate" in clock.why
    assert "one of the two clocks is wrong" in clock.why
    assert [line for line in log(bench) if "/LOCAL_EXPIRED:" in line]
    bench.reboot()  # nothing of it is lost
    assert stored(bench).next == waits
    bench.clock.jump(-WEEKS_S)
    bench.advance(1)
    bench.turn(20)
    assert in_use(bench).certificate == waits.certificate
    assert stored(bench).next is None
    assert bench.memory.current("abc", "cert.pem") is not None
    assert bench.worker.ops().count("enrol") == 1
    assert "one of the two clocks" not in bench.device.system.clock().why
    pass_time(bench, HOUR_S)
    assert [line for line in log(bench) if "/LOCAL_VALID:" in line]


def log(bench: Bench) -> list[str]:
    return [line.text for line in bench.device.log_lines()]
