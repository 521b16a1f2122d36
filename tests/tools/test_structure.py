"""The figures of the structure, on a checkout whose figures are known; the picture of the rooms."""

import json
from pathlib import Path

import pytest

from tests.house.test_tidy import MAY_IMPORT
from tools.structure import __main__ as command
from tools.structure import figures, graph, marks, modules, picture, sizes

ROOT = Path(__file__).resolve().parents[2]

# Two modules of one room in a circle, an overwritten method, a docstring, comments of both kinds.
FILES = {
    "agent.__init__": "",
    "agent.errors": (
        '"""Errors."""\n\n\nclass Check:\n    def a(self): ...\n    def b(self): ...\n'
    ),
    "agent.engine": (
        '"""Two lines\n\nof prose."""\n\nX = 1  # a reason\nY = 2  # noqa: S1\n# more\n'
    ),
    "agent.room.__init__": '"""No code."""\n',
    "agent.room.one": (
        "from typing import TYPE_CHECKING\n"
        "from agent import errors\n"
        "if TYPE_CHECKING:\n    from agent.room import two\n"
        "class Check(errors.Check):\n    def b(self): ...\n    def c(self): ...\n"
    ),
    "agent.room.two": (
        "def f():\n    from agent.room.one import Check\n    import os.path\n"
        "\n    return Check, os.path\n"
    ),
    "hal.two": "import agent.engine, agent.room.two\n",
    "tests.ground.test_errors": "",
    "tests.hal.test_two": "",
    "tests.test_room_one": "",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / f"{name.replace('.', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_the_figures_of_a_checkout(checkout: Path) -> None:
    found = figures.measure(checkout)
    assert found.rooms == {"agent": 2, "agent.room": 2, "hal": 1}
    assert found.circles == [("agent.room.one", "agent.room.two")]
    assert found.circles_without_types == []
    assert (found.floors, found.floors_without_types) == (3, 4)
    assert found.largest_class == (3, "agent.room.one.Check")
    assert found.largest_file == (7, "agent.room.one")
    assert found.longest_function == (5, "agent.room.two.f")
    assert found.prose == {"agent.engine": 4 / 7}
    assert found.untested == ["agent.engine", "agent.room.two"]
    assert found.twins == {"Check": ["agent", "agent.room"]}
    assert found.line() == (
        "structure: rooms=3 modules=5 floors=3 floors_without_types=4 circles=1 in_circles=2"
        " class=3 file=7 function=5 prose=57% untested=2 twins=1"
    )


def test_the_command_tells_all_of_it(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([str(checkout)]) == 0
    told = capsys.readouterr().out
    assert told.splitlines()[-1] == figures.measure(checkout).line()
    assert "  agent.room.one agent.room.two\n" in told
    assert command.main([str(checkout), "--json"]) == 0
    read = json.loads(capsys.readouterr().out)
    assert read["largest_class"] == {"size": 3, "name": "agent.room.one.Check"}
    assert command.main([str(checkout / "agent")]) == 2


def test_this_checkout_has_figures() -> None:
    found = figures.measure(ROOT)
    assert len(found.rooms) > 10
    assert len(found.prose) == len(figures.HARD)
    assert found.largest_file.size <= 400


def test_circles_and_floors() -> None:
    names = {"a": "b", "b": "c", "c": "bd", "d": "", "e": "d"}
    arrows = {name: frozenset(below) for name, below in names.items()}
    assert graph.circles(arrows) == [("b", "c")]
    assert graph.floors(arrows) == 3
    assert graph.floors({}) == 0


def test_a_method_that_is_overwritten_counts_once(checkout: Path) -> None:
    assert sizes.largest_class(modules.load(checkout)).size == 3


def test_the_picture_is_drawn_from_the_table() -> None:
    page = ROOT / "docs" / "DESIGN.md"
    text = page.read_text()
    assert marks.replaced(text, picture.NAME, picture.drawing()) == text, "run `make docs`"
    assert "agent_resident --> agent_doors" in text


def test_the_table_has_no_circle() -> None:
    arrows = {room: frozenset(row) & MAY_IMPORT.keys() for room, row in MAY_IMPORT.items()}
    assert [c for c in graph.circles(arrows) if not {"tools", "tests"} & set(c)] == []


def test_a_longer_way_replaces_an_arrow() -> None:
    table = {"agent": ("hal", "platforms"), "platforms": ("hal.ports",), "hal": ()}
    lines = picture.drawing(table).splitlines()
    assert [line.strip() for line in lines if "-->" in line] == [
        "agent --> platforms",
        "platforms --> hal",
    ]


def test_a_page_without_marks_is_left_alone() -> None:
    page = "a\n<!-- x: begin -->\nold\n<!-- x: end -->\nb\n"
    assert marks.replaced(page, "x", " new\n") == page.replace("old", "new")
    for broken in ("", "<!-- x: begin -->", "<!-- x: end --><!-- x: begin -->"):
        with pytest.raises(ValueError, match="are wanted"):
            marks.replaced(broken, "x", "new")
