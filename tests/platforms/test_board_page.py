"""`docs/board.md` names each table and each key of the board file, with its default."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from platforms.board import Board, BoardError, RealmReaders, SerialLine, parse_board

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "board.md").read_text()
ROW = re.compile(r"^\| `(\w+)` \| (?:`(.+?)`|none) \| (.+) \|$", re.MULTILINE)
TABLES = {name: record for name, record in Board._field_defaults.items() if name != "interfaces"}


def part(heading: str) -> str:
    """What the page says of a table."""
    found = re.search(
        rf"^## `{re.escape(heading)}`: .*?(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL
    )
    assert found, f"docs/board.md has no {heading}"
    return found[0]


def shown(key: str, value: object) -> str:
    """A default as the page has it."""
    if value in ((), {}):
        return ""
    if key == "mode":
        return f'"{value:04o}"'
    return f'"{value}"' if isinstance(value, str) else str(value)


def test_the_tables_of_the_page_are_those_of_the_board_file() -> None:
    headings = re.findall(r"^## `\[+([\w.]+)\]+`", PAGE, re.MULTILINE)
    assert sorted(headings) == sorted([*Board._fields, "console.serial", "memory.realm"])


@pytest.mark.parametrize("name", TABLES)
def test_each_key_and_its_default(name: str) -> None:
    record: Any = TABLES[name]
    rows = {key: default for key, default, _meaning in ROW.findall(part(f"[{name}]"))}
    assert rows == {key: shown(key, getattr(record, key)) for key in record._fields}


def test_the_keys_of_a_serial_line() -> None:
    rows = {key: default for key, default, _meaning in ROW.findall(part("[[console.serial]]"))}
    defaults = SerialLine._field_defaults
    assert rows == {key: shown(key, defaults.get(key, ())) for key in SerialLine._fields}


def test_the_keys_of_a_realm() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| that of `\[memory\]` \|", part("[memory.realm]"), re.MULTILINE
    )
    assert rows == list(RealmReaders._fields)


@pytest.mark.parametrize("name", TABLES)
def test_each_default_of_the_page_can_be_written(name: str) -> None:
    """But not an empty text where there is a default, nor no serial line."""
    rows = [(key, value) for key, value, _meaning in ROW.findall(part(f"[{name}]")) if value]
    text = "\n".join([f"[{name}]", *(f"{key} = {value}" for key, value in rows)])
    assert getattr(parse_board(text), name) == TABLES[name]
    with pytest.raises(BoardError, match="unknown key"):
        parse_board(f"[{name}]\nnonsense = 1\n")


def test_the_example_of_router_names() -> None:
    example = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert example
    assert parse_board(example[1]).interfaces == tomllib.loads(example[1])["interfaces"]
