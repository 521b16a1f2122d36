"""How the files of the console depend on each other: downwards, in no circle, types included."""

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.house.test_tidy import ROOT, imports, module_name, tree, within

CONSOLE = ROOT / "agent" / "console"
FILES = sorted(path for path in CONSOLE.rglob("*.py") if path.name != "__init__.py")
MODULES = {module_name(path): path for path in FILES}
# What it may import from elsewhere: no device, no engine, no job.
GROUND = ("appliance", "errors", "limits", "pem", "settings", "visible")
PORTS = ("hal.named", "hal.ports")
METHODS = 25  # of a class, private ones too

# Folder -> the folders that it may import besides itself.
BELOW: dict[str, tuple[str, ...]] = {
    "language": (),
    "displays": ("language",),
    "terminal": ("displays", "language"),
    "commands": ("displays", "language"),
    "configuration": ("commands", "displays", "language"),
    "session": ("configuration", "commands", "terminal", "displays", "language"),
    "login": ("session", "terminal", "displays", "language"),
}


@cache
def needed(module: str) -> frozenset[str]:
    """The modules of the console that a module imports itself."""
    names = [name for _line, name in imports(MODULES[module])]
    return frozenset(
        found
        for name in names
        for found in (name, name.rpartition(".")[0])
        if found in MODULES and found != module
    )


def folder(module: str) -> str:
    return module.split(".")[2]


@pytest.mark.parametrize("module", MODULES)
def test_folders_depend_downwards(module: str) -> None:
    allowed = (folder(module), *BELOW[folder(module)])
    assert [one for one in needed(module) if folder(one) not in allowed] == []


@pytest.mark.parametrize("module", MODULES)
def test_it_knows_the_device_by_its_protocol_alone(module: str) -> None:
    allowed = ("agent.console", *(f"agent.{name}" for name in GROUND), *PORTS)
    own = ("agent.", "hal.", "platforms.", "tools.", "tests.")
    names = [name for _line, name in imports(MODULES[module]) if name.startswith(own)]
    assert [one for one in names if not any(within(one, room) for room in allowed)] == []


def circle(module: str, above: tuple[str, ...], done: set[str]) -> tuple[str, ...]:
    """Modules that import each other, the first one once more at the end; () when none do."""
    if module in above:
        return (*above[above.index(module) :], module)
    if module in done:
        return ()
    for other in needed(module):
        found = circle(other, (*above, module), done)
        if found:
            return found
    done.add(module)
    return ()


def test_no_circle() -> None:
    done: set[str] = set()
    assert [found for module in MODULES if (found := circle(module, (), done))] == []
    assert done == set(MODULES)


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_no_class_does_everything(path: Path) -> None:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ClassDef):
            functions = [one for one in node.body if isinstance(one, ast.FunctionDef)]
            methods = [one.name for one in functions if not one.name.startswith("__")]
            assert len(methods) <= METHODS, node.name
