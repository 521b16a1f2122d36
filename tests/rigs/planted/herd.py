"""A program whose queue serves the newest realm first, and has a place too many."""

from pathlib import Path

from tests.helpers.board import copy_program

FAULTS = {
    "agent/jobs/turns.py": (
        "insort(line, turn, key=lambda other: (self._first[other.realm], other.number))",
        "line.insert(0, turn)",
    ),
    "agent/limits.py": ("NETWORK_JOBS = 4", "NETWORK_JOBS = 5"),
}


def unfair(folder: Path) -> Path:
    """A clone of the program with these faults."""
    clone = copy_program(folder)
    for name, (good, bad) in FAULTS.items():
        text = (clone / name).read_text()
        assert text.count(good) == 1, f"{name} has changed: {good}"
        (clone / name).write_text(text.replace(good, bad))
    return clone
