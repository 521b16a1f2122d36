"""Planted faults: each has a head and fits, and some are found here.

`python -m tests.planted` (nightly) plants all of them.
"""

import random
import shutil
from pathlib import Path

import pytest

from tests.helpers.proofs import missing
from tests.planted.rig import PATCHES, find, misfit, read
from tests.rigs.test_mixtures import SEED

COUNT, SOME = 12, 3


def test_there_are_so_many_and_no_two_name_one_test() -> None:
    assert len(PATCHES) == COUNT
    assert len({read(patch).test for patch in PATCHES}) == COUNT


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_its_test_is_there(patch: Path) -> None:
    assert missing([read(patch).test.removeprefix("tests/").replace(".py::", "::")]) == []


@pytest.mark.slow
@pytest.mark.parametrize("place", range(SOME))
def test_its_test_finds_it(place: int, tmp_path: Path) -> None:
    patch = random.Random(SEED).sample(PATCHES, SOME)[place]
    assert find(patch, tmp_path) > 0


@pytest.mark.slow
def test_a_patch_that_changes_nothing_that_is_tested_falls_short(tmp_path: Path) -> None:
    text = PATCHES[0].read_text().partition("---")[0]
    text += '--- a/tests/planted/__init__.py\n+++ b/tests/planted/__init__.py\n@@ -1 +1 @@\n-"""'
    first = (Path(__file__).parent / "__init__.py").read_text().splitlines()[0]
    patch = tmp_path / "harmless.patch"
    patch.write_text(f'{text}{first[3:]}\n+"""Something else.\n')
    with pytest.raises(AssertionError, match=r"ended with 0"):
        find(patch, tmp_path)
    patch.write_text(patch.read_text().replace('-"""', '-"""Never, '))
    with pytest.raises(AssertionError, match="does not apply any more"):
        find(patch, tmp_path)
    assert list(tmp_path.iterdir()) == [patch]
    shutil.copy(PATCHES[0], patch)
    assert misfit(patch, tmp_path)
