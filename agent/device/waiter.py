"""The session that waits for a realm: at most one, and it may go away."""

from __future__ import annotations

from collections.abc import Callable

from agent.appliance import CaQuestion, Done, Progress
from agent.errors import AgentError


class Unheard:
    """`Progress` where nobody reads it."""

    def note(self, _text: str) -> None:
        return

    def confirm_ca(self, _question: CaQuestion, answer: Callable[[bool], None]) -> None:
        answer(False)


UNHEARD = Unheard()


class Waiter:
    """Tells the session that waits, and nobody where none does."""

    __slots__ = ("_session",)

    def __init__(self) -> None:
        self._session: tuple[Progress, Done[None]] | None = None

    def __bool__(self) -> bool:
        return self._session is not None

    def take(self, progress: Progress, done: Done[None]) -> None:
        """Another session waits now; the one before it reads how the realm stands."""
        self.end(None)
        self._session = (progress, done)

    def leave(self) -> None:
        """Nobody waits any more, and nobody is told."""
        self._session = None

    def note(self, text: str) -> None:
        if self._session:
            self._session[0].note(text)

    def ask(self, question: CaQuestion, answer: Callable[[bool], None]) -> bool:
        """Asks about a CA; False: there is nobody to ask."""
        if self._session is None:
            return False
        self._session[0].confirm_ca(question, answer)
        return True

    def end(self, result: AgentError | None) -> None:
        """The end of the wait: `done` is called once."""
        session, self._session = self._session, None
        if session:
            session[1](result)
