"""The tables behind docs/interop.md hold together: all they name is there, nothing is left out."""

import subprocess
import sys

import pytest

from tests.helpers.proofs import TESTS, missing
from tests.rigs.interop import outcomes, page
from tests.rigs.interop.__main__ import PAGE, cells
from tests.rigs.interop.files import KINDS, Kind
from tests.rigs.interop.outcomes import FAILED, PASSED, SKIPPED
from tests.rigs.interop.quirks import ALLOWED, QUIRKS, Quirk
from tests.rigs.interop.servers import COLUMNS, SERVERS, Server
from tools.lab_ca.quirks import QUIRKS as SWITCHES

COUNT = 86


@pytest.mark.parametrize("quirk", QUIRKS, ids=lambda quirk: f"{quirk.number} {quirk.quirk}")
def test_a_quirk_is_proved_or_says_why_not(quirk: Quirk) -> None:
    assert quirk.does or quirk.why_not
    assert bool(quirk.does) == bool(quirk.proofs), "what is done is proved, and nothing else"
    assert missing(quirk.proofs) == []
    assert [name for name in quirk.switches if name not in SWITCHES] == []


def test_every_quirk_stands_once_in_its_order() -> None:
    assert [quirk.number for quirk in QUIRKS] == list(range(1, COUNT + 1))


def test_every_switch_of_the_lab_ca_shows_one_of_them_or_what_is_allowed() -> None:
    named = [name for quirk in QUIRKS for name in quirk.switches] + list(ALLOWED)
    assert sorted(named) == sorted(SWITCHES)
    assert missing(ALLOWED.values()) == []


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_every_cell_of_a_server_is_proved_or_says_why_not(server: Server) -> None:
    assert tuple(server.cells) == COLUMNS
    for cell in server.cells.values():
        assert cell.proofs or cell.why_not


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_a_kind_of_what_strangers_send_is_proved(kind: Kind) -> None:
    assert kind.inputs
    assert kind.gets
    assert kind.proofs
    assert missing(kind.proofs) == []


def test_every_proof_of_the_page_is_there() -> None:
    assert missing(proof for cell in cells() for proof in cell.proofs) == []
    assert len({server.name for server in SERVERS}) == len(SERVERS)


def test_the_committed_page_is_that_of_the_tables() -> None:
    """But for the outcomes and the date, which only a run can tell."""
    good = dict.fromkeys((proof for cell in cells() for proof in cell.proofs), PASSED)
    made = page.text(good, "never")
    assert page.skeleton(PAGE.read_text()) == page.skeleton(made), "run `make interop`"
    failed = page.text(dict.fromkeys(good, FAILED), "today")
    assert "**no**" in failed
    assert page.skeleton(failed).count("?") > page.skeleton(made).count("?")


@pytest.mark.parametrize(
    ("proofs", "expected"),
    [
        (("m::a",), PASSED),
        (("m::a", "m::b"), FAILED),
        (("m::b[1]",), PASSED),
        (("m::b[2]",), FAILED),
        (("m::a", "m::c"), SKIPPED),
        (("m::a", "m::nowhere"), FAILED),
        (("m::ab",), FAILED),
    ],
)
def test_a_cell_is_as_bad_as_the_worst_of_its_tests(proofs: tuple[str, ...], expected: str) -> None:
    found = {"m::a": PASSED, "m::b[1]": PASSED, "m::b[2]": FAILED, "m::c": SKIPPED}
    assert outcomes.verdict(proofs, found) == expected


RUN = """
import sys
from tests.rigs.interop import outcomes
found, status = outcomes.run(sys.argv[1:], ("-q", "-p", "no:cacheprovider"))
print("\\n", status, found)
"""
HERE = "rigs/test_interop::test_every_proof_of_the_page_is_there"


def child(*command: str) -> subprocess.CompletedProcess[str]:
    """Another pytest than the one that runs."""
    return subprocess.run(
        [sys.executable, *command], cwd=TESTS.parent, capture_output=True, text=True, timeout=120
    )


def test_outcomes_come_from_pytest() -> None:
    good = child("-c", RUN, HERE).stdout.splitlines()
    assert good[-1] == f" 0 { ({HERE: PASSED}) }"
    assert child("-c", RUN, "rigs/test_interop::test_nowhere").stdout.endswith(" 4 {}\n")


def test_every_case_that_is_named_is_one_of_its_test() -> None:
    named = {proof for cell in cells() for proof in cell.proofs}
    named |= {proof for quirk in QUIRKS for proof in quirk.proofs}
    cases = outcomes.selected(proof for proof in sorted(named) if "[" in proof)
    collect = ("-m", "pytest", "-qq", "--collect-only", "-p", "no:cacheprovider")
    assert len(cases) > len(SERVERS)
    assert child(*collect, *cases).returncode == 0
    assert child(*collect, f"{cases[0]}x").returncode != 0
