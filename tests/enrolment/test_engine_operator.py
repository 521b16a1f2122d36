"""The engine and its operator: what is brought and deleted by hand; and guards that never act."""

import pytest

from agent.enrolment import drafts
from agent.enrolment.actions import Activate, Now, Policy, Stored
from agent.enrolment.engine import Engine, Refused
from agent.enrolment.states import (
    TABLE,
    UNDER_WAY,
    Chosen,
    Event,
    Installed,
    NextCa,
    Removed,
    Restart,
    State,
    Waiting,
    is_under_way,
)
from hal.records import LocalRecord, OutcomeRecord, RequestRecord
from tests.helpers.engine_bench import (
    FETCHED,
    HELD,
    PINNED,
    Bench,
    application,
    finished,
    kinds,
    network,
    verdict,
)

NOW = Now(1_800_000_000, 5_000_000_000, True)
LOST = RequestRecord("lost", "t1", 0, 1, {"key_pair": "k1"}, None, 0, None)
FAILED = OutcomeRecord({"code": "ca-denied"}, 0, 2)


def with_ca() -> Stored:
    """What flash holds while a request is on its way."""
    bench = Bench()
    bench(application())
    bench(FETCHED)
    return bench.flash


def test_a_certificate_that_the_operator_brings_is_used_and_ends_what_was_lost() -> None:
    bench = Bench(flash=Stored(request=LOST, outcome=FAILED))
    assert kinds(bench(Installed(local=HELD))) == ["Commit", "Activate"]
    assert bench.trace == ["ISSUED"]
    assert bench.flash.local == drafts.held(HELD, None, PINNED)
    assert bench.flash.request is None
    assert bench.flash.outcome == OutcomeRecord(None, NOW.wall_s, 0)


@pytest.mark.parametrize(
    ("local", "then", "state"),
    [(None, "Finish", State.TRUSTED), (HELD, "Activate", State.ISSUED)],
)
def test_a_ca_that_the_operator_brings_is_trusted_and_served_with_the_certificate_in_use(
    local: LocalRecord | None, then: str, state: State
) -> None:
    bench = Bench(flash=Stored(local=local, outcome=FAILED))
    assert kinds(bench(Installed(ca=with_ca().ca))) == ["Commit", then]
    assert bench.engine.state is state
    assert bench.flash.ca == with_ca().ca


@pytest.mark.parametrize(("local", "then"), [(None, "Finish"), (HELD, "Activate")])
def test_a_ca_that_names_its_next_one_changes_nothing_else(
    local: LocalRecord | None, then: str
) -> None:
    ca = with_ca().ca
    assert ca is not None
    bench = Bench(flash=Stored(ca=ca, local=local, outcome=FAILED))
    actions = bench(NextCa(ca._replace(caps=["of a later answer"])))
    assert kinds(actions) == ["Commit", then]
    assert Activate(again=True) not in actions, "consumers trust it when it has taken over"
    assert bench.engine.state is State.FAILED
    assert bench.flash.outcome == FAILED, "it is no application, and begins no count anew"
    assert bench.flash.ca == ca._replace(caps=["of a later answer"])


def test_what_the_operator_deletes_is_gone_and_the_rest_stays() -> None:
    ca = with_ca().ca
    bench = Bench(flash=Stored(ca=ca, local=HELD))
    assert kinds(bench(Removed("local"))) == ["Commit"]
    assert bench.flash == Stored(ca=ca)
    bench(Removed("ca"))
    assert bench.flash == Stored()
    assert bench.trace == ["TRUSTED", "NOTHING"]


def test_a_verdict_about_what_was_pending_ends_it() -> None:
    bench = Bench()
    for event in (application(), FETCHED, Waiting()):
        bench(event)
    bench.due()
    assert finished(bench(verdict())).code == "ca-badRequest"
    assert bench.flash.request is None


def test_silence_at_the_last_poll_ends_the_attempt_and_keeps_the_request() -> None:
    bench = Bench(PINNED._replace(poll_times=1))
    for event in (application(), FETCHED, Waiting()):
        bench(event)
    bench.due()
    assert finished(bench(network())).code == "job-deadline"
    assert bench.flash.request is not None
    assert bench.flash.request.phase == "lost"


def test_a_start_with_another_fingerprint_sends_nothing_to_the_old_ca() -> None:
    bench = Bench(Policy(("sha256", "sha256 CN=Other"), 1, 3), with_ca())
    assert finished(bench(Restart())).code == "ca-pin-changed"


def test_what_is_under_way() -> None:
    assert {state for state in State if is_under_way(state)} == set(UNDER_WAY)


@pytest.mark.parametrize("state", [State.FETCHING, State.SENT])
@pytest.mark.parametrize("event", [FETCHED, Waiting()])
def test_a_state_that_does_not_fit_what_is_stored_is_refused(state: State, event: Event) -> None:
    engine = Engine(Stored(), PINNED)
    engine.state = state
    with pytest.raises(Refused):
        engine.handle(event, NOW)


def test_a_handler_that_leaves_the_table_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    row = TABLE[State.NOTHING, Restart]
    monkeypatch.setitem(TABLE, (State.NOTHING, Restart), (row[0], (State.ISSUED,)))
    with pytest.raises(Refused, match="nothing -> nothing is not in the table"):
        Engine(Stored(), PINNED).handle(Restart(), NOW)


def test_nothing_is_chosen_where_nothing_was_issued() -> None:
    engine = Engine(Stored(), PINNED)
    engine.state = State.CHOOSING
    with pytest.raises(Refused):
        engine.handle(Chosen(yes=False), NOW)
