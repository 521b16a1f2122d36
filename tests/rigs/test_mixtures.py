"""Random CA sets, honest and not: what consumers trust lets no attacker in, and every peer."""

import random
from pathlib import Path

import pytest

from tests.rigs import mixtures, worlds
from tests.rigs.planted.mixtures import BELIEVING, LYING

COUNT, PARTS = 500, 4  # parts, so that they spread over the processes of a test run
# The same is drawn in each run, so that a failure is one of the change that is tried.
# `make nightly` draws anew at each commit, and many more.
SEED = "make test"


@pytest.mark.parametrize("part", range(PARTS))
def test_no_attacker_is_believed_and_every_honest_peer_is(part: int) -> None:
    found = mixtures.run(COUNT // PARTS, f"{SEED} {part}")
    assert found.mixtures == COUNT // PARTS
    assert found.certificates > found.mixtures * 2


def test_the_rig_finds_a_child_that_serves_what_it_was_given() -> None:
    with pytest.raises(AssertionError, match="is OK with"):
        mixtures.run(20, "planted", BELIEVING)


def test_a_child_that_was_taken_over_at_the_fetch_gets_nothing_served(tmp_path: Path) -> None:
    """It can have more stored than belongs there. What is written for consumers is worked out
    anew, by another child."""
    rng = random.Random("lying")
    world = worlds.world(rng)
    found = [
        fault
        for _ in range(10)
        for fault in mixtures.faults(mixtures.mixture(world, rng), tmp_path, LYING)
    ]
    assert any(fault.endswith("is stored") for fault in found)
    served = {fault.partition(": ")[2] for fault in found if not fault.endswith("is stored")}
    # The pin has signed these two. Dates are judged by who reads the file, with a clock of his own.
    assert served <= {"ended is served", "early is served"}
