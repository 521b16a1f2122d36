"""The tables of a TOML file, without its library in this process."""

import subprocess
import sys
from pathlib import Path

import pytest

from platforms.toml import TomlError, tables

ROOT = Path(__file__).resolve().parents[2]


def test_the_tables_of_a_text() -> None:
    text = "a = 'x'\n[b]\nc = [1, -2, true]\n[[b.d]]\ne = '\u00e4'\n"
    assert tables(text) == {"a": "x", "b": {"c": [1, -2, True], "d": [{"e": "\u00e4"}]}}
    assert tables("") == {}


def test_what_no_table_of_ours_holds_is_none() -> None:
    text = "a = 1.5\nb = 1979-05-27\nc = 07:32:00\nd = 36893488147419103232\ne = [inf]"
    assert tables(text) == {"a": None, "b": None, "c": None, "d": None, "e": [None]}


@pytest.mark.parametrize(
    "text", ["[worker", "a = 1\na = 2", "x = " + "[" * 50_000, f"x = [{'1,' * 20_000}]"]
)
def test_what_is_no_table_is_an_error(text: str) -> None:
    with pytest.raises(TomlError):
        tables(text)


def test_nothing_of_the_library_stays() -> None:
    code = f"import sys; sys.path[:0] = [{str(ROOT)!r}]; from platforms.board import parse_board"
    code += "; parse_board('[flash]\\nsize = 1048576'); print(*sys.modules)"
    words = [sys.executable, "-I", "-S", "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    assert not {"tomllib", "typing", "datetime"} & {*done.stdout.split()}
