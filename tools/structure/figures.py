"""The figures of a checkout, as data, as text and as one line."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tools.structure import graph, sizes
from tools.structure.modules import Module, load
from tools.structure.sizes import Size

# The files that are hard to understand, so a reader wants reasons there: each with the names that
# it has had.
HARD = (
    ("agent.enrolment.engine", "agent.engine"),
    ("agent.scep.trust",),
    ("agent.scep.cms",),
    ("hal.log_scan",),
    ("agent.jobs.runner", "agent.tasks"),
    ("agent.device.runner", "agent.enrolment"),
    ("agent.worker",),
)


class Figures(NamedTuple):
    """What `python -m tools.structure` tells; `rooms`: modules of each folder."""

    rooms: dict[str, int]
    floors: int
    floors_without_types: int
    circles: list[tuple[str, ...]]
    circles_without_types: list[tuple[str, ...]]
    largest_class: Size
    largest_file: Size
    longest_function: Size
    prose: dict[str, float]  # hard file -> share
    untested: list[str]
    twins: dict[str, list[str]]  # class -> its rooms

    def line(self) -> str:
        """All of it in one line."""
        prose = sum(self.prose.values()) / max(len(self.prose), 1)
        return (
            f"structure: rooms={len(self.rooms)} modules={sum(self.rooms.values())}"
            f" floors={self.floors} floors_without_types={self.floors_without_types}"
            f" circles={len(self.circles)} in_circles={sum(map(len, self.circles))}"
            f" class={self.largest_class.size} file={self.largest_file.size}"
            f" function={self.longest_function.size} prose={prose:.0%}"
            f" untested={len(self.untested)} twins={len(self.twins)}"
        )


def measure(root: Path) -> Figures:
    """The figures of a checkout."""
    modules = load(root)
    everything = graph.arrows(modules)
    without_types = graph.arrows(modules, types=False)
    return Figures(
        dict(sorted(Counter(module.room for module in modules.values()).items())),
        graph.floors(everything),
        graph.floors(without_types),
        graph.circles(everything),
        graph.circles(without_types),
        sizes.largest_class(modules),
        sizes.largest_file(modules),
        sizes.longest_function(modules),
        _prose(modules),
        untested(root, modules),
        twins(modules),
    )


def _prose(modules: Mapping[str, Module]) -> dict[str, float]:
    found = [next(filter(modules.get, names), "") for names in HARD]
    return {name: sizes.prose_share(modules[name]) for name in found if name}


def untested(root: Path, modules: Mapping[str, Module]) -> list[str]:
    """Modules without a test file of their name.

    For a module `x` of a room that is `test_x` in the folder of the room, `tests/ground` for a file
    beside the rooms; folders between stand in its name where two modules of the room are called
    alike. Where the tests are one folder it is `test_x`, or `test_room_x`.
    """
    tests = root / "tests"
    files = {path.relative_to(tests).as_posix() for path in tests.rglob("test_*.py")}
    names = Counter((_place(module)[0], _place(module)[1][-1]) for module in modules)

    def has_test(module: str) -> bool:
        room, inner = _place(module)
        ways = {f"{room}/test_{'_'.join(inner)}.py", f"test_{room}_{'_'.join(inner)}.py"}
        if names[room, inner[-1]] == 1:
            ways |= {f"{room}/test_{inner[-1]}.py", f"test_{inner[-1]}.py"}
        return bool(ways & files)

    return [module for module in modules if not has_test(module)]


def _place(module: str) -> tuple[str, list[str]]:
    """The folder of the tests for a module, and its names within its room."""
    room, *inner = module.split(".")
    if room != "agent" or not inner:
        return room, inner or [room]
    return (inner[0], inner[1:]) if len(inner) > 1 else ("ground", inner)


def twins(modules: Mapping[str, Module]) -> dict[str, list[str]]:
    """Names of classes that stand in more than one room, with those rooms."""
    rooms: dict[str, set[str]] = {}
    for one in sizes.classes(modules):
        rooms.setdefault(one.node.name, set()).add(one.module.room)
    return {name: sorted(found) for name, found in sorted(rooms.items()) if len(found) > 1}


def as_map(figures: Figures) -> dict[str, object]:
    """The figures for a program; a size is `{"size": .., "name": ..}`."""
    return {
        key: value._asdict() if isinstance(value, Size) else value
        for key, value in figures._asdict().items()
    }


def text(figures: Figures) -> str:
    """The figures for a person, the line last."""
    rows = [f"  {room}: {count}" for room, count in figures.rooms.items()]
    lines = ["rooms, and modules in each", *rows]
    lines.append(f"floors: {figures.floors} ({figures.floors_without_types} without type imports)")
    for title, found in (
        ("circles, imports for the type checker and inside functions included", figures.circles),
        ("circles without imports for the type checker", figures.circles_without_types),
    ):
        lines += [f"{title}: {len(found)}", *(f"  {' '.join(circle)}" for circle in found)]
    lines += [
        f"largest class, in methods with those inherited: {figures.largest_class}",
        f"largest file, in lines: {figures.largest_file}",
        f"longest function, in lines: {figures.longest_function}",
        "comments and docstrings of the hard files",
        *(f"  {name}: {share:.0%}" for name, share in figures.prose.items()),
        f"modules without a test file of their name: {len(figures.untested)}",
        *(f"  {name}" for name in figures.untested),
        f"names of classes that stand in two rooms: {len(figures.twins)}",
        *(f"  {name}: {' '.join(rooms)}" for name, rooms in figures.twins.items()),
    ]
    return "\n".join([*lines, figures.line()])
