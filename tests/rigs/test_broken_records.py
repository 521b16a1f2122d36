"""Random maps in the place of records: the agent starts, serves the others, names the one."""

import pytest

from tests.rigs import broken_records
from tests.rigs.planted.broken_records import Believing
from tests.rigs.test_mixtures import SEED

COUNT, PARTS = 2000, 4  # parts, so that they spread over the processes of a test run


@pytest.mark.parametrize("part", range(PARTS))
def test_no_record_ends_the_agent_or_takes_another_realm_along(part: int) -> None:
    found = broken_records.run(COUNT // PARTS, f"{SEED} {part}")
    assert found.maps.total() == COUNT // PARTS
    assert set(found.maps) == set(broken_records.KINDS)
    assert 0.1 < found.unread / found.maps.total() < 0.9


def test_the_rig_finds_a_device_that_believes_what_it_reads() -> None:
    with pytest.raises(AssertionError, match=r"seed planted, map \d+: ca/\d+: ") as caught:
        broken_records.run(COUNT, "planted", device=Believing)
    assert isinstance(caught.value.__cause__, IndexError | KeyError | TypeError)
