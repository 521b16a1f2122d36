"""Runs proofs in one pytest and takes its word for how each went.

A proof that selects no test has failed: a table must not say yes to what is not there.
"""

from collections.abc import Iterable
from pathlib import Path

import pytest

PASSED, SKIPPED, FAILED = "passed", "skipped", "failed"  # in the order of what counts more
_RANK = (PASSED, SKIPPED, FAILED)
TESTS = Path(__file__).parents[2]

Outcomes = dict[str, str]  # "room/module::test[id]" -> the worst of its phases


class Recorder:
    """A plugin: what was reported of each test."""

    def __init__(self) -> None:
        self.outcomes: Outcomes = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        file, _, test = report.nodeid.partition("::")
        name = f"{'/'.join(Path(file).with_suffix('').parts[-2:])}::{test}"
        self.outcomes[name] = worst([report.outcome, self.outcomes.get(name, PASSED)])


def worst(outcomes: Iterable[str]) -> str:
    return max(outcomes, key=_RANK.index)


def verdict(proofs: Iterable[str], outcomes: Outcomes) -> str:
    """How a cell went: the worst of its proofs, each the worst of its cases."""
    return worst(_of(proof, outcomes) for proof in proofs)


def _of(proof: str, outcomes: Outcomes) -> str:
    cases = [found for name, found in outcomes.items() if name == proof or _is_case(name, proof)]
    return worst(cases) if cases else FAILED


def _is_case(name: str, proof: str) -> bool:
    return name.startswith(f"{proof}[")


def selected(proofs: Iterable[str]) -> list[str]:
    """The arguments of pytest that select them."""
    parts = (proof.partition("::") for proof in dict.fromkeys(proofs))
    return [f"{TESTS / module}.py::{name}" for module, _, name in parts]


def run(proofs: Iterable[str], arguments: Iterable[str]) -> tuple[Outcomes, int]:
    """The outcome of each test and pytest's exit status."""
    recorder = Recorder()
    status = pytest.main([*arguments, *selected(proofs)], plugins=[recorder])
    return recorder.outcomes, int(status)
