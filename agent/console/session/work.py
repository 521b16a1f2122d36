"""A task that a session waits for: its progress line, its notes, its questions, its end.

The device calls a hold from the event loop, perhaps at once, perhaps after the session has gone.
When the session was detached (Ctrl+C, hang-up) the work goes on and a hold is deaf: notes and the
result are dropped, and a question is answered No, because nobody is there who could compare.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from agent import limits
from agent.appliance import CaQuestion
from agent.console.commands import lookups
from agent.console.commands.rows import SECRET_LEVEL
from agent.errors import AgentError
from agent.visible import row
from hal.ports import Timer

if TYPE_CHECKING:
    from agent.console.session.holding import Holding

DOT_S = 1
GOES_ON = "The work goes on without this session."
_FIRST_CA = "Compare them with what the CA's operator tells you. Is this the CA to trust?"
_OTHER_CA = (
    "This is not the CA that the realm has trusted: it has a new key, or someone answers in its"
    " place. Compare with what the CA's operator tells you. Is this the CA to trust from now on?"
)
_ABOVE = "The CAs above it, which consumers will trust as well:"


_LOST_CA = (
    "This realm has trusted a CA before, and the flash has lost which one: this may be another, or"
    " someone answers in its place. Compare them with what the CA's operator tells you. Is this the"
    " CA to trust?"
)


class Hold:
    """Progress and Done of one task. `handle` is what the device calls the task.

    `left` tells who leaves it with Ctrl+C what becomes of the work.
    """

    def __init__(self, session: "Holding", then: Callable[[object], None], left: str) -> None:
        self.handle: int | None = None
        self.left = left
        self.over = False
        self._session = session
        self._then = then
        self._answer: Callable[[bool], None] | None = None
        self._dots = session.after(DOT_S, self._dot) if session.terminal else None
        self._patience: Timer | None = None

    # -- called by the device ----------------------------------------------------------------------

    def done(self, result: object) -> None:
        """The task has ended: with its result, or with an AgentError."""
        if self.over:
            return
        self.end()
        self._session.release(lambda: self._conclude(result))

    def note(self, text: str) -> None:
        if not self.over:
            self._session.run(lambda: self._session.info(text))

    def confirm_ca(self, asked: CaQuestion, answer: Callable[[bool], None]) -> None:
        """Shows what must be compared, and waits for a person; nobody there means No.

        A CA that is accepted is as good as `fingerprint`, which is a command of level 3.
        """
        session = self._session
        if not self.over:
            session.run(lambda: lookups.refuse_below_secrets(session, "accept a CA"))
        if self.over or session.level < SECRET_LEVEL:
            answer(False)
            return
        self._answer = answer
        self._patience = session.after(limits.CONFIRM_CA_S, self._too_late)
        session.run(lambda: self._ask(asked))

    # -- called by the session ---------------------------------------------------------------------

    def end(self) -> None:
        """No more is heard from this hold; an open question is answered No."""
        self.over = True
        for timer in (self._dots, self._patience):
            if timer:
                timer.cancel()
        self._reply(False)

    # -- inside ------------------------------------------------------------------------------------

    def _conclude(self, result: object) -> None:
        if isinstance(result, AgentError):
            raise result
        self._then(result)

    def _dot(self) -> None:
        if not self._session.asking:
            self._session.progress(".")
        self._dots = self._session.after(DOT_S, self._dot)

    def _ask(self, asked: CaQuestion) -> None:
        """What must be compared stands first; the subject, which whoever answers has chosen, last
        and in one line."""
        session = self._session
        session.drop_input()  # what was typed before these lines were seen is no answer to them
        for place, prints in enumerate(asked.chain):
            if place == 1:
                session.line(f" {_ABOVE}")
            session.line(f" SHA-1 fingerprint: {prints.sha1}")
            session.line(f" SHA-256 fingerprint: {prints.sha256}")
            session.line(row(" CA subject: ", prints.subject))
        if asked.before:
            session.line(f" Trusted until now, SHA-256: {asked.before}")
        lost = _LOST_CA if asked.before == "" else _FIRST_CA
        session.choose(_OTHER_CA if asked.before else lost, self._reply)

    def _too_late(self) -> None:
        if self._answer:
            session = self._session
            session.cancel_question(f"Nobody answered for {limits.CONFIRM_CA_S} s: No.")

    def _reply(self, yes: bool) -> None:
        answer, self._answer = self._answer, None
        if self._patience:
            self._patience.cancel()
        if answer:
            answer(yes)
