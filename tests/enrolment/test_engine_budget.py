"""The issuance budget is asked where an application begins, and again where its request leaves.

Each request here is answered by a certificate that can never be used, so the next one is new.
"""

import pytest

from agent import limits
from agent.enrolment import automatic
from agent.enrolment.actions import Now, Stored, Wanted
from agent.enrolment.states import Configured, Due, Installed, JobFailed, Restart, State
from agent.errors import PeerError
from hal.records import OutcomeRecord
from tests.helpers.engine_bench import FETCHED, HELD, PINNED, Bench, application, kinds
from tests.helpers.engine_life import DAY_S, HOUR_S

SECOND_NS = 1_000_000_000
AUTO = PINNED._replace(percent=50)
USELESS = JobFailed(PeerError("issued-key", "no", "because", "do", "operator"))


def asked(times: int) -> Bench:
    """A realm without a certificate, whose CA has issued so often for nothing."""
    bench = Bench(AUTO)
    for number in range(times):
        bench(application(f"t{number}", attended=False))
        bench(FETCHED)
        bench(USELESS)
    return bench


def wants(bench: Bench) -> bool:
    return any(isinstance(action, Wanted) for action in bench(Due()))


def sends(bench: Bench, *, attended: bool = False) -> bool:
    """Whether an application that has begun has its request leave."""
    bench(application("next", attended=attended))
    return "enrol" in kinds(bench(FETCHED))


def test_a_setting_ends_the_pause_and_not_the_day() -> None:
    bench = asked(limits.REQUESTS)
    bench(Configured())
    assert not wants(bench)
    bench.wait_ns(DAY_S // 2 * SECOND_NS - 1)
    bench(Configured())
    assert not wants(bench)
    bench.wait_ns(1)
    bench(Configured())
    assert wants(bench)


def test_a_setting_ends_the_pause_while_requests_are_left() -> None:
    bench = asked(limits.REQUESTS - 1)
    bench(Configured())
    assert wants(bench)


def test_an_application_that_began_all_the_same_does_not_have_its_request_leave() -> None:
    bench = asked(limits.REQUESTS)
    assert not sends(bench)
    assert bench.engine.error is not None
    assert bench.engine.error.code == "requests-spent"
    assert bench.engine.stored.outcome is not None
    assert bench.engine.stored.outcome.requests == limits.REQUESTS
    assert not wants(bench)
    assert sends(bench, attended=True), "a person has typed it"


def test_a_clock_that_is_set_back_while_the_set_comes_takes_the_third_request_away() -> None:
    """In the last tenth there are three; behind it the clock says that there is more time."""
    local = HELD._replace(renew_s=HELD.end_s - 100)
    bench = asked(limits.REQUESTS)
    bench.flash = bench.flash._replace(local=local)
    bench.cut()
    assert not sends(bench)
    bench.now = bench.now._replace(wall_s=local.end_s - 10)
    bench(application("last", attended=False))
    bench.now = bench.now._replace(wall_s=local.end_s - 50)
    assert "enrol" not in kinds(bench(FETCHED))
    bench.now = bench.now._replace(wall_s=local.end_s - 10)
    assert sends(bench)


@pytest.mark.parametrize("back_s", [0, 1, 100 * DAY_S])
def test_a_start_does_not_begin_the_day_anew(back_s: int) -> None:
    """Nor where the clock was set back in between: then it ends a day after the first start."""
    bench = asked(limits.REQUESTS)
    bench.now = bench.now._replace(wall_s=bench.now.wall_s - back_s)
    for _start in range(4):
        bench.cut()
        bench(Configured())
        assert not wants(bench)
        bench.wait_ns(DAY_S // 8 * SECOND_NS)
    bench.cut()
    bench(Configured())
    assert wants(bench)


def test_a_start_that_does_not_know_the_time_waits_an_hour() -> None:
    bench = asked(limits.REQUESTS)
    bench.now = bench.now._replace(trusted=False)
    bench.cut()
    bench(Configured())
    bench.wait_ns((HOUR_S - 1) * SECOND_NS)
    assert not wants(bench)
    bench.wait_ns(SECOND_NS)
    assert wants(bench)


def test_a_ca_that_is_brought_does_not_begin_the_count_anew() -> None:
    bench = asked(limits.REQUESTS)
    bench(Installed(ca=bench.flash.ca))
    assert bench.flash.outcome == OutcomeRecord(None, bench.now.wall_s, 0, requests=2)
    assert not wants(bench)


@pytest.mark.parametrize(
    ("asked_ns", "trusted", "free_s"),
    [(40, True, DAY_S // 2 + 40), (None, True, HOUR_S + 7), (40, False, DAY_S // 2 + 40)],
)
def test_the_moment_from_which_another_one_may_leave(
    asked_ns: int | None, trusted: bool, free_s: int
) -> None:
    now = Now(1_800_000_000, 50 * SECOND_NS, trusted)
    at_ns = None if asked_ns is None else asked_ns * SECOND_NS
    pace = automatic.Pace(started_ns=7 * SECOND_NS, asked_ns=at_ns)
    spent = Stored(outcome=OutcomeRecord(None, 0, 1, requests=limits.REQUESTS))
    assert automatic.allowed_ns(spent, AUTO, now, pace) == free_s * SECOND_NS
    assert automatic.allowed_ns(Stored(), AUTO, now, pace) == 0


def test_the_third_one_is_that_of_the_last_tenth() -> None:
    bench = asked(limits.REQUESTS)
    stored = bench.flash._replace(local=HELD._replace(renew_s=HELD.end_s - 100))
    for rest_s, free in ((11, False), (10, True)):
        now = bench.now._replace(wall_s=HELD.end_s - rest_s)
        assert (automatic.allowed_ns(stored, AUTO, now, bench.engine.pace) == 0) is free
    assert bench.engine.state is State.FAILED
    assert not bench(Restart())


def test_what_flash_has_not_taken_has_not_left() -> None:
    bench = asked(limits.REQUESTS - 1)
    for number in range(4):
        bench(application(f"full{number}", attended=False))
        bench.full = True
        bench(FETCHED)
        bench.full = False
    assert bench.engine.stored.outcome is not None
    assert bench.engine.stored.outcome.requests == limits.REQUESTS - 1
    assert sends(bench)
