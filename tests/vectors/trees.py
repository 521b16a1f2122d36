"""Faults of structure: an element of a DER tree that is missing, doubled, empty or another one.

A place is a path of child numbers below the outermost element. The lengths around the fault are
right, so that nothing but the fault is wrong.
"""

from collections.abc import Callable

from tools.lab_ca import ber
from tools.lab_ca.ber import Node

Place = tuple[int, ...]
Octets = Callable[[bytes], bytes]

NULL = Node(0x05, b"", None)


def _absent(_node: Node) -> list[Node]:
    return []


def _twice(node: Node) -> list[Node]:
    return [node, node]


def _empty(node: Node) -> list[Node]:
    return [Node(node.tag, b"", None if node.children is None else [])]


def _null(_node: Node) -> list[Node]:
    return [NULL]


FAULTS: dict[str, tuple[str, Callable[[Node], list[Node]]]] = {
    "absent": ("is missing", _absent),
    "twice": ("comes twice", _twice),
    "empty": ("has no octets", _empty),
    "null": ("is a NULL", _null),
}


def broken(place: Place, fault: str) -> Octets:
    """The same octets with this fault at this place."""
    change = FAULTS[fault][1]

    def apply(data: bytes) -> bytes:
        root = ber.parse(data)
        if not place:
            return b"".join(map(ber.encode, change(root)))
        above = root
        for number in place[:-1]:
            assert above.children is not None
            above = above.children[number]
        assert above.children is not None
        at = place[-1]
        above.children[at : at + 1] = change(above.children[at])
        return ber.encode(root)

    return apply


def found(data: bytes, place: Place) -> bytes:
    """The element at a place."""
    node = ber.parse(data)
    for number in place:
        assert node.children is not None
        node = node.children[number]
    return ber.encode(node)
