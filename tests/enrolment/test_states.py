"""The transition table: every pair of state and event has a row or a refusal."""

import itertools
import typing

import pytest

from agent.enrolment import states
from agent.enrolment.actions import Now, Policy, Stored
from agent.enrolment.engine import Engine, Refused
from agent.enrolment.states import AS_STORED, TABLE, UNDER_WAY, Abort, Apply, Restart, State

EVENTS = typing.get_args(states.Event)


def test_every_handler_exists_and_leads_somewhere() -> None:
    for (_state, _event), (handler, targets) in TABLE.items():
        assert callable(getattr(Engine, "_" + handler))
        assert targets
        assert set(targets) <= {*State, AS_STORED}
        assert len(targets) == len(set(targets))


def test_every_state_can_be_reached_and_left() -> None:
    reached = {target for _handler, targets in TABLE.values() for target in targets}
    assert reached == {*State, AS_STORED}
    assert {state for state, _event in TABLE} == set(State)


@pytest.mark.parametrize("state", list(State))
def test_pairs_without_a_row_are_refused_and_change_nothing(state: State) -> None:
    for event in EVENTS:
        if (state, event) in TABLE:
            continue
        engine = Engine(Stored(), Policy(None, 1, 5))
        engine.state = state
        with pytest.raises(Refused):
            engine.handle(event.__new__(event, *([None] * len(event._fields))), Now(0, 0, True))
        assert (engine.state, engine.stored) == (state, Stored())


def test_a_person_can_apply_at_rest_and_abort_under_way() -> None:
    for state in State:
        # At rest there may be a request that was never answered: it can be given up, too.
        assert (state, Abort) in TABLE
        assert ((state, Apply) in TABLE) == (state not in UNDER_WAY)


def test_every_state_that_flash_can_tell_of_has_a_row_for_restart() -> None:
    in_memory = {State.CONFIRMING, State.CHOOSING, State.RECOVERING, State.POLLING}
    assert {s for s, e in TABLE if e is Restart} == set(State) - in_memory


def test_names_for_people_are_distinct() -> None:
    assert all(a.value != b.value for a, b in itertools.combinations(State, 2))
