"""Draws the rooms and the arrows between them, from the table of the house rules (Mermaid).

python -m tools.structure.picture                      print it
python -m tools.structure.picture docs/DESIGN.md       write it between the marks of that page
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.house.test_tidy import MAY_IMPORT
from tools.structure.marks import replaced
from tools.structure.modules import PRODUCT, within

NAME = "picture of the rooms"
ROOT = Path(__file__).resolve().parents[2]
# Boxes around rooms: title, and the beginnings of the names in it.
BOXES = {
    "console": ("agent.console",),
    "ground": (
        *("agent.settings", "agent.signals", "agent.log", "agent.loop", "agent.errors"),
        *("agent.catalogue", "agent.visible", "agent.limits", "agent.pem"),
    ),
}

Table = Mapping[str, tuple[str, ...]]


def drawing(table: Table = MAY_IMPORT) -> str:
    """The whole picture, fenced. An arrow is left out where a longer way leads to the same room."""
    rooms = [room for room in table if room.split(".")[0] in PRODUCT]
    below = {room: _targets(table, room, rooms) for room in rooms}
    boxed = {room for inside in _boxes(rooms).values() for room in inside}
    lines = ["```mermaid", "flowchart TD"]
    lines += [f"    {_node(room)}" for room in rooms if room not in boxed]
    for title, inside in _boxes(rooms).items():
        lines += [
            f"    subgraph {title}",
            *(f"        {_node(room)}" for room in inside),
            "    end",
        ]
    for room in rooms:
        lines += [f"    {_id(room)} --> {_id(target)}" for target in _nearest(below, room)]
    return "\n".join([*lines, "```"])


def _targets(table: Table, room: str, rooms: list[str]) -> list[str]:
    """The rooms of a row, in the order of the table; a single module stands for its room."""
    found = {
        max((other for other in rooms if within(entry, other)), key=len) for entry in table[room]
    }
    return [other for other in rooms if other in found - {room}]


def _nearest(below: Mapping[str, list[str]], room: str) -> Iterator[str]:
    for target in below[room]:
        if not any(target in _all_below(below, other) for other in below[room] if other != target):
            yield target


def _all_below(below: Mapping[str, list[str]], room: str) -> set[str]:
    found = set(below[room])
    for other in below[room]:
        found |= _all_below(below, other)
    return found


def _boxes(rooms: list[str]) -> dict[str, list[str]]:
    return {
        title: [room for room in rooms if any(within(room, name) for name in names)]
        for title, names in BOXES.items()
    }


def _id(room: str) -> str:
    return room.replace(".", "_")


def _node(room: str) -> str:
    path = room.replace(".", "/")
    suffix = "/" if (ROOT / path).is_dir() else ".py"
    return f'{_id(room)}["{path.removeprefix("agent/")}{suffix}"]'


def main(arguments: list[str]) -> int:
    if not arguments:
        print(drawing())
        return 0
    page = Path(arguments[0])
    page.write_text(replaced(page.read_text(), NAME, drawing()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
