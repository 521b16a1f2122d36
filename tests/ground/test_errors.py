"""The catalogue: every error says what, why and what next, and survives a journey."""

import ast
import re
import string
from pathlib import Path

import pytest

from agent.catalogue.table import CATALOGUE, LATER, LOCAL, NOW, OPERATOR, PEER
from agent.console.commands.table import ROWS
from agent.errors import LocalError, PeerError, fail, from_map

ROOMS = ("agent", "platforms")


def names(text: str) -> set[str]:
    return {name for _text, name, _spec, _conversion in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("code", CATALOGUE)
def test_each_row_is_whole(code: str) -> None:
    row = CATALOGUE[code]
    assert re.fullmatch(r"[a-zA-Z]+(-[a-zA-Z]+)*", code)
    assert row.family in (PEER, LOCAL)
    assert row.retry in (NOW, LATER, OPERATOR)
    for text in (row.what, row.cause, row.remedy):
        assert text
        assert not text.endswith(".")
        assert text == text.strip()
    values = dict.fromkeys(set().union(*(names(text) for text in row[2:])), "X")
    error = fail(code, **values)
    error.after_s = 7
    assert isinstance(error, PeerError if row.family == PEER else LocalError)
    again = from_map(dict(error.as_map()))
    assert (type(again), again.as_map()) == (type(error), error.as_map())


def test_no_code_stands_in_two_tables() -> None:
    """The later one would count, and the other be read."""
    tables = sorted((Path(__file__).parents[2] / "agent" / "catalogue").glob("*.py"))
    text = "".join(path.read_text() for path in tables)
    codes = re.findall(r'^    "([a-zA-Z0-9-]+)": (?:Row|_row)\(', text, re.MULTILINE)
    assert len(codes) > 50
    assert sorted(codes) == sorted(set(codes))


def test_every_code_that_is_raised_has_a_row_and_every_row_is_raised() -> None:
    root = Path(__file__).resolve().parents[2]
    sources = [
        p for room in ROOMS for p in (root / room).rglob("*.py") if p.parent.name != "catalogue"
    ]
    text = "\n".join(path.read_text() for path in sources)
    raised = set(re.findall(r'\bfail\(\s*"([\w-]+\w)"', text))
    assert raised <= set(CATALOGUE)
    quoted = set(re.findall(r'"([\w-]+)"', text))
    assert set(CATALOGUE) <= quoted, "nobody raises these"


def test_every_raise_fills_in_all_that_its_row_asks_for() -> None:
    root = Path(__file__).resolve().parents[2]
    checked = 0
    for path in (root / "agent").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and ast.unparse(node.func) == "fail"):
                continue
            code = node.args[0]
            given = {keyword.arg for keyword in node.keywords}
            if isinstance(code, ast.Constant) and None not in given:
                row = CATALOGUE[str(code.value)]
                wanted = set().union(*(names(text) for text in row[2:]))
                assert wanted <= given, f"{path.name}:{node.lineno} {code.value}"
                checked += 1
    assert checked > 50


def test_every_command_that_a_remedy_names_exists() -> None:
    notations = [row.notation for row in ROWS] + [f"undo {row.undo}" for row in ROWS if row.undo]
    known = [re.findall(r"[a-z][a-z0-9-]*", notation) for notation in notations]
    options = {"ra", "esc", "y", "n"}  # words of a command or an answer, named alone
    for code, row in CATALOGUE.items():
        if code.startswith("start-"):  # said by a shell before there is a console
            continue
        for typed in re.findall(r"`([^`]+)`", row.cause + row.remedy):
            words = re.findall(r"^[a-z][a-z0-9-]*|(?<= )[a-z][a-z0-9-]*(?= |$)", typed)
            if not words or "_" in typed:  # filled in, or a key of the board file
                continue
            # Two words tell the command; what follows may be a name.
            fits = (row[:1] == words[:1] and set(words[:2]) <= set(row) for row in known)
            assert set(words) <= options or any(fits), (code, typed)


@pytest.mark.parametrize("answer", [{}, {"error": []}, {"error": "no-such"}, {"error": None}])
def test_a_map_that_is_no_error_becomes_one(answer: dict[str, object]) -> None:
    assert from_map(answer).code == "job-answer"


@pytest.mark.parametrize("after_s", [-1, True, "7", None, 1.5])
def test_a_time_of_another_process_that_makes_no_sense_is_none(after_s: object) -> None:
    assert from_map({"error": "http-busy", "after_s": after_s}).after_s == 0


def test_texts_of_another_process_are_capped_and_its_class_is_ours() -> None:
    error = from_map({"error": "ca-no-ca", "what": "x" * 5000, "cause": 1, "retry": "now"})
    assert len(error.what) == 1024
    assert (error.cause, error.retry) == ("", LATER)


def test_of_a_realm_the_next_step_can_be_typed() -> None:
    error = fail("crl-signature", reason="no")
    error.after_s = 7
    told = error.of_realm("abc")
    assert told.remedy == "try again; type `pki get-certificate ca realm abc` if it persists"
    assert (type(told), told.as_map()) == (PeerError, {**error.as_map(), "remedy": told.remedy})
