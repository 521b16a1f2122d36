"""The command reference and the man page are what the tables say."""

import shutil
import subprocess

import pytest

from agent.__main__ import COMMANDS
from agent.console.commands import ROWS
from tools.cmdref.__main__ import DOCS, PAGES
from tools.cmdref.sentences import SENTENCES


@pytest.mark.parametrize("name", PAGES)
def test_the_committed_page_is_what_the_tables_give(name: str) -> None:
    assert (DOCS / name).read_text() == PAGES[name](), "run `make docs`"


def test_every_command_has_a_sentence_and_no_other() -> None:
    assert [row.notation for row in ROWS if row.notation not in SENTENCES] == []
    assert SENTENCES.keys() - {row.notation for row in ROWS} == set()
    assert all(text.endswith(".") for text in SENTENCES.values())


def test_every_command_and_every_kind_is_in_the_pages() -> None:
    page, man = (make() for make in PAGES.values())
    for row in ROWS:
        assert f"### `{row.notation}`" in page
        if row.shows:
            assert f"### {row.shows.name}, version" in page
    assert all(f".B {name}\n" in man for name in COMMANDS)


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed here")
def test_the_man_page_is_good_roff() -> None:
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", str(DOCS / "scep-agent.1")],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Applies for a certificate, or renews the one in use." in done.stdout
