"""The engine at a server that is busy, forgetful, or has a new RA."""

import pytest

from agent.enrolment.actions import Deadline, Finish, Stored
from agent.enrolment.states import CaFetched, Granted, Restart, State, Waiting
from hal import records
from tests.helpers.engine_bench import (
    FETCHED,
    ISSUED,
    PINNED,
    RENEWED_RA,
    Bench,
    application,
    authority,
    busy,
    finished,
    kinds,
    network,
    verdict,
)


@pytest.mark.parametrize("code", ["http-busy", "http-empty"])
def test_a_busy_server_is_asked_again_in_the_same_attempt(code: str) -> None:
    bench = Bench()
    bench(application())
    bench(FETCHED)
    record = bench.flash.request
    assert kinds(bench(busy(code=code))) == []
    assert bench.engine.next_deadline() == Deadline(bench.now.monotonic_ns + 2_000_000_000)
    assert kinds(bench.due()) == ["poll"]  # it may have issued all the same
    assert kinds(bench(verdict("ca-badCertId"))) == ["enrol"]
    assert bench.flash.request == record
    bench(Granted(ISSUED, ()))
    assert bench.engine.state is State.ISSUED


@pytest.mark.parametrize(("times", "tries"), [(1, 1), (3, 2)])
def test_never_more_often_than_the_realm_allows(times: int, tries: int) -> None:
    bench = Bench(PINNED._replace(poll_times=times))
    bench(application())
    bench(FETCHED)
    for _try in range(tries):
        bench(busy())
        assert kinds(bench.due()) == ["poll"]
    assert finished(bench(busy())).code == "http-busy"
    assert bench.flash.request is not None
    assert bench.flash.request.phase == "lost"


@pytest.mark.parametrize(("asked_s", "pause_s"), [(7, 7), (30, 30), (31, None)])
def test_retry_after_is_honoured_up_to_its_cap(asked_s: int, pause_s: int | None) -> None:
    bench = Bench()
    bench(application())
    bench(FETCHED)
    actions = bench(busy(asked_s))
    if pause_s is None:
        assert finished(actions).code == "http-busy"
    else:
        assert bench.engine.next_deadline() == Deadline(
            bench.now.monotonic_ns + pause_s * 1_000_000_000
        )


@pytest.mark.parametrize(("asked_s", "pause_s"), [(7, 60), (600, 600), (10**9, 3600)])
def test_a_server_that_asks_to_be_left_alone_uses_up_no_polls(asked_s: int, pause_s: int) -> None:
    bench = pending()
    bench(busy(asked_s))
    assert bench.engine.next_deadline() == Deadline(
        bench.now.monotonic_ns + pause_s * 1_000_000_000
    )
    bench = Bench()
    bench(application())
    bench.cut()  # from here on nobody waits
    bench(busy(asked_s))
    assert bench.engine.state is State.FETCHING
    assert bench.engine.next_deadline() == Deadline(
        bench.now.monotonic_ns + pause_s * 1_000_000_000
    )


def test_busy_while_the_ca_certificates_are_fetched() -> None:
    bench = Bench()
    bench(application())
    bench(busy())
    assert kinds(bench.due()) == ["fetch-ca"]
    assert kinds(bench(FETCHED)) == ["Commit", "enrol"]


def test_a_power_cut_while_it_waits_for_a_busy_server_changes_nothing() -> None:
    bench = Bench()
    bench(application())
    bench(FETCHED)
    record = bench.flash.request
    bench(busy())
    bench.cut()
    assert bench.engine.state is State.RECOVERING
    assert kinds(bench(verdict("ca-badCertId"))) == ["enrol"]
    assert bench.flash.request == record


def pending() -> Bench:
    """A request that waits, at its first poll."""
    bench = Bench()
    bench(application())
    bench(FETCHED)
    bench(Waiting())
    bench.due()
    return bench


@pytest.mark.parametrize(
    "code",
    [
        *("ca-badMessageCheck", "certrep-signer", "http-failed", "http-ndes"),
        *("ca-cannot-encrypt", "ca-pin-missing", "ra-missing", "ra-not-asked", "ra-unusable"),
    ],
)
@pytest.mark.parametrize("restarted", [False, True])
def test_a_poll_that_a_new_ra_cannot_read_is_sent_again_for_it(code: str, restarted: bool) -> None:
    bench = pending()
    if restarted:
        bench = Bench(flash=bench.flash._replace(request=_sent(bench.flash)))
        bench(Restart())
    assert kinds(bench(verdict(code))) == ["fetch-ca"]
    assert kinds(bench(RENEWED_RA)) == ["Commit", "poll"]
    assert bench.flash.ca is not None
    assert len(bench.flash.ca.certificates) == 2
    assert bench.flash.ca.pin_index == 1
    bench(Granted(ISSUED, ()))
    assert bench.engine.state is State.ISSUED


@pytest.mark.parametrize("code", ["ca-cannot-encrypt", "ra-unusable"])
def test_certificates_of_no_use_hold_no_lost_request_for_ever(code: str) -> None:
    """They were refused, and the CA has better ones by now."""
    bench = Bench()
    bench(application())
    bench(FETCHED)
    bench(verdict(code))
    assert kinds(bench(application("t2"))) == ["Commit", "poll"]
    assert kinds(bench(verdict(code))) == ["fetch-ca"]
    assert kinds(bench(RENEWED_RA)) == ["Commit", "poll"]
    assert kinds(bench(verdict("ca-badCertId"))) == ["enrol"]


def test_a_ca_that_has_ended_holds_no_lost_request_for_ever() -> None:
    """The one after it may be there by now."""
    bench = Bench()
    bench(application())
    bench(FETCHED)
    bench(network())
    bench(application("t2"))
    assert kinds(bench(verdict("ca-expired"))) == ["Commit", "fetch-ca"]
    assert bench.flash.request is not None
    assert bench.flash.request.transaction == "t2"


def _sent(flash: Stored) -> records.RequestRecord:
    assert flash.request is not None
    return flash.request._replace(phase="sent")


@pytest.mark.parametrize(
    "fetched", [FETCHED, CaFetched((authority("CN=Other"),), ())], ids=["same", "another CA"]
)
def test_without_new_certificates_a_verdict_is_a_verdict(fetched: CaFetched) -> None:
    bench = pending()
    known = bench.flash.ca
    bench(verdict("ca-badMessageCheck"))
    assert finished(bench(fetched)).code == "ca-badMessageCheck"
    assert (bench.flash.ca, bench.flash.request) == (known, None)


def test_new_certificates_are_looked_for_once_a_poll() -> None:
    bench = pending()
    bench(verdict("certrep-signer"))
    bench(RENEWED_RA)
    bench(verdict("certrep-signer"))
    assert bench.engine.state is State.PENDING
    bench.due()
    assert kinds(bench(verdict("certrep-signer"))) == ["fetch-ca"]
    bench(network())  # no answer to that: the next poll tells
    assert bench.engine.state is State.PENDING


def test_a_ca_that_has_forgotten_what_was_pending_gets_the_same_bytes_again() -> None:
    bench = pending()
    record = bench.flash.request
    assert kinds(bench(verdict("ca-badCertId"))) == ["enrol"]
    assert bench.flash.request == record
    assert not [a for a in bench(Waiting()) if isinstance(a, Finish)]
    bench.due()
    bench(verdict("ca-badCertId"))
    bench(network())  # silence uses up a poll here, too
    assert bench.engine.state is State.PENDING
    bench.due()
    bench(verdict("ca-badCertId"))
    assert finished(bench(Waiting())).code == "poll-exhausted"
