"""Attempts that nobody waits for: what they write, and what follows when flash takes nothing."""

from itertools import cycle, islice
from typing import Any

import pytest

from agent import limits
from agent.enrolment.actions import Deadline, Stored
from agent.enrolment.states import Abort, Due, Granted, JobFailed, Restart, State, Waiting
from agent.errors import fail
from tests.helpers.engine_bench import (
    FETCHED,
    HELD,
    ISSUED,
    MINUTE,
    PINNED,
    Bench,
    again,
    application,
    finished,
    kinds,
    network,
    verdict,
)

ONCE = PINNED._replace(poll_times=1)
AWAY = (
    fail("connection-refused", host="ca", what="x"),
    fail("connection-timeout", host="ca", what="x"),
    fail("http-failed", status=502, reason="Bad Gateway", page="-"),
    fail("ca-set-malformed", reason="no certificates", page="a page"),
    fail("http-empty", status=200),
)


def attempt(bench: Bench, error: Any, number: int = 0) -> None:
    """One that fails; where nobody waits, nothing is tried again within an attempt."""
    bench(application(f"t{number}", attended=False))
    for _job in range(4):  # a poll that is answered by anything has the request sent again
        if bench.engine.state is not State.FAILED:
            bench(JobFailed(error))
    assert bench.engine.state is State.FAILED


def test_nothing_is_written_before_the_request_leaves() -> None:
    bench = Bench()
    bench(application(attended=False))
    assert (bench.writes, bench.engine.state) == (0, State.FETCHING)
    assert bench.engine.request is not None
    actions = bench(FETCHED)
    assert kinds(actions)[:2] == ["Commit", "enrol"]
    assert bench.flash.request is not None
    assert (bench.flash.request.phase, bench.flash.request.attended) == ("sent", False)
    bench(Granted(ISSUED, ()))
    assert (bench.writes, bench.engine.state) == (2, State.ISSUED)


def test_a_certificate_of_minutes_is_renewed_again_and_again() -> None:
    """Who is asked to apply has an hour for it; an application that ends well ends that hour."""
    bench = Bench(PINNED._replace(percent=50, at_once=True))
    bench(Restart())
    for number in range(5):
        assert kinds(bench.due()) == ["Wanted"]
        bench(application(f"t{number}", attended=False))
        bench(FETCHED)
        leaf = ISSUED._replace(
            der=f"leaf {number}".encode(),
            serial=f"{number:02x}",
            not_before_s=bench.now.wall_s,
            not_after_s=bench.now.wall_s + 180,
        )
        bench(Granted(leaf, ()))


def test_a_power_cut_before_that_leaves_what_was() -> None:
    bench = Bench(flash=Stored(local=HELD))
    bench(again(attended=False))
    bench.cut()
    assert (bench.engine.state, bench.engine.request) == (State.ISSUED, None)


def test_a_person_waits_so_the_application_is_written_and_goes_on_after_a_cut() -> None:
    bench = Bench()
    bench(application())
    assert bench.writes == 1
    bench.cut()
    assert bench.engine.state is State.FETCHING


def test_a_hundred_failures_of_one_kind_are_one_write() -> None:
    bench = Bench(ONCE)
    for number in range(100):
        attempt(bench, AWAY[0], number)
    assert bench.writes == 1
    assert bench.flash.outcome is not None
    assert bench.engine.stored.outcome is not None
    assert (bench.flash.outcome.attempts, bench.engine.stored.outcome.attempts) == (1, 100)


@pytest.mark.parametrize("lost", [False, True])
def test_a_month_without_the_ca_is_a_hundred_writes_at_most(lost: bool) -> None:
    """An attempt each ten minutes, and each fails in another way; also where a request had left."""
    bench = Bench(ONCE)
    if lost:
        bench(application(attended=False))
        bench(FETCHED)
        bench(JobFailed(AWAY[1]))
        assert bench.flash.request is not None
        assert bench.flash.request.phase == "lost"
    bench.writes = 0
    for number, error in enumerate(islice(cycle(AWAY), 30 * 24 * 6)):
        attempt(bench, error, number)
        bench.wait_ns(10 * MINUTE)
    assert 60 <= bench.writes <= 100
    assert (bench.engine.request is not None) is lost


def test_the_lost_request_of_a_device_alone_is_asked_for_without_a_write() -> None:
    bench = Bench(ONCE)
    bench(application(attended=False))
    bench(FETCHED)
    bench(network())
    bench.writes = 0
    assert kinds(bench(application("t2", attended=False))) == ["poll"]
    bench(Waiting())
    assert bench.flash.request is not None
    assert (bench.flash.request.phase, bench.flash.request.transaction) == ("pending", "t1")
    assert bench.writes == 1


def test_a_new_request_leaves_the_older_one_in_flash_until_it_leaves() -> None:
    bench = Bench(ONCE)
    bench(application(attended=False))
    bench(FETCHED)
    bench(network())
    bench(application("t2", attended=False, key=2))
    assert bench.engine.request is not None
    assert bench.engine.request.transaction == "t2"
    bench(network())
    assert bench.engine.request is not None
    assert bench.engine.request.transaction == "t1"  # the CA may still answer it


def test_the_operator_ends_what_was_never_written() -> None:
    bench = Bench()
    bench(application(attended=False))
    assert finished(bench(Abort())).code == "request-aborted"
    assert (bench.engine.state, bench.engine.request) == (State.NOTHING, None)


def test_a_certificate_that_a_person_has_asked_for_may_end_as_the_one_before_also_later() -> None:
    """It is the request that knows: the power may have failed since."""
    held = HELD._replace(ends_as_before=True)
    same = ISSUED._replace(not_after_s=held.certificate.not_after_s)
    for attended, state in ((True, State.ISSUED), (False, State.FAILED)):
        bench = Bench(flash=Stored(local=held))
        bench(again(attended=attended))
        bench(FETCHED)
        bench.cut()
        bench(Granted(same, ()))
        assert bench.engine.state is state


# -- a commit that fails ---------------------------------------------------------------------------


def test_what_flash_refuses_is_tried_again_by_the_clock_and_later_each_time() -> None:
    bench = Bench(flash=Stored(local=HELD))
    bench(again())
    bench(FETCHED)
    bench.full = True
    pauses = []
    for _ in range(9):
        bench(Granted(ISSUED, ()))  # the CA answers the poll each time
        assert bench.engine.state is State.FAILED
        assert bench.engine.error is not None
        assert bench.engine.error.code == "store-failed"
        pauses.append((bench.engine.next_deadline().monotonic_ns or 0) - bench.now.monotonic_ns)
        assert kinds(bench.due()) == ["poll"]
        assert bench.engine.state is State.RECOVERING
    minutes = [pause_ns // MINUTE for pause_ns in pauses]
    assert minutes == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    bench.full = False
    bench(Granted(ISSUED, ()))
    assert bench.flash.local is not None
    assert bench.flash.local.certificate == ISSUED


def test_after_a_commit_that_flash_has_taken_the_pauses_begin_anew() -> None:
    bench = Bench()
    bench(application())
    bench.full = True
    for _ in range(3):
        bench(FETCHED)
        bench.due()
    bench.full = False
    bench(FETCHED)
    bench.full = True
    bench(Granted(ISSUED, ()))
    pause = Deadline(bench.now.monotonic_ns + limits.STORE_AGAIN_S * 1_000_000_000)
    assert bench.engine.next_deadline() == pause


def test_what_fails_beside_a_full_flash_is_kept_in_memory() -> None:
    bench = Bench(ONCE)
    bench.full = True
    attempt(bench, AWAY[0])
    assert bench.engine.error is not None
    assert bench.engine.error.code == "connection-refused"
    assert bench.flash == Stored()


def test_pending_asks_on_when_flash_does_not_take_the_count_of_its_polls() -> None:
    bench = Bench()
    bench(application())
    bench(FETCHED)
    bench(Waiting())
    bench.full = True
    bench.due()
    assert bench.engine.state is State.PENDING
    assert bench.engine.next_deadline() == Deadline(bench.now.monotonic_ns + MINUTE)


def test_a_deadline_that_came_too_late_does_nothing_at_rest() -> None:
    bench = Bench()
    bench(application())
    bench(verdict("ca-no-ca"))
    assert bench(Due()) == []
    assert bench.engine.state is State.FAILED
