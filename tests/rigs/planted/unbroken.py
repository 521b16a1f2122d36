"""A program that renews when a certificate has ended, and not before."""

from pathlib import Path

from tests.helpers.board import copy_program

MODULE = "agent/enrolment/schedule.py"
GOOD = "return min(not_before_s + validity_s * percent // 100, not_after_s - lead_s)"


def late(folder: Path) -> Path:
    """A clone of the program with this fault."""
    clone = copy_program(folder)
    text = (clone / MODULE).read_text()
    assert text.count(GOOD) == 1, f"{MODULE} has changed"
    (clone / MODULE).write_text(text.replace(GOOD, "return not_after_s"))
    return clone
