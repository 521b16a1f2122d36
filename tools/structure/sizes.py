"""How large classes, files and functions are, and how much of a file is prose."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tools.structure.modules import Module

Function = ast.FunctionDef | ast.AsyncFunctionDef
FOR_TOOLS = re.compile(r"#\s*(noqa|type:|fmt:|pragma)")


class Size(NamedTuple):
    """Something of the product, and how many methods or lines it has."""

    size: int
    name: str

    def __str__(self) -> str:
        return f"{self.size} {self.name}"


class Class(NamedTuple):
    module: Module
    node: ast.ClassDef

    @property
    def name(self) -> str:
        return f"{self.module.name}.{self.node.name}"


def classes(modules: Mapping[str, Module]) -> list[Class]:
    """All classes, those inside functions and classes too."""
    return [
        Class(module, node)
        for module in modules.values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
    ]


def largest_class(modules: Mapping[str, Module]) -> Size:
    """Methods by their names, public and private, own and inherited within the product."""
    found = classes(modules)
    by_name = {one.name: one for one in found}
    return max((Size(len(_methods(one, by_name)), one.name) for one in found), default=Size(0, "-"))


def _methods(one: Class, by_name: Mapping[str, Class]) -> set[str]:
    """The names of all methods; a name that is overwritten or overloaded counts once."""
    own = {node.name for node in one.node.body if isinstance(node, Function)}
    names = {imported.name.rpartition(".")[2]: imported.name for imported in one.module.imports}
    for base in map(ast.unparse, one.node.bases):
        first, _dot, rest = base.partition(".")
        ways = (f"{one.module.name}.{base}", names.get(first, "") + (rest and f".{rest}"))
        parent = next((by_name[way] for way in ways if way in by_name), None)
        if parent:
            own |= _methods(parent, by_name)
    return own


def largest_file(modules: Mapping[str, Module]) -> Size:
    """Lines of a file."""
    return max((Size(len(_lines(m)), m.name) for m in modules.values()), default=Size(0, "-"))


def longest_function(modules: Mapping[str, Module]) -> Size:
    """Lines of a function, from its `def` to its last one."""
    found = (
        Size((node.end_lineno or 0) - node.lineno + 1, f"{module.name}.{node.name}")
        for module in modules.values()
        for node in ast.walk(module.tree)
        if isinstance(node, Function)
    )
    return max(found, default=Size(0, "-"))


def prose_share(module: Module) -> float:
    """Lines that hold a comment or a part of a docstring, of all lines; 0 to 1.

    Comments that speak to a tool do not count, empty lines of a docstring neither.
    """
    lines = _lines(module)
    prose = {*_comments("\n".join(lines) + "\n"), *_docstrings(module.tree)}
    return len([number for number in prose if lines[number - 1].strip()]) / max(len(lines), 1)


def _lines(module: Module) -> list[str]:
    return module.path.read_text(encoding="utf-8").splitlines()


def _comments(text: str) -> Iterator[int]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and not FOR_TOOLS.match(token.string):
            yield token.start[0]


def _docstrings(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | Function) and ast.get_docstring(node):
            yield from range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)
