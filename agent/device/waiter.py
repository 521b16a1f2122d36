"""The session that waits for a realm: at most one, and it may go away."""

from __future__ import annotations

from collections.abc import Callable

from agent.appliance import CaQuestion, Done, Progress
from agent.errors import AgentError
from hal.named import NamedTuple


class Unheard:
    """`Progress` where nobody reads it."""

    def note(self, _text: str) -> None:
        return

    def confirm_ca(self, _question: CaQuestion, answer: Callable[[bool], None]) -> None:
        answer(False)

    def confirm(self, _question: str, answer: Callable[[bool], None]) -> None:
        answer(False)


class Waiter(NamedTuple):
    """How a session hears what happens meanwhile, and of the end: once."""

    progress: Progress
    done: Done[None]


def _untold(_result: AgentError | None) -> None:
    return


UNHEARD = Unheard()
NOBODY = Waiter(UNHEARD, _untold)
