"""What a figure is, and how it is judged and printed. Values are integers in the base of a unit."""

from collections.abc import Sequence
from statistics import median_low
from typing import NamedTuple


class Unit(NamedTuple):
    """`size` base units make one that is printed: 1024 KiB a MiB."""

    name: str
    base: str
    size: int


MIB = Unit("MiB", "KiB", 1024)
MS = Unit("ms", "us", 1000)
TIMES = Unit("times", "1/1000", 1000)
COUNT = Unit("", "", 1)
BYTES = Unit("bytes", "bytes", 1)


class Figure(NamedTuple):
    """goal: at most, in base units; None: there is none, the figure is to know.

    how: what it means and how it is taken, for the page.
    """

    name: str
    unit: Unit
    how: str
    goal: int | None = None


class MissingPeerError(Exception):
    """A run cannot take place here; the text says what is missing."""


class Result(NamedTuple):
    """What came of a figure: its samples, or why there are none."""

    figure: Figure
    column: str  # which interpreter; empty for the one that runs the bench
    samples: tuple[int, ...] = ()
    skipped: str = ""
    failed: str = ""

    @property
    def name(self) -> str:
        return f"{self.column}.{self.figure.name}" if self.column else self.figure.name

    @property
    def value(self) -> int:
        return median_low(self.samples)

    @property
    def over(self) -> bool:
        """Whether the median is over its goal."""
        goal = self.figure.goal
        return bool(self.samples) and goal is not None and self.value > goal

    def line(self) -> str:
        """The line of this figure."""
        if not self.samples:
            return f"bench: {self.name} " + (
                f"skipped: {self.skipped}" if self.skipped else f"failed: {self.failed}"
            )
        figure = self.figure
        shown, low, high = (
            number(value, figure.unit)
            for value in (self.value, min(self.samples), max(self.samples))
        )
        words = ["bench:", f"{self.name}={shown}", figure.unit.name, f"goal={goal(figure)}"]
        words += ["over" if self.over else "ok", f"min={low}", f"max={high}"]
        return " ".join(word for word in words if word)


def number(value: int, unit: Unit) -> str:
    """A value in the unit that is printed, cut after two decimals, or after none."""
    if unit.size == 1:
        return str(value)
    whole, rest = divmod(value, unit.size)
    return f"{whole}.{rest * 100 // unit.size:02}"


def goal(figure: Figure) -> str:
    """The goal as it is printed; `-` when there is none."""
    return "-" if figure.goal is None else number(figure.goal, figure.unit)


def closing(results: Sequence[Result], runs: int, seconds: int) -> str:
    """The last line: how many figures, how many of them over, skipped, failed."""
    counts = {
        "figures": sum(bool(result.samples) for result in results),
        "over": sum(result.over for result in results),
        "skipped": sum(bool(result.skipped) for result in results),
        "failed": sum(bool(result.failed) for result in results),
        "runs": runs,
        "seconds": seconds,
    }
    return "bench: " + " ".join(f"{name}={value}" for name, value in counts.items())
