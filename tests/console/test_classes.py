"""No class of the console does everything; `tests/house/test_tidy.py` holds who imports whom."""

import ast
from pathlib import Path

import pytest

from tests.house.test_tidy import ROOT, module_name, tree

FILES = sorted((ROOT / "agent" / "console").rglob("*.py"))
METHODS = 25  # of a class, private ones too


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_how_many_methods_a_class_has(path: Path) -> None:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ClassDef):
            functions = [one for one in node.body if isinstance(one, ast.FunctionDef)]
            methods = [one.name for one in functions if not one.name.startswith("__")]
            assert len(methods) <= METHODS, node.name
