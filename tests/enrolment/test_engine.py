"""The engine: whole conversations with a scripted CA, and every power cut."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.enrolment.actions import NEVER, Activate, CancelJob, Deadline, Policy, Report, Stored
from agent.enrolment.engine import Refused
from agent.enrolment.states import (
    Abort,
    CaAnswered,
    CaFetched,
    Due,
    Granted,
    Installed,
    State,
    Waiting,
    is_under_way,
)
from hal import records
from tests.helpers.engine_bench import (
    FETCHED,
    ISSUED,
    MINUTE,
    PINNED,
    RENEWABLE,
    RENEWED_RA,
    T0,
    Bench,
    again,
    application,
    authority,
    busy,
    finished,
    kinds,
    network,
    verdict,
)


def test_manual_application_from_nothing_to_issued() -> None:
    bench = Bench()
    assert kinds(bench(application())) == ["Commit", "fetch-ca"]
    assert kinds(bench(FETCHED)) == ["Commit", "enrol"]
    assert kinds(bench(Granted(ISSUED, (b"CN=CA",)))) == ["Commit", "Activate", "Finish"]
    assert bench.trace == ["FETCHING", "SENT", "ISSUED"]
    local = bench.flash.local
    assert local is not None
    assert (local.certificate, local.key, local.generation) == (ISSUED, "k1", 1)
    assert bench.flash.request is None
    assert bench.flash.ca is not None
    assert (bench.flash.ca.pin, bench.flash.ca.trusted_by) == ("sha256 CN=CA", "fingerprint")


def test_an_ra_with_its_purpose_is_remembered_with_the_certificate_that_came_through_it() -> None:
    bench = Bench()
    bench(application())
    bench(FETCHED)
    assert bench.flash.ca is not None
    assert not bench.flash.ca.ra_proven
    assert kinds(bench(Granted(ISSUED, (), ra_proven=True))) == ["Commit", "Activate", "Finish"]
    assert bench.flash.ca.ra_proven
    bench(application())
    bench(FETCHED)  # another set of the same CA
    assert bench.flash.ca.ra_proven


def test_pending_polls_by_interval_and_ends_after_times() -> None:
    bench = Bench()
    bench(application())
    bench(FETCHED)
    assert finished(bench(Waiting())) is None
    for poll in range(1, 4):
        assert bench.engine.next_deadline() == Deadline(bench.now.monotonic_ns + MINUTE)
        assert kinds(bench.due()) == ["Commit", "poll"]
        assert bench.flash.request is not None
        assert bench.flash.request.polls == poll
        last = bench(Waiting())
        said = [a.text for a in last if isinstance(a, Report)]
        ended = "the CA has not decided after 3 polls"
        assert said == [ended if poll == 3 else f"PENDING: poll {poll} of 3"]
    assert bench.engine.state is State.FAILED
    assert finished(last).code == "poll-exhausted"
    assert bench.flash.request is not None
    assert bench.flash.request.phase == "lost"


def test_applying_again_asks_for_the_lost_answer_first() -> None:
    bench = Bench()
    bench(application("t1"))
    bench(FETCHED)
    assert finished(bench(network())).code == "job-deadline"
    assert kinds(bench(application("t2"))) == ["Commit", "poll"]
    assert kinds(bench(verdict("ca-badCertId"))) == ["enrol"]
    assert bench.flash.request is not None
    assert bench.flash.request.transaction == "t1"
    # The old request is refused for good: now the new one is begun, without a further command.
    assert kinds(bench(verdict())) == ["Commit", "fetch-ca"]
    assert bench.flash.request.transaction == "t2"
    bench(FETCHED)
    bench(Granted(ISSUED, ()))
    assert bench.engine.state is State.ISSUED


def test_a_corrected_password_is_used_once_the_ca_has_nothing_for_the_old_request() -> None:
    """A server that says HTTP 500 to a wrong challenge must not lock the old one in."""
    bench = Bench()
    bench(application("t1"))
    bench(FETCHED)
    bench(verdict("http-failed"))
    right = application("t2")._replace(password="sealed and right")
    assert kinds(bench(right)) == ["Commit", "poll"]
    assert kinds(bench(verdict("http-failed"))) == ["Commit", "fetch-ca"]
    assert bench.flash.request is not None
    assert (bench.flash.request.transaction, bench.flash.request.password) == (
        "t2",
        "sealed and right",
    )


def test_a_request_without_an_answer_can_be_given_up() -> None:
    bench = Bench()
    bench(application("t1"))
    bench(FETCHED)
    bench(network())
    bench(Abort())
    assert bench.flash.request is None


def test_so_it_can_after_the_operator_has_brought_the_certificates_of_the_ca() -> None:
    """They end the failure, and the request that got no answer is still there."""
    bench = Bench()
    bench(application("t1"))
    bench(FETCHED)
    bench(network())
    bench(Installed(ca=bench.flash.ca))
    assert (bench.engine.state, bench.flash.request is None) == (State.TRUSTED, False)
    bench(Abort())
    assert (bench.engine.state, bench.flash.request) == (State.TRUSTED, None)


def test_a_fingerprint_that_changed_while_the_job_ran_refuses_its_certificate() -> None:
    bench = Bench()
    bench(application())
    bench(FETCHED)
    bench.engine.policy = PINNED._replace(fingerprint=("sha256", "other"))
    assert finished(bench(Granted(ISSUED, ()))).code == "ca-pin-changed"
    assert bench.flash.local is None


def test_the_first_poll_after_a_start_does_not_wait_for_a_long_interval() -> None:
    bench = Bench(PINNED._replace(poll_interval_min=1440))
    bench(application())
    bench(FETCHED)
    bench(Waiting())
    assert bench.engine.next_deadline() == Deadline(bench.now.monotonic_ns + 1440 * MINUTE)
    bench.cut()
    assert bench.engine.next_deadline() == Deadline(bench.now.monotonic_ns + MINUTE)


@pytest.mark.parametrize("change", [{"generation": 2}, {"settings": {"key_pair": "k2"}}])
def test_a_changed_request_does_not_take_up_the_old_one(change: dict[str, Any]) -> None:
    bench = Bench()
    bench(application("t1"))
    bench(FETCHED)
    bench(network())
    assert kinds(bench(application("t2")._replace(**change))) == ["Commit", "fetch-ca"]


def test_a_verdict_ends_the_transaction_and_keeps_what_is_in_use() -> None:
    bench = Bench(flash=Stored(local=records.LocalRecord(ISSUED, [], "k1", 1, 0)))
    bench(application())
    bench(FETCHED)
    assert finished(bench(verdict())).code == "ca-badRequest"
    assert bench.flash.request is None
    assert bench.flash.local is not None
    assert bench.engine.error is not None
    assert bench.engine.error.code in ("ca-badRequest", "job-answer")


@pytest.mark.parametrize("code", ["certrep-signer", "http-refused", "connection-refused"])
def test_what_the_ca_did_not_sign_never_ends_the_transaction(code: str) -> None:
    bench = Bench()
    bench(application("t1"))
    bench(FETCHED)
    bench(verdict(code))
    assert bench.flash.request is not None
    assert (bench.flash.request.transaction, bench.flash.request.phase) == ("t1", "lost")


def test_a_certificate_that_was_refused_ends_it_even_while_recovering() -> None:
    bench = Bench()
    bench(application("t1"))
    bench(FETCHED)
    bench.cut()
    assert finished(bench(verdict("issued-key"))).code == "issued-key"
    assert bench.flash.request is None


def test_the_certificate_in_use_is_no_answer_to_a_new_application() -> None:
    held = records.LocalRecord(ISSUED, [], "k1", 1, 0)
    bench = Bench(flash=Stored(local=held))
    bench(application())
    bench(FETCHED)
    assert finished(bench(Granted(ISSUED, ()))).code == "issued-old"
    assert bench.flash.local == held


def test_restart_in_sent_asks_and_then_sends_the_same_again() -> None:
    bench = Bench()
    bench(application())
    bench(FETCHED)
    record = bench.flash.request
    bench.cut()
    assert bench.engine.state is State.RECOVERING
    for _silence in range(3):
        bench(network())
        assert kinds(bench.due()) == ["poll"]
    assert kinds(bench(verdict("ca-badCertId"))) == ["enrol"]
    assert bench.flash.request == record
    bench(Granted(ISSUED, ()))
    assert bench.trace[-1] == "ISSUED"


def test_restart_in_pending_goes_on_polling() -> None:
    bench = Bench()
    bench(application())
    bench(FETCHED)
    bench(Waiting())
    bench.due()
    bench.cut()
    assert bench.engine.state is State.PENDING
    assert bench.flash.request is not None
    assert bench.flash.request.polls == 1
    bench.due()
    bench(Granted(ISSUED, ()))
    assert bench.engine.state is State.ISSUED


@pytest.mark.parametrize("steps", range(4))
def test_abort_ends_it_everywhere(steps: int) -> None:
    bench = Bench()
    for event in (application(), FETCHED, Waiting(), Due())[: steps + 1]:
        bench(event)
    actions = bench(Abort())
    assert isinstance(actions[0], CancelJob)
    assert bench.flash.request is None
    assert bench.engine.next_deadline() == NEVER
    with pytest.raises(Refused):
        bench(Abort())


EVENTS = st.sampled_from(
    [
        application("a"),
        application("b", attended=False),
        application("c", key=2),
        FETCHED,
        CaFetched((authority("CN=Other"),), ()),
        CaAnswered(True),
        CaAnswered(False),
        again("d"),
        RENEWABLE,
        Granted(ISSUED, ()),
        Granted(ISSUED._replace(der=b"later", serial="2b", not_after_s=T0.wall_s + 2000), ()),
        Waiting(),
        network(),
        verdict(),
        verdict("ca-badCertId"),
        verdict("ca-badMessageCheck"),
        busy(),
        RENEWED_RA,
        Due(),
        Abort(),
        "cut",
        "full",
    ]
)


@given(st.lists(EVENTS, max_size=14), st.sampled_from([PINNED, Policy(None, 1, 2)]))
@settings(max_examples=400, deadline=None)
def test_any_sequence_keeps_the_promises(events: list[Any], policy: Policy) -> None:
    """A certificate is never lost, engine and flash agree, nobody waits in vain."""
    bench = Bench(policy)
    held = None
    for event in events:
        if event == "cut":
            bench.cut()
        elif event == "full":  # flash takes nothing, until it takes something again
            bench.full = not bench.full
        else:
            try:
                actions = bench(event)
            except Refused:
                continue
            if isinstance(event, Granted) and bench.engine.state is State.ISSUED:
                held = event.certificate
                assert any(isinstance(a, Activate) for a in actions)
        # How an attempt has failed may be in memory alone: flash has something older to say.
        assert bench.engine.stored._replace(outcome=None) == bench.flash._replace(outcome=None)
        local = bench.flash.local
        assert (local.certificate if local else None) == held
        resting = is_under_way(bench.flash.state) and not is_under_way(bench.engine.state)
        if bench.engine.state in (State.PENDING, State.CONFIRMING) or resting:
            assert bench.engine.next_deadline()
