"""The questions of a task: whether a CA is to be trusted, with what must be compared, and others.

Nobody there means No: a session that is detached, a person who does not answer in time, a script
that goes on.
"""

from __future__ import annotations

from collections.abc import Callable

from agent import limits
from agent.appliance import CaQuestion
from agent.console.commands import lookups
from agent.console.commands.place import Place
from agent.console.commands.rows import SECRET_LEVEL
from agent.console.session.dialogue import Dialogue, Run
from agent.console.session.screen import Screen
from agent.console.terminal.output import Output
from agent.console.terminal.typed import TypeAhead
from agent.visible import row
from hal.ports import Timer

_FIRST_CA = "Compare them with what the CA's operator tells you. Is this the CA to trust?"
_OTHER_CA = (
    "This is not the CA that the realm has trusted: it has a new key, or someone answers in its"
    " place. Compare with what the CA's operator tells you. Is this the CA to trust from now on?"
)
_LOST_CA = (
    "This realm has trusted a CA before, and the flash has lost which one: this may be another, or"
    " someone answers in its place. Compare them with what the CA's operator tells you. Is this the"
    " CA to trust?"
)
_ABOVE = "The CAs above it, which consumers will trust as well:"


class Trust:
    """One such question at a time."""

    def __init__(
        self,
        place: Place,
        out: Output,
        dialogue: Dialogue,
        screen: Screen,
        typed: TypeAhead,
        run: Run,
    ) -> None:
        self._out, self._dialogue, self._screen, self._typed = out, dialogue, screen, typed
        self._place, self._run = place, run
        self._answer: Callable[[bool], None] | None = None
        self._patience: Timer | None = None

    def ask(self, asked: CaQuestion, answer: Callable[[bool], None]) -> None:
        """A CA that is accepted is as good as `fingerprint`, which is a command of level 3."""
        self._run(lambda: lookups.refuse_below_secrets(self._place.level, "accept a CA"))
        if self._place.level < SECRET_LEVEL:
            answer(False)
            return
        self._wait(answer)
        self._run(lambda: self._show(asked))

    def question(self, text: str, answer: Callable[[bool], None]) -> None:
        """One that needs no more than the line."""
        self._wait(answer)
        self._typed.clear()
        self._dialogue.choose(text, self.reply)

    def _wait(self, answer: Callable[[bool], None]) -> None:
        self._answer = answer
        self._patience = self._screen.after(limits.CONFIRM_CA_S, self._too_late)

    def reply(self, yes: bool) -> None:
        """The answer, if a question is open."""
        answer, self._answer = self._answer, None
        if self._patience:
            self._patience.cancel()
        if answer:
            answer(yes)

    def _show(self, asked: CaQuestion) -> None:
        """What must be compared stands first; the subject, which whoever answers has chosen, last
        and in one line."""
        line = self._out.message
        self._typed.clear()  # what was typed before these lines were seen is no answer to them
        for place, prints in enumerate(asked.chain):
            if place == 1:
                line(f" {_ABOVE}")
            line(f" SHA-1 fingerprint: {prints.sha1}")
            line(f" SHA-256 fingerprint: {prints.sha256}")
            line(row(" CA subject: ", prints.subject))
        if asked.before:
            line(f" Trusted until now, SHA-256: {asked.before}")
        lost = _LOST_CA if asked.before == "" else _FIRST_CA
        self._dialogue.choose(_OTHER_CA if asked.before else lost, self.reply)

    def _too_late(self) -> None:
        if self._answer:
            self._dialogue.cancel(
                f"Nobody answered within {limits.CONFIRM_CA_S} s, which means No."
            )
