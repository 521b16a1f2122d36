"""The command reference and the man page are what the tables say."""

import re
import shutil
import subprocess

import pytest

from agent.__main__ import COMMANDS
from agent.console.commands.table import ROWS
from tools.cmdref import man
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
    page, manual = (make() for make in PAGES.values())
    for row in ROWS:
        assert f"### `{row.notation}`" in page
        if row.shows:
            assert f"### {row.shows.name}, version" in page
    told = {name for name, command in COMMANDS.items() if command.told}
    assert set(re.findall(r"^\.SS (.+)$", manual, re.MULTILINE)) == told


@pytest.mark.parametrize("name", ["run", "console", "apply", "enroll"])
def test_every_option_is_in_the_man_page_with_its_meaning(name: str) -> None:
    page = man.page()
    part = page.partition(f".SS {name}\n")[2].partition("\n.S")[0]
    command = COMMANDS[name]
    for option in (*command.operands, *command.options()):
        assert f".B {man.safe(option.shown)}\n{man.safe(option.meaning)}" in part


def test_the_reference_says_what_holds_by_default() -> None:
    text = PAGES["commands.md"]()
    for wanted in ("`digest` (sha-256)", "`ca_id` (not set)", "(default 5)", "`idle_s` (600)"):
        assert wanted in text
    assert "* `short-nonce`: Accept" in text


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed here")
def test_the_man_page_is_good_roff() -> None:
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", str(DOCS / "scep-agent.1")],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Applies for a certificate, or renews the one in use." in done.stdout
