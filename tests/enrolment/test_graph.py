"""The graph of the engine is closed, and each edge of it keeps the invariants.

A face is the part of it that is walked here: all that happens when the device looks late, and cuts
whenever; the others take minutes (`make nightly`: `python -m tests.rigs.engine_graph`).
"""

import os
from typing import Any

import pytest

from agent.enrolment.actions import Commit
from agent.enrolment.engine import Engine
from tests.helpers.engine_graph import FACES, LATE, POLICIES
from tests.helpers.engine_walk import Walk

SEED = int(os.environ.get("SEED", "1"))
(FACE,) = [face for face in FACES if LATE in face]


@pytest.fixture(scope="module")
def walked() -> Walk:
    walk = Walk(POLICIES[0], FACE)
    walk.close(walk.born(), [])
    return walk


def test_each_edge_keeps_what_is_promised(walked: Walk) -> None:
    print(walked.line())
    assert len(walked.known) > 1_000
    assert walked.faults == {}


def test_walks_with_their_real_times_keep_it_as_well(walked: Walk) -> None:
    walked.stroll(1_000, SEED)
    print(walked.line(), f"seed={SEED}")
    assert walked.strolled == 1_000
    assert walked.faults == {}


class Uncounted(Engine):
    """With a fault: what has left is not counted."""

    def _commit(self, **changes: Any) -> Commit:
        if outcome := changes.get("outcome"):
            changes["outcome"] = outcome._replace(requests=0)
        return super()._commit(**changes)


def test_a_fault_is_found() -> None:
    walk = Walk(POLICIES[0], frozenset(), Uncounted)
    walk.close(walk.born(), [])
    assert "a certificate may have been issued that is not counted" in walk.faults
