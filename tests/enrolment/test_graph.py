"""The graph of the engine is closed, and each edge of it keeps the invariants.

A face is a part of it; here are all late looks, cuts and a flash that takes nothing, and what
clocks do to the budget. All faces take minutes (`make nightly`: `python -m
tests.rigs.engine_graph`).
"""

import os
from typing import Any

import pytest

from agent import limits
from agent.enrolment.actions import Commit, Now
from agent.enrolment.engine import Engine
from agent.enrolment.states import JobFailed, State
from agent.errors import OPERATOR, PeerError
from tests.helpers.engine_fold import shape
from tests.helpers.engine_graph import CA, FACES, POLICIES, Node, moments
from tests.helpers.engine_walk import Walk

SEED = int(os.environ.get("SEED", "1"))
USELESS = JobFailed(PeerError("issued-key", "no", "because", "do", OPERATOR))
TOO_MANY = "more certificates may have been issued in one renewal than its budget"


@pytest.fixture(scope="module")
def walked() -> Walk:
    walk = Walk(POLICIES[0], FACES["full"])
    walk.close(walk.born())
    return walk


def test_each_edge_keeps_what_is_promised(walked: Walk) -> None:
    print(walked.line())
    assert walked.closed
    assert len(walked.known) > 1_000
    assert walked.faults == {}


def test_walks_with_their_real_times_meet_nothing_else(walked: Walk) -> None:
    walked.stroll(1_000, SEED)
    print(walked.line(), f"seed={SEED}")
    assert walked.strolled == 1_000
    assert walked.unmet == []
    assert walked.faults == {}


WINDOW, LAST = "l point 0", "l last 0"


def asked_twice(walk: Walk, moment: str) -> Node:
    """A renewal of which two requests have left for nothing; in the last tenth a third one may."""
    node = walk.born()
    node.apply()
    node.tell(CA)
    granted = node.granted("whole")
    assert granted
    node.tell(granted)
    for _request in range(limits.REQUESTS):
        node.passes(dict(moments(node))[moment] - node.now.wall_s)
        node.apply()
        node.tell(CA)
        node.tell(USELESS)
    return node


@pytest.mark.parametrize("number", range(len(POLICIES)))
def test_no_clock_passes_the_budget(number: int) -> None:
    """All that follows in four steps: an application, a clock, a set, and what it may be else."""
    walk = Walk(POLICIES[number], FACES["clocks"])
    walk.close(asked_twice(walk, LAST), waves=4)
    print(walk.line())
    assert any(key[0] is State.SENT for key in walk.known), "a third one leaves"
    assert walk.faults == {}


@pytest.mark.parametrize("number", range(len(POLICIES)))
def test_no_setting_passes_the_budget(number: int) -> None:
    """All that follows in five steps: one that ends the pause, a look, and whatever else."""
    walk = Walk(POLICIES[number], FACES["late"])
    walk.close(asked_twice(walk, WINDOW), waves=5)
    print(walk.line())
    assert any(key[0] is State.SENT for key in walk.known), "a third one leaves, a day later"
    assert walk.faults == {}


class Uncounted(Engine):
    """With a fault: what has left is not counted."""

    def _commit(self, **changes: Any) -> Commit:
        if outcome := changes.get("outcome"):
            changes["outcome"] = outcome._replace(requests=0)
        return super()._commit(**changes)


def test_what_is_not_counted_is_found() -> None:
    walk = Walk(POLICIES[0], FACES["late"], Uncounted)
    walk.close(walk.born(), waves=10)
    assert "a certificate may have been issued that is not counted" in walk.faults


class Unasked(Engine):
    """With a fault: the budget is not asked where the request leaves."""

    def _may_ask(self, now: Now) -> bool:
        return True


def test_a_budget_that_is_asked_once_is_found() -> None:
    walk = Walk(POLICIES[0], FACES["clocks"], Unasked)
    walk.close(asked_twice(walk, LAST), waves=4)
    assert TOO_MANY in walk.faults


class Undated(Engine):
    """With a fault: the day of the budget does not begin with the end of what has left."""

    def _asked(self, now: Now) -> None:
        pass


def test_a_day_that_does_not_begin_is_found() -> None:
    walk = Walk(POLICIES[0], FACES["late"], Undated)
    walk.close(walk.born())
    assert walk.closed
    assert TOO_MANY in walk.faults


def test_a_shape_has_no_lengths() -> None:
    """The same a year later is the same."""
    walk = Walk(POLICIES[0], FACES["late"])
    node = asked_twice(walk, LAST)
    later = node.copied()
    later.passes(1)
    assert shape(later, walk.face) == shape(node, walk.face)
