"""The faults of tests/planted still fit the sources.

Whoever changes the line that one changes makes it anew (`git diff -U0`), for the fault that its
head describes.
"""

from pathlib import Path

import pytest

from tests.planted.rig import PATCHES, misfit


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_a_patch_applies(patch: Path) -> None:
    assert misfit(patch) == ""
