"""Realms that are due at once, in small: counts alone, of times `make bench` tells."""

import os
from pathlib import Path

import pytest

from tests.rigs.planted.herd import unfair
from tools.bench import herd

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: children let nobody else look"),
]
COUNT = 40


def test_all_are_issued_four_at_a_time_in_the_order_in_which_they_fell_due(tmp_path: Path) -> None:
    first, renewal = herd.run(tmp_path, COUNT, "1")
    assert [*first.short(), *renewal.short()] == []
    assert len(first.issued) == len(renewal.issued) == COUNT


def test_the_rig_finds_a_queue_that_serves_the_newest_first_and_too_many(tmp_path: Path) -> None:
    first, renewal = herd.run(tmp_path, COUNT, "1", unfair(tmp_path))
    found = " ".join([*first.short(), *renewal.short()])
    assert f"{herd.limits.NETWORK_JOBS + 1} network jobs at once" in found
    assert "renewal: one was overtaken by" in found
