"""The page about the jobs is the contract, and each of its words is explained."""

from pathlib import Path

from agent.jobs.contract import ROWS
from tools import jobsref

PAGE = Path(__file__).parents[2] / "docs" / "JOBS.md"


def test_the_committed_page_is_what_the_contract_says() -> None:
    assert PAGE.read_text() == jobsref.page(), "run `make docs`"
    assert "* asks `signer.key` to sign 1, to unwrap 1" in jobsref.page()
    assert "* device key: unseals `key`, `password`, `renewal.key`" in jobsref.page()


def test_each_operation_and_each_field_has_a_sentence_and_nothing_else_has() -> None:
    assert set(jobsref.OPERATIONS) == set(ROWS)
    assert set(jobsref.FIELDS) == jobsref.names()
