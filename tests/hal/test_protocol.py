"""A protocol at run time: a name, and no more."""

import ast
from pathlib import Path

from hal import ports
from hal.protocol import Protocol

ROOT = Path(__file__).resolve().parents[2]


class Answering(Protocol):
    """What answers."""

    width: int = 80

    def answer(self, question: str) -> str: ...


def test_its_body_is_dropped() -> None:
    assert Answering.__doc__ == "What answers."
    assert (Answering.__module__, Answering.__qualname__) == (__name__, "Answering")
    assert not hasattr(Answering, "answer")
    assert not hasattr(Answering, "width")
    assert not hasattr(ports.Flash, "read")


def test_no_class_of_the_product_lives_on_what_a_protocol_holds() -> None:
    """A class that inherits from a protocol would find its methods gone."""
    trees = [
        ast.parse(path.read_text())
        for room in ("agent", "hal", "platforms")
        for path in (ROOT / room).rglob("*.py")
    ]
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    bases = {node.name: {ast.unparse(base) for base in node.bases} for node in classes}
    protocols = {name for name, names in bases.items() if "Protocol" in names}
    assert len(protocols) > 15
    users = [name for name, names in bases.items() if names & protocols and name not in protocols]
    assert users == []
