"""Who imports whom: arrows between modules, circles of them, and how many floors they make."""

from collections.abc import Mapping
from functools import cache

from tools.structure.modules import Module

Arrows = dict[str, frozenset[str]]


def arrows(modules: Mapping[str, Module], *, types: bool = True) -> Arrows:
    """Each module with those that it imports, without itself.

    Imports inside functions count. `types`: so do those for the type checker alone.
    """
    return {
        module.name: frozenset(
            target
            for imported in module.imports
            if (types or not imported.typed) and (target := _target(imported.name, modules))
        )
        - {module.name}
        for module in modules.values()
    }


def _target(name: str, modules: Mapping[str, Module]) -> str:
    """The module of an imported name: the longest beginning of it; empty for those of others."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name


def circles(graph: Arrows) -> list[tuple[str, ...]]:
    """Groups of modules that reach each other, sorted (the strongly connected components)."""
    groups = {group for group in _groups(graph).values() if len(group) > 1}
    return sorted(tuple(sorted(group)) for group in groups)


def floors(graph: Arrows) -> int:
    """How many modules stand above each other on the longest way down; a circle counts once."""
    group_of = _groups(graph)

    @cache
    def height(group: frozenset[str]) -> int:
        below = {group_of[target] for name in group for target in graph[name]} - {group}
        return 1 + max(map(height, below), default=0)

    return max(map(height, group_of.values()), default=0)


def _groups(graph: Arrows) -> dict[str, frozenset[str]]:
    """Each module with those that it reaches and that reach it, itself among them."""
    below = {name: _reached(graph, name) for name in graph}
    return {
        name: frozenset(other for other in found if name in below[other]) | {name}
        for name, found in below.items()
    }


def _reached(graph: Arrows, start: str) -> set[str]:
    found: set[str] = set()
    todo = [start]
    while todo:
        new = graph[todo.pop()] - found
        found |= new
        todo += new
    return found
