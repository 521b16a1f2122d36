"""Each path that the documents and the comments name is there."""

import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("agent", "hal", "platforms", "tests", "tools", "docs", "requirements")
PATH = re.compile(rf"(?<![\w./-])(?>(?:{'|'.join(ROOMS)})/[\w./-]*\w)(?!\*)")
FILE = re.compile(r"(?<![\w./<>{}*-])\w+\.py\b")
NOT_OURS = {"_ctypes.py", "x.py"}  # of the standard library; an example
SOURCES = [path for room in ROOMS[:5] for path in sorted((ROOT / room).rglob("*.py"))]
PAGES = [*sorted(ROOT.glob("*.md")), ROOT / "Makefile", *sorted((ROOT / "docs").glob("*.md"))]


def named(text: str) -> Iterator[str]:
    """The paths in a text, and the names of Python files without one."""
    yield from PATH.findall(text)
    yield from FILE.findall(text)


def prose(path: Path) -> str:
    """The comments and strings of a source; the whole of a page."""
    text = path.read_text()
    if path.suffix != ".py" or not any(named(text)):  # most name nothing: read no further
        return text
    kinds = (tokenize.COMMENT, tokenize.STRING)
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return "\n".join(token.string for token in tokens if token.type in kinds)


def absent(names: Iterator[str], there: set[str]) -> list[str]:
    """Those that are neither a file nor a folder nor, without a path, the name of a file.

    A test is named from `tests/` on, and in a proof without its suffix.
    """
    ways = ("{}", "{}.py", "tests/{}", "tests/{}.py")
    return sorted({name for name in names if not any(way.format(name) in there for way in ways)})


@pytest.fixture(scope="module")
def there() -> set[str]:
    """All files of the project, as git knows them, their folders and their names."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    files = [Path(file) for file in done.stdout.split()]
    folders = {parent for file in files for parent in file.parents}
    return {str(path) for path in (*files, *folders)} | {file.name for file in files} | NOT_OURS


def test_each_path_that_is_named_is_there(there: set[str]) -> None:
    paths = [*SOURCES, *PAGES]
    missing = {str(path.relative_to(ROOT)): absent(named(prose(path)), there) for path in paths}
    assert len(missing) > 600
    assert {path: names for path, names in missing.items() if names} == {}


def test_the_rule_can_fail(there: set[str]) -> None:
    text = "`agent/{0}.py`, (hal/), agent/{1} and `{2}.py` beside `hal/store.py`, scep/test_path"
    wrong = ["nowhere", "engine", "nobody"]
    names = absent(named(text.format(*wrong)), there)
    assert [Path(name).stem for name in names] == ["engine", "nowhere", "nobody"]
