"""The README is true: its transcript is printed anew, its commands and targets exist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from agent import __main__ as program
from tests.house.test_tidy import MAY_IMPORT
from tools.demo import readme

ROOT = Path(__file__).resolve().parents[2]
DOCS = [path for path in (ROOT / "docs").iterdir() if path.suffix in (".md", ".1")]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_transcript_is_what_the_demo_prints() -> None:
    """When this fails: python -m tools.demo --readme README.md"""
    done = subprocess.run(
        [sys.executable, "-m", "tools.demo", "--fast"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert done.returncode == 0, done.stderr
    printed = readme.normalised(readme.fenced(done.stdout))
    assert readme.normalised(readme.block(README)) == printed


def test_what_changes_from_run_to_run_is_normalised_and_nothing_else() -> None:
    one, two = (
        f"http://127.0.0.1:{port}/scep fingerprint sha256 {digit * 64}\n"
        f"[x]fingerprint sha256 {digit * 38}\n{digit * 26}\n[y]\n"
        f"working {dots}\nat 2026-11-0{digit} 1{digit}:00:00 UTC (in {size} d)\n"
        f"notBefore=Nov {day} 15:24:07 2026 GMT\n"
        f"  board/x.pem    {size}  0600\nseconds={digit}\n"
        for port, digit, dots, day, size in (("80", "1", "", " 3", 9), ("8080", "2", "..", 23, 10))
    )
    assert one != two
    assert readme.normalised(one) == readme.normalised(two)
    assert readme.normalised(one) != readme.normalised(two.replace("0600", "0644"))
    assert readme.normalised("a: OK\n") == "a: OK\n"


def test_the_inside_of_a_certificate_is_cut() -> None:
    inside = "        x\n" * 4
    assert readme.shortened(f"a\n{inside}b\n") == f"a\n{readme.CUT}\nb\n"
    assert readme.shortened("a\n        x\nb\n") == "a\n        x\nb\n"


def test_a_transcript_is_replaced_between_its_marks() -> None:
    before = f"head\n{readme.BEGIN}\nold\n{readme.END}\ntail\n"
    after = readme.replaced(before, "\nnew \n")
    assert after == f"head\n{readme.BEGIN}\n```text\nnew\n```\n{readme.END}\ntail\n"
    assert readme.replaced(after, "\nnew \n") == after
    for broken in ("", readme.BEGIN, f"{readme.END}{readme.BEGIN}"):
        with pytest.raises(ValueError, match="are wanted"):
            readme.block(broken)


def test_the_commands_and_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|\n    )make ([a-z]+)", README))
    assert {"demo", "test", "console"} <= named <= targets
    commands = set(re.findall(r"`scep-agent ([a-z]+) \[", README))
    assert commands == set(program.COMMANDS) - {"worker"}
    for path in re.findall(r"`((?:docs|agent)/[\w.]+)`", README):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("page", ["README.md", *sorted(f"docs/{p.name}" for p in DOCS)])
def test_nothing_is_suggested_in_a_folder_where_everybody_may_write(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert re.findall(r"(?:--[a-z]+[ =]|`)/(?:var/)?tmp/\S*", text) == []


def test_every_attack_has_its_test() -> None:
    """Each test that the table of threats names is there."""
    text = (ROOT / "docs" / "threats.md").read_text()
    missing, last, seen = [], "", 0
    for file, name in re.findall(r"`(?:tests/)?(\w+/test_\w+\.py)?(?:::(\w+))?", text):
        last = file or last
        if not (file or name):
            continue
        path = ROOT / "tests" / last
        seen += 1
        if not path.is_file() or (name and f"def {name}(" not in path.read_text()):
            missing.append(f"{last}::{name}")
    assert seen > 100
    assert missing == []


def test_each_room_is_in_the_table_of_contributing() -> None:
    """As `MAY_IMPORT` of test_tidy has them: a folder with a slash behind it, or a file."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    told = re.findall(r"^\| `([\w/.]+)` \| .+ \|$", text, re.MULTILINE)
    paths = [room.replace(".", "/") for room in MAY_IMPORT]
    assert sorted(told) == sorted(
        f"{path}/" if (ROOT / path).is_dir() else f"{path}.py" for path in paths
    )
