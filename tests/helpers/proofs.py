"""What tables of the tests may name as a proof: a test that is there.

A proof is `room/module::test` or, for one case of a parametrised test, `room/module::test[id]`.
"""

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[1]


@cache
def defined(module: str) -> frozenset[str]:
    """The names of the tests of a file; what only helps a test proves nothing."""
    tree = ast.parse((TESTS / f"{module}.py").read_text())
    found = (node.name for node in tree.body if isinstance(node, ast.FunctionDef))
    return frozenset(name for name in found if name.startswith("test_"))


def missing(proofs: Iterable[str]) -> list[str]:
    """Those that name no test; an id is not looked at, because only pytest knows the ids."""
    return [proof for proof in proofs if not _is_there(*proof.partition("[")[0].split("::"))]


def _is_there(module: str, name: str) -> bool:
    return (TESTS / f"{module}.py").exists() and name in defined(module)
