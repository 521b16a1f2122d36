"""What a checkout imports, read from its sources and never executed."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

PRODUCT = ("agent", "hal", "platforms")


class Import(NamedTuple):
    """One imported name: `from x import y` is x.y. `typed`: for the type checker alone."""

    line: int
    name: str
    typed: bool


class Module(NamedTuple):
    """A file of the product; `path` is absolute."""

    name: str
    path: Path
    tree: ast.Module
    imports: tuple[Import, ...]

    @property
    def room(self) -> str:
        """The folder of the file, as a package."""
        return self.name if self.path.name == "__init__.py" else self.name.rpartition(".")[0]


@cache
def tree(path: Path) -> ast.Module:
    """A source, parsed once."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def module_name(path: Path, root: Path) -> str:
    """agent/enrolment/pins.py is agent.enrolment.pins; an `__init__.py` is its folder."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports(path: Path) -> tuple[Import, ...]:
    """All imports of a file, those inside functions too. The product has no relative ones."""
    return tuple(_imports(tree(path), typed=False))


def imports_below(node: ast.AST) -> list[str]:
    """The names that a part of a file imports."""
    return [found.name for found in _imports(node, typed=False)]


def _imports(node: ast.AST, typed: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        yield from (Import(node.lineno, alias.name, typed) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, f"line {node.lineno}: relative import"
        yield from (Import(node.lineno, f"{node.module}.{a.name}", typed) for a in node.names)
    elif isinstance(node, ast.If) and _is_typed(node.test):
        for child in node.body:
            yield from _imports(child, typed=True)
        for child in node.orelse:
            yield from _imports(child, typed)
    elif not isinstance(node, ast.expr):  # most nodes, and none has an import in it
        for below in ast.iter_child_nodes(node):
            yield from _imports(below, typed)


def _is_typed(test: ast.expr) -> bool:
    """`TYPE_CHECKING`, or that of a module."""
    return isinstance(test, ast.Name | ast.Attribute) and ast.unparse(test).endswith(
        "TYPE_CHECKING"
    )


def within(name: str, room: str) -> bool:
    """Whether a dotted name is a room, or in it."""
    return name == room or name.startswith(room + ".")


def sources(root: Path, rooms: tuple[str, ...] = PRODUCT) -> list[Path]:
    """The Python files below some folders of a checkout."""
    return sorted(path for room in rooms for path in (root / room).rglob("*.py"))


def load(root: Path, rooms: tuple[str, ...] = PRODUCT) -> dict[str, Module]:
    """Modules by name. A package counts when its `__init__.py` has code."""
    modules = {}
    for path in sources(root, rooms):
        code = [node for node in tree(path).body if not _is_text(node)]
        if code or path.name != "__init__.py":
            name = module_name(path, root)
            modules[name] = Module(name, path, tree(path), imports(path))
    return modules


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
