"""A test that starts processes is marked by itself, on whichever way it comes to start them."""

import contextlib
from collections.abc import Callable, Iterator

import pytest

from tests.helpers import stepca
from tests.helpers.board import Agent
from tests.helpers.device_bench import Bench
from tests.helpers.labca import LabCa
from tests.helpers.reach import STARTERS, earned


def directly() -> None:
    LabCa  # noqa: B018


def through_a_module() -> None:
    stepca.StepCa  # noqa: B018


class Board(Agent):
    """A subclass."""


class Rig:
    """Something that has an agent."""

    @property
    def agent(self) -> object:
        return Board

    @staticmethod
    def ca() -> object:
        return [LabCa for _ in range(1)]


@contextlib.contextmanager
def helped() -> Iterator[None]:
    Rig  # noqa: B018
    yield


def by_helpers() -> None:
    with helped():
        pass


def on_fakes(_agent: Agent) -> None:
    """A type starts nothing."""
    Bench  # noqa: B018


@pytest.mark.parametrize(
    ("function", "marks"),
    [
        (directly, {"lab"}),
        (through_a_module, {"peers"}),
        (by_helpers, {"lab"}),
        (on_fakes, set()),
    ],
)
def test_the_marks_that_a_test_earns(function: Callable[[], None], marks: set[str]) -> None:
    assert earned([function]) == marks
    assert earned([on_fakes, function]) == marks


def test_the_marks_are_those_that_pytest_knows(request: pytest.FixtureRequest) -> None:
    known = {line.split(":")[0] for line in request.config.getini("markers")}
    assert {*STARTERS.values(), "slow"} <= known
